"""The inverse model: actions are read off latents that hold them, and off no others."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from tests.planning.worlds import tiny_world
from tests.train.test_objectives import clips, seeded

from worldline.core.errors import InputError
from worldline.core.latents import Controls, Latents
from worldline.train.objectives import InverseModel


def fitted(latents: torch.Tensor, batch, steps: int = 200) -> float:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        objective = InverseModel.Config(width=16).build(tiny_world("vector"))
    optimizer = torch.optim.Adam(objective.parameters(), lr=1e-2)
    loss = torch.zeros(())
    for _ in range(steps):
        loss = objective.loss({}, batch, Latents(latents, (1, 1)), seeded())["total"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return loss.item()


def test_what_moves_with_actions_tells_them():
    batch = clips(batch=8, num_frames=6)
    actions = batch.controls.actions
    moved = torch.nn.functional.pad(actions.cumsum(dim=1), (0, 4))[:, :, None]
    assert fitted(moved, batch) < 0.1
    assert fitted(torch.zeros_like(moved), batch) > 0.6


def test_actions_that_are_not_known_do_not_count():
    batch = clips(batch=2, num_frames=3)
    known = torch.zeros(2, 3, 1, dtype=torch.bool)
    known[0] = True
    some = replace(
        batch, controls=Controls(actions=batch.controls.actions, known={"actions": known})
    )
    objective = InverseModel.Config(width=4).build(tiny_world("vector"))
    latents = torch.randn(2, 3, 1, 6, generator=seeded())
    first = objective.loss({}, some, Latents(latents, (1, 1)), seeded())["total"]
    spoiled = batch.controls.actions.clone()
    spoiled[1] = 100.0
    other = replace(batch, controls=Controls(actions=spoiled, known={"actions": known}))
    assert torch.equal(
        first, objective.loss({}, other, Latents(latents, (1, 1)), seeded())["total"]
    )


def test_without_actions_there_is_nothing_to_read():
    with pytest.raises(InputError, match="takes no actions"):
        InverseModel.Config().build(tiny_world("vector", action_size=0))
    objective = InverseModel.Config(width=4).build(tiny_world("vector"))
    batch = replace(clips(), controls=Controls())
    with pytest.raises(InputError, match="have no actions"):
        objective.loss({}, batch, Latents(torch.zeros(8, 4, 1, 6), (1, 1)), seeded())
