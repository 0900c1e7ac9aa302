"""Shots in processes of their own: the answers of threads, and no end that leaves anything."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from worldline.core import InputError, Provenance
from worldline.core.processes import WorkerLostError
from worldline.readout import PixelReadout, elsewhere, workers_for
from worldline.readout.motion import MotionDetector
from worldline.readout.opener import Opener, SmallFrame
from worldline.readout.shot import MovingRegions, Picture, Shot

Frames = list[tuple[float, np.ndarray]]


def detect(frames: Frames, num_workers: int) -> list[MovingRegions]:
    motion = MotionDetector(max_side_px=480, buffer_s=1.0, absorb_s=12.0, num_workers=num_workers)
    return list(motion.detect(iter(frames)))


@pytest.fixture
def shots(make_frames) -> Frames:
    """Three shots of 50, 44 and 12 frames: the same way over different ground."""

    def slide(k: int):
        return [(6 + 1.2 * k, 40.0), (60 - k, 20.0)]

    def stripes(image, k):
        return image + 60.0 * (np.arange(64)[None, :, None] // 8 % 2)

    def night(image, k):
        return image * np.array([0.2, 0.3, 0.9]) + 40.0 * (np.arange(64)[:, None, None] // 6 % 2)

    frames: Frames = []
    for num, finish in ((50, stripes), (44, night), (12, stripes)):
        shot = make_frames(slide, num_frames=num, texture=12.0, noise=2.0, finish=finish)
        frames += [(0.04 * (len(frames) + k), image) for k, (_, image) in enumerate(shot)]
    return frames


@pytest.mark.parametrize("can_copy", [elsewhere._CAN_COPY, False])
def test_the_answers_are_those_of_threads(shots, can_copy, monkeypatch):
    monkeypatch.setattr(elsewhere, "_CAN_COPY", can_copy)
    here, there = detect(shots, 0), detect(shots, 2)
    assert [found.index for found in there] == list(range(len(shots)))
    assert sum(found.new_shot for found in there) == 3
    assert sum(len(found.regions) for found in there) > len(shots)
    for one, two in zip(here, there, strict=True):
        assert (one.time_s, one.new_shot, one.camera_moves) == (
            two.time_s,
            two.new_shot,
            two.camera_moves,
        )
        assert len(one.regions) == len(two.regions)
        for a, b in zip(one.regions, two.regions, strict=True):
            assert a.window == b.window
            for name in ("box", "color", "mask", "pixels", "frame_from_work"):
                np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
    assert not multiprocessing.active_children()


def test_a_scene_is_the_same(shots):
    readout = PixelReadout.Config().build()
    one, two = (
        readout.read(iter(shots), provenance=Provenance(), num_workers=num).to_json()
        for num in (0, 1)
    )
    assert one == two


def test_what_getting_frames_raises_is_raised(shots):
    def broken() -> Iterator[tuple[float, np.ndarray]]:
        yield from shots[:5]
        raise InputError("the film is torn")

    readout = PixelReadout.Config().build()
    with pytest.raises(InputError, match="the film is torn"):
        readout.read(broken(), provenance=Provenance(), num_workers=1)
    with pytest.raises(InputError, match="no frames"):
        readout.read(iter([]), provenance=Provenance(), num_workers=1)
    assert not multiprocessing.active_children()


class _Divides(Opener):
    def take(self, picture: Picture) -> Iterator[tuple[Shot, Picture]]:
        raise ZeroDivisionError


class _Dies(Opener):
    def take(self, picture: Picture) -> Iterator[tuple[Shot, Picture]]:
        os._exit(9)


def small(num: int, drawn: list[int] | None = None) -> Iterator[SmallFrame]:
    image = np.random.default_rng(0).integers(0, 255, (24, 32, 3)).astype(np.uint8)
    for index in range(num):
        if drawn is not None:
            drawn.append(index)
        yield SmallFrame(index, 0.04 * index, image, 1.0, index % 50 == 0)


def test_what_the_search_raises_is_raised():
    with pytest.raises(ZeroDivisionError):
        list(elsewhere.search_elsewhere(small(3), _Divides(buffer_s=1, absorb_s=9), num_workers=1))
    assert not multiprocessing.active_children()


def test_a_process_that_dies_is_told_of():
    with pytest.raises(WorkerLostError, match="a process that searched for motion died"):
        list(elsewhere.search_elsewhere(small(3), _Dies(buffer_s=1, absorb_s=9), num_workers=1))
    assert not multiprocessing.active_children()


def test_who_stops_early_leaves_nothing_and_little_is_held():
    drawn: list[int] = []
    opener = Opener(buffer_s=1.0, absorb_s=9.0)
    found = elsewhere.search_elsewhere(small(100_000, drawn), opener, num_workers=2)
    assert [next(found).index for _ in range(3)] == [0, 1, 2]
    assert len(drawn) <= 163  # places on the shelf, and those that were given
    (started,) = multiprocessing.active_children()
    assert started.pid is not None
    copies = _children(started.pid)
    assert len(copies) == (1 if elsewhere._CAN_COPY else 0)
    found.close()
    assert not multiprocessing.active_children()
    assert not any(map(_lives, copies))


def test_a_copy_that_dies_is_told_of():
    opener = Opener(buffer_s=1.0, absorb_s=9.0)
    found = elsewhere.search_elsewhere(small(100_000), opener, num_workers=2)
    next(found)
    (started,) = multiprocessing.active_children()
    assert started.pid is not None
    for pid in _children(started.pid) or [started.pid]:
        os.kill(pid, signal.SIGKILL)
    with pytest.raises(WorkerLostError, match="a process that searched for motion died"):
        list(found)
    assert not multiprocessing.active_children()


_ENDLESS = """
import itertools, multiprocessing, numpy as np
from worldline.readout.elsewhere import search_elsewhere
from worldline.readout.opener import Opener, SmallFrame

if __name__ == "__main__":
    image = np.zeros((24, 32, 3), np.uint8)
    frames = (SmallFrame(k, k / 25, image, 1.0, k % 50 == 0) for k in itertools.count())
    for found in search_elsewhere(frames, Opener(buffer_s=1, absorb_s=9), num_workers=2):
        if not found.index:
            print(*(child.pid for child in multiprocessing.active_children()), flush=True)
"""


def test_a_process_that_is_killed_takes_its_workers_along(tmp_path):
    script = tmp_path / "endless.py"
    script.write_text(_ENDLESS)
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        workers = [int(word) for word in process.stdout.readline().split()]
        workers += [copy for worker in workers for copy in _children(worker)]
        process.send_signal(signal.SIGKILL)
    assert workers
    for _ in range(200):
        if not any(map(_lives, workers)):
            break
        time.sleep(0.05)
    assert not any(map(_lives, workers))


def _children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(word) for word in listed.read_text().split()] if listed.exists() else []


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:  # one that nobody has collected is dead as well
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return True


def test_processes_are_for_videos_that_are_long_enough(monkeypatch):
    monkeypatch.setattr(elsewhere, "num_cores", lambda: 2)
    assert [workers_for(num) for num in (0, 199, 200, 10**6)] == [0, 0, 2, 2]
    monkeypatch.setattr(elsewhere, "num_cores", lambda: 64)
    assert workers_for(500) == 3
    monkeypatch.setattr(elsewhere, "num_cores", lambda: 1)
    assert workers_for(500) == 0
    monkeypatch.setattr(elsewhere, "num_cores", lambda: 2)
    monkeypatch.setattr(elsewhere, "parent_process", lambda: object())
    assert workers_for(500) == 0
