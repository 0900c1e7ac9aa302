"""Build a world's parts from their configs and see that they fit each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import nn

from worldline.core.config import Config
from worldline.dynamics import (
    BodyForecaster,
    Dynamics,
    LatentActions,
    TrajectoryForecaster,
)
from worldline.readout.latent import LatentReadout
from worldline.readout.reward import RewardReadout
from worldline.tokenizer import Tokenizer

__all__ = ["Parts", "build_parts", "check_numbers"]


@dataclass(frozen=True, eq=False)
class Parts:
    """What a world is made of; the last four are optional.

    Attributes:
        tokenizer, dynamics, readout: that every world has.
        trajectory, bodies: forecasters of trajectories and of whole bodies.
        reward: tells rewards and ends of episodes.
        inverse: reads latent actions off frames, which are the world's actions then.
    """

    tokenizer: Tokenizer
    dynamics: Dynamics[Any]
    readout: LatentReadout
    trajectory: TrajectoryForecaster | None = None
    bodies: BodyForecaster | None = None
    reward: RewardReadout | None = None
    inverse: LatentActions | None = None

    def eval(self) -> Parts:
        """Itself, with all its modules ready for use."""
        for part in self.by_name().values():
            part.eval()
        return self

    def by_name(self) -> dict[str, nn.Module]:
        """Those that there are."""
        named: dict[str, nn.Module | None] = {
            "tokenizer": self.tokenizer,
            "dynamics": self.dynamics,
            "readout": self.readout,
            "trajectory": self.trajectory,
            "bodies": self.bodies,
            "reward": self.reward,
            "inverse": self.inverse,
        }
        return {name: part for name, part in named.items() if part is not None}


def build_parts(
    tokenizer: Config,
    dynamics: Config,
    readout: LatentReadout.Config,
    trajectory: TrajectoryForecaster.Config | None,
    bodies: BodyForecaster.Config | None,
    reward: RewardReadout.Config | None,
    inverse: LatentActions.Config | None = None,
) -> Parts:
    """The untrained parts.

    Raises:
        ValueError: a config is of the wrong kind, or parts work in unlike sizes; says which.
    """
    eye = _build(tokenizer, Tokenizer, "tokenizer")
    mind = _build(dynamics, Dynamics, "dynamics")
    takes = mind.config.controls
    action_size = takes.action_size
    if action_size % eye.time_stride:
        raise ValueError(
            f"controls.action_size is {action_size}, must be a multiple of the tokenizer's "
            f"time_stride {eye.time_stride}: a latent step takes the actions of its frames together"
        )
    if eye.time_stride > 1 and (takes.rays or takes.map_size or takes.state_size):
        raise ValueError(
            f"the tokenizer folds {eye.time_stride} frames into a latent step, whose controls can "
            "be actions and text alone; leave out rays, maps and state, or use an image tokenizer"
        )
    if reward is not None and (eye.time_stride > 1 or reward.action_size != action_size):
        raise ValueError(
            f"reward.action_size is {reward.action_size}, but the world takes actions of "
            f"{action_size} numbers"
            if eye.time_stride == 1
            else "rewards are told frame by frame; use an image tokenizer or leave them out"
        )
    if inverse is not None and (eye.time_stride > 1 or inverse.action_size != action_size):
        raise ValueError(
            f"inverse.action_size is {inverse.action_size}, but the world takes actions of "
            f"{action_size} numbers"
            if eye.time_stride == 1
            else "latent actions are read off single frames; use an image tokenizer"
        )
    sized = (("dynamics", mind.config), ("readout", readout), ("reward", reward))
    for name, config in sized:
        if config is None:
            continue
        if config.channels != eye.channels or (config.rows, config.rows) != eye.grid:
            raise ValueError(
                f"the {name} takes {config.rows}x{config.rows} cells of {config.channels} numbers, "
                f"but the tokenizer gives {eye.grid[0]}x{eye.grid[1]} of {eye.channels}"
            )
    if trajectory is not None and trajectory.size_px != eye.size_px:
        raise ValueError("trajectory and tokenizer must have the same size_px")
    return Parts(
        eye,
        mind,
        readout.build(eye.time_stride),
        None if trajectory is None else trajectory.build(),
        None if bodies is None else bodies.build(),
        None if reward is None else reward.build(),
        None if inverse is None else inverse.build(),
    )


def check_numbers(step_min_s: float, step_max_s: float, context: int, noise: float) -> None:
    """Raise `ValueError` for numbers of a world that no forecast could be made with."""
    if not 0 < step_min_s <= step_max_s:
        raise ValueError(
            f"step_min_s is {step_min_s} and step_max_s {step_max_s}; frames need a spacing above "
            "0, the smaller one first"
        )
    if context < 1 or not noise >= 0:
        raise ValueError(
            f"context is {context} and ensemble_noise {noise}; at least 1 and 0 are needed"
        )


def _build(config: Any, kind: type[Any], name: str) -> Any:
    built = config.build()
    if not isinstance(built, kind):
        raise ValueError(f"{name} is a {config.type_name}, which makes no {kind.__name__}")
    return built
