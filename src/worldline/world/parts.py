"""Build a world's parts from their configs and see that they fit each other."""

from __future__ import annotations

from typing import Any

from worldline.core.config import Config
from worldline.dynamics import BodyForecaster, Dynamics, TrajectoryForecaster
from worldline.readout.latent import LatentReadout
from worldline.tokenizer import Tokenizer

__all__ = ["build_parts", "check_numbers"]


def build_parts(
    tokenizer: Config,
    dynamics: Config,
    readout: LatentReadout.Config,
    trajectory: TrajectoryForecaster.Config | None,
    bodies: BodyForecaster.Config | None,
) -> tuple[
    Tokenizer, Dynamics[Any], LatentReadout, TrajectoryForecaster | None, BodyForecaster | None
]:
    """The untrained parts, in this order.

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
    for name, config in (("dynamics", mind.config), ("readout", readout)):
        if config.channels != eye.channels or (config.rows, config.rows) != eye.grid:
            raise ValueError(
                f"the {name} takes {config.rows}x{config.rows} cells of {config.channels} numbers, "
                f"but the tokenizer gives {eye.grid[0]}x{eye.grid[1]} of {eye.channels}"
            )
    if trajectory is not None and trajectory.size_px != eye.size_px:
        raise ValueError("trajectory and tokenizer must have the same size_px")
    reader = readout.build(eye.time_stride)
    paths = None if trajectory is None else trajectory.build()
    return eye, mind, reader, paths, None if bodies is None else bodies.build()


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
