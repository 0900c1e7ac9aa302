"""A killed ingest, run again, gives the library of an undisturbed run."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from worldline.core.scene import Event
from worldline.retrieval.lance import LanceStore
from worldline.retrieval.library import Library
from worldline.retrieval.schema import EVENTS, MOTIONS, VIDEOS

SCRIPT = """
import json, os, signal, sys, time, warnings
import lancedb.db
from worldline.core.scene import Scene
from worldline.retrieval import library as room
from worldline.retrieval.ingest import Seen
from worldline.retrieval.lance import LanceStore

warnings.filterwarnings("ignore", message="lancedb fork support")
room._BATCH_VIDEOS = 2
calls, fatal = 0, -1

def dies(owner, name):
    whole = getattr(owner, name)
    def wrapped(*args, **more):
        global calls
        if calls == fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        calls += 1
        result = whole(*args, **more)
        if calls == fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        calls += 1
        return result
    setattr(owner, name, wrapped)

dies(lancedb.db.LanceDBConnection, "create_table")
for name in ("append", "upsert", "delete"):
    dies(LanceStore, name)

def look(path):
    return Seen(Scene.from_json(json.loads(path.read_text())), "given")

# The parent only forks: no library is open in it, and each child ends as a process of its own.
for line in sys.stdin:
    place, videos, fatal, after_s = json.loads(line)
    child = os.fork()
    if child == 0:
        try:
            report = room.Library(LanceStore(place), look=look).ingest([videos])
            assert not report.to_json()["failed"], report
        except BaseException:
            import traceback
            traceback.print_exc()
            os._exit(99)
        os._exit(calls)
    if after_s:
        time.sleep(after_s)
        os.kill(child, signal.SIGKILL)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@pytest.fixture(scope="module")
def ingest():
    """Ingest in a process of its own that dies at its `fatal`-th moment, or after a time.

    Each write has two moments, before and after. Returns the number of moments, or minus the signal
    that killed it.
    """
    command = [sys.executable, "-W", "error", "-c", SCRIPT]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        def run(place, videos, fatal=-1, after_s=0.0) -> int:
            process.stdin.write(json.dumps([str(place), str(videos), fatal, after_s]) + "\n")
            process.stdin.flush()
            return int(process.stdout.readline())

        yield run
        process.stdin.close()
    assert process.returncode == 0


def content(place):
    """All rows of all tables, but for what differs from run to run by design."""
    store = LanceStore(str(place))
    columns = [*LanceStore(str(place)).read(MOTIONS)[0], "vector"]
    tables = {VIDEOS: store.read(VIDEOS), EVENTS: store.read(EVENTS)}
    tables[MOTIONS] = store.read(MOTIONS, columns=columns)
    return {
        name: sorted(
            repr({k: v for k, v in row.items() if k not in ("ingest_id", "ingested_at")})
            for row in rows
        )
        for name, rows in tables.items()
    }


@pytest.fixture
def make_folder(tmp_path, make_scene, write_fake):
    def make(version: int):
        folder = tmp_path / "videos"
        folder.mkdir(exist_ok=True)
        for number in range(3):
            height_m = 10.0 * version + number
            event = Event("fall", 0.0, 1.0, {"object": 0}, {"height_m": height_m})
            write_fake(folder / f"{number}.mp4", make_scene([event]))
        return folder

    return make


def heights(place):
    hits = Library.open(place).search("fall", limit=50).hits
    return [[e["quantities"]["height_m"] for e in hit.why["events"]] for hit in hits]


def test_killed_anywhere_in_a_first_ingest(tmp_path, make_folder, ingest):
    videos = make_folder(1)
    num_moments = ingest(tmp_path / "clean", videos)
    assert num_moments == 18  # three tables, then two batches of three writes
    expected = content(tmp_path / "clean")
    assert len(expected[VIDEOS]) == 3
    for fatal in range(1, num_moments, 2):  # after one write is before the next
        place = tmp_path / f"killed at {fatal}"
        assert ingest(place, videos, fatal) == -signal.SIGKILL
        if fatal >= 6:
            num_seen = 0 if fatal < 11 else 2 if fatal < 17 else 3
            assert len(heights(place)) == num_seen
        assert ingest(place, videos) >= 0
        assert content(place) == expected


def test_killed_while_replacing(tmp_path, make_folder, ingest):
    assert ingest(tmp_path / "clean", make_folder(2)) > 0
    expected = content(tmp_path / "clean")
    old, new = [[10.0], [11.0], [12.0]], [[20.0], [21.0], [22.0]]
    for fatal in range(1, 20, 2):
        place = tmp_path / f"killed at {fatal}"
        assert ingest(place, make_folder(1)) > 0
        assert ingest(place, make_folder(2), fatal) == -signal.SIGKILL
        # Moment 5 comes after the first batch of two became visible, 15 after the second.
        num_new = 0 if fatal < 5 else 2 if fatal < 15 else 3
        assert sorted(heights(place)) == sorted(new[:num_new] + old[num_new:])
        assert ingest(place, tmp_path / "videos") >= 0
        assert content(place) == expected


def test_killed_at_ten_random_moments(tmp_path, make_folder, ingest):
    """Anywhere, between two writes and within one; some come when all is done."""
    videos = make_folder(1)
    begun = time.monotonic()
    assert ingest(tmp_path / "clean", videos) > 0
    took_s = time.monotonic() - begun
    expected = content(tmp_path / "clean")
    for number, part in enumerate(np.random.default_rng(0).uniform(0.05, 1, 10)):
        place = tmp_path / str(number)
        ingest(place, videos, after_s=float(part * took_s))
        assert ingest(place, videos) >= 0
        assert content(place) == expected
