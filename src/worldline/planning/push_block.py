"""A block to be pushed to a mark past an obstacle, over a table that is seen from above.

    worldline record --env worldline.planning.push_block:worldline/PushBlock-v0 --every 5 \\
        --policy worldline.planning.push_block:push --episodes 1000 --max-frames 40 --out DIR
"""

# MuJoCo's compiled modules come without type stubs
# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import gymnasium
import mujoco
import numpy as np
from jaxtyping import Bool, Float

from worldline.planning.drill import DrillEnv, Shift, slides
from worldline.planning.trials import Course

__all__ = ["ENV_ID", "REACH_M", "PushBlock", "PushBlockEnv", "is_past", "push", "toward"]

ENV_ID = "worldline/PushBlock-v0"

REACH_M = 0.06
"""How near its mark the block has to come."""

_SIDE_M, _HALF_M, _HIGH_M, _HAND_M = 1.0, 0.08, 0.06, 0.05
_HAND_MPS, _HELD_S = 0.6, 0.25
_BAR_M, _BAR_HALF_M = (0.5, 0.5), (0.03, 0.18)
_NUM_SEEN, _HAND_COUNTS = 6, 0.2


class PushBlock:
    """A ball-shaped hand, a square block, and a bar in the middle of the table.

    An action is the hand's velocity, 1 being 0.6 m/s. What can be seen: the places of hand and
    block, and the cosine and sine of four times the block's turn, because its sides look alike.
    """

    name: str = "push"
    environment: str = ENV_ID
    action_names: tuple[str, ...] = ("right", "up")
    seen_names: tuple[str, ...] = (
        "hand_x_m",
        "hand_y_m",
        "block_x_m",
        "block_y_m",
        "block_cos4",
        "block_sin4",
    )
    joints: tuple[str, ...] = (
        "hand_x_m",
        "hand_y_m",
        "block_x_m",
        "block_y_m",
        "block_z_m",
        "block_turn_rad",
    )
    view: Mapping[str, Any] = MappingProxyType(
        {
            "eye_m": (0.5, 0.35, 2.4),
            "target_m": (0.5, 0.5, 0.0),
            "view_rad": 0.46,
            "light_m": (0.1, 1.2, 3.0),
        }
    )
    harder: str = "past"
    courses: tuple[Course, ...] = (Course(40, 80), Course(40, 80, harder))

    def build(self, shift: Shift) -> mujoco.MjModel:
        """See `Drill`; `moved_m` is how much farther up the bar lies."""
        spec = mujoco.MjSpec()
        spec.option.timestep = 0.01
        spec.option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
        spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
        kinds, table = mujoco.mjtGeom, spec.worldbody
        rough: dict[str, Any] = {"friction": [0.5 * shift.friction, 0.005, 0.0001]}
        smooth: dict[str, Any] = {"friction": [0.1, 0.005, 0.0001], "priority": 1}
        table.add_geom(
            type=kinds.mjGEOM_PLANE, size=[2, 2, 0.1], rgba=[0.62, 0.6, 0.56, 1], **rough
        )
        middle, far = _SIDE_M / 2, _SIDE_M / 2 + 0.02
        for x, y in ((-1, 0), (1, 0), (0, -1), (0, 1)):
            half = [0.02 if x else far + 0.02, 0.02 if y else far + 0.02, 0.05]
            place = [middle + far * x, middle + far * y, 0.05]
            color = [0.3, 0.3, 0.32, 1]
            table.add_geom(type=kinds.mjGEOM_BOX, pos=place, size=half, rgba=color, **smooth)
        table.add_geom(
            type=kinds.mjGEOM_BOX,
            pos=[_BAR_M[0], _BAR_M[1] + shift.moved_m, 0.05],
            size=[*_BAR_HALF_M, 0.05],
            rgba=[0.75, 0.2, 0.2, 1],
            **smooth,
        )
        hand = table.add_body(name="hand", pos=[0, 0, _HIGH_M])
        slides(hand, {"hand_x": (1, 0, 0), "hand_y": (0, 1, 0)})
        hand.add_geom(
            type=kinds.mjGEOM_SPHERE,
            size=[_HAND_M, 0, 0],
            mass=2.0,
            rgba=[0.95, 0.85, 0.3, 1],
            **smooth,
        )
        block = table.add_body(name="block", pos=[0, 0, _HIGH_M])
        slides(block, {"block_x": (1, 0, 0), "block_y": (0, 1, 0), "block_z": (0, 0, 1)})
        block.add_joint(name="block_turn", type=mujoco.mjtJoint.mjJNT_HINGE, axis=[0, 0, 1])
        block.add_geom(
            type=kinds.mjGEOM_BOX,
            size=[_HALF_M, _HALF_M, _HIGH_M],
            mass=0.5 * shift.mass,
            rgba=[0.2, 0.4, 0.9, 1],
            **rough,
        )
        for name in ("hand_x", "hand_y"):
            motor = spec.add_actuator(name=name, target=name)
            motor.trntype = mujoco.mjtTrn.mjTRN_JOINT
            motor.set_to_velocity(kv=100.0)
        return spec.compile()

    def begin(self, rng: np.random.Generator, shift: Shift) -> Float[np.ndarray, " 12"]:
        """Anywhere on the table, apart from each other and from the bar."""
        while True:
            hand, block = rng.uniform(0.1, 0.9, 2), rng.uniform(0.15, 0.85, 2)
            apart = np.linalg.norm(hand - block) > 0.2
            if apart and _off_bar(hand, 0.06, shift) and _off_bar(block, 0.12, shift):
                return np.array([*hand, *block, 0, rng.uniform(-np.pi, np.pi), *np.zeros(6)])

    def control(self, action: Float[np.ndarray, " 2"]) -> Float[np.ndarray, " 2"]:
        """See `Drill`."""
        return _HAND_MPS * action

    def seen(self, states: Float[np.ndarray, "*n q"]) -> Float[np.ndarray, "*n r"]:
        """See `Drill`."""
        turn = 4 * states[..., 5:6]
        return np.concatenate([states[..., :4], np.cos(turn), np.sin(turn)], axis=-1)

    def is_there(
        self, states: Float[np.ndarray, "*n q"], goals: Float[np.ndarray, "*n q"]
    ) -> Bool[np.ndarray, "*n"]:
        """The block is within 6 cm of its mark, wherever the hand is."""
        away = np.linalg.norm(states[..., 2:4] - goals[..., 2:4], axis=-1)
        return np.asarray(away < REACH_M)

    def player(self, rng: np.random.Generator, shift: Shift) -> Callable[[np.ndarray], np.ndarray]:
        """Who pushes the block to one place after another, round the bar, unsteadily."""
        return _Pusher(rng, shift).act

    def cut(
        self, path: Float[np.ndarray, "t q"], gap: int, shift: Shift, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, bool] | None:
        """See `Plannable`. The block was moved; past: a straight way would meet the bar."""
        first = int(rng.integers(0, len(path) - gap))
        here, there = path[first], path[first + gap]
        if np.linalg.norm(here[2:4] - there[2:4]) < 2 * REACH_M:
            return None
        return here, there, is_past(here[2:4], there[2:4], shift)

    def counts(self, states: Float[np.ndarray, "*n q"]) -> Float[np.ndarray, "*n r"]:
        """The block's place; the hand's a little, because it has to go there to push."""
        return np.concatenate([_HAND_COUNTS * states[..., :2], states[..., 2:4]], axis=-1) / REACH_M

    def greedy(
        self, state: Float[np.ndarray, " q"], goal: Float[np.ndarray, " q"]
    ) -> Float[np.ndarray, " a"]:
        """Pushes straight to the mark, whatever is in between; see `toward`."""
        return toward(state, goal[2:4])


