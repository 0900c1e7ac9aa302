"""What certain actions must lead to in environments that are known by name.

Press left, and the hand moves left: such rules are written down here once for each environment, in
terms of pixels alone, so that the same instrument looks at recorded frames and at imagined ones.
Other environments have none; add yours to `SCRIPTS` by the id that Gymnasium knows it by.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from types import MappingProxyType

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

__all__ = [
    "SANDBOX_COLORS",
    "SCRIPTS",
    "Happening",
    "Known",
    "Script",
    "find_agent",
    "find_block",
    "find_color",
]

Film = UInt8[np.ndarray, "t h w 3"]

_NEAR = 90.0
"""Summed difference of colours up to which a pixel belongs to a thing."""
_LEAST_PX = 2
"""Fewer pixels are nothing."""
_MOVED_PX = 1.5
_EDGE = 0.2
"""Who is so near to the edge that was asked for (share of the side) need not move any more."""


@dataclass(frozen=True)
class Script:
    """One thing to do, and what must come of it.

    Attributes:
        name: "PRESSED: EXPECTED".
        action: as the world takes it, held for `steps` frames.
        steps: K.
        asks: of K recorded actions `[K, A]`, whether they ask for the same.
        happened: of K + 1 frames, the first from before, and the K actions: 1 or 0, and NaN where
            the first frame does not show what is looked for.
    """

    name: str
    action: tuple[float, ...]
    steps: int
    asks: Callable[[Float[np.ndarray, "k a"]], bool]
    happened: Callable[[Film, Float[np.ndarray, "k a"]], float]


@dataclass(frozen=True)
class Happening:
    """Something that is seen to happen in single steps.

    Attributes:
        name: what.
        tell: of T frames, in which of the T - 1 steps it happens.
    """

    name: str
    tell: Callable[[Film], Bool[np.ndarray, " n"]]


@dataclass(frozen=True)
class Known:
    """What is known of an environment: `scripts` and `happenings`."""

    scripts: tuple[Script, ...]
    happenings: tuple[Happening, ...] = ()


def find_color(
    frame: UInt8[np.ndarray, "h w 3"], colors: tuple[tuple[int, int, int], ...], near: float = _NEAR
) -> Float[np.ndarray, " 2"] | None:
    """Middle (x, y) in shares of the sides of what has one of these colours; None if nothing."""
    pixels = frame.astype(np.int16)
    apart = [np.abs(pixels - np.array(color)).sum(axis=-1) for color in colors]
    mask = np.min(apart, axis=0) < near
    return _middle(mask)


def _middle(mask: Bool[np.ndarray, "h w"]) -> Float[np.ndarray, " 2"] | None:
    """Of what is marked (x, y) in shares of the sides; None if there is next to nothing."""
    if mask.sum() < _LEAST_PX:
        return None
    rows, columns = np.nonzero(mask)
    height, width = len(mask), len(mask[0])
    return np.array([(columns.mean() + 0.5) / width, (rows.mean() + 0.5) / height])


def _moved(
    film: Film,
    actions: np.ndarray,
    *,
    colors: tuple[tuple[int, int, int], ...],
    axis: int,
    sign: int,
) -> float:
    start, end = find_color(film[0], colors), find_color(film[-1], colors)
    if start is None:
        return float("nan")
    if end is None:
        return 0.0
    way = sign * (end[axis] - start[axis]) * film.shape[2 - axis]
    left = 1 - end[axis] if sign > 0 else end[axis]
    return float(way >= _MOVED_PX or left <= _EDGE)


def _column(actions: np.ndarray, *, column: int, sign: int, least: float) -> bool:
    return bool((sign * actions[:, column] > least).all())


def _chosen(actions: np.ndarray, *, number: int) -> bool:
    return bool((actions.argmax(axis=1) == number).all())


SANDBOX_COLORS: Mapping[str, tuple[tuple[int, int, int], ...]] = MappingProxyType(
    {
        "ball": ((240, 150, 50),),
        "box": ((70, 120, 220),),
        "plank": ((90, 180, 100),),
        "hand": ((235, 235, 235), (230, 60, 70)),  # open and shut
    }
)
"""What is in `worldline/Sandbox-v0`, to be found in pictures where the environment itself is not
installed."""

_HAND = SANDBOX_COLORS["hand"]


def _pushes(
    name: str,
    column: int,
    sign: int,
    axis: int,
    along: int,
    colors: tuple[tuple[int, int, int], ...],
) -> Script:
    """A number of an action at its end moves a thing along an axis of the picture."""
    action = [0.0, 0.0, -1.0]  # an open hand: half a grip was never recorded
    action[column] = float(sign)
    return Script(
        name,
        tuple(action),
        4,
        partial(_column, column=column, sign=sign, least=0.3),
        partial(_moved, colors=colors, axis=axis, sign=along),
    )


def _shut(film: Film, actions: np.ndarray) -> float:
    closed = find_color(film[-1], (_HAND[1],))
    opened = find_color(film[-1], (_HAND[0],))
    return float(closed is not None and opened is None)


_SANDBOX = Known(
    (
        _pushes("right: the hand moves right", 0, 1, 0, 1, _HAND),
        _pushes("left: the hand moves left", 0, -1, 0, -1, _HAND),
        _pushes("up: the hand rises", 1, 1, 1, -1, _HAND),
        _pushes("down: the hand sinks", 1, -1, 1, 1, _HAND),
        Script(
            "grip: the hand turns red",
            (0.0, 0.0, 1.0),
            2,
            partial(_column, column=2, sign=1, least=0.0),
            _shut,
        ),
    )
)

_BLOCK = ((119, 136, 153),)
_TINTED = 45
"""By so much blue (or red) exceeds the other colours where something is blue (or red)."""
_REACHED = 0.12
"""Share of the side within which a place counts as reached."""
_BLOCK_MOVED_PX = 2.5


def _find_cross(frame: UInt8[np.ndarray, "h w 3"]) -> Float[np.ndarray, " 2"] | None:
    """Middle of what is red: the mark of PushT's pointer."""
    pixels = frame.astype(np.int16)
    return _middle(pixels[..., 0] - pixels[..., 1:].max(axis=-1) > _TINTED)


