"""Pictures are drawn from latents that hold them, and from no others."""

from __future__ import annotations

from dataclasses import replace

import torch
from tests.planning.worlds import tiny_world
from tests.train.test_objectives import clips, seeded

from worldline.core.latents import Latents
from worldline.train.objectives import Depiction


def seen(frames: torch.Tensor):
    batch = clips(batch=frames.shape[0], num_frames=frames.shape[1])
    return replace(batch, frames=frames, moving=torch.zeros(frames.shape[:4], dtype=torch.bool))


def fitted(latents: torch.Tensor, frames: torch.Tensor) -> float:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        objective = Depiction.Config(width=16).build(tiny_world("vector"))
    optimizer = torch.optim.Adam(objective.parameters(), lr=1e-2)
    batch = seen(frames)
    loss = torch.zeros(())
    for _ in range(150):
        loss = objective.loss({}, batch, Latents(latents, (1, 1)), seeded())["total"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return loss.item()


def test_what_is_seen_has_to_be_in_latents():
    bright = torch.rand(8, 4, generator=seeded())
    frames = (255 * bright)[..., None, None, None].expand(-1, -1, 16, 16, 3).to(torch.uint8)
    holding = bright[..., None, None].expand(-1, -1, 1, 6).clone()
    assert fitted(holding, frames) < 0.05
    assert fitted(torch.zeros_like(holding), frames) > 0.9  # the mean, which is worth 1


def test_latents_of_several_frames_draw_the_last_of_these():
    frames = torch.zeros(2, 5, 16, 16, 3, dtype=torch.uint8)
    frames[:, [1, 3]] = 255  # neither is the last of a step of two
    frames[1] += 100
    objective = Depiction.Config(width=4).build(tiny_world("vector"))
    latents = torch.randn(2, 3, 1, 6, generator=seeded())
    batch = seen(frames)
    found = objective.loss({}, batch, Latents(latents, (1, 1)), seeded())["total"]
    frames[:, [1, 3]] = 0
    assert torch.equal(
        found, objective.loss({}, batch, Latents(latents, (1, 1)), seeded())["total"]
    )
