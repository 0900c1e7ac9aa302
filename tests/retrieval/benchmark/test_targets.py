"""Answers to the spotter: who takes part, when, and what is left out as unclear."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.retrieval.spotting.conftest import draw

from worldline.core.scene import STATIC, Event
from worldline.retrieval.benchmark.relevance import Happening
from worldline.retrieval.benchmark.targets import lesson_of
from worldline.retrieval.colors import COLORS
from worldline.retrieval.spotting.learn import UNCLEAR
from worldline.retrieval.spotting.tokens import look_again

TYPES = ("fall", "push", "collide")


def lesson(*happenings, num=2, shift_px=(0.0, 0.0)):
    truth, kept = draw(50, num=num)
    seen = replace(truth, ids=truth.ids + 10, center_px=truth.center_px + shift_px, events=())
    (tokens,) = look_again(seen, kept, TYPES)
    return lesson_of(tokens, seen, truth, happenings, TYPES)


def happening(kind, start_s, end_s, *, plain=True, **roles):
    return Happening(Event(kind, start_s, end_s, roles), plain, {})


def columns(lesson, value=1):
    return {(int(n), int(k)) for n, _, k in np.argwhere(lesson.track == value)}


def test_who_takes_part_in_which_role_and_when():
    made = lesson(happening("push", 0.5, 1.0, agent=1, object=2))
    assert columns(made) == {(0, 1), (1, 1 + 3)}
    steps = made.tokens.grid_s[made.track[0, :, 1] == 1]
    assert steps.min() == pytest.approx(0.5, abs=0.1)
    assert steps.max() == pytest.approx(1.0, abs=0.1)
    assert made.window.tolist() == [0, 1, 0]
    assert (made.step[:, 1] == 1).sum() == len(steps)


def test_both_sides_of_a_meeting_are_alike():
    made = lesson(happening("collide", 0.5, 0.5, a=1, b=2))
    assert columns(made) == {(0, 2), (0, 5), (1, 2), (1, 5)}
    assert (made.track[0, :, 2] == 1).sum() >= 2  # a moment is not lost between steps


def test_the_static_world_takes_no_part():
    assert columns(lesson(happening("collide", 0.5, 0.5, a=1, b=STATIC))) == {(0, 2), (0, 5)}


def test_what_is_not_plain_is_left_out_unless_something_plain_goes_on():
    hidden = happening("fall", 0.2, 1.6, plain=False, object=1)
    made = lesson(hidden)
    assert not columns(made)
    assert columns(made, UNCLEAR) == {(0, 0)}
    assert made.window[0] == UNCLEAR
    both = lesson(happening("fall", 0.5, 0.8, object=1), hidden)
    assert both.window[0] == 1
    assert (both.track[0, :, 0] == 1).any()
    assert (both.track[0, :, 0] == UNCLEAR).any()


def test_a_track_that_follows_something_else_takes_no_part():
    made = lesson(happening("fall", 0.5, 1.0, object=1), num=1, shift_px=(0.0, 14.0))
    assert not columns(made)
    assert made.window[0] == 1  # but the picture shows it


def test_how_often_and_in_which_colour():
    twice = lesson(
        happening("fall", 0.2, 0.4, object=1), happening("fall", 1.2, 1.4, object=2), num=2
    )
    assert twice.again.tolist() == [1, 0, 0]
    assert lesson(happening("fall", 0.2, 0.4, object=1)).again.tolist() == [0, 0, 0]
    hidden = happening("fall", 1.2, 1.4, plain=False, object=2)
    assert lesson(happening("fall", 0.2, 0.4, object=1), hidden).again[0] == UNCLEAR
    assert [COLORS[k] for k in twice.color] == ["gray", "gray"]
    assert lesson(num=1, shift_px=(0.0, 14.0)).color.tolist() == [-1]
