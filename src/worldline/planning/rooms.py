"""Two rooms with a door between them, seen from above: how one moves there, and what it looks like.

The arena of DINO-WM's and PLDM's navigation tasks (Zhou et al. 2024, arXiv 2411.04983; Sobal et al.
2025, arXiv 2502.14819), in metres. Everything is written for N agents at once, so that the truth
can be planned in as fast as a model of it. Positions are `[N, 2]` (x to the right, y down).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

__all__ = [
    "LOWEST_M",
    "MOST_M",
    "REACH_M",
    "SIDE_M",
    "STEP_M",
    "Rooms",
    "Wanderers",
    "walk_toward",
]

SIDE_M = 2.24
"""Side of the square picture."""

RADIUS_M, STEP_M, REACH_M = 0.07, 0.05, 0.16
"""Of the agent: its radius, how far an action of 1 takes it along an axis, and within what distance
of a goal it is there."""

BORDER_M, LINE_M, WALL_M, DOOR_M = 0.14, 0.04, 0.10, 0.14
"""Distance of the outer walls from the picture's edge, their thickness, that of the wall between
the rooms, and half the width of the door."""

LOWEST_M, MOST_M = BORDER_M + RADIUS_M, SIDE_M - BORDER_M - RADIUS_M
"""Between which the agent's centre stays."""

_FINE_PX = 224
_GAP_M = WALL_M / 2 + RADIUS_M
"""How near to the middle of the wall the agent's centre comes."""

_SPAN_M = DOOR_M + 0.0175
"""How far from the middle of the door the agent's centre still passes."""


@dataclass(frozen=True, eq=False)
class Rooms:
    """The layouts of N arenas.

    Attributes:
        wall_m: `[N]` where the wall stands.
        door_m: `[N]` the middle of its door.
    """

    wall_m: Float[np.ndarray, " n"]
    door_m: Float[np.ndarray, " n"]
    _drawn: dict[tuple[int, float, float], np.ndarray] = field(default_factory=dict, repr=False)

    @classmethod
    def usual(cls, num: int) -> Rooms:
        """The wall in the middle, its door in the upper half."""
        return cls(np.full(num, SIDE_M / 2), np.full(num, 0.49))

    @classmethod
    def drawn(cls, num: int, rng: np.random.Generator) -> Rooms:
        """Walls and doors at random."""
        wall = rng.uniform(0.7, SIDE_M - 0.7, num)
        door = rng.uniform(LOWEST_M + DOOR_M, MOST_M - DOOR_M, num)
        return cls(wall.round(2), door.round(2))

    def __len__(self) -> int:
        return len(self.wall_m)

    def take(self, which: np.ndarray) -> Rooms:
        """Some of the arenas, by number or mask."""
        return Rooms(self.wall_m[which], self.door_m[which], self._drawn)

    def repeat(self, times: int) -> Rooms:
        """Each arena so often, one after the other."""
        return Rooms(np.repeat(self.wall_m, times), np.repeat(self.door_m, times), self._drawn)

    def free(self, position_m: Float[np.ndarray, "n 2"]) -> Bool[np.ndarray, " n"]:
        """Whether the agent's centre can be there."""
        inside = ((position_m >= LOWEST_M) & (position_m <= MOST_M)).all(axis=-1)
        return inside & ~self._in_wall(position_m)

    def place(self, rng: np.random.Generator) -> Float[np.ndarray, "n 2"]:
        """A free position in each arena."""
        position = rng.uniform(LOWEST_M, MOST_M, (len(self), 2))
        while not (free := self.free(position)).all():
            position[~free] = rng.uniform(LOWEST_M, MOST_M, ((~free).sum(), 2))
        return position

    def move(
        self, position_m: Float[np.ndarray, "n 2"], action: Float[np.ndarray, "n 2"]
    ) -> Float[np.ndarray, "n 2"]:
        """Where an action in [-1, 1] takes each agent, which slides along what it meets."""
        step = STEP_M * np.clip(action, -1, 1)
        x = np.clip(position_m[:, 0] + step[:, 0], LOWEST_M, MOST_M)
        right = position_m[:, 0] >= self.wall_m
        stopped = np.where(right, self.wall_m + _GAP_M, self.wall_m - _GAP_M)
        met = self._in_wall(np.stack([x, position_m[:, 1]], axis=-1))
        x = np.where(met, stopped, x)
        y = np.clip(position_m[:, 1] + step[:, 1], LOWEST_M, MOST_M)
        met = self._in_wall(np.stack([x, y], axis=-1))
        y = np.where(met, np.clip(y, self.door_m - _SPAN_M, self.door_m + _SPAN_M), y)
        return np.stack([x, y], axis=-1)

    def same_room(
        self, one_m: Float[np.ndarray, "n 2"], other_m: Float[np.ndarray, "n 2"]
    ) -> Bool[np.ndarray, " n"]:
        """Whether two positions are on the same side of the wall."""
        return (one_m[:, 0] < self.wall_m) == (other_m[:, 0] < self.wall_m)

    def draw(
        self, position_m: Float[np.ndarray, "n 2"], size_px: int
    ) -> UInt8[np.ndarray, "n s s 3"]:
        """Pictures: black walls on white, the agent a soft red dot."""
        middle = (np.arange(size_px) + 0.5) * (SIDE_M / size_px)
        x, y = (
            np.exp(-np.square((middle - position_m[:, i : i + 1]) / RADIUS_M) / 2) for i in (0, 1)
        )
        dot = (y[:, :, None] * x[:, None, :])[..., None]
        walls = np.stack([self._draw_walls(i, size_px) for i in range(len(self))])
        picture = walls * (1 - dot) + np.array([255.0, 0.0, 0.0]) * dot
        return picture.round().astype(np.uint8)

    def _in_wall(self, position_m: Float[np.ndarray, "n 2"]) -> Bool[np.ndarray, " n"]:
        x, y = position_m[:, 0], position_m[:, 1]
        near = np.abs(x - self.wall_m) < _GAP_M - 1e-9
        return near & (np.abs(y - self.door_m) > _SPAN_M + 1e-9)

    def _draw_walls(self, number: int, size_px: int) -> Float[np.ndarray, "s s 3"]:
        key = size_px, float(self.wall_m[number]), float(self.door_m[number])
        if key not in self._drawn:
            middle = (np.arange(_FINE_PX) + 0.5) * (SIDE_M / _FINE_PX)
            off = np.minimum(middle - BORDER_M, SIDE_M - BORDER_M - middle)
            line = (off >= -LINE_M) & (off < 0)
            wall = np.abs(middle - key[1]) <= WALL_M / 2
            shut = np.abs(middle - key[2]) > DOOR_M
            dark = line[:, None] | line[None, :] | (shut[:, None] & wall[None, :])
            fine = np.where(dark, 0.0, 255.0).astype(np.float32)
            drawn = cv2.resize(fine, (size_px, size_px), interpolation=cv2.INTER_AREA)
            self._drawn[key] = np.repeat(np.asarray(drawn, np.float64)[..., None], 3, axis=-1)
        return self._drawn[key]


