"""Drills: small MuJoCo scenes in which a hand has something to do, as Gymnasium environments.

Physics owns the truth, a drill its meaning: where episodes begin, what counts as there, who plays
to be recorded. Needs the extra `record` (Gymnasium). All joints slide or hinge, so that a state is
`[qpos, qvel]` and any state can be gone back to.

Shape legend: N states, Q numbers of a state, R of what can be seen of it, A of an action.
"""

# MuJoCo's compiled modules come without type stubs
# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import gymnasium
import mujoco
import numpy as np
from gymnasium import spaces
from jaxtyping import Bool, Float, UInt8

from worldline.core.errors import InputError
from worldline.sim.lens import Lens

__all__ = ["STEP_S", "Bench", "Drill", "DrillEnv", "Shift", "slides"]

STEP_S = 0.05
"""Time of a step of the environment."""

_SUBSTEPS = 5


@dataclass(frozen=True)
class Shift:
    """How a scene differs from the one that is usually recorded.

    Attributes:
        mass, friction: factors of what the moved thing weighs, and of its friction.
        moved_m: what is in the way, or where things have to go, lies so much farther.
    """

    mass: float = 1.0
    friction: float = 1.0
    moved_m: float = 0.0

    def __post_init__(self) -> None:
        if not (0 < self.mass < 1000 and 0 < self.friction < 1000 and abs(self.moved_m) <= 0.2):
            raise InputError(
                f"mass is {self.mass}, friction {self.friction} and moved_m {self.moved_m}; "
                "factors must be above 0, and what moves moves by 0.2 m at most"
            )


@runtime_checkable
class Drill(Protocol):
    """One scene and what is to be done in it.

    Attributes:
        name: of the task.
        action_names: of the numbers of an action, each in [-1, 1].
        seen_names: what can be read off a single picture, such as places, with their units.
        joints: names of the coordinates of the model, with their units.
        view: arguments of `Lens`, but for the size.
    """

    name: str
    action_names: tuple[str, ...]
    seen_names: tuple[str, ...]
    joints: tuple[str, ...]
    view: Mapping[str, Any]

    def build(self, shift: Shift) -> mujoco.MjModel:
        """The scene; its controls are those that `control` gives."""
        ...

    def begin(self, rng: np.random.Generator, shift: Shift) -> Float[np.ndarray, " q"]:
        """Where an episode begins."""
        ...

    def control(self, action: Float[np.ndarray, " a"]) -> Float[np.ndarray, " c"]:
        """What motors are told for an action."""
        ...

    def seen(self, states: Float[np.ndarray, "*n q"]) -> Float[np.ndarray, "*n r"]:
        """What can be read off a picture of states."""
        ...

    def is_there(
        self, states: Float[np.ndarray, "*n q"], goals: Float[np.ndarray, "*n q"]
    ) -> Bool[np.ndarray, "*n"]:
        """Whether what is wanted is reached."""
        ...

    def player(self, rng: np.random.Generator, shift: Shift) -> Callable[[np.ndarray], np.ndarray]:
        """Who plays an episode to be recorded: from a state to an action that is held."""
        ...


class Bench:
    """A scene that can be put into any state, stepped and looked at.

    Args:
        drill: which.
        shift: how it differs.
        size_px: side of pictures.
    """

    def __init__(self, drill: Drill, shift: Shift, size_px: int) -> None:
        self.drill, self.model = drill, drill.build(shift)
        self.data = mujoco.MjData(self.model)
        self._lens = Lens(self.model, size_px=size_px, **drill.view)

    def put(self, state: Float[np.ndarray, " q"]) -> None:
        """Go to a state."""
        mujoco.mj_resetData(self.model, self.data)
        self.data.qpos[:], self.data.qvel[:] = np.split(np.asarray(state, float), 2)

    @property
    def state(self) -> Float[np.ndarray, " q"]:
        """Places, then speeds."""
        return np.concatenate([self.data.qpos, self.data.qvel])

    def step(self, action: Float[np.ndarray, " a"], times: int = 1) -> None:
        """So many steps of the environment under one action; what lies beyond 1 is cut off."""
        self.data.ctrl[:] = self.drill.control(np.clip(np.asarray(action, float), -1, 1))
        mujoco.mj_step(self.model, self.data, _SUBSTEPS * times)

    def draw(self) -> UInt8[np.ndarray, "s s 3"]:
        """The picture now."""
        mujoco.mj_kinematics(self.model, self.data)
        return self._lens.take(self.data)


