from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from worldline.core.errors import ArtifactError, InputError
from worldline.core.provenance import Origin, Provenance
from worldline.core.scene import Event
from worldline.data import write_video
from worldline.retrieval import columns, lance, migrate
from worldline.retrieval.ingest import Status, hash_content
from worldline.retrieval.lance import LanceStore
from worldline.retrieval.library import Library
from worldline.retrieval.missing import missing
from worldline.retrieval.schema import EVENTS, MOTIONS, TABLES
from worldline.retrieval.store import ArrayStore
from worldline.retrieval.where import IsIn


@pytest.fixture(params=["array", "lance"])
def library(request, tmp_path, look):
    store = ArrayStore() if request.param == "array" else LanceStore(str(tmp_path / "library"))
    return Library(store, look=look)


def falls(*heights: float) -> list[Event]:
    return [
        Event("fall", i, i + 0.5, {"object": 0}, {"height_m": h}) for i, h in enumerate(heights)
    ]


def statuses(report) -> dict[str, str]:
    return {result.source.rpartition("/")[2]: str(result.status) for result in report.results}


def versions(library) -> list[int]:
    return [library.store.version(table) for table in TABLES]


def test_ingest_again_changes_nothing(library, tmp_path, make_scene, write_fake):
    (tmp_path / "in/deep").mkdir(parents=True)
    write_fake(tmp_path / "in/a.mp4", make_scene(falls(1.0)))
    write_fake(tmp_path / "in/deep/b.MOV", make_scene(falls(2.0, 3.0)))
    write_fake(tmp_path / "in/notes.txt", make_scene(falls(9.0)))
    seen = []
    report = library.ingest([tmp_path / "in"], on_progress=lambda *step: seen.append(step))
    assert statuses(report) == {"a.mp4": "added", "b.MOV": "added"}
    assert [(done, total) for done, total, _ in seen] == [(1, 2), (2, 2)]
    before = versions(library)
    again = library.ingest([tmp_path / "in", tmp_path / "in/a.mp4"])
    assert statuses(again) == {"a.mp4": "unchanged", "b.MOV": "unchanged"}
    assert [r.num_events for r in again.results] == [1, 2]
    assert versions(library) == before


def test_a_changed_file_replaces_its_rows(library, tmp_path, make_scene, write_fake):
    video = tmp_path / "a.mp4"
    write_fake(video, make_scene(falls(1.0, 2.0)))
    library.ingest(video)
    write_fake(video, make_scene(falls(7.0)))
    assert statuses(library.ingest([video])) == {"a.mp4": "updated"}
    (hit,) = library.search("fall").hits
    assert hit.why["quantities"]["height_m"] == 7.0
    assert len(library.videos()) == 1
    assert len(library.store.read(EVENTS)) == 1
    assert {row["uri"] for row in library.store.read(MOTIONS)} == {str(video)}


def test_a_bad_file_fails_alone(library, tmp_path, make_scene, write_fake):
    for name in ("a", "c"):
        write_fake(tmp_path / f"{name}.mp4", make_scene(falls(1.0)))
    (tmp_path / "b.mp4").write_text("not a video")
    (tmp_path / "empty").mkdir()
    report = library.ingest([tmp_path, tmp_path / "none.mp4", tmp_path / "empty"])
    assert statuses(report) == {
        "a.mp4": "added",
        "b.mp4": "failed",
        "c.mp4": "added",
        "none.mp4": "failed",
        "empty": "failed",
    }
    errors = {r.source.rpartition("/")[2]: r.error for r in report.results if r.error}
    assert "is not a video" in errors["b.mp4"]
    assert "no such file" in errors["none.mp4"]
    assert "no video files" in errors["empty"]
    assert len(library.search("fall").hits) == 2
    record = report.to_json()
    assert (record["added"], record["failed"]) == (2, 3)
    json.dumps(record)


def test_a_link_to_itself_says_so(library, tmp_path):
    (tmp_path / "loop.mp4").symlink_to("loop.mp4")
    (result,) = library.ingest(tmp_path / "loop.mp4").results
    assert result.error is not None
    assert result.error.endswith("cannot be opened (too many levels of symbolic links)")


def test_the_longest_name_has_no_scene_beside_it(tmp_path, make_scene):
    video = tmp_path / ("x" * 251 + ".mp4")
    frames = np.zeros((10, 32, 32, 3), dtype=np.uint8)
    write_video(video, frames, fps=10, provenance=Provenance())
    assert statuses(Library(ArrayStore()).ingest(video)) == {video.name: "added"}


