"""The two rooms as a Gymnasium environment, and who wanders through them to be recorded.

    worldline record --env worldline.planning.two_rooms:worldline/TwoRooms-v0 --every 5 \\
        --policy worldline.planning.two_rooms:wander --episodes 600 --max-frames 40 --out DIR

Needs the extra `record` (Gymnasium).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from jaxtyping import Float, UInt8

from worldline.core.errors import InputError
from worldline.planning.rooms import LOWEST_M, MOST_M, REACH_M, SIDE_M, Rooms, Wanderers

__all__ = ["ENV_ID", "TwoRoomsEnv", "wander"]

ENV_ID = "worldline/TwoRooms-v0"


class TwoRoomsEnv(gymnasium.Env[np.ndarray, np.ndarray]):
    """A dot that is pushed about, at ten steps per second.

    Actions are velocities in [-1, 1] along x and y. Observations are numbers for those who know
    the truth, `(x_m, y_m, wall_m, door_m)`; pictures come from `render`. Without a goal nothing
    is earned and nothing ends; with one, being within 0.16 m of it earns 1 and ends the episode.

    Args:
        size_px: side of the pictures.
        random_wall: wall and door lie elsewhere in each episode.
        render_mode: "rgb_array" or None.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}  # noqa: RUF012 (Gymnasium's)
    action_names = ("right", "down")

    def __init__(
        self, *, size_px: int = 64, random_wall: bool = False, render_mode: str | None = None
    ) -> None:
        if size_px < 16:
            raise InputError(f"size_px is {size_px}; it must be at least 16")
        self.size_px, self.random_wall, self.render_mode = size_px, random_wall, render_mode
        self.action_space = spaces.Box(-1.0, 1.0, (2,), np.float32)
        self.observation_space = spaces.Box(0.0, SIDE_M, (4,), np.float32)
        self.rooms = Rooms.usual(1)
        self.position_m: Float[np.ndarray, "1 2"] = np.full((1, 2), 0.5)
        self.goal_m: Float[np.ndarray, "1 2"] | None = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin an episode.

        Args:
            seed: of the layout and of the place.
            options: "wall_m", "door_m", "position_m" (x, y) and "goal_m" (x, y), each if it is to
                be given.

        Raises:
            InputError: a place that is not free.
        """
        super().reset(seed=seed)
        given = options or {}
        usual = Rooms.drawn(1, self.np_random) if self.random_wall else Rooms.usual(1)
        self.rooms = Rooms(
            np.array([given.get("wall_m", usual.wall_m[0])], dtype=float),
            np.array([given.get("door_m", usual.door_m[0])], dtype=float),
        )
        self.position_m = self._place("position_m", given, self.rooms.place(self.np_random))
        self.goal_m = self._place("goal_m", given, self.position_m) if "goal_m" in given else None
        return self._observe(), {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Move."""
        self.position_m = self.rooms.move(self.position_m, np.asarray(action, float)[None])
        there = False
        if self.goal_m is not None:
            there = bool(np.linalg.norm(self.position_m - self.goal_m) < REACH_M)
        return self._observe(), float(there), there, False, {}

    def render(self) -> UInt8[np.ndarray, "s s 3"] | None:
        """The picture now."""
        if self.render_mode is None:
            return None
        return self.rooms.draw(self.position_m, self.size_px)[0]

    def _place(self, name: str, given: dict[str, Any], otherwise: np.ndarray) -> np.ndarray:
        if name not in given:
            return otherwise
        place = np.array(given[name], dtype=float).reshape(1, 2)
        if not self.rooms.free(place)[0]:
            raise InputError(
                f"{name} is {place[0].tolist()}, where the agent cannot be; it must lie between "
                f"{LOWEST_M:g} and {MOST_M:g} and not in the wall"
            )
        return place

    def _observe(self) -> np.ndarray:
        layout = self.rooms.wall_m[0], self.rooms.door_m[0]
        return np.array([*self.position_m[0], *layout], np.float32)


def wander(rng: np.random.Generator) -> Callable[[Any], np.ndarray]:
    """A player of one episode for `worldline record`; see `Wanderers`."""
    one = Wanderers(rng)

    def choose(observation: Any) -> np.ndarray:
        x, y, wall, door = map(float, observation)
        rooms = Rooms(np.array([wall]), np.array([door]))
        return one.act(rooms, np.array([[x, y]]))[0].astype(np.float32)

    return choose


if ENV_ID not in gymnasium.registry:
    gymnasium.register(ENV_ID, entry_point=f"{__name__}:TwoRoomsEnv")
