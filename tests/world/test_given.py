"""Actions in any wrapping are one vector; what is none is answered by a sentence."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.playing import PAD, STICK, block_clips, playable

from worldline.core.errors import InputError
from worldline.data.actions import ActionSpec
from worldline.world.given import as_action

TWO_CHOICES = ActionSpec(names=("a", "b", "c", "up", "down"), num_actions=(3, 2))
ONE = ActionSpec(names=("push",), low=(-1.0,), high=(1.0,))


@pytest.mark.parametrize(
    "given", [[1, -0.5], (1.0, -0.5), np.array([1.0, -0.5]), torch.tensor([1.0, -0.5])]
)
@pytest.mark.parametrize("spec", [STICK, None])
def test_numbers_in_any_wrapping(given, spec):
    np.testing.assert_array_equal(as_action(given, 2, spec), [1.0, -0.5])


@pytest.mark.parametrize("given", [0.5, np.float32(0.5), [0.5], np.array(0.5)])
def test_one_number_needs_no_list(given):
    np.testing.assert_array_equal(as_action(given, 1, ONE), [0.5])


@pytest.mark.parametrize("given", [2, [2], np.int64(2), [0, 0, 1], [0.0, 0.0, 1.0]])
def test_a_choice_is_its_number_or_its_vector(given):
    np.testing.assert_array_equal(as_action(given, 3, PAD), [0, 0, 1])


def test_several_choices_have_a_number_each():
    np.testing.assert_array_equal(as_action([1, 0], 5, TWO_CHOICES), [0, 1, 0, 1, 0])


def test_what_is_given_may_be_used_again():
    mine = np.array([0.25, 0.5])
    taken = as_action(mine, 2, STICK)
    mine[:] = 9
    np.testing.assert_array_equal(taken, [0.25, 0.5])


@pytest.mark.parametrize(
    ("given", "spec", "told"),
    [
        ([1.0, 0.0, 0.0], STICK, r"action must be 2 finite numbers, got \[1.0, 0.0, 0.0\]"),
        (0.5, STICK, "2 finite numbers, got 0.5"),
        ([[1.0, 0.0]], STICK, "2 finite numbers"),
        ([1.0, [0.0]], STICK, "2 finite numbers"),
        ([float("nan"), 0.0], STICK, "2 finite numbers"),
        ([1e300, 0.0], STICK, r"a number as large as 1e\+300; worlds take those from -1 to 1"),
        (np.array([0, -(2**63)]), STICK, r"as large as 9.22337e\+18"),
        ("left", STICK, "2 finite numbers, got left"),
        ({"right": 1}, STICK, "2 finite numbers"),
        (3, PAD, "3 finite numbers or the number of a choice below 3, got 3"),
        (-1, PAD, "a choice below 3, got -1"),
        (1.0, PAD, "a choice below 3, got 1.0"),
        ([1, 2], TWO_CHOICES, r"5 finite numbers or 2 whole numbers below 3, 2, got \[1, 2\]"),
    ],
)
def test_what_is_no_action_is_said(given, spec, told):
    with pytest.raises(InputError, match=told):
        as_action(given, spec.width, spec)


def test_a_session_takes_lists_and_choices():
    stick, pad = playable(), playable(PAD)
    for world, spec, same in (
        (stick, STICK, ([1, 0], np.array([1.0, 0.0], np.float32))),
        (pad, PAD, (2, np.array([0.0, 0.0, 1.0], np.float32))),
    ):
        opening = block_clips(1, 4, spec)[0]
        frames = [world.open(opening, seed=0).step(action) for action in same]
        np.testing.assert_array_equal(*frames)
        with pytest.raises(InputError, match="finite numbers"):
            world.open(opening, seed=0).step([1.0])
