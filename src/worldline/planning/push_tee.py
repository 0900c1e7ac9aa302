"""Pushing the T as a Gymnasium environment, and who pushes it to be recorded.

    worldline record --env worldline.planning.push_tee:worldline/PushTee-v0 --every 5 \\
        --policy worldline.planning.push_tee:explore --episodes 3600 --max-frames 40 --out DIR

Needs the extras `record` (Gymnasium) and `pusht` (pymunk).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from jaxtyping import Float, UInt8

from worldline.core.errors import InputError
from worldline.planning.tee import (
    MIDDLE_PX,
    NUM_STATE,
    SIDE_PX,
    STEP_S,
    Tee,
    draw,
    is_reached,
    outline,
)

__all__ = ["ENV_ID", "HELD_PX", "PushTeeEnv", "Pusher", "explore", "push", "start_states"]

ENV_ID = "worldline/PushTee-v0"

HELD_PX = 200.0
"""How far an action of 1 that is held for five steps takes the pusher."""

_INSIDE_PX = 30.0
"""How near to the plane's edge the pusher goes of its own will."""


class PushTeeEnv(gymnasium.Env[np.ndarray, np.ndarray]):
    """A T-shaped block and its pusher, at ten steps per second; see `worldline.planning.tee`.

    Actions in [-1, 1] say where the pusher is drawn to, relative to where it is. Observations are
    states, for those who know the truth, and behind them what is to be seen of these, as places
    from the picture's middle and as the direction of the stem; pictures come from `render`. Without
    a goal nothing is earned and nothing ends; with one, being there earns 1 and ends the episode.

    Args:
        size_px: side of the pictures.
        render_mode: "rgb_array" or None.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": round(1 / STEP_S)}  # noqa: RUF012
    action_names = ("right", "down")
    state_names = (
        *("x_px", "y_px", "block_x_px", "block_y_px", "block_angle_rad", "x_pxps", "y_pxps"),
        *("seen_x_px", "seen_y_px", "seen_block_x_px", "seen_block_y_px"),
        *("seen_stem_x", "seen_stem_y"),
    )

    def __init__(self, *, size_px: int = 64, render_mode: str | None = None) -> None:
        if size_px < 16:
            raise InputError(f"size_px is {size_px}; it must be at least 16")
        self.size_px, self.render_mode = size_px, render_mode
        self.action_space = spaces.Box(-1.0, 1.0, (2,), np.float32)
        self.observation_space = spaces.Box(-np.inf, np.inf, (len(self.state_names),), np.float32)
        self.tee: Tee | None = None
        self.goal: Float[np.ndarray, " 7"] | None = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin an episode.

        Args:
            seed: of where things begin.
            options: "state" and "goal", seven numbers each, if they are to be given.

        Raises:
            InputError: a state has not seven finite numbers.
        """
        super().reset(seed=seed)
        given = options or {}
        self.goal = _seven("goal", given["goal"]) if "goal" in given else None
        if "state" in given:
            self.tee = Tee(_seven("state", given["state"]))
        else:
            (state,) = start_states(1, self.np_random)
            self.tee = Tee(state)
        return _observed(self.tee.state), {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Push on for a tenth of a second."""
        tee = self._opened()
        tee.step(np.asarray(action, float))
        there = self.goal is not None and bool(is_reached(tee.state, self.goal))
        return _observed(tee.state), float(there), there, False, {}

    def render(self) -> UInt8[np.ndarray, "s s 3"] | None:
        """The picture now."""
        return None if self.render_mode is None else draw(self._opened().state, self.size_px)

    def _opened(self) -> Tee:
        if self.tee is None:
            raise InputError("reset the environment before anything else")
        return self.tee


def start_states(num: int, rng: np.random.Generator) -> Float[np.ndarray, "n 7"]:
    """Where episodes begin: anywhere, the pusher beside the block."""
    found = []
    while len(found) < num:
        pusher, block = rng.uniform(50, 450, 2), rng.uniform(100, 400, 2)
        state = np.array([*pusher, *block, rng.uniform(0, 2 * np.pi), 0, 0])
        corners = np.concatenate(outline(state))
        if np.linalg.norm(_densely(corners) - pusher, axis=-1).min() > 25:
            found.append(state)
    return np.stack(found)


@dataclass(eq=False)
class Pusher:
    """Who pushes a block about, now from here and now from there, unsteadily.

    It goes to a place beside the block, pushes from there, more or less at it, and goes on to the
    next place; in between it strays. What it does to the block is what it was asked to by chance.

    Args:
        rng: of all its choices.
        swaying: share of its choices in which it sways beside the block and into it, without any
            aim, as plans do that a planner tries first.
    """

    rng: np.random.Generator
    swaying: float = 0.0
    _left: int = field(default=0, init=False)
    _way_px: list[np.ndarray] = field(default_factory=list, init=False)
    _pace_px: float = field(default=60.0, init=False)
    _noise_px: float = field(default=0.0, init=False)
    _sway_px: np.ndarray | None = field(default=None, init=False)

    def act(self, state: Float[np.ndarray, " 7"]) -> Float[np.ndarray, " 2"]:
        """The next action, to be held for five steps."""
        while self._way_px and np.linalg.norm(self._way_px[0] - state[:2]) < _NEAR_PX:
            self._way_px.pop(0)
        if self._left == 0 or not self._way_px:
            self._choose(state)
        self._left -= 1
        away = self._way_px[0] - state[:2]
        if self._sway_px is not None:
            # as long in one direction as coloured noise, and never far from the block
            self._sway_px = 0.6 * self._sway_px + _SWAY_PX * self.rng.normal(size=2) + 0.1 * away
            return self._toward(state, self._sway_px)
        wanted = away * min(1.0, self._pace_px / max(float(np.linalg.norm(away)), 1e-6))
        return self._toward(state, wanted + self._noise_px * self.rng.normal(size=2))

    def _toward(self, state: np.ndarray, wanted: np.ndarray) -> np.ndarray:
        """The action that brings the pusher so far, but not out of the plane."""
        inside = np.clip(state[:2] + wanted, _INSIDE_PX, SIDE_PX - _INSIDE_PX)
        # what is left of its velocity carries it on
        return np.clip((inside - state[:2] - _CARRIED_S * state[5:7]) / HELD_PX, -1, 1)

    def _choose(self, state: Float[np.ndarray, " 7"]) -> None:
        """A new way: to a side of the block and on through it, or anywhere about it."""
        rng = self.rng
        corners = np.concatenate(outline(state))
        middle = corners.mean(axis=0)
        self._left, self._pace_px = int(rng.integers(2, 7)), rng.uniform(40, 150)
        self._noise_px = float(rng.choice([0.0, 6.0, 20.0]))
        # who never sways draws no number for it
        sways = self.swaying > 0 and rng.random() < self.swaying
        self._sway_px = _SWAY_PX * rng.normal(size=2) if sways else None
        if sways:
            self._way_px = [middle]
            return
        if rng.random() < _STRAYING:
            self._way_px = [middle + rng.normal(size=2) * 90]
            return
        touched = _densely(corners)[rng.integers(8 * len(corners))]
        onward = middle + rng.normal(size=2) * 25 - touched
        onward = onward / max(float(np.linalg.norm(onward)), 1e-6)
        turn = rng.normal() * 0.6
        turned = np.array([(np.cos(turn), -np.sin(turn)), (np.sin(turn), np.cos(turn))]) @ onward
        begin = touched - 32 * onward
        met = touched + rng.uniform(0, 50) * onward
        self._way_px = [begin, met, met + rng.uniform(0, 50) * turned]


_STRAYING = 0.15
"""Share of its choices that have nothing to do with the block."""

_NEAR_PX, _CARRIED_S = 12.0, 0.06
_SWAY_PX, _SWAYING = 40.0, 0.35


def push(rng: np.random.Generator) -> Callable[[Any], np.ndarray]:
    """A player of one episode for `worldline record`; see `Pusher`."""
    return _player(Pusher(rng))


def explore(rng: np.random.Generator) -> Callable[[Any], np.ndarray]:
    """As `push`, but a third of what it does is swaying: a world is asked about plans of all kinds,
    and has to have seen such."""
    return _player(Pusher(rng, swaying=_SWAYING))


def _player(one: Pusher) -> Callable[[Any], np.ndarray]:
    """From an observation, or a state, to an action."""

    def act(observation: Any) -> np.ndarray:
        state = np.asarray(observation, float)[:NUM_STATE]
        return one.act(state).astype(np.float32)

    return act


def _densely(corners: Float[np.ndarray, "8 2"]) -> Float[np.ndarray, "n 2"]:
    """Places all along the sides of bar and stem."""
    share = np.linspace(0, 1, 8, endpoint=False)[:, None]
    return np.concatenate(
        [
            part[i] + share * (part[(i + 1) % 4] - part[i])
            for part in (corners[:4], corners[4:])
            for i in range(4)
        ]
    )


def _observed(state: Float[np.ndarray, " 7"]) -> Float[np.ndarray, " 13"]:
    """A state, and what of it is to be seen: places from the picture's middle, and where the stem
    points, which has no jump at a full turn."""
    turn = state[4]
    seen = [*(state[:4] - MIDDLE_PX), -np.sin(turn), np.cos(turn)]
    return np.array([*state, *seen], np.float32)


def _seven(name: str, given: Any) -> Float[np.ndarray, " 7"]:
    state = np.asarray(given, float).ravel()
    if state.shape != (NUM_STATE,) or not np.isfinite(state).all():
        raise InputError(
            f"{name} is {given}; seven numbers are needed: x, y, block x, y and angle, velocity"
        )
    return state


if ENV_ID not in gymnasium.registry:
    gymnasium.register(ENV_ID, entry_point=f"{__name__}:PushTeeEnv")
