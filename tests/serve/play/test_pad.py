"""What keys and pointers mean, and which actions are refused."""

from __future__ import annotations

import numpy as np
import pytest
from tests.serve.play.conftest import STICK

from worldline.core import InputError
from worldline.data.actions import ActionSpec
from worldline.serve.play.pad import Pad

ATARI = ("NOOP", "FIRE", "UP", "RIGHT", "LEFT", "DOWN", "UPRIGHT", "DOWNLEFTFIRE")


def pad_of(spec: ActionSpec, scheme: str = "stick") -> Pad:
    return Pad.of({"actions": spec.to_json(), "play": {"scheme": scheme}}, spec.width)


def keys_of(names: tuple[str, ...]) -> list[list[str]]:
    told = pad_of(ActionSpec(names, num_actions=(len(names),))).describe()
    return [option["keys"] for option in told["choices"][0]]


def test_names_of_choices_become_keys():
    space = ["space"]
    arrows = [["up"], ["right"], ["left"], ["down"], ["right", "up"], ["down", "left", "space"]]
    assert keys_of(ATARI) == [[], space, *arrows]
    assert keys_of(("LANE_LEFT", "IDLE", "LANE_RIGHT", "FASTER", "SLOWER")) == [
        ["left"],
        [],
        ["right"],
        ["up"],
        ["down"],
    ]
    assert keys_of(("MOVE_LEFT", "TURN_LEFT", "ATTACK")) == [["left"], ["1"], space]
    assert keys_of(("action_0", "action_1")) == [["1"], ["2"]]


def test_a_world_without_a_description_is_a_stick():
    assert Pad.of({}, 0).scheme == "none"
    assert Pad.of({}, 0).rest() is None
    told = Pad.of({}, 3).describe()
    assert told["scheme"] == "stick"
    assert told["buttons"] == [{"name": "action 2", "column": 2, "key": "space"}]
    assert Pad.of({"play": {"scheme": "dance"}}, 2).scheme == "stick"
    with pytest.raises(InputError, match="takes actions of 4 numbers, but describes 3"):
        Pad.of({"actions": STICK.to_json()}, 4)


def test_numbers_are_read_and_cut_off():
    pad = pad_of(STICK)
    np.testing.assert_array_equal(pad.read([0.5, -7, 1]), np.array([0.5, -1, 1], np.float32))
    np.testing.assert_array_equal(pad.rest(), [0, 0, -1])
    pointer = pad_of(STICK, "pointer")
    assert pointer.scheme == "pointer"
    before = np.array([0.25, 3.0, 1.0], np.float32)
    np.testing.assert_array_equal(pointer.rest(before), [0.25, 1, -1])


def test_choices_are_read_as_vectors():
    pad = pad_of(ActionSpec(("a", "NOOP", "left", "right", "x"), num_actions=(2, 3)))
    np.testing.assert_array_equal(pad.read([1, 2]), [0, 1, 0, 0, 1])
    np.testing.assert_array_equal(pad.rest(), [0, 1, 1, 0, 0])
    for bad in ([0], [0, 3], [0, -1], [0, 1.0], [0, True], [0, None]):
        with pytest.raises(InputError, match="action"):
            pad.read(bad)


@pytest.mark.parametrize(
    ("action", "reason"),
    [
        ([0, 0], "a list of 3 numbers, got 2 entries"),
        ("up", "a list of 3 numbers, got str"),
        (None, "got NoneType"),
        ([0, 0, float("nan")], "holds nan, which is no finite number"),
        ([0, 0, float("inf")], "holds inf"),
        ([0, 0, "1"], "holds '1'"),
        ([0, True, 0], "holds True"),
        ([0, 0, 10**300], "which is no finite number"),
        ([0, [0], 0], r"holds \[0\]"),
    ],
)
def test_bad_numbers_are_refused(action, reason):
    with pytest.raises(InputError, match=reason):
        pad_of(STICK).read(action)
