"""Dynamics: how latents follow one another."""

from typing import Any

from worldline.dynamics.autoregressive import AutoregressiveDynamics, TokenCarry
from worldline.dynamics.base import Dynamics, Losses
from worldline.dynamics.bodies import Bodies, Seed, measure_bodies
from worldline.dynamics.body_motion import BodyForecaster, BodyPaths, BodyStates, states_of
from worldline.dynamics.controls import ControlEncoder
from worldline.dynamics.decoding import MaskedParallel, NextToken
from worldline.dynamics.extrapolate import ConstantVelocityWarp
from worldline.dynamics.flow import FlowCarry, FlowDynamics
from worldline.dynamics.jepa import JepaCarry, JepaDynamics
from worldline.dynamics.latent_actions import LatentActions
from worldline.dynamics.start import sample_clips
from worldline.dynamics.trajectory import CellMotion, TrajectoryForecaster
from worldline.dynamics.warp import TrajectoryWarp

__all__ = [
    "DYNAMICS",
    "AutoregressiveDynamics",
    "Bodies",
    "BodyForecaster",
    "BodyPaths",
    "BodyStates",
    "CellMotion",
    "ConstantVelocityWarp",
    "ControlEncoder",
    "Dynamics",
    "FlowCarry",
    "FlowDynamics",
    "JepaCarry",
    "JepaDynamics",
    "LatentActions",
    "Losses",
    "MaskedParallel",
    "NextToken",
    "Seed",
    "TokenCarry",
    "TrajectoryForecaster",
    "TrajectoryWarp",
    "measure_bodies",
    "sample_clips",
    "states_of",
]

DYNAMICS: dict[str, type[Dynamics[Any]]] = {
    "flow": FlowDynamics,
    "autoregressive": AutoregressiveDynamics,
    "jepa": JepaDynamics,
}
"""Every family by the name that its config is registered with, `dynamics/NAME`."""