class DrillEnv(gymnasium.Env[np.ndarray, np.ndarray]):
    """A drill, at twenty steps per second.

    Observations are for those who know the truth: what can be seen in a picture, then the state.
    Pictures come from `render`. Without a goal nothing is earned and nothing ends; with one, being
    there earns 1 and ends the episode.

    Args:
        drill: which.
        size_px: side of the pictures.
        mass, friction, moved_m: see `Shift`.
        render_mode: "rgb_array" or None.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": round(1 / STEP_S)}  # noqa: RUF012

    def __init__(
        self,
        drill: Drill,
        *,
        size_px: int = 32,
        mass: float = 1.0,
        friction: float = 1.0,
        moved_m: float = 0.0,
        render_mode: str | None = None,
    ) -> None:
        if size_px < 16:
            raise InputError(f"size_px is {size_px}; it must be at least 16")
        self.drill, self.shift = drill, Shift(mass, friction, moved_m)
        self.render_mode, self.action_names = render_mode, drill.action_names
        speeds = [f"{name}ps" for name in drill.joints]
        self.state_names = (*(f"seen_{name}" for name in drill.seen_names), *drill.joints, *speeds)
        self.action_space = spaces.Box(-1.0, 1.0, (len(drill.action_names),), np.float32)
        self.observation_space = spaces.Box(-np.inf, np.inf, (len(self.state_names),), np.float32)
        self._bench = Bench(drill, self.shift, size_px)
        self._goal: np.ndarray | None = None
        self._opened = False

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin an episode.

        Args:
            seed: of where things begin.
            options: "state" and "goal", places and speeds of all joints, if they are to be given.

        Raises:
            InputError: a state has not as many finite numbers.
        """
        super().reset(seed=seed)
        given = options or {}
        self._goal = self._known("goal", given["goal"]) if "goal" in given else None
        usual = self.drill.begin(self.np_random, self.shift)
        self._bench.put(self._known("state", given["state"]) if "state" in given else usual)
        self._opened = True
        return self._observe(), {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """A twentieth of a second. Raises `InputError` before `reset` and for what is no action."""
        self._require_open()
        action = np.asarray(action, float)
        if action.shape != self.action_space.shape or not np.isfinite(action).all():
            raise InputError(f"the action is {action}; finite numbers are needed: {self._wanted()}")
        self._bench.step(action)
        goal = self._goal
        there = goal is not None and bool(self.drill.is_there(self._bench.state, goal))
        return self._observe(), float(there), there, False, {}

    def render(self) -> UInt8[np.ndarray, "s s 3"] | None:
        """The picture now."""
        if self.render_mode is None:
            return None
        self._require_open()
        return self._bench.draw()

    def _observe(self) -> np.ndarray:
        state = self._bench.state
        return np.concatenate([self.drill.seen(state), state]).astype(np.float32)

    def _require_open(self) -> None:
        if not self._opened:
            raise InputError("reset the environment before anything else")

    def _wanted(self) -> str:
        return ", ".join(self.action_names)

    def _known(self, name: str, given: Any) -> Float[np.ndarray, " q"]:
        state, num = np.asarray(given, float).ravel(), 2 * len(self.drill.joints)
        if state.shape != (num,) or not np.isfinite(state).all():
            raise InputError(
                f"{name} is {given}; {num} finite numbers are needed: "
                f"{', '.join(self.drill.joints)}, and the speeds of these"
            )
        return state


def slides(body: Any, names: Mapping[str, tuple[float, float, float]]) -> None:
    """Let a body slide along axes."""
    for name, axis in names.items():
        body.add_joint(name=name, type=mujoco.mjtJoint.mjJNT_SLIDE, axis=axis)
