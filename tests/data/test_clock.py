"""Times that increase, whatever the time stamps are like."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame

from worldline.data.clock import FrameClock


@pytest.fixture
def clock(video):
    with av.open(str(video)) as container:
        yield FrameClock(container, container.streams.video[0])


def times(clock: FrameClock, ticks: list[int | None]) -> list[float]:
    out = []
    for tick in ticks:
        frame = VideoFrame(16, 16, "rgb24")
        frame.pts, frame.time_base = tick, Fraction(1, 1000)
        out.append(clock.time_s(frame))
    return out


def test_time_stamps_are_taken_as_they_are(clock):
    np.testing.assert_allclose(times(clock, [0, 40, 500]), [0, 0.04, 0.5])


def test_without_time_stamps_frames_follow_each_other(clock):
    np.testing.assert_allclose(times(clock, [None, None, None]), [0, 0.04, 0.08])


def test_a_missing_time_stamp_is_bridged(clock):
    np.testing.assert_allclose(times(clock, [0, None, 80]), [0, 0.04, 0.08])


def test_repeated_time_stamps_move_on_by_half_a_period(clock):
    np.testing.assert_allclose(times(clock, [0, 40, 40, 80]), [0, 0.04, 0.06, 0.08])


def test_joined_recordings_continue(clock):
    np.testing.assert_allclose(
        times(clock, [0, 3000, 3040, 0, 40, 80]), [0, 3.0, 3.04, 3.08, 3.12, 3.16]
    )