def test_a_bug_costs_one_file(tmp_path, make_scene, write_fake, look, capsys):
    def shaky(path):
        if path.name == "a.mp4":
            raise ZeroDivisionError("oops")
        return look(path)

    for name in ("a", "b"):
        write_fake(tmp_path / f"{name}.mp4", make_scene(falls(1.0)))
    report = Library(ArrayStore(), look=shaky).ingest([tmp_path])
    assert statuses(report) == {"a.mp4": "failed", "b.mp4": "added"}
    assert report.results[0].bug
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_a_file_that_goes_bad_keeps_what_was_known(library, tmp_path, make_scene, write_fake):
    video = tmp_path / "a.mp4"
    write_fake(video, make_scene(falls(1.0)))
    library.ingest(video)
    video.write_text("broken")
    assert statuses(library.ingest(video)) == {"a.mp4": "failed"}
    assert len(library.search("fall").hits) == 1


def test_add_and_remove(library, make_scene):
    scene = make_scene(falls(1.0, 2.0))
    assert library.add(scene, uri="a", content_hash="1") == 2
    before = versions(library)
    assert library.add(scene, uri="a", content_hash="1") == 2
    assert versions(library) == before
    assert library.add(make_scene(falls(3.0)), uri="a", content_hash="2") == 1
    assert library.add(scene, uri="b", content_hash="1") == 2
    assert library.remove("a")
    assert not library.remove("a")
    assert [video["uri"] for video in library.videos()] == ["b"]
    assert {row["uri"] for table in (EVENTS, MOTIONS) for row in library.store.read(table)} == {"b"}


def test_new_definitions_are_applied_to_known_content(library, make_scene, monkeypatch):
    scene = make_scene(falls(1.0))
    library.add(scene, uri="a", content_hash="1")
    before = versions(library)
    monkeypatch.setattr("worldline.retrieval.examine.current_definitions", lambda: "other")
    library.add(scene, uri="a", content_hash="1")
    assert versions(library) != before
    assert len(library.videos()) == 1


def test_events_are_detected_where_a_scene_has_none(library, make_scene):
    time_s = np.linspace(0, 2, 40)
    drop = np.stack([50 + 0 * time_s, 20 + 45 * time_s**2], axis=1)[None]
    scene = make_scene([], labels=["ball"], colors=[(0.9, 0.1, 0.1)], paths_px=drop)
    assert library.add(scene, uri="a", content_hash="1") > 0
    (hit,) = library.search("a red ball falls").hits
    assert hit.why["definition_version"] != "fall/as given"


def test_truth_beside_a_simulated_video_is_used(tmp_path, make_scene):
    frames = np.zeros((40, 32, 32, 3), dtype=np.uint8)
    time_s = np.linspace(0, 2, 40)
    video = tmp_path / "drop.mp4"
    write_video(
        video, frames, time_s=time_s, provenance=Provenance(Origin.SIMULATED, source="drop")
    )
    alone = hash_content(video)
    scene = make_scene(falls(4.0), origin=Origin.SIMULATED)
    (tmp_path / "drop.scene.json").write_text(json.dumps(scene.to_json()))
    assert hash_content(video) != alone
    library = Library(ArrayStore())
    assert statuses(library.ingest(tmp_path)) == {"drop.mp4": "added"}
    (hit,) = library.search("something falls from a height").hits
    assert hit.synthetic
    assert hit.why["evidence"] == "truth"
    assert hit.why["quantities"]["height_m"] == 4.0


@pytest.mark.parametrize("kind", ["longer", "damaged"])
def test_a_scene_file_that_cannot_belong_to_the_video(tmp_path, make_scene, kind):
    frames = np.zeros((20, 32, 32, 3), dtype=np.uint8)
    write_video(tmp_path / "a.mp4", frames, fps=20, provenance=Provenance(Origin.SIMULATED))
    scene = make_scene(falls(4.0), origin=Origin.SIMULATED, duration_s=9.0)
    text = json.dumps(scene.to_json()) if kind == "longer" else "{"
    (tmp_path / "a.scene.json").write_text(text)
    (result,) = Library(ArrayStore()).ingest(tmp_path).results
    assert result.status is Status.FAILED
    assert "a.scene.json" in str(result.error)


