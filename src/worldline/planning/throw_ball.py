"""A ball on a tray, to be thrown into a bin that the tray cannot reach.

    worldline record --env worldline.planning.throw_ball:worldline/ThrowBall-v0 --every 5 \\
        --policy worldline.planning.throw_ball:throw --episodes 1500 --max-frames 28 --out DIR
"""

# MuJoCo's compiled modules come without type stubs
# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import gymnasium
import mujoco
import numpy as np
from jaxtyping import Bool, Float

from worldline.planning.drill import DrillEnv, Shift, slides
from worldline.planning.side_room import BALL_M, BOTTOM_M, GRAVITY, VIEW, WIDE_M, SideRoom
from worldline.planning.trials import Course

__all__ = ["ENV_ID", "REACH_M", "ThrowBall", "ThrowBallEnv", "throw", "throw_speed"]

ENV_ID = "worldline/ThrowBall-v0"

REACH_M = 0.15
"""How far from the bin's middle the ball may lie to be in it."""

_BIN_M, _BIN_HIGH_M = 0.16, 0.2
_TRAY_M, _THICK_M, _ALONG_M, _UP_M = 0.1, 0.015, (0.1, 0.65), (0.25, 1.2)
_TRAY_MPS, _SWING_S = 1.5, 0.25
_FIRST_M, _NEAR_M, _FAR_M, _FARTHER_M = 0.2, 0.9, 1.7, 1.35
_NUM_SEEN, _LASTS = 5, 0.5