@dataclass(eq=False)
class _Pusher:
    """Pushes the block to one place after another, round the bar, unsteadily.

    Args:
        rng: of all its choices.
        shift: of the scene.
    """

    rng: np.random.Generator
    shift: Shift
    _left: int = field(default=0, init=False)
    _mark_m: np.ndarray = field(default_factory=lambda: np.zeros(2), init=False)
    _noise: float = field(default=0.0, init=False)
    _strays: bool = field(default=False, init=False)

    def act(self, state: Float[np.ndarray, " 12"]) -> Float[np.ndarray, " 2"]:
        """The next action, to be held for a quarter of a second."""
        block = state[2:4]
        if self._left == 0 or np.linalg.norm(block - self._mark_m) < 0.03:
            self._left = int(self.rng.integers(6, 24))
            self._mark_m = self.rng.uniform(0.15, 0.85, 2)
            self._noise = float(self.rng.choice([0.05, 0.15, 0.4]))
            self._strays = bool(self.rng.random() < 0.2)
        self._left -= 1
        if self._strays:
            wanted = (self._mark_m - state[:2]) / (_HAND_MPS * _HELD_S)
        else:
            wanted = toward(state, self._round(block))
        return np.clip(wanted + self._noise * self.rng.normal(size=2), -1, 1)

    def _round(self, block: Float[np.ndarray, " 2"]) -> Float[np.ndarray, " 2"]:
        """The mark, or a place beside the bar that is on the way to it."""
        if not is_past(block, self._mark_m, self.shift):
            return self._mark_m
        bar = _bar(self.shift)
        side = 1.0 if block[1] + self._mark_m[1] > 2 * bar[1] else -1.0
        return bar + np.array([0, side * (_BAR_HALF_M[1] + 0.14)])


