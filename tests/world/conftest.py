"""One small untrained world, with its zero-initialised outputs shaken so that all parts matter."""

from __future__ import annotations

import pytest
import torch

from worldline.dynamics import FlowDynamics, TrajectoryForecaster
from worldline.readout.latent import LatentReadout
from worldline.tokenizer import ContinuousTokenizer
from worldline.world import World


@pytest.fixture(scope="session")
def nano() -> World:
    config = World.Config(
        name="nano",
        tokenizer=ContinuousTokenizer.Config(
            fine_width=16, coarse_width=16, fine_depth=1, coarse_depth=1
        ),
        dynamics=FlowDynamics.Config(stem_width=16, width=32, depth=3, heads=2),
        readout=LatentReadout.Config(width=16, depth=1),
        trajectory=TrajectoryForecaster.Config(
            fine_width=8, width=16, depth=2, late_depth=1, heads=1
        ),
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        world = config.build()
        with torch.no_grad():
            for part in world.parts.values():
                for parameter in part.parameters():
                    parameter.add_(0.03 * torch.randn_like(parameter))
    return world
