"""A world as a Gymnasium environment: an agent lives in what was learned.

Needs the extra `record` (Gymnasium). Actions are those of the environment that the world learned
from, in its own units, so that a policy goes from one to the other as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from jaxtyping import Float, UInt8

from worldline.core.clip import Clip
from worldline.core.errors import InputError
from worldline.data.actions import ActionSpec
from worldline.world.openings import load_openings
from worldline.world.session import Session
from worldline.world.world import World

__all__ = ["ENV_ID", "ActionPort", "WorldEnv", "open_world"]

ENV_ID = "worldline/World-v0"

SURE_END = 0.5
"""From this probability on an episode has ended."""


class ActionPort:
    """Between an environment's actions and the vectors that a world takes.

    Args:
        spec: of the environment that the world learned from.

    Attributes:
        space: as that environment has it.
    """

    def __init__(self, spec: ActionSpec) -> None:
        self.spec = spec
        self.space: spaces.Space[Any]
        if len(spec.num_actions) == 1:
            self.space = spaces.Discrete(spec.num_actions[0])
        elif spec.num_actions:
            self.space = spaces.MultiDiscrete(np.array(spec.num_actions))
        else:
            low, high = (np.array(limit, np.float32) for limit in (spec.low, spec.high))
            self.space = spaces.Box(low, high, dtype=np.float32)

    def vectors(self, actions: np.ndarray) -> Float[np.ndarray, "n a"]:
        """Of N actions, those of the space one after the other.

        Numbers may be of any kind: what counts is that they lie within the limits.

        Raises:
            InputError: an action is not in the space.
        """
        if isinstance(self.space, spaces.Box) and actions.dtype.kind in "iuf":
            actions = actions.astype(np.float32)
        for action in actions:
            if not self.space.contains(action):
                raise InputError(f"action {action.tolist()} is not in {self.space}")
        rows = np.asarray(actions).reshape(len(actions), -1)
        rows = rows.astype(np.int64 if self.spec.is_discrete else np.float32)
        return self.spec.normalised(self.spec.vectors(rows))


def open_world(
    world: World | str | Path, openings: Sequence[Clip] | None
) -> tuple[World, list[Clip], ActionPort]:
    """A world that can be lived in, where its episodes begin, and its actions.

    Args:
        world: itself, the name of a bundled one, or a folder.
        openings: clips of at least `world.context` frames; those beside the world's weights if
            absent, which a world that is given itself does not know.

    Raises:
        InputError: the world takes no actions or does not say what they mean, or there are no
            openings, or they are too short.
    """
    if openings is None:
        if isinstance(world, World):
            raise InputError("a World that is given itself needs openings, clips to begin with")
        openings = load_openings(world)
    opened = world if isinstance(world, World) else World.from_pretrained(world)
    told = opened.calibration.get("actions")
    if told is None or not opened.action_size:
        raise InputError(f"the world {opened.name} takes no actions, so no agent can live in it")
    short = [clip.num_frames for clip in openings if clip.num_frames < opened.context]
    if short or not openings:
        raise InputError(
            f"openings: {len(openings)} clips, the shortest of {min(short, default=0)} frames; "
            f"give some of {opened.context} frames at least"
        )
    return opened, list(openings), ActionPort(ActionSpec.from_json(told))


class WorldEnv(gymnasium.Env[np.ndarray, Any]):
    """One agent in one world.

    An episode begins with a clip that was recorded, chosen by the seed, and goes on as the world
    imagines it. Observations are pictures `[h, w, 3]`, or, as "latents", `[N * C]` numbers.

    Args:
        world: see `open_world`.
        openings: likewise.
        observation: "pixels" or "latents".
        max_steps: an episode is cut off there; what is imagined for long is trusted less.
        render_mode: "rgb_array" or None.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 15}  # noqa: RUF012 (Gymnasium's)

    def __init__(
        self,
        world: World | str | Path,
        openings: Sequence[Clip] | None = None,
        *,
        observation: str = "pixels",
        max_steps: int = 100,
        render_mode: str | None = None,
    ) -> None:
        self.world, self.openings, self.port = open_world(world, openings)
        if observation not in ("pixels", "latents"):
            raise InputError(f'observation is {observation!r}; it can be "pixels" or "latents"')
        if max_steps < 1:
            raise InputError(f"max_steps is {max_steps}, must be at least 1")
        self.metadata = {**self.metadata, "render_fps": 1 / self.world.step_s}
        self.render_mode, self.observation, self.max_steps = render_mode, observation, max_steps
        self.action_space = self.port.space
        self.observation_space = observation_space(self.world, observation)
        self._session: Session | None = None
        self._frame = np.zeros((self.world.size_px, self.world.size_px, 3), np.uint8)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin an episode from an opening."""
        super().reset(seed=seed)
        clip = self.openings[int(self.np_random.integers(len(self.openings)))]
        last = int(self.np_random.integers(self.world.context, clip.num_frames + 1))
        opening = clip.slice(last - self.world.context, last)
        noise = int(self.np_random.integers(2**31))
        self._session = self.world.open(opening, seed=noise)
        self._frame = self.world.look(opening).frames[-1]
        return self._observe(), {}

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Imagine the next frame.

        Raises:
            InputError: before the first `reset`, or for an action that is not in the space.
        """
        session = self._session
        if session is None:
            raise InputError("reset the environment before its first step")
        self._frame = session.step(self.port.vectors(as_numbers([action]))[0])
        ended = session.end > SURE_END
        cut = session.num_steps >= self.max_steps
        return self._observe(), session.reward, ended, cut, {"end": session.end}

    def render(self) -> UInt8[np.ndarray, "h w 3"] | None:
        """The newest picture."""
        return None if self.render_mode is None else self._frame.copy()

    def _observe(self) -> np.ndarray:
        if self.observation == "pixels":
            return self._frame.copy()
        assert self._session is not None
        latents = self._session.snapshot().latents
        assert latents is not None
        return latents[:, 1].flatten().float().numpy()


def as_numbers(actions: Any) -> np.ndarray:
    """Actions as an array, one row each. Raises `InputError` for what has no rows of one length."""
    try:
        return np.asarray(actions)
    except (TypeError, ValueError):
        raise InputError("actions must be numbers, as many in each") from None


def observation_space(world: World, observation: str) -> spaces.Box:
    """Of pictures or latents."""
    if observation == "pixels":
        return spaces.Box(0, 255, (world.size_px, world.size_px, 3), np.uint8)
    rows, columns = world.tokenizer.grid
    size = rows * columns * world.tokenizer.channels
    return spaces.Box(-np.inf, np.inf, (size,), np.float32)


if ENV_ID not in gymnasium.registry:
    gymnasium.register(ENV_ID, entry_point="worldline.world.env:WorldEnv")
