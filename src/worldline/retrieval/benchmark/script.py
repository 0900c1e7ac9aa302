"""Bodies that move as a script says, for as long as it says so."""

# MuJoCo's compiled modules come without type stubs
# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import mujoco
import numpy as np

from worldline.sim.engine import drive
from worldline.sim.stage import Stage

__all__ = ["Course", "Play", "Script", "still"]

Course = Callable[[float], tuple[float, float, float, float]]
"""Time since the first frame to velocity (x, y, z) in m/s and turn about the vertical in rad/s."""


def still(_: float) -> tuple[float, float, float, float]:
    """Stays where it is."""
    return (0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Script:
    """How one body is led.

    Attributes:
        course: its velocity.
        start_s, until_s: before and after it is left to physics.
        floats: its weight is carried; on the floor the floor carries it.
    """

    course: Course
    start_s: float = 0.0
    until_s: float = math.inf
    floats: bool = False


@dataclass(frozen=True)
class Play:
    """A stage, and which of its bodies are led how."""

    stage: Stage
    scripts: Mapping[int, Script]

    def begun(self) -> Play:
        """The same with bodies that have the speed of their script from the first frame on."""
        bodies = list(self.stage.bodies)
        for index, script in self.scripts.items():
            if script.start_s <= 0:
                x, y, z, turn = script.course(0.0)
                bodies[index] = replace(
                    bodies[index],
                    velocity_mps=(x, y, z),
                    angular_velocity_radps=(0.0, 0.0, turn),
                )
        return replace(self, stage=replace(self.stage, bodies=tuple(bodies)))

    def push(self, model: mujoco.MjModel, data: mujoco.MjData, moment_s: float) -> None:
        """Lead the bodies: what `simulate` calls before every physics step."""
        moment_s += self.stage.lead_s
        for index, script in self.scripts.items():
            led = script.start_s <= moment_s < script.until_s
            weight = self.stage.bodies[index].mass_kg * self.stage.gravity_mps2
            data.xfrc_applied[index + 1, 2] = weight if led and script.floats else 0.0
            if led:
                x, y, z, turn = script.course(moment_s)
                drive(model, data, index, np.array([x, y, z, 0.0, 0.0, turn]))
