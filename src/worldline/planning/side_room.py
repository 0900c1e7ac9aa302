"""A room seen from the side, in which a ball flies in a plane: what drills with a ball share."""

# MuJoCo's compiled modules come without type stubs
# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import mujoco

from worldline.planning.drill import Shift, slides

__all__ = ["BALL_M", "BOTTOM_M", "GRAVITY", "VIEW", "WIDE_M", "SideRoom"]

WIDE_M, BALL_M, GRAVITY = 2.0, 0.06, 4.0
"""Where the far wall stands, radius of the ball, and gravity in m/s^2: slow enough to be seen."""

BOTTOM_M = 0.02 + 0.012
"""How high the inside of a vessel on the floor is."""

VIEW: Mapping[str, Any] = MappingProxyType(
    {
        "eye_m": (1.0, -5.0, 0.95),
        "target_m": (1.0, 0.0, 0.75),
        "view_rad": 0.44,
        "light_m": (0.6, -4.0, 4.0),
    }
)
"""Arguments of `Lens` that show all of it."""

_WALL_M, _DEEP_M, _NEAR_WALL_M = 0.015, 0.15, -0.05
_BOX = mujoco.mjtGeom.mjGEOM_BOX


class SideRoom:
    """A floor and a wall at the far end, to which bodies are added in the order of their joints.

    Args:
        shift: of the scene: friction of everything, and the ball's mass.
        closed: a wall at the near end too, so that no ball rolls out of sight.
    """

    def __init__(self, shift: Shift, *, closed: bool = False) -> None:
        self._shift = shift
        self.spec = mujoco.MjSpec()
        option = self.spec.option
        option.timestep, option.gravity = 0.01, [0, 0, -GRAVITY]
        option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
        option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
        self.touch: dict[str, Any] = {
            "friction": [0.5 * shift.friction, 0.005, 0.0001],
            "solref": [0.03, 1.0],
        }
        room = self.spec.worldbody
        plane = mujoco.mjtGeom.mjGEOM_PLANE
        room.add_geom(type=plane, size=[4, 4, 0.1], rgba=[0.45, 0.45, 0.42, 1], **self.touch)
        for middle_m in (WIDE_M + 0.05, *([_NEAR_WALL_M - 0.05] if closed else [])):
            self.block(room, (middle_m, 0, 1.0), (0.05, 0.2, 1.0), rgba=[0.3, 0.3, 0.33, 1])

    def block(
        self,
        body: Any,
        at_m: tuple[float, float, float],
        half_m: tuple[float, float, float],
        **looks: Any,
    ) -> None:
        """A box as a part of a body, or of the room (`spec.worldbody`)."""
        body.add_geom(type=_BOX, pos=at_m, size=half_m, **looks, **self.touch)

    def ball(self) -> None:
        """The ball: joints `ball_x`, `ball_z` and `ball_turn`."""
        ball = self.spec.worldbody.add_body(name="ball", pos=[0, 0, 0])
        slides(ball, {"ball_x": (1, 0, 0), "ball_z": (0, 0, 1)})
        ball.add_joint(name="ball_turn", type=mujoco.mjtJoint.mjJNT_HINGE, axis=[0, 1, 0])
        ball.add_geom(
            type=mujoco.mjtGeom.mjGEOM_SPHERE,
            size=[BALL_M, 0, 0],
            mass=0.1 * self._shift.mass,
            rgba=[0.95, 0.5, 0.15, 1],
            **self.touch,
        )

    def vessel(self, name: str, half_m: float, high_m: float, mass: float) -> None:
        """An open vessel that slides over the floor: joint `NAME_x`.

        Args:
            name: of the body.
            half_m: half of its inner width.
            high_m: of its walls.
            mass: of each of its three parts, in kg.
        """
        body = self.spec.worldbody.add_body(name=name, pos=[0, 0, 0.02])
        slides(body, {f"{name}_x": (1, 0, 0)})
        green: dict[str, Any] = {"rgba": [0.25, 0.75, 0.35, 1], "mass": mass}
        self.block(body, (0, 0, 0), (half_m, _DEEP_M, 0.012), **green)
        for side in (-1, 1):
            at = (side * (half_m + _WALL_M), 0, high_m / 2)
            self.block(body, at, (_WALL_M, _DEEP_M, high_m / 2 + 0.012), **green)

    def drive(self, joint: str, gain: float) -> None:
        """A motor that holds a joint to a speed."""
        motor = self.spec.add_actuator(name=joint, target=joint)
        motor.trntype = mujoco.mjtTrn.mjTRN_JOINT
        motor.set_to_velocity(kv=gain)
