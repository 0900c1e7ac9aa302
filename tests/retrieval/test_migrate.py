"""A library that the first version of the schema made, brought up to date."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from worldline.core.errors import ArtifactError, InputError
from worldline.core.scene import Event
from worldline.retrieval import columns, lance, migrate
from worldline.retrieval.lance import LanceStore
from worldline.retrieval.library import Library
from worldline.retrieval.missing import missing
from worldline.retrieval.schema import EVENTS, MOTIONS, SCHEMA_VERSION, TABLES, VIDEOS


@pytest.fixture
def old(tmp_path) -> Path:
    """Made at commit e983f95: v0 (then replaced), v1 and v2, three moving objects each."""
    with zipfile.ZipFile(Path(__file__).with_name("library_v1.zip")) as archive:
        archive.extractall(tmp_path)
    return tmp_path / "lib"


def versions(place) -> list[int]:
    store = LanceStore(str(place))
    return [store._open(create=False)[table].version for table in TABLES]


def test_readers_say_what_to_do_and_change_nothing(old):
    before = versions(old)
    library = Library.open(old)
    for act in (library.videos, lambda: library.search("fall")):
        with pytest.raises(
            ArtifactError, match=r"library version 1, .* needs \d; `worldline ingest --upgrade"
        ):
            act()
    assert versions(old) == before


def test_the_next_writer_brings_it_up_to_date(old, make_scene):
    scene = make_scene([Event("fall", 0.0, 1.0, {"object": 0}, {"height_m": 5.0})])
    Library.open(old).add(scene, uri="v3", content_hash="1")
    library = Library.open(old)
    *motions, added = [video["num_motions"] for video in library.videos()]
    assert motions == [0, 0, 0]  # vectors by another network compare with nothing
    assert added >= 4
    assert {video["schema_version"] for video in library.videos()} == {SCHEMA_VERSION}
    heights = [hit.why["quantities"]["height_m"] for hit in library.search("fall").hits]
    assert sorted(heights) == [2.0, 3.0, 5.0, 9.0]
    with pytest.raises(InputError, match=r"3 of its videos by an older version only, among them v"):
        library.search(like=scene)
    for name in ("v0", "v1", "v2"):
        library.add(scene, uri=name, content_hash="1")
    assert len(library.search(like=scene).hits) == 4
    assert missing(library.store) == []


def test_a_handle_of_before_sees_the_new_schema(old):
    early = Library.open(old)
    Library.open(old).upgrade()
    assert len(early.videos()) == 3
    before = versions(old)
    early.upgrade()
    assert versions(old) == before


@pytest.fixture
def next_version(monkeypatch):
    """A next version, as if the descriptors of motion had changed once more."""
    new = {MOTIONS: migrate.forget_motions, VIDEOS: migrate.expect_again}
    monkeypatch.setattr(migrate, "CHANGES", {**migrate.CHANGES, SCHEMA_VERSION: new})
    for room in (migrate, lance, columns):
        monkeypatch.setattr(room, "SCHEMA_VERSION", SCHEMA_VERSION + 1)


def test_motions_that_cannot_be_carried_over_are_expected_again(old, next_version, make_scene):
    Library.open(old).upgrade()
    library = Library.open(old)
    assert len(library.search("fall").hits) == 3
    assert library.store.read(MOTIONS) == []
    assert missing(library.store) == []
    scene = make_scene([Event("fall", 0.0, 1.0, {"object": 0}, {"height_m": 5.0})])
    library.add(scene, uri="v1", content_hash="1")  # the content that is known
    with pytest.raises(InputError, match="2 of its videos by an older version only"):
        library.search(like=scene)
    for name in ("v0", "v2"):
        library.add(scene, uri=name, content_hash="1")
    assert len(library.search(like=scene).hits) == 3


@pytest.mark.parametrize("fatal", [0, 1, 2, 3])
def test_killed_at_any_moment_it_goes_on(old, next_version, monkeypatch, fatal):
    """Before and after the commit of each of the two tables that change."""
    import lancedb.db

    whole, moments = lancedb.db.LanceDBConnection.create_table, iter(range(4))

    def dies(self, name, *arguments, **options):
        if options.get("mode") != "overwrite":
            return whole(self, name, *arguments, **options)
        if next(moments) == fatal:
            raise KeyboardInterrupt
        table = whole(self, name, *arguments, **options)
        if next(moments) == fatal:
            raise KeyboardInterrupt
        return table

    monkeypatch.setattr(lancedb.db.LanceDBConnection, "create_table", dies)
    with pytest.raises(KeyboardInterrupt):
        Library.open(old).upgrade()
    monkeypatch.setattr(lancedb.db.LanceDBConnection, "create_table", whole)
    if fatal < 3:
        with pytest.raises(ArtifactError, match="library version 1"):
            Library.open(old).videos()
    Library.open(old).upgrade()
    library = Library.open(old)
    assert [v["num_motions"] for v in library.videos()] == [0, 0, 0]
    assert len(library.store.read(EVENTS)) == 5
    assert missing(library.store) == []


def test_a_version_without_a_way_says_so(old, monkeypatch):
    monkeypatch.setattr(migrate, "CHANGES", {})
    with pytest.raises(ArtifactError, match="version 1 cannot be brought up to date; ingest"):
        Library.open(old).upgrade()