def find_agent(frame: UInt8[np.ndarray, "h w 3"]) -> Float[np.ndarray, " 2"] | None:
    """Middle of PushT's agent, which is blue; where nothing is, the mark lies on it."""
    pixels = frame.astype(np.int16)
    found = _middle(pixels[..., 2] - pixels[..., :2].mean(axis=-1) > _TINTED)
    return _find_cross(frame) if found is None else found


def find_block(frame: UInt8[np.ndarray, "h w 3"]) -> Float[np.ndarray, " 2"] | None:
    """Median of the pixels of PushT's block, (x, y) in shares of the sides; what lies on it shifts
    that little."""
    apart = np.abs(frame.astype(np.int16) - np.array(_BLOCK[0])).sum(axis=-1)
    rows, columns = np.nonzero(apart < _TINTED)
    if len(rows) < _LEAST_PX:
        return None
    return np.array([np.median(columns) / frame.shape[1], np.median(rows) / frame.shape[0]])


def _held(actions: np.ndarray) -> bool:
    return bool(np.abs(actions - actions[0]).max() < 0.02 and np.abs(actions[0]).max() < 0.95)


def _arrived(
    film: Film,
    actions: np.ndarray,
    *,
    find: Callable[[UInt8[np.ndarray, "h w 3"]], Float[np.ndarray, " 2"] | None],
) -> float:
    found = find(film[-1])
    if found is None:
        return 0.0
    return float(np.hypot(*(found - (actions[-1, :2] + 1) / 2)) < _REACHED)