def test_pixels_are_perceived_where_there_is_no_truth(tmp_path):
    time_s = np.arange(45) / 30
    rows, columns = np.mgrid[:120, :160]
    rng = np.random.default_rng(0)
    ground = rng.integers(90, 140, size=(120, 160, 1)).repeat(3, axis=2)
    frames = np.stack([ground] * 45).astype(np.uint8)
    for k, t in enumerate(time_s):
        frames[k][(columns - 20 - 80 * t) ** 2 + (rows - 60) ** 2 <= 81] = (220, 30, 30)
    write_video(tmp_path / "a.mp4", frames, time_s=time_s, provenance=Provenance())
    library = Library(ArrayStore())
    (result,) = library.ingest(tmp_path).results
    assert result.error is None
    assert result.num_segments == 1
    (video,) = library.videos()
    assert (video["evidence"], video["origin"]) == ("pixels", "recorded")
    assert (video["width_px"], video["height_px"]) == (160, 120)
    assert video["fps"] == pytest.approx(30, rel=0.01)


def test_real_files_that_are_no_videos(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"")
    (tmp_path / "b.mp4").write_bytes(b"\0" * 5000)
    report = Library(ArrayStore()).ingest(tmp_path)
    assert report.count(Status.FAILED) == 2
    assert not any(result.bug for result in report.results)
    assert all("\n" not in str(result.error) for result in report.results)


def test_places_where_no_library_can_be(tmp_path):
    (tmp_path / "file").write_text("x")
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign/photo.jpg").write_text("x")
    for place, reason in {
        tmp_path / "file": "a file, but a library is a folder",
        tmp_path / "file/below": "cannot be written",
        tmp_path / "foreign": "other things in it and no library; name that of a library",
        "/proc/library": "cannot be written|no library can be opened",
    }.items():
        with pytest.raises(ArtifactError, match=reason) as caught:
            Library.open(place).ingest([])
        assert str(place) in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_foreign_lancedb_and_a_newer_library(tmp_path, make_scene, monkeypatch):
    import lancedb

    lancedb.connect(tmp_path / "foreign").create_table("videos", data=[{"x": 1}])
    with pytest.raises(ArtifactError, match="did not make"):
        Library.open(tmp_path / "foreign")
    for room in (lance, columns, migrate):
        monkeypatch.setattr(room, "SCHEMA_VERSION", 99)
    Library.open(tmp_path / "new").add(make_scene(falls(1.0)), uri="a", content_hash="1")
    monkeypatch.undo()
    with pytest.raises(ArtifactError, match=r"library version 99.*newer Worldline"):
        Library.open(tmp_path / "new")


def test_opening_creates_nothing_and_searching_nowhere_says_so(tmp_path):
    library = Library.open(tmp_path / "none")
    assert library.videos() == []
    assert not library.remove("a")
    with pytest.raises(InputError, match="no library here yet"):
        library.search("fall")
    assert not (tmp_path / "none").exists()


def test_two_handles_see_each_other(tmp_path, make_scene):
    one, two = Library.open(tmp_path / "lib"), Library.open(tmp_path / "lib")
    one.add(make_scene(falls(1.0)), uri="a", content_hash="1")
    two.add(make_scene(falls(2.0)), uri="b", content_hash="1")
    late = Library.open(tmp_path / "lib")
    for library in (one, two, late):
        assert [video["uri"] for video in library.videos()] == ["a", "b"]
        assert len(library.search("fall").hits) == 2


def test_no_video_bytes_are_kept(library, tmp_path, make_scene):
    library.add(make_scene(falls(1.0)), uri="a", content_hash="1")
    (video,) = library.videos()
    assert set(video) == set(TABLES["videos"])
    assert all(isinstance(value, str | int | float) for value in video.values())


