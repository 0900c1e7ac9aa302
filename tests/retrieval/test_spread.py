"""Ingest by several workers gives the library of one, killed or not."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from worldline.core.provenance import Origin, Provenance
from worldline.core.scene import Event
from worldline.data import write_video
from worldline.retrieval.library import Library
from worldline.retrieval.missing import missing, surplus
from worldline.scale import ray_session, spread_by_ray

SCRIPT = """
import json, os, signal, sys
from pathlib import Path
from worldline.core.errors import MediaError
from worldline.core.scene import Scene
from worldline.retrieval import library as room
from worldline.retrieval.ingest import Seen
from worldline.retrieval.lance import LanceStore

def look(path):
    if path.name == "fatal.mp4":
        os.kill(os.getpid(), signal.SIGKILL)
    try:
        return Seen(Scene.from_json(json.loads(path.read_text())), "given")
    except ValueError:
        raise MediaError(path, "is not a video") from None

def tell(text):
    print(text, flush=True)
    sys.stdin.readline()  # until the parent has decided

if __name__ == "__main__":
    place, videos = sys.argv[1:]
    room._BATCH_VIDEOS = 2
    for name in ("append", "upsert", "delete"):
        def told(self, *arguments, whole=getattr(LanceStore, name), name=name):
            tell(name)
            whole(self, *arguments)
        setattr(LanceStore, name, told)
    report = room.Library(LanceStore(place), look=look).ingest(
        videos, num_workers=2, on_progress=lambda done, total, result: tell("file")
    )
    print(json.dumps(report.to_json()), flush=True)
"""


@pytest.fixture
def script(tmp_path) -> Path:
    path = tmp_path / "ingest.py"
    path.write_text(SCRIPT)
    return path


@pytest.fixture
def videos(tmp_path, make_scene, write_fake) -> Path:
    (tmp_path / "videos").mkdir()
    for number in range(10):
        event = Event("fall", 0.0, 1.0, {"object": 0}, {"height_m": 1.0 + number})
        write_fake(tmp_path / f"videos/{number}.mp4", make_scene([event]))
    return tmp_path / "videos"


def ingest(script, place, videos, num_moments=None):
    """Kill at the `num_moments`-th moment. Returns the report of a run that came to its end."""
    command = [sys.executable, str(script), str(place), str(videos)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        for moment, line in enumerate(process.stdout):
            if line.startswith("{"):
                return json.loads(line)
            if moment == num_moments:
                process.send_signal(signal.SIGKILL)
                return None
            process.stdin.write("\n")
            process.stdin.flush()
    raise AssertionError("it ended without a report")


def content(place):
    """All rows, but for what differs from run to run by design."""
    store = Library.open(place).store
    assert missing(store) == []
    assert set(surplus(store).values()) == {0}
    return {
        table: sorted(
            repr({k: v for k, v in row.items() if k not in ("ingest_id", "ingested_at")})
            for row in store.read(table, columns=columns)
        )
        for table, columns in (
            ("videos", None),
            ("events", None),
            ("motions", ["uri", "segment", "tracks", "vector"]),
        )
    }


def test_killed_with_two_workers(tmp_path, script, videos, look):
    """Twice, at moments of what is left to do; `test_crash` has more, of one process."""
    for moment in (4, 9):
        assert ingest(script, tmp_path / "killed", videos, moment) is None
    report = ingest(script, tmp_path / "killed", videos)
    assert report is not None
    assert report["failed"] == 0
    undisturbed = Library(Library.open(tmp_path / "clean").store, look=look)
    assert undisturbed.ingest(videos).to_json()["added"] == 10
    assert content(tmp_path / "killed") == content(tmp_path / "clean")


def test_what_kills_a_worker_fails_alone(tmp_path, script, videos):
    (videos / "fatal.mp4").write_text("x")
    (videos / "bad.mp4").write_text("x")
    report = ingest(script, tmp_path / "library", videos)
    assert report is not None
    failed = {r["source"]: r["error"] for r in report["results"] if r["status"] == "failed"}
    assert report["added"] == 10
    assert sorted(failed) == [str(videos / "bad.mp4"), str(videos / "fatal.mp4")]
    assert "the process that worked on it died" in failed[str(videos / "fatal.mp4")]
    assert [r["source"] for r in report["results"]] == sorted(
        r["source"] for r in report["results"]
    )


@pytest.mark.filterwarnings("ignore::DeprecationWarning:ray")
@pytest.mark.filterwarnings("ignore::FutureWarning:ray")
def test_through_ray_it_is_the_same(tmp_path, make_scene):
    """Real files: the workers look at them as the program does."""
    (tmp_path / "videos").mkdir()
    frames = np.zeros((20, 32, 32, 3), dtype=np.uint8)
    for number in range(3):
        video = tmp_path / f"videos/{number}.mp4"
        write_video(video, frames, fps=10, provenance=Provenance(Origin.SIMULATED, source="test"))
        event = Event("fall", 0.0, 1.0, {"object": 0}, {"height_m": 1.0 + number})
        scene = make_scene([event], origin=Origin.SIMULATED)
        video.with_suffix(".scene.json").write_text(json.dumps(scene.to_json()))
    (tmp_path / "videos/bad.mp4").write_text("x")
    with ray_session("local", num_workers=2):
        library = Library.open(tmp_path / "by ray")
        report = library.ingest(tmp_path / "videos", spread_by=spread_by_ray)
        again = library.ingest(tmp_path / "videos", spread_by=spread_by_ray)
    assert (report.to_json()["added"], report.to_json()["failed"]) == (3, 1)
    assert (again.to_json()["unchanged"], again.to_json()["failed"]) == (3, 1)
    Library.open(tmp_path / "alone").ingest(tmp_path / "videos")
    assert content(tmp_path / "by ray") == content(tmp_path / "alone")
