"""Dynamics: how latents follow one another."""

from worldline.dynamics.base import Dynamics, Losses
from worldline.dynamics.extrapolate import ConstantVelocityWarp
from worldline.dynamics.flow import FlowCarry, FlowDynamics

__all__ = ["ConstantVelocityWarp", "Dynamics", "FlowCarry", "FlowDynamics", "Losses"]
