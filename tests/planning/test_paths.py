"""Ways along landmarks: round a wall, not through it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.planning.worlds import tiny_world

from worldline.core.clip import Clip
from worldline.core.errors import InputError
from worldline.planning import Imagination, Landmarks, Objective, Over, PathGoal, Rollout


def horseshoe() -> torch.Tensor:
    """Up one side, across, and down the other: ends are 1 apart, and 5 on foot."""
    up = torch.stack([torch.zeros(21), torch.linspace(0, 2, 21)], dim=-1)
    across = torch.stack([torch.linspace(0.1, 0.9, 9), torch.full((9,), 2.0)], dim=-1)
    down = torch.stack([torch.ones(21), torch.linspace(2, 0, 21)], dim=-1)
    return torch.cat([up, across, down])


def cost(goal: PathGoal, *places: tuple[float, float]) -> list[float]:
    latents = torch.tensor(places).reshape(1, len(places), 1, 1, 2)
    start = torch.zeros(1, 2, 1, 2)
    return goal.cost(Rollout(torch.zeros(1, len(places), 1, 1), latents, start))[0].tolist()


def test_the_way_leads_round():
    marks = Landmarks.of_latents(horseshoe(), neighbors=2)
    assert marks.near == pytest.approx(0.1, abs=1e-4)
    goal = PathGoal(marks, torch.tensor([[[1.0, 0.0]]]), Over.LAST)
    assert isinstance(goal, Objective)
    found = cost(goal, (0.0, 0.0), (0.0, 1.0), (1.0, 1.0), (1.0, 0.05), (1.0, 0.0))
    assert found == pytest.approx([5.0, 4.0, 1.0, 0.05, 0.0], abs=0.11)


def test_far_from_all_landmarks_the_step_to_them_counts():
    goal = PathGoal(Landmarks.of_latents(horseshoe(), neighbors=2), torch.tensor([[[1.0, 0.0]]]))
    near, far = cost(goal, (1.0, 1.0), (3.0, 1.0))
    assert far == pytest.approx(near + 2.0, abs=0.11)


def test_what_is_not_joined_is_farther_than_all_that_is():
    apart = torch.cat([horseshoe(), horseshoe() + 50])
    marks = Landmarks.of_latents(apart, neighbors=2)
    assert torch.isfinite(marks.ways).all()
    assert marks.ways[0, -1] > 2 * marks.ways[0, :51].max()


def test_landmarks_are_spread_out():
    crowded = torch.cat([horseshoe(), torch.zeros(500, 2)])
    marks = Landmarks.of_latents(crowded, most=20, neighbors=2)
    assert marks.latents.shape == (20, 2)
    apart = torch.cdist(marks.latents, marks.latents) + torch.eye(20)
    assert apart.min() > 0.15


def test_landmarks_come_from_recorded_clips():
    frames = np.random.default_rng(0).integers(0, 256, (9, 16, 16, 3)).astype(np.uint8)
    clip = Clip(frames=frames, time_s=np.arange(9) / 15)
    imagination = Imagination(tiny_world("vector"))
    marks = Landmarks.of_clips(imagination, [clip, clip], most=8)
    assert marks.latents.shape == (8, 6)
    with pytest.raises(InputError, match="some clips"):
        Landmarks.of_clips(imagination, [])
    with pytest.raises(InputError, match="fewer"):
        Landmarks.of_latents(torch.zeros(3, 2))
