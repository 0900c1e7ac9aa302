"""Courses: what happens when, as vectors."""

from __future__ import annotations

import numpy as np
import pytest

from worldline.retrieval.spotting.course import (
    COURSE_S,
    NUM_BINS,
    NUM_COURSE,
    Course,
    principal_axes,
)
from worldline.retrieval.spotting.spots import Spot, Spots


def test_a_course_counts_from_its_moment_and_is_nothing_beyond_the_video():
    time_s = np.arange(0, 2.0, 0.08)
    chance = np.stack([(time_s > 1.0).astype(float), np.ones_like(time_s)], axis=1)
    table = Course(time_s, chance).from_moment(0.5).reshape(2, NUM_BINS)
    width_s = COURSE_S / NUM_BINS
    assert table[0, : int(0.4 / width_s)].max() == 0
    assert table[0, int(0.8 / width_s)] == pytest.approx(1.0)
    assert table[1, 0] == pytest.approx(1.0)
    assert table[:, int(2.0 / width_s) :].max() == 0


def test_windows_that_overlap_tell_the_likelier():
    def window(start_s, odds):
        return Spot(
            grid_s=start_s + np.arange(4) * 0.08,
            tracks=np.zeros(0, int),
            seen=np.zeros((0, 4), bool),
            track=np.zeros((0, 4, 2)),
            step=np.full((4, 1), odds),
            window=np.zeros(1),
            again=np.zeros(1),
            color=(),
        )

    course = Spots(("fall",), (window(0.0, 0.0), window(0.16, 2.0))).course()
    assert len(course.time_s) == 6
    assert course.chance[:, 0] == pytest.approx([0.5, 0.5] + [1 / (1 + np.exp(-2.0))] * 4)
    assert len(Spots(("fall",), ()).course().time_s) == 0


def test_axes_keep_what_varies():
    rng = np.random.default_rng(0)
    made = rng.normal(size=(300, 3)) @ rng.normal(size=(3, 100)) + 5.0
    mean, axes = principal_axes(made)
    assert axes.shape == (NUM_COURSE, 100)
    vectors = (made - mean) @ axes.T
    assert vectors[:, :3].std() > 10 * vectors[:, 3:].std()
