"""`worldline ingest` and `worldline search`, as they are called."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from worldline.data import probe

Call = Callable[..., Any]


@pytest.fixture
def library(call: Call, tmp_path: Path) -> str:
    """Three simulated drops and three collisions."""
    clips, place = tmp_path / "clips", str(tmp_path / "library")
    assert call("sim", "make", "drop", "collide", "--clips", "6", "--out", str(clips)).code == 0
    done = call("ingest", str(clips), "--library", place, "--json")
    assert (done.code, done.answer["added"]) == (0, 6)
    return place


def test_ingest_is_incremental_and_search_explains(call, library, tmp_path):
    again = call("ingest", str(tmp_path / "clips"), "--library", library, "--json")
    assert (again.code, again.answer["unchanged"], again.answer["added"]) == (0, 6, 0)
    done = call("search", "something falls from a height", "--library", library, "--json")
    assert done.code == 0
    assert done.answer["plan"]["sentence"] == "A fall with height more than 0.5 m."
    hits = done.answer["hits"]
    assert hits
    for hit in hits:
        assert hit["why"]["quantities"]["height_m"] > 0.5
        assert 0 <= hit["start_s"] < hit["end_s"]
        assert hit["synthetic"]
        assert Path(hit["source"]).is_file()
    assert {Path(h["source"]).name[:4] for h in hits} == {"drop"}
    plan = call("search", json.dumps(done.answer["plan"]), "--library", library, "--json")
    assert plan.answer["hits"] == hits
    shown = call("search", "something falls from a height", "--library", library)
    text = " ".join(shown.out.split())
    assert "A fall with height more than 0.5 m." in text
    assert "asked: more" in text
    assert "height_m" not in text
    named = call("search", "a lamp falls", "--library", library).out
    assert "no hit" in named
    assert "in place of lamp" in " ".join(named.split())


def test_search_like_finds_the_video_itself_first(call, library, tmp_path):
    video = sorted((tmp_path / "clips").glob("collide*.mp4"))[0]
    done = call("search", "--like", str(video), "--library", library, "--json")
    assert done.code == 0
    assert done.answer["hits"][0]["source"] == str(video)
    assert done.answer["hits"][0]["score"] == pytest.approx(1.0, abs=1e-5)


def test_hits_are_drawn(call, library, tmp_path):
    words = ("search", "something falls", "--library", library, "--json")
    plain = call(*words).answer["hits"]
    lost = next(hit["source"] for hit in plain if hit["source"] != plain[0]["source"])
    Path(lost).unlink()
    done = call(*words, "--overlay", str(tmp_path / "drawn"))
    hits = done.answer["hits"]
    assert [{k: v for k, v in h.items() if not k.startswith("overlay")} for h in hits] == plain
    for hit in hits:
        if hit["source"] == lost:
            assert Path(lost).name in hit["overlay_error"]
        else:
            assert Path(hit["overlay"]).parent == tmp_path / "drawn"
            assert ("drawn", "a search hit") in probe(hit["overlay"]).provenance.details
    assert done.code == 2
    assert len(done.error_lines) == sum(hit["source"] == lost for hit in hits)
    shown = call(*words[:-1], "--overlay", str(tmp_path / "drawn")).out
    assert "drawn, from" in shown


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        *(("", "empty"), ("flurb", "not known: flurb"), ('{"op": "dance"}', "dance")),
        *(("{", "not JSON"), ('{"n": ' + "1" * 5000 + "}", "not JSON")),
        ('{"op":"not","part":' * 5000 + "{}" + "}" * 5000, "nested too deep"),
        ('{"op":"not","part":' * 101 + "{}" + "}" * 101, "at most 100 levels"),
        ("falls from 2\u00b2 m", "`2\u00b2`"),
    ],
)
def test_a_query_for_nothing_exits_with_one_line(call, library, query, reason):
    done = call("search", query, "--library", library, "--json")
    assert done.code == 2
    assert reason in done.answer["error"]
    assert len(done.error_lines) == 1


def test_a_plan_as_deep_as_allowed_is_answered(call, library):
    plan = '{"op":"and","parts":[' * 99 + '{"op":"event","type":"fall"}' + "]}" * 99
    assert call("search", plan, "--library", library, "--json").answer["hits"]


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("search", "fall", "--library", ""), "--library is empty; give a folder"),
        (("ingest", "x", "--library="), "--library is empty; give a folder"),
        (("ingest", "", "--library", "x"), "a path is empty; name a file or folder"),
        (("ingest", "--json", "", "--library", "x"), "a path is empty; name a file or folder"),
        (("perceive", "x", ""), "a path is empty; name a file or folder"),
        (("perceive", "x", "--overlay", ""), "--overlay is empty; give a folder"),
        (("info", ""), "a path is empty; name a file or folder"),
    ],
)
def test_an_empty_path_is_not_the_current_folder(call, tmp_path, monkeypatch, words, error):
    monkeypatch.chdir(tmp_path)
    done = call(*words)
    assert (done.code, done.error_lines) == (2, [f"worldline: error: {error}"])
    assert not list(tmp_path.iterdir())


def test_a_library_that_is_not_there(call, tmp_path):
    done = call("search", "fall", "--library", str(tmp_path / "none"), "--json")
    assert done.code == 2
    assert "no library here yet" in done.answer["error"]


def test_a_first_ingest_of_nothing_leaves_no_library(call, tmp_path):
    (tmp_path / "empty").mkdir()
    for name in ("empty", "none.mp4"):
        done = call("ingest", str(tmp_path / name), "--library", str(tmp_path / "lib"), "--json")
        assert (done.code, done.answer["failed"]) == (2, 1)
        assert not (tmp_path / "lib").exists()


def test_a_search_in_an_empty_library_says_so(call, videos, tmp_path):
    place = str(tmp_path / "lib")
    call("ingest", str(videos / "corrupt.mp4"), "--library", place)
    done = call("search", "fall", "--library", place)
    assert (done.code, "no hit: the library holds no video yet" in done.out) == (0, True)


def test_a_moved_file_names_the_one_that_it_was(call, videos, tmp_path):
    place, old, new = str(tmp_path / "lib"), tmp_path / "old.mp4", tmp_path / "new.mp4"
    shutil.copy(videos / "ball.mp4", old)
    call("ingest", str(old), "--library", place)
    old.rename(new)
    done = call("ingest", str(new), "--library", place)
    assert "which is gone; remove that with --forget" in " ".join(done.out.split())
    shutil.copy(new, tmp_path / "copy.mp4")
    (result,) = call("ingest", tmp_path / "copy.mp4", "--library", place, "--json").answer[
        "results"
    ]
    assert result["same_as"] in (str(old), str(new))


def test_bad_files_among_good_ones(call, videos, tmp_path):
    paths = [videos / name for name in ("corrupt.mp4", "ball.mp4", "missing.mp4", "audio-only.mp4")]
    done = call("ingest", *map(str, paths), "--library", str(tmp_path / "lib"), "--json")
    assert done.code == 2
    results = done.answer["results"]
    assert [r["source"] for r in results] == [str(path) for path in paths]
    assert ["error" in r for r in results] == [True, False, True, True]
    assert results[1]["status"] == "added"
    assert (done.answer["added"], done.answer["failed"]) == (1, 3)
    assert len(done.error_lines) == 3
