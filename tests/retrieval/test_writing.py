"""What writers do beside adding: forgetting, reading again, and being stopped."""

from __future__ import annotations

import pytest

from worldline.core.errors import ArtifactError
from worldline.core.scene import Event
from worldline.retrieval.lance import LanceStore
from worldline.retrieval.library import Library
from worldline.retrieval.schema import EVENTS
from worldline.retrieval.store import ArrayStore


@pytest.fixture(params=["array", "lance"])
def library(request, tmp_path, look):
    store = ArrayStore() if request.param == "array" else LanceStore(str(tmp_path / "library"))
    return Library(store, look=look)


def falls(height_m: float) -> list[Event]:
    return [Event("fall", 0.0, 0.5, {"object": 0}, {"height_m": height_m})]


def statuses(report) -> dict[str, str]:
    return {result.source.rpartition("/")[2]: str(result.status) for result in report.results}


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ("LanceError(IO): No space left on device (os error 28)", "the disk is full; make room"),
        ("LanceError(IO): Read-only file system (os error 30)", "the place is read-only"),
        ("LanceError(IO): Permission denied (os error 13)", "writing there is not allowed"),
        ("Failed to get AWS credentials: ProviderError", ".* set AWS_ACCESS_KEY_ID and"),
        ("Generic S3 error: Failed to resolve region for bucket 'x'", ".* set AWS_REGION"),
    ],
)
def test_what_a_user_can_mend_is_said_in_a_sentence(tmp_path, make_scene, monkeypatch, told, said):
    import lancedb.table

    library = Library.open(tmp_path / "lib")
    library.add(make_scene(falls(1.0)), uri="a", content_hash="1")

    def refuse(*_, **__):
        raise OSError(told)

    monkeypatch.setattr(lancedb.table.LanceTable, "add", refuse)
    with pytest.raises(ArtifactError, match=f"/lib: the table events cannot be used: {said}"):
        library.add(make_scene(falls(2.0)), uri="b", content_hash="1")
    monkeypatch.undo()
    assert len(library.search("fall").hits) == 1


def test_of_a_library_without_its_records_of_versions_it_is_said_what_to_do(tmp_path, make_scene):
    place = tmp_path / "lib"
    Library.open(place).add(make_scene(falls(1.0)), uri="a", content_hash="1")
    for manifest in (place / "events.lance/_versions").iterdir():
        manifest.unlink()
    with pytest.raises(ArtifactError, match=r"damaged \(.*\); ingest the videos into a new"):
        Library.open(place).search("fall")


def test_a_file_that_is_forgotten_or_read_again(library, tmp_path, make_scene, write_fake):
    (tmp_path / "in").mkdir()
    for name in ("in/a", "in/b", "inside"):
        write_fake(tmp_path / f"{name}.mp4", make_scene(falls(1.0)))
    library.ingest(tmp_path)
    before = {video["uri"]: video["ingest_id"] for video in library.videos()}
    again = library.ingest(tmp_path / "in", again=True)
    assert statuses(again) == {"a.mp4": "updated", "b.mp4": "updated"}
    after = {video["uri"]: video["ingest_id"] for video in library.videos()}
    assert [before[uri] == after[uri] for uri in sorted(before)] == [False, False, True]
    (tmp_path / "in/a.mp4").unlink()
    assert library.forget([tmp_path / "in"]) == [f"{tmp_path}/in/a.mp4", f"{tmp_path}/in/b.mp4"]
    assert library.forget([tmp_path / "in"]) == []
    assert [video["uri"] for video in library.videos()] == [f"{tmp_path}/inside.mp4"]
    assert {row["uri"] for row in library.store.read(EVENTS)} == {f"{tmp_path}/inside.mp4"}


def test_a_path_means_the_same_file_whoever_writes_it(
    library, tmp_path, make_scene, write_fake, monkeypatch
):
    (tmp_path / "in").mkdir()
    for name in ("in/a", "in/b", "c"):
        write_fake(tmp_path / f"{name}.mp4", make_scene(falls(1.0)))
    monkeypatch.chdir(tmp_path)
    library.ingest(["in", "c.mp4"])
    assert statuses(library.ingest("in/../../" + tmp_path.name + "/in/a.mp4")) == {
        "a.mp4": "unchanged"
    }
    assert library.forget(["in/a.mp4"]) == [f"{tmp_path}/in/a.mp4"]
    assert library.forget(["./in"]) == [f"{tmp_path}/in/b.mp4"]
    assert library.remove("in/../c.mp4")
    assert not library.videos()


def test_who_is_interrupted_keeps_what_is_finished(library, tmp_path, make_scene, write_fake):
    for name in "abcd":
        write_fake(tmp_path / f"{name}.mp4", make_scene(falls(1.0)))

    def stop(done, total, result):
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        library.ingest(tmp_path, on_progress=stop)
    assert len(library.videos()) == 3
    assert list(statuses(library.ingest(tmp_path)).values()) == ["unchanged"] * 3 + ["added"]
