"""A T-shaped block that is pushed over a plane by a round pusher: how it moves, and its picture.

PushT as diffusion policies, DINO-WM and LeWorldModel are measured on it (Chi et al. 2023, arXiv
2303.04137; Zhou et al. 2024, arXiv 2411.04983): the same body, pusher and constants, in units of
its window of 512 pixels, `_px` here whatever the size of a picture. Friction is so high that the
block stands still as soon as nobody pushes it. Needs the extra `pusht` (pymunk).

A state is `(x, y, block_x, block_y, block_angle, vx, vy)`: the pusher, the block's corner between
bar and stem, its angle in radians, and the pusher's velocity per second.
"""

from __future__ import annotations

import cv2
import numpy as np
import pymunk  # pyright: ignore[reportMissingImports]
from jaxtyping import Bool, Float, UInt8

__all__ = [
    "MIDDLE_PX",
    "NUM_STATE",
    "REACH_PX",
    "REACH_RAD",
    "SIDE_PX",
    "STEP_S",
    "Tee",
    "draw",
    "is_reached",
    "outline",
]

SIDE_PX = 512.0
"""Side of the plane."""

MIDDLE_PX = 255.0
"""Where the middle of a picture is; places are told at the middle of the fine picture's pixels."""

STEP_S = 0.1
"""Time of an action."""

NUM_STATE = 7
"""Numbers of a state; see `Tee`."""

REACH_PX, REACH_RAD = 20.0, np.pi / 9
"""How near pusher and block together, and the block's angle, have to come to a goal."""

_SCALE_PX = 100.0
"""How far ahead of the pusher an action of 1 puts the point that it is drawn to."""

_STIFFNESS, _DAMPING, _SUBSTEP_S = 100.0, 20.0, 0.01


def _velocities() -> Float[np.ndarray, "k 2"]:
    """Of a spring whose end is put ahead by 1, and of one that moves with 1, substep by substep."""
    speed, away = np.array([0.0, 1.0]), np.array([1.0, 0.0])
    found = []
    for _ in range(round(STEP_S / _SUBSTEP_S)):
        speed = speed + _SUBSTEP_S * (_STIFFNESS * away - _DAMPING * speed)
        away = away - _SUBSTEP_S * speed
        found.append(speed)
    return np.stack(found)


_DRAWN_ON = _velocities()
_RADIUS_PX = 15.0
_UNIT_PX = 30.0
_BAR = np.array([(-2, 0), (2, 0), (2, 1), (-2, 1)]) * _UNIT_PX
_STEM = np.array([(-0.5, 1), (0.5, 1), (0.5, 4), (-0.5, 4)]) * _UNIT_PX
_MOMENT, _MIDDLE = 3000.0, (0.0, 45.0)
_WALLS_PX = (5.0, 506.0)
_GOAL_POSE = (256.0, 256.0, np.pi / 4)

_FINE_PX, _BITS = 256, 4
_WHITE, _GREY, _GREEN = (255, 255, 255), (211, 211, 211), (144, 238, 144)
_EDGE, _FACE = (119, 136, 153), (143, 163, 184)
_RIM, _DISC = (65, 105, 225), (78, 126, 255)


class Tee:
    """Plane, block and pusher.

    Args:
        state: to begin with.
    """

    def __init__(self, state: Float[np.ndarray, " 7"]) -> None:
        self._space = pymunk.Space()
        self._space.gravity = 0, 0
        self._space.damping = 0
        low, high = _WALLS_PX
        corners = [(low, low), (high, low), (high, high), (low, high)]
        for a, b in zip(corners, [*corners[1:], corners[0]], strict=True):
            self._space.add(pymunk.Segment(self._space.static_body, a, b, 2))
        self._block = pymunk.Body(1.0, _MOMENT)
        parts = [pymunk.Poly(self._block, part.tolist()) for part in (_BAR, _STEM)]
        self._block.center_of_gravity = _MIDDLE
        self._pusher = pymunk.Body(body_type=pymunk.Body.KINEMATIC)
        disc = pymunk.Circle(self._pusher, _RADIUS_PX)
        self._space.add(self._block, *parts, self._pusher, disc)
        self.put(state)

    def put(self, state: Float[np.ndarray, " 7"]) -> None:
        """Begin again from a state."""
        x, y, block_x, block_y, angle, vx, vy = map(float, state)
        self._pusher.velocity = vx, vy
        self._pusher.position = x, y
        self._block.velocity, self._block.angular_velocity = (0.0, 0.0), 0.0
        # a turn is about the middle, so the place comes after it
        self._block.angle = angle
        self._block.position = block_x, block_y
        self._space.reindex_shapes_for_body(self._block)
        self._space.reindex_shapes_for_body(self._pusher)

    @property
    def state(self) -> Float[np.ndarray, " 7"]:
        """Where everything is; the angle in 0 to 2 pi."""
        pusher, block = self._pusher, self._block
        angle = block.angle % (2 * np.pi)
        return np.array([*pusher.position, *block.position, angle, *pusher.velocity])

    def step(self, action: Float[np.ndarray, " 2"]) -> None:
        """A tenth of a second: the pusher is drawn, like a damped spring, to a point ahead of it.

        Args:
            action: in [-1, 1], right and down; what lies beyond is cut off.
        """
        pusher, space = self._pusher, self._space
        ahead = _SCALE_PX * np.clip(action, -1, 1)
        # nothing holds the pusher up, so its velocities are known before it moves
        for velocity in (_DRAWN_ON @ np.stack([ahead, pusher.velocity])).tolist():
            pusher.velocity = velocity
            space.step(_SUBSTEP_S)


