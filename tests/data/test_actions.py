import numpy as np
import pytest
import torch

import worldline.data
from worldline.core import InputError
from worldline.data.actions import ActionSpec


def test_choices_become_one_hot_vectors_side_by_side():
    spec = ActionSpec(names=("left", "right", "a", "b", "c"), num_actions=(2, 3))
    vectors = spec.vectors(np.array([[1, 0], [0, 2]]))
    np.testing.assert_array_equal(vectors, [[0, 1, 1, 0, 0], [1, 0, 0, 0, 1]])
    assert vectors.dtype == np.float32
    assert (spec.width, spec.num_columns, spec.is_discrete) == (5, 2, True)


def test_continuous_actions_stay_as_they_are():
    spec = ActionSpec(names=("x", "y"), low=(-1.0, 0.0), high=(1.0, 5.0))
    actions = np.array([[0.5, 4.0]], np.float32)
    np.testing.assert_array_equal(spec.vectors(actions), actions)
    assert (spec.width, spec.num_columns, spec.is_discrete) == (2, 2, False)


@pytest.mark.parametrize(
    "spec",
    [
        ActionSpec(names=("x",), low=(-1.0,), high=(2.0,)),
        ActionSpec(names=("no", "yes"), num_actions=(2,)),
        ActionSpec(names=("x", "y")),
    ],
)
def test_text_brings_the_spec_back(spec: ActionSpec):
    assert ActionSpec.from_text(spec.to_text()) == spec


@pytest.mark.parametrize(
    "fields",
    [
        {"names": ()},
        {"names": ("a",), "num_actions": (2,)},
        {"names": ("a", "b"), "num_actions": (2, 0)},
        {"names": ("a", "b"), "low": (0.0,), "high": (1.0,)},
        {"names": ("a",), "low": (0.0,)},
    ],
)
def test_contradictions_are_refused(fields):
    with pytest.raises(InputError, match="action spec"):
        ActionSpec(**fields)


@pytest.mark.parametrize("text", ["", "[1]", '{"names": 3}', '{"low": []}'])
def test_other_text_is_not_a_spec(text: str):
    with pytest.raises(InputError, match="not an action spec"):
        ActionSpec.from_text(text)


def test_a_plans_actions_are_restored_as_tensors_and_arrays_alike():
    spec = ActionSpec(names=("x", "y"), low=(0.0, -2.0), high=(512.0, 2.0))
    plan = torch.tensor([[0.0, 1.0], [-1.0, 0.5]])
    np.testing.assert_array_equal(spec.restored(plan), [[256, 2], [0, 1]])
    np.testing.assert_array_equal(spec.restored(plan.numpy()), spec.restored(plan))
    np.testing.assert_array_equal(spec.normalised(spec.restored(plan)), plan.numpy())
    chosen = ActionSpec(names=("no", "yes"), num_actions=(2,)).restored(torch.eye(2)[1])
    np.testing.assert_array_equal(chosen, [0, 1])


@pytest.mark.parametrize("actions", [0.5, [0.5], np.zeros((2, 3))])
def test_actions_of_another_width_are_not_restored(actions):
    spec = ActionSpec(names=("x", "y"), low=(0.0, -2.0), high=(512.0, 2.0))
    with pytest.raises(InputError, match="the last axis must hold 2 numbers, x, y"):
        spec.restored(actions)


def test_the_spec_has_a_public_home():
    assert worldline.data.ActionSpec is ActionSpec
