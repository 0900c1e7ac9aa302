"""The same world with another number of denoising steps per frame."""

from __future__ import annotations

from dataclasses import replace

from worldline.core.errors import InputError
from worldline.dynamics import FlowDynamics
from worldline.world.feed import of_training
from worldline.world.world import World

__all__ = ["at_steps"]


def at_steps(world: World, num_steps: int) -> World:
    """A world that shares the other's weights and makes each frame in `num_steps` passes.

    It is not calibrated: what was measured holds for the number of steps that it was measured at.

    Raises:
        InputError: the world's dynamics have no denoising steps, or not this number of them.
    """
    dynamics = world.dynamics
    if not isinstance(dynamics, FlowDynamics):
        raise InputError(
            f"the world {world.name} has dynamics of the type {dynamics.config.type_name}, which "
            "make no frame in denoising steps; only flow worlds have a number of them"
        )
    finest = 2**dynamics.config.shortcut_doublings
    if num_steps < 1 or (finest > 1 and finest % num_steps):
        known = "at least 1" if finest == 1 else f"a divisor of {finest}, which it has learned"
        raise InputError(
            f"the world {world.name} cannot make a frame in {num_steps} steps; give {known}"
        )
    twin = dynamics.sampled(num_steps=num_steps)
    config = replace(world.config, dynamics=twin.config)
    return World(config, replace(world.whole, dynamics=twin), of_training(world.calibration), "")