def walk_toward(
    rooms: Rooms, position_m: Float[np.ndarray, "n 2"], goal_m: Float[np.ndarray, "n 2"]
) -> Float[np.ndarray, "n 2"]:
    """Actions of one who knows the way: through the door if the goal is in the other room."""
    side = np.where(position_m[:, 0] < rooms.wall_m, -1.0, 1.0)
    other = ~rooms.same_room(position_m, goal_m)
    before = np.stack([rooms.wall_m + side * (_GAP_M + 0.02), rooms.door_m], axis=-1)
    behind = np.stack([rooms.wall_m - side * (_GAP_M + 0.02), rooms.door_m], axis=-1)
    at_door = np.abs(position_m[:, 1] - rooms.door_m) < 0.8 * _SPAN_M
    in_door = np.abs(position_m[:, 0] - rooms.wall_m) < _GAP_M
    goal_in_door = np.abs(goal_m[:, 0] - rooms.wall_m) < _GAP_M
    onward = np.where((in_door & ~other & ~goal_in_door)[:, None], before, goal_m)
    target = np.where(other[:, None], np.where(at_door[:, None], behind, before), onward)
    away = target - position_m
    length = np.linalg.norm(away, axis=-1, keepdims=True)
    return away / np.maximum(length, STEP_M)


class Wanderers:
    """Who goes from one place to the next, unsteadily, one in each arena.

    To some places they go through the door and to others straight on, until they are there or
    think better of it: what walls do is learned by running into them. Half of what they do is
    noise, by a share of their own.

    Args:
        rng: of goals and noise.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.goal_m: np.ndarray | None = None
        self.unsteady = self.straight = np.zeros((0, 1))

    def act(self, rooms: Rooms, position_m: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "n 2"]:
        """The next actions, in [-1, 1]."""
        num, rng = len(rooms), self.rng
        if self.goal_m is None:
            self.goal_m, self.straight = rooms.place(rng), rng.random((num, 1)) < _STRAIGHT
            self.unsteady = rng.uniform(0.2, 1.0, (num, 1))
        new = np.linalg.norm(self.goal_m - position_m, axis=-1) < 2 * REACH_M
        new |= rng.random(num) < _CHANGE
        self.goal_m = np.where(new[:, None], rooms.place(rng), self.goal_m)
        self.straight = np.where(new[:, None], rng.random((num, 1)) < _STRAIGHT, self.straight)
        away = self.goal_m - position_m
        onward = away / np.maximum(np.linalg.norm(away, axis=-1, keepdims=True), STEP_M)
        way = np.where(self.straight, onward, walk_toward(rooms, position_m, self.goal_m))
        noise = self.unsteady * rng.normal(size=(num, 2)) / 2
        return np.clip(rng.uniform(0.3, 1.0, (num, 1)) * way + noise, -1, 1)


_STRAIGHT, _CHANGE = 0.5, 0.06
"""Share of places that are gone to straight on, and how often another is chosen on the way."""
