"""Dynamics: how latents follow one another."""

from worldline.dynamics.base import Dynamics, Losses
from worldline.dynamics.flow import FlowCarry, FlowDynamics

__all__ = ["Dynamics", "FlowCarry", "FlowDynamics", "Losses"]
