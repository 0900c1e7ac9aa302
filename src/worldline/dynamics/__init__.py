"""Dynamics: how latents follow one another."""

from typing import Any

from worldline.dynamics.autoregressive import AutoregressiveDynamics, TokenCarry
from worldline.dynamics.base import Dynamics, Losses
from worldline.dynamics.controls import ControlEncoder
from worldline.dynamics.decoding import MaskedParallel, NextToken
from worldline.dynamics.extrapolate import ConstantVelocityWarp
from worldline.dynamics.flow import FlowCarry, FlowDynamics
from worldline.dynamics.jepa import JepaCarry, JepaDynamics
from worldline.dynamics.start import sample_clips
from worldline.dynamics.trajectory import CellMotion, TrajectoryForecaster
from worldline.dynamics.warp import TrajectoryWarp

__all__ = [
    "DYNAMICS",
    "AutoregressiveDynamics",
    "CellMotion",
    "ConstantVelocityWarp",
    "ControlEncoder",
    "Dynamics",
    "FlowCarry",
    "FlowDynamics",
    "JepaCarry",
    "JepaDynamics",
    "Losses",
    "MaskedParallel",
    "NextToken",
    "TokenCarry",
    "TrajectoryForecaster",
    "TrajectoryWarp",
    "sample_clips",
]

DYNAMICS: dict[str, type[Dynamics[Any]]] = {
    "flow": FlowDynamics,
    "autoregressive": AutoregressiveDynamics,
    "jepa": JepaDynamics,
}
"""Every family by the name that its config is registered with, `dynamics/NAME`."""
