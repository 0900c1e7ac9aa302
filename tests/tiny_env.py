"""A Gymnasium environment of a few lines: a bright block that goes where it is told."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

SPACES = {
    "discrete": spaces.Discrete(3, start=-1),
    "box": spaces.Box(-1.0, 1.0, (2,), np.float32),
    "multi": spaces.MultiDiscrete([3, 2], start=[-1, 0]),
    "binary": spaces.MultiBinary(2),
}


class TinyEnv(gymnasium.Env[np.ndarray, Any]):
    """The block starts at column 10 to 21 and moves by the (first) action; 24 x 32 pixels.

    Args:
        kind: of action space.
        length: the task ends after so many steps.
        broken: numbers of the episodes, counted over the life of the process, that fail in step 3.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}  # noqa: RUF012
    num_resets = 0

    def __init__(
        self,
        render_mode: str | None = None,
        kind: str = "discrete",
        length: int = 8,
        broken: tuple[int, ...] = (),
    ) -> None:
        self.render_mode, self.length, self.broken = render_mode, length, broken
        self.action_space = SPACES[kind]
        self.observation_space = spaces.Box(0.0, 32.0, (2,), np.float64)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None):
        super().reset(seed=seed)
        self.number = TinyEnv.num_resets
        TinyEnv.num_resets += 1
        self.steps, self.column = 0, int(self.np_random.integers(10, 22))
        return np.array([self.column, self.steps], np.float64), {}

    def step(self, action: Any):
        self.steps += 1
        if self.number in self.broken and self.steps == 3:
            raise RuntimeError("the block fell off")
        self.column += round(float(np.ravel(action)[0]))
        state = np.array([self.column, self.steps], np.float64)
        return state, float(self.steps), self.steps >= self.length, False, {}

    def render(self):
        image = np.full((24, 32, 3), (30, 60, 90), np.uint8)
        image[8:16, self.column - 2 : self.column + 2] = (250, 200, 40)
        return image


gymnasium.register("worldline-tests/Tiny-v0", TinyEnv)


class BlindEnv(TinyEnv):
    """Draws nothing."""

    metadata = {"render_modes": [], "render_fps": 10}  # noqa: RUF012


gymnasium.register("worldline-tests/Blind-v0", BlindEnv)


class TimelessEnv(TinyEnv):
    """Does not say how fast it runs."""

    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012


gymnasium.register("worldline-tests/Timeless-v0", TimelessEnv)
