"""A ball that rolls off a table, to be caught in a cup that slides along the floor.

    worldline record --env worldline.planning.catch_ball:worldline/CatchBall-v0 --every 5 \\
        --policy worldline.planning.catch_ball:catch --episodes 1500 --max-frames 28 --out DIR
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

from worldline.planning.drill import DrillEnv, Shift
from worldline.planning.side_room import BALL_M, BOTTOM_M, GRAVITY, VIEW, WIDE_M, SideRoom
from worldline.planning.trials import Course

__all__ = ["ENV_ID", "REACH_M", "CatchBall", "CatchBallEnv", "catch", "landing"]

ENV_ID = "worldline/CatchBall-v0"

REACH_M = 0.1
"""How far from the cup's middle the ball may lie to be in it."""

_EDGE_M, _TABLE_M, _CUP_M, _CUP_HIGH_M = 0.8, 1.0, 0.13, 0.1
_CUP_MPS, _HELD_S = 0.5, 0.25
_LOW_M, _HIGH_M = _EDGE_M + 0.15, WIDE_M - 0.15
_NUM_SEEN = 3


class CatchBall:
    """Seen from the side: a ball on a table, and a cup on the floor beside it.

    An action is the cup's velocity along the floor, 1 being 0.5 m/s, which is slower than most
    balls fly: who follows the ball is late. What can be seen: where ball and cup are.
    """

    name: str = "catch"
    environment: str = ENV_ID
    action_names: tuple[str, ...] = ("right",)
    seen_names: tuple[str, ...] = ("cup_x_m", "ball_x_m", "ball_z_m")
    joints: tuple[str, ...] = ("cup_x_m", "ball_x_m", "ball_z_m", "ball_turn_rad")
    view: Mapping[str, Any] = VIEW
    harder: str = "fast"
    courses: tuple[Course, ...] = (Course(50, 60), Course(50, 60, harder))

    def build(self, shift: Shift) -> mujoco.MjModel:
        """See `Drill`; `moved_m` is how much higher the table is."""
        room, half = SideRoom(shift), (_TABLE_M + shift.moved_m) / 2
        table = (_EDGE_M - 1.0, 0.0, half)
        room.block(room.spec.worldbody, table, (1.0, 0.2, half), rgba=[0.5, 0.35, 0.2, 1])
        # the floor does not hold it: its joint alone says where it goes
        room.vessel("cup", _CUP_M, _CUP_HIGH_M, 1.0)
        room.ball()
        room.drive("cup_x", 200.0)
        return room.spec.compile()

    def begin(self, rng: np.random.Generator, shift: Shift) -> Float[np.ndarray, " 8"]:
        """A ball that rolls on the table, and a cup anywhere beside it."""
        speed = rng.uniform(0.3, 1.3)
        ball = _EDGE_M - speed * rng.uniform(0.3, 0.6)
        cup = rng.uniform(_LOW_M, _HIGH_M)
        high = _TABLE_M + shift.moved_m + BALL_M
        return np.array([cup, ball, high, 0, 0, speed, 0, speed / BALL_M])

    def control(self, action: Float[np.ndarray, " 1"]) -> Float[np.ndarray, " 1"]:
        """See `Drill`."""
        return _CUP_MPS * action

    def seen(self, states: Float[np.ndarray, "*n q"]) -> Float[np.ndarray, "*n r"]:
        """See `Drill`."""
        return states[..., :3]

    def is_there(
        self, states: Float[np.ndarray, "*n q"], goals: Float[np.ndarray, "*n q"]
    ) -> Bool[np.ndarray, "*n"]:
        """The ball lies in the cup, wherever that is."""
        beside = np.abs(states[..., 1] - states[..., 0])
        return np.asarray((beside < REACH_M) & (states[..., 2] < _CUP_HIGH_M + 0.02))

    def player(self, rng: np.random.Generator, shift: Shift) -> Callable[[np.ndarray], np.ndarray]:
        """Who goes to where the ball will land, more or less, or anywhere."""
        strays, off, noise = rng.random() < 0.3, rng.normal() * 0.12, rng.choice([0.05, 0.3])
        anywhere = rng.uniform(_LOW_M, _HIGH_M)

        def act(state: np.ndarray) -> np.ndarray:
            mark = anywhere if strays else landing(state) + off
            return np.clip((mark - state[:1]) / (_CUP_MPS * _HELD_S) + noise * rng.normal(), -1, 1)

        return act

    def cut(
        self, path: Float[np.ndarray, "t q"], gap: int, shift: Shift, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, bool] | None:
        """See `Plannable`. From the beginning; the goal is a ball in a cup elsewhere, which does
        not tell where this one lands. Fast: it lands farther from the cup than the cup is wide."""
        here = path[0]
        away = abs(landing(here) - here[0])
        if away > _CUP_MPS * (_time_left(here) - _HELD_S):
            return None
        place = rng.uniform(_LOW_M, _HIGH_M)
        there = np.array([place, place, BOTTOM_M + BALL_M, 0, 0, 0, 0, 0])
        return here, there, bool(away > 2 * _CUP_M)

    def counts(self, states: Float[np.ndarray, "*n q"]) -> Float[np.ndarray, "*n r"]:
        """How far the ball is from the cup's middle, along the floor: down it comes itself."""
        return (states[..., 1:2] - states[..., :1]) / REACH_M

    def greedy(
        self, state: Float[np.ndarray, " q"], goal: Float[np.ndarray, " q"]
    ) -> Float[np.ndarray, " a"]:
        """Stays under the ball, as well as it can."""
        return np.clip((state[1:2] - state[:1]) / (_CUP_MPS * _HELD_S), -1, 1)


def _time_left(state: Float[np.ndarray, " q"]) -> float:
    """Until the ball is at the cup's rim, in seconds."""
    rolls = max(0.0, (_EDGE_M - state[1]) / max(float(state[5]), 0.05))
    sinks = state[6] if rolls == 0 else 0.0
    high = max(0.0, float(state[2]) - _CUP_HIGH_M)
    return rolls + (sinks + float(np.sqrt(sinks**2 + 2 * GRAVITY * high))) / GRAVITY


def landing(state: Float[np.ndarray, " q"]) -> float:
    """Where the ball will be at the cup's height."""
    return float(np.clip(state[1] + state[5] * _time_left(state), _LOW_M, _HIGH_M))


def catch(rng: np.random.Generator) -> Callable[[Any], np.ndarray]:
    """A player of one episode for `worldline record`; see `CatchBall.player`."""
    act = CatchBall().player(rng, Shift())
    return lambda observation: act(np.asarray(observation, float)[_NUM_SEEN:]).astype(np.float32)


def CatchBallEnv(**options: Any) -> DrillEnv:  # noqa: N802 (what Gymnasium makes)
    """The environment; see `DrillEnv` for its options."""
    return DrillEnv(CatchBall(), **options)


if ENV_ID not in gymnasium.registry:
    gymnasium.register(ENV_ID, entry_point=f"{__name__}:CatchBallEnv")
