"""A foreign environment, behind which nothing raises but what is said in a sentence.

Needs the extra `record` (Gymnasium).
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import cv2
import gymnasium
import numpy as np
from gymnasium import spaces
from jaxtyping import UInt8

from worldline.core.errors import InputError
from worldline.data.actions import ActionSpec
from worldline.data.episode import FieldError
from worldline.data.players import gist, import_home

__all__ = ["Stage", "action_spec"]


def action_spec(env: Any) -> ActionSpec:
    """What an environment's actions mean.

    Choices are called as in Atari's `get_action_meanings()` or ViZDoom's buttons, numbers as in
    `action_names` of the environment, where it has them.

    Raises:
        InputError: its action space is none of Discrete, MultiDiscrete and Box.
    """
    space = env.action_space
    match space:
        case spaces.Discrete():
            count = int(space.n)
            names = _meanings(env.unwrapped)
            if len(names) != count:
                names = [f"action_{i}" for i in range(count)]
            return ActionSpec(names=tuple(names), num_actions=(count,))
        case spaces.MultiDiscrete():
            counts = tuple(int(n) for n in space.nvec.ravel())
            labels = tuple(
                f"choice_{i}_{k}" for i, count in enumerate(counts) for k in range(count)
            )
            return ActionSpec(names=labels, num_actions=counts)
        case spaces.Box():
            names = tuple(f"action_{i}" for i in range(int(np.prod(space.shape))))
            called = tuple(map(str, getattr(env.unwrapped, "action_names", ())))
            names = called if len(called) == len(names) else names
            low, high = (np.asarray(limit, np.float64).ravel() for limit in (space.low, space.high))
            known = bool(np.isfinite(low).all() and np.isfinite(high).all())
            return ActionSpec(
                names=names,
                low=tuple(low.tolist()) if known else (),
                high=tuple(high.tolist()) if known else (),
            )
    raise InputError(
        f"its actions are {type(space).__name__}; only Discrete, MultiDiscrete and Box are recorded"
    )


def _meanings(env: Any) -> list[str]:
    """What an environment calls its choices; empty if it does not say."""
    if hasattr(env, "get_action_meanings"):  # Atari
        return [str(name) for name in env.get_action_meanings()]
    if hasattr(env, "button_map") and hasattr(env, "game"):  # ViZDoom: sets of buttons
        buttons = [button.name for button in env.game.get_available_buttons()]
        return [
            "+".join(name for name, down in zip(buttons, pressed, strict=False) if down) or "NOOP"
            for pressed in env.button_map
        ]
    return []


class Stage:
    """An environment, opened anew when it breaks; what it raises becomes a `FieldError`."""

    def __init__(self, env_id: str, options: Mapping[str, Any], size_px: int | None) -> None:
        self.env_id, self.options, self.size_px = env_id, dict(options), size_px
        import_home(env_id)
        self.env = self._make()
        try:
            self.spec = action_spec(self.env)
        except InputError as error:
            self.env.close()
            raise InputError(f"{env_id}: {error}") from None

    def _make(self) -> Any:
        try:
            with warnings.catch_warnings():
                # Said as an error below, for all environments alike.
                warnings.filterwarnings("ignore", ".*not in the possible render_modes")
                env = gymnasium.make(
                    self.env_id, render_mode="rgb_array", disable_env_checker=True, **self.options
                )
        except Exception as error:  # whatever a foreign constructor raises
            raise InputError(f"{self.env_id}: cannot be made ({gist(error)})") from None
        if "rgb_array" not in ((env.metadata or {}).get("render_modes") or ()):
            env.close()
            raise InputError(f"{self.env_id}: cannot draw its frames (no render mode rgb_array)")
        return env

    def open(self) -> None:
        """Make the environment anew."""
        self.close()
        self.env = self._make()

    def close(self) -> None:
        """Let go of the environment; one that is broken may fail even at that."""
        with contextlib.suppress(Exception):
            self.env.close()

    @property
    def stated_fps(self) -> float | None:
        """Frames per second as the environment states them; None where it states no number."""
        try:
            return float(self.env.metadata["render_fps"])
        except (KeyError, TypeError, ValueError):
            return None

    def reset(self, seed: int) -> Any:
        """Begin an episode; what is observed first."""
        told = self._guard("reset", lambda: self.env.reset(seed=seed))
        if not isinstance(told, tuple) or len(told) != 2:
            raise _misfit("reset", told, "observation and info")
        return told[0]

    def step(self, action: Any, number: int) -> tuple[Any, float, bool, bool]:
        """Do something: observation, reward, whether the task ended, whether it was cut off."""
        told = self._guard(f"step {number}", lambda: self.env.step(action))
        if not isinstance(told, tuple | list) or len(told) != 5:
            raise _misfit(
                f"step {number}", told, "observation, reward, terminated, truncated, info"
            )
        observation, reward, terminated, truncated, _ = told
        try:
            return observation, float(reward), bool(terminated), bool(truncated)
        except (TypeError, ValueError) as error:
            raise FieldError(
                "environment",
                f"gave a reward or an end in step {number} that cannot be read ({gist(error)})",
            ) from None

    def draw(self) -> UInt8[np.ndarray, "h w 3"]:
        """The picture now, in a copy: some environments draw into the same array again."""
        image = self._guard("render", self.env.render)
        if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.ndim != 3:
            kind = f"{image.dtype} {image.shape}" if isinstance(image, np.ndarray) else type(image)
            raise FieldError("frames", f"are drawn as {kind}, expected uint8 [h, w, 3]")
        if image.shape[2] != 3 or image.size == 0:
            raise FieldError("frames", f"are drawn as {image.shape}, expected [h, w, 3]")
        if self.size_px is None or image.shape[:2] == (self.size_px, self.size_px):
            return image.copy()
        shrink = self.size_px < min(image.shape[:2])
        how = cv2.INTER_AREA if shrink else cv2.INTER_LINEAR
        size = (self.size_px, self.size_px)
        return np.asarray(cv2.resize(np.ascontiguousarray(image), size, interpolation=how))

    def _guard(self, doing: str, work: Callable[[], Any]) -> Any:
        try:
            return work()
        except Exception as error:  # a foreign program's bug costs one episode
            raise FieldError("environment", f"failed in {doing} ({gist(error)})") from error


def _misfit(call: str, told: Any, wanted: str) -> FieldError:
    """What `reset` and `step` give is fixed by Gymnasium; Gym and others before it gave less."""
    count = f"{len(told)} things" if isinstance(told, tuple | list) else type(told).__name__
    return FieldError("environment", f"gave {count} in {call}; Gymnasium's give {wanted}")