def toward(state: Float[np.ndarray, " q"], mark_m: Float[np.ndarray, " 2"]) -> np.ndarray:
    """The action that pushes the block straight to a place: behind it first, then through it."""
    hand, block = state[:2], state[2:4]
    onward = (mark_m - block) / max(float(np.linalg.norm(mark_m - block)), 1e-6)
    across = np.array([-onward[1], onward[0]])
    behind, beside = float((block - hand) @ onward), float((hand - block) @ across)
    reach = _HAND_MPS * _HELD_S
    if behind > 0.09 and abs(beside) < 0.05:
        far = min(float(np.linalg.norm(mark_m - block)) + max(behind - 0.14, 0), reach)
        way = onward * far - across * beside
    elif behind > 0.09:
        way = block - 0.17 * onward - hand
    else:
        # round the block on the side that it is on
        side = np.sign(beside) or 1.0
        way = block + 0.19 * side * across - 0.17 * onward - hand
        if abs(beside) < 0.15:
            way = block + 0.22 * side * across + 0.05 * onward * np.sign(-behind) - hand
    return np.clip(way / reach, -1, 1)


def is_past(
    here_m: Float[np.ndarray, " 2"], there_m: Float[np.ndarray, " 2"], shift: Shift
) -> bool:
    """Whether a block that is pushed straight from one place to the other meets the bar with a
    quarter of its width or more, so that it does not slip by."""
    share = np.linspace(0, 1, 30)[:, None]
    return any(not _off_bar(p, _HALF_M / 2, shift) for p in here_m + share * (there_m - here_m))


def _bar(shift: Shift) -> Float[np.ndarray, " 2"]:
    """Where its middle is."""
    return np.array(_BAR_M) + np.array([0.0, shift.moved_m])


def _off_bar(place_m: np.ndarray, room_m: float, shift: Shift) -> bool:
    away = np.abs(place_m - _bar(shift)) - np.array(_BAR_HALF_M)
    return bool((away > room_m).any())


def push(rng: np.random.Generator) -> Callable[[Any], np.ndarray]:
    """A player of one episode for `worldline record`; see `PushBlock.player`."""
    act = PushBlock().player(rng, Shift())
    return lambda observation: act(np.asarray(observation, float)[_NUM_SEEN:]).astype(np.float32)


def PushBlockEnv(**options: Any) -> DrillEnv:  # noqa: N802 (what Gymnasium makes)
    """The environment; see `DrillEnv` for its options."""
    return DrillEnv(PushBlock(), **options)


if ENV_ID not in gymnasium.registry:
    gymnasium.register(ENV_ID, entry_point=f"{__name__}:PushBlockEnv")