def outline(state: Float[np.ndarray, " 7"]) -> tuple[Float[np.ndarray, "4 2"], ...]:
    """Corners of the block's bar and stem."""
    return tuple(_placed(part, state[2:5]) for part in (_BAR, _STEM))


def is_reached(
    state: Float[np.ndarray, "*n s"], goal: Float[np.ndarray, "*n s"]
) -> Bool[np.ndarray, "*n"]:
    """Whether states are at their goals, as stable-worldmodel's evaluator counts it.

    Pusher and block together are within 20 pixels, and the block within 20 degrees.
    """
    away = np.linalg.norm(state[..., :4] - goal[..., :4], axis=-1)
    turn = np.abs(state[..., 4] - goal[..., 4]) % (2 * np.pi)
    near = (away < REACH_PX) & (np.minimum(turn, 2 * np.pi - turn) < REACH_RAD)
    return np.asarray(near)


def draw(state: Float[np.ndarray, " 7"], size_px: int) -> UInt8[np.ndarray, "s s 3"]:
    """The picture: a grey block, a blue pusher, and where diffusion policies bring the block."""
    picture = _ground().copy()
    for part in outline(state):
        _fill(picture, part, _FACE)
    for part in outline(state):
        # 4 px of edge are 2 of the fine picture
        cv2.polylines(picture, [_points(part)], True, _EDGE, 2, cv2.LINE_AA, _BITS)
    for radius, color in ((_RADIUS_PX, _RIM), (_RADIUS_PX - 4, _DISC)):
        (center,) = _points(state[None, :2])
        reach = round(radius * _FINE_PX / SIDE_PX * 2**_BITS)
        cv2.circle(picture, center.tolist(), reach, color, -1, cv2.LINE_AA, _BITS)
    small = cv2.resize(picture, (size_px, size_px), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)


def _ground() -> np.ndarray:
    if "ground" not in _DRAWN:
        picture = np.full((_FINE_PX, _FINE_PX, 3), 255, np.uint8)
        for part in (_BAR, _STEM):
            _fill(picture, _placed(part, np.array(_GOAL_POSE)), _GREEN)
        low, high = _WALLS_PX
        walls = np.array([(low, low), (high, low), (high, high), (low, high)])
        cv2.polylines(picture, [_points(walls)], True, _GREY, 2, cv2.LINE_AA, _BITS)
        _DRAWN["ground"] = picture
    return _DRAWN["ground"]


_DRAWN: dict[str, np.ndarray] = {}


def _placed(part: np.ndarray, pose: np.ndarray) -> Float[np.ndarray, "4 2"]:
    cos, sin = np.cos(pose[2]), np.sin(pose[2])
    return part @ np.array([(cos, sin), (-sin, cos)]) + pose[:2]


def _points(places_px: np.ndarray) -> np.ndarray:
    """In OpenCV's fixed-point numbers."""
    return np.round(places_px * (_FINE_PX / SIDE_PX) * 2**_BITS).astype(np.int32)


def _fill(picture: np.ndarray, part: np.ndarray, color: tuple[int, int, int]) -> None:
    cv2.fillPoly(picture, [_points(part)], color, cv2.LINE_AA, _BITS)
