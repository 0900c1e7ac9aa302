"""Dynamics: how latents follow one another."""

from worldline.dynamics.base import Dynamics, Losses
from worldline.dynamics.extrapolate import ConstantVelocityWarp
from worldline.dynamics.flow import FlowCarry, FlowDynamics
from worldline.dynamics.trajectory import CellMotion, TrajectoryForecaster
from worldline.dynamics.warp import TrajectoryWarp

__all__ = [
    "CellMotion",
    "ConstantVelocityWarp",
    "Dynamics",
    "FlowCarry",
    "FlowDynamics",
    "Losses",
    "TrajectoryForecaster",
    "TrajectoryWarp",
]