class ThrowBall:
    """Seen from the side: a ball on a tray that moves up, down and along, and a bin on the floor.

    An action is the tray's velocity, 1 being 1.5 m/s; the tray turns back well before the bin. What
    is on it flies on when it stops, so the speed at which it stops says where the ball lands. What
    can be seen: where tray, ball and bin are.
    """

    name: str = "throw"
    environment: str = ENV_ID
    action_names: tuple[str, ...] = ("right", "up")
    seen_names: tuple[str, ...] = ("tray_x_m", "tray_z_m", "ball_x_m", "ball_z_m", "bin_x_m")
    joints: tuple[str, ...] = (*seen_names[:4], "ball_turn_rad", "bin_x_m")
    view: Mapping[str, Any] = VIEW
    harder: str = "far"
    courses: tuple[Course, ...] = (Course(50, 60), Course(50, 60, harder))

    def build(self, shift: Shift) -> mujoco.MjModel:
        """See `Drill`; `moved_m` is how much higher the bin's walls are."""
        room = SideRoom(shift, closed=True)
        tray = room.spec.worldbody.add_body(name="tray", pos=[0, 0, 0], gravcomp=1.0)
        slides(tray, {"tray_x": (1, 0, 0), "tray_z": (0, 0, 1)})
        for joint, reach in zip(tray.joints, (_ALONG_M, _UP_M), strict=True):
            joint.limited, joint.range = mujoco.mjtLimited.mjLIMITED_TRUE, reach
        blue: dict[str, Any] = {"rgba": [0.25, 0.45, 0.9, 1], "mass": 1.0}
        room.block(tray, (0, 0, 0), (_TRAY_M, 0.15, _THICK_M), **blue)
        for side in (-1, 1):  # a rim, so that the ball stays on it underway
            room.block(tray, (side * _TRAY_M, 0, 0.03), (0.015, 0.15, 0.045), **blue)
        room.ball()
        room.vessel("bin", _BIN_M, _BIN_HIGH_M + shift.moved_m, 20.0)
        # the bin has a brake
        for name, gain in (("tray_x", 200.0), ("tray_z", 200.0), ("bin_x", 5000.0)):
            room.drive(name, gain)
        return room.spec.compile()

    def begin(self, rng: np.random.Generator, shift: Shift) -> Float[np.ndarray, " 12"]:
        """A ball at rest on the tray, and a bin out of its reach."""
        high = rng.uniform(0.3, 0.6)
        on_it = high + _THICK_M + BALL_M
        places = [_FIRST_M, high, _FIRST_M, on_it, 0.0, rng.uniform(_NEAR_M, _FAR_M)]
        return np.array([*places, *np.zeros(6)])

    def control(self, action: Float[np.ndarray, " 2"]) -> Float[np.ndarray, " 3"]:
        """See `Drill`."""
        return np.append(_TRAY_MPS * action, 0.0)

    def seen(self, states: Float[np.ndarray, "*n q"]) -> Float[np.ndarray, "*n r"]:
        """See `Drill`."""
        return states[..., [0, 1, 2, 3, 5]]

    def is_there(
        self, states: Float[np.ndarray, "*n q"], goals: Float[np.ndarray, "*n q"]
    ) -> Bool[np.ndarray, "*n"]:
        """The ball lies in the bin, wherever that is."""
        beside = np.abs(states[..., 2] - states[..., 5])
        return np.asarray((beside < REACH_M) & (states[..., 3] < _BIN_HIGH_M))

    def player(self, rng: np.random.Generator, shift: Shift) -> Callable[[np.ndarray], np.ndarray]:
        """Who waits a little, throws more or less as far as the bin, or anywhere, and stops; with a
        hand that is steady or not at all, because planners ask for what nobody does on purpose."""
        strays, off = rng.random() < 0.3, rng.normal() * 0.12
        noise = float(rng.choice([0.0, 0.1, 0.4, 0.8]))
        anywhere, waits = rng.uniform(0.6, WIDE_M), int(rng.integers(0, 4))
        thrown, sway = False, np.zeros(2)

        def act(state: np.ndarray) -> np.ndarray:
            nonlocal waits, thrown, sway
            sway = _LASTS * sway + noise * rng.normal(size=2)
            wanted = np.zeros(2)
            if not (waits > 0 or thrown):
                mark = anywhere if strays else state[5] + off
                wanted, thrown = np.full(2, throw_speed(state, mark) / _TRAY_MPS), True
            waits -= 1
            return np.clip(wanted + sway, -1, 1)

        return act

    def cut(
        self, path: Float[np.ndarray, "t q"], gap: int, shift: Shift, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, bool] | None:
        """See `Plannable`. From the beginning; the goal is a ball in a bin elsewhere. Far: the bin
        stands more than 1.35 m along."""
        here, there = path[0], np.zeros_like(path[0])
        place = rng.uniform(_NEAR_M, _FAR_M)
        there[:6] = [*here[:2], place, BOTTOM_M + BALL_M, 0.0, place]
        return here, there, bool(here[5] > _FARTHER_M)

    def counts(self, states: Float[np.ndarray, "*n q"]) -> Float[np.ndarray, "*n r"]:
        """How far the ball is from the bin's middle, along the floor: down it comes itself."""
        return (states[..., 2:3] - states[..., 5:6]) / REACH_M

    def greedy(
        self, state: Float[np.ndarray, " q"], goal: Float[np.ndarray, " q"]
    ) -> Float[np.ndarray, " a"]:
        """Throws the ball that lies on the tray as far as the bin, by the law of free fall."""
        on_it = abs(state[2] - state[0]) < _TRAY_M and abs(state[7]) < 0.1
        return np.full(2, throw_speed(state, float(state[5])) / _TRAY_MPS if on_it else 0.0)


def throw_speed(state: Float[np.ndarray, " q"], mark_m: float) -> float:
    """Speed along and up, the same, in m/s, of a tray that throws as far as a mark.

    The tray moves for a quarter of a second and stops; what flies comes down to the bin's rim.
    """
    speed = np.linspace(0.05, _TRAY_MPS, 60)
    high = np.maximum(state[3] + _SWING_S * speed - _BIN_HIGH_M, 0.0)
    flight_s = (speed + np.sqrt(speed**2 + 2 * GRAVITY * high)) / GRAVITY
    lands = state[2] + speed * (_SWING_S + flight_s)
    return float(np.interp(mark_m, lands, speed))


def throw(rng: np.random.Generator) -> Callable[[Any], np.ndarray]:
    """A player of one episode for `worldline record`; see `ThrowBall.player`."""
    act = ThrowBall().player(rng, Shift())
    return lambda observation: act(np.asarray(observation, float)[_NUM_SEEN:]).astype(np.float32)


def ThrowBallEnv(**options: Any) -> DrillEnv:  # noqa: N802 (what Gymnasium makes)
    """The environment; see `DrillEnv` for its options."""
    return DrillEnv(ThrowBall(), **options)


if ENV_ID not in gymnasium.registry:
    gymnasium.register(ENV_ID, entry_point=f"{__name__}:ThrowBallEnv")