def _follows(film: Film, actions: np.ndarray, *, axis: int, sign: int) -> float:
    """The agent goes that way, or is where the pointer is."""
    start, end = find_agent(film[0]), find_agent(film[-1])
    if start is None:
        return float("nan")
    if end is None:
        return 0.0
    way = sign * (end[axis] - start[axis]) * film.shape[2 - axis]
    beyond = sign * ((actions[-1, axis] + 1) / 2 - end[axis])
    return float(way >= _MOVED_PX or beyond < _REACHED)


def _points(name: str, axis: int, sign: int) -> Script:
    action = [0.0, 0.0]
    action[axis] = 0.8 * sign
    return Script(
        name,
        tuple(action),
        4,
        partial(_column, column=axis, sign=sign, least=0.4),
        partial(_follows, axis=axis, sign=sign),
    )


def _block_moves(film: Film) -> Bool[np.ndarray, " n"]:
    found = [find_block(frame) for frame in film]
    nowhere = np.full(2, np.nan)
    places = [nowhere if place is None else film.shape[1] * place for place in found]
    way = np.hypot(*np.diff(np.array(places), axis=0).T)
    return np.nan_to_num(way) > _BLOCK_MOVED_PX * film.shape[1] / 64


_PUSHT = Known(
    (
        _points("pointer right: the agent moves right", 0, 1),
        _points("pointer left: the agent moves left", 0, -1),
        _points("pointer up: the agent moves up", 1, -1),
        _points("pointer down: the agent moves down", 1, 1),
        Script(
            "pointer: its mark is there",
            (0.4, -0.4),
            1,
            _held,
            partial(_arrived, find=_find_cross),
        ),
        Script(
            "pointer held: the agent comes",
            (0.4, -0.4),
            7,
            _held,
            partial(_arrived, find=find_agent),
        ),
    ),
    (Happening("the block moves", _block_moves),),
)


def _shifted(film: Film, actions: np.ndarray, *, sign: int) -> float:
    """Whether the picture as a whole went to the right (1) or to the left (-1)."""
    band = slice(film.shape[1] // 4, film.shape[1] * 3 // 4)
    grey = [cv2.cvtColor(frame[band], cv2.COLOR_RGB2GRAY).astype(np.float32) for frame in film]
    window = cv2.createHanningWindow(grey[0].shape[::-1], cv2.CV_32F)
    way = sum(cv2.phaseCorrelate(a, b, window)[0][0] for a, b in pairwise(grey))
    return float(sign * way > 0.5)


def _flashes(film: Film) -> Bool[np.ndarray, " n"]:
    """Fire above the pistol: bright where it is dark else."""
    side = film.shape[1]
    box = film[:, side * 34 // 64 : side * 46 // 64, side * 25 // 64 : side * 40 // 64]
    light = np.sort(box.mean(axis=-1).reshape(len(film), -1), axis=1)[:, -4]
    return light[1:] > 170


def _fired(film: Film, actions: np.ndarray) -> float:
    return float(_flashes(film).any())


def _presses(name: str, number: int, steps: int, happened: Callable[..., float]) -> Script:
    """One of the four choices of ViZDoom's basic scenario."""
    action = tuple(float(k == number) for k in range(4))
    return Script(name, action, steps, partial(_chosen, number=number), happened)


_DOOM = Known(
    (
        _presses("ATTACK: the pistol fires", 1, 2, _fired),
        _presses("MOVE_RIGHT: the picture moves left", 2, 3, partial(_shifted, sign=-1)),
        _presses("MOVE_LEFT: the picture moves right", 3, 3, partial(_shifted, sign=1)),
    ),
    (Happening("the pistol fires", _flashes),),
)

SCRIPTS: Mapping[str, Known] = MappingProxyType(
    {
        "worldline/Sandbox-v0": _SANDBOX,
        "gym_pusht/PushT-v0": _PUSHT,
        "VizdoomBasic-v1": _DOOM,
    }
)
"""By the id of the environment."""