def test_importing_the_library_stays_light():
    code = (
        "import sys; from worldline import Library; "
        "heavy = {'torch', 'lancedb', 'pyarrow', 'av', 'cv2', 'mujoco'} & set(sys.modules); "
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


@pytest.mark.parametrize("table", [EVENTS, MOTIONS])
def test_rows_that_a_fallback_lost_are_noticed_and_mended(
    tmp_path, make_scene, write_fake, look, table
):
    place, names = tmp_path / "lib", ("a.mp4", "b.mp4")
    for number, name in enumerate(names):
        write_fake(tmp_path / name, make_scene(falls(1.0 + number)))
    Library(LanceStore(str(place)), look=look).ingest(tmp_path)
    versions = place / f"{table}.lance/_versions"
    newest = min(versions.glob("*.manifest"), key=lambda file: int(file.stem))
    newest.unlink()  # names count down from 2^64 - 1
    with pytest.raises(ArtifactError, match=r"damaged \(rows of 2 of 2 videos.*a.mp4\); ingest"):
        Library.open(place).search("fall")
    report = Library(LanceStore(str(place)), look=look).ingest(tmp_path)
    assert statuses(report) == dict.fromkeys(names, "updated")
    library = Library.open(place)
    assert len(library.search("fall").hits) == 2
    assert len(library.search(like=make_scene()).hits) == 2


def test_add_mends_what_was_lost(library, make_scene):
    scene = make_scene(falls(1.0))
    library.add(scene, uri="a", content_hash="1")
    library.store.delete(EVENTS, IsIn("uri", ("a",)))
    library.add(scene, uri="a", content_hash="1")
    assert len(library.search("fall").hits) == 1


def test_a_video_that_is_replaced_meanwhile_is_not_lost(make_scene):
    class Busy(ArrayStore):
        """Somebody replaces the video between the first two reads."""

        def tally(self, table, column):
            if table == EVENTS:
                other.add(make_scene(falls(2.0)), uri="a", content_hash="2")
            return super().tally(table, column)

    store = Busy()
    other = Library(ArrayStore())
    other.add(make_scene(falls(1.0)), uri="a", content_hash="1")
    store._rows = other.store._rows  # pyright: ignore
    assert missing(store) == []


def test_places_in_the_source_of_the_database_are_not_quoted(monkeypatch):
    def refuse(*_, **__):
        raise RuntimeError(
            "Generic S3 error: no bucket x, /build/.cargo/registry/aws-1.2/aws.rs:319:13: inner "
            'at s3://x/y, location: Location { file: "/build/a.rs", line: 15, column: 9 }, '
            "backtrace: MaybeBacktrace"
        )

    monkeypatch.setattr("lancedb.connect", refuse)
    with pytest.raises(ArtifactError) as caught:
        Library.open("s3://x/y")
    assert str(caught.value) == (
        "s3://x/y: no library can be opened here (Generic S3 error: no bucket x: inner at s3://x/y)"
    )


def test_a_place_that_fails_when_it_is_listed(monkeypatch):
    class Connection:
        def list_tables(self):
            raise RuntimeError("no bucket x, /build/.cargo/aws.rs:319:13")

    monkeypatch.setattr("lancedb.connect", lambda *_, **__: Connection())
    with pytest.raises(ArtifactError, match=r"no library can be opened here \(no bucket x\)$"):
        Library.open("s3://x/y")


def test_empty_paths_are_not_the_current_folder():
    with pytest.raises(ArtifactError, match="place of the library is empty; give a folder"):
        Library.open("")
    (result,) = Library(ArrayStore()).ingest("").results
    assert (result.status, result.error) == ("failed", "a path is empty; name a file or folder")


def test_links_that_lead_nowhere_fail_and_gifs_are_videos(
    library, tmp_path, make_scene, write_fake
):
    write_fake(tmp_path / "a.gif", make_scene(falls(1.0)))
    (tmp_path / "b.mp4").symlink_to(tmp_path / "gone.mp4")
    (tmp_path / "c.txt").symlink_to(tmp_path / "gone.txt")
    report = library.ingest(tmp_path)
    assert statuses(report) == {"a.gif": "added", "b.mp4": "failed"}
    (error,) = (r.error for r in report.results if r.error)
    assert error == f"{tmp_path}/b.mp4: cannot be read (the link leads to no file)"


@pytest.mark.parametrize("how", ["empty", "noise", "gone"])
def test_damaged_data_is_said_in_one_sentence(tmp_path, make_scene, how):
    place = tmp_path / "lib"
    Library.open(place).add(make_scene(falls(1.0)), uri="a", content_hash="1")
    (data,) = (place / "events.lance/data").iterdir()
    size = data.stat().st_size
    data.unlink()
    if how != "gone":
        data.write_bytes(b"" if how == "empty" else np.random.default_rng(0).bytes(size))
    for act in (
        lambda: Library.open(place).search("fall"),
        lambda: Library.open(place).add(make_scene(falls(2.0)), uri="b", content_hash="2"),
    ):
        with pytest.raises(ArtifactError, match="the table events cannot be used") as caught:
            act()
        assert str(place) in str(caught.value)
        assert "ingest the videos into a new one" in str(caught.value)
        assert "lance" not in str(caught.value).replace(str(place), "").lower()
        assert "\n" not in str(caught.value)
