"""Recorded clips as they would have been in a mirror, or on a table turned by quarters.

Where nothing but walls and things on a plane is seen from above, each episode tells of eight: four
quarter turns, and their mirror images. What is a direction has to turn along, so it must be known
which numbers are directions: actions that are called `right` and `down` (or `up`), and columns of
the state called `seen_..x..` and `seen_..y..`, which are told as seen from the picture's middle.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from worldline.core.clip import Clip
from worldline.core.errors import InputError
from worldline.core.readings import Readings
from worldline.data.actions import ActionSpec

__all__ = ["NUM_SYMMETRIES", "directions", "images_of", "turned"]

NUM_SYMMETRIES = 8
"""Quarter turns of a picture and of its mirror image."""

_UNTURNED = ("depth_m", "segmentation", "background", "camera", "scene")
_X = re.compile(r"(?<![a-z])x(?![a-z])")


def directions(names: Sequence[str]) -> tuple[tuple[int, int, int], ...]:
    """Columns that are a direction in the picture: right, down, and 1, or -1 where it is up.

    Args:
        names: of actions, or of columns of a state.
    """
    found = []
    for i, name in enumerate(names):
        if name == "right" and ("down" in names or "up" in names):
            sign = 1 if "down" in names else -1
            found.append((i, list(names).index("down" if sign == 1 else "up"), sign))
        elif name.startswith("seen_") and _X.search(name):
            other = _X.sub("y", name)
            if other in names:
                found.append((i, list(names).index(other), 1))
    return tuple(found)


def turned(clip: Clip, spec: ActionSpec, quarters: int, *, mirrored: bool) -> Clip:
    """A clip mirrored left to right, or not, and then turned by quarters, to the left.

    Numbers of the state that are no directions are not known any more.

    Raises:
        InputError: some action is no direction, the pictures are not square, or there is more
            beside them than actions, rewards and a state.
    """
    pairs = directions(spec.names)
    if 2 * len(pairs) != spec.width or clip.actions is None:
        raise InputError(
            f"actions are {', '.join(spec.names) or 'not named'}; only clips whose actions are "
            "called right and down, or right and up, can be turned"
        )
    if clip.frames.shape[1] != clip.frames.shape[2]:
        raise InputError(f"frames are {clip.frames.shape[1:3]}; only square ones can be turned")
    beside = [name for name in _UNTURNED if getattr(clip, name) is not None]
    if beside:
        raise InputError(f"clips with {', '.join(beside)} beside the pictures cannot be turned")
    frames = clip.frames[:, :, ::-1] if mirrored else clip.frames
    frames = np.ascontiguousarray(np.rot90(frames, quarters, axes=(1, 2)))
    actions = _turned(clip.actions, pairs, quarters, mirrored)
    state = clip.state
    if state is not None:
        pairs = directions(state.names)
        known = np.zeros_like(state.known)
        for i, j, _ in pairs:
            known[:, [i, j]] = (state.known[:, i] & state.known[:, j])[:, None]
        values = np.where(known, _turned(state.values, pairs, quarters, mirrored), 0)
        state = Readings(state.names, values, known)
    return replace(clip, frames=frames, actions=actions.astype(np.float32), state=state)


def images_of(clip: Clip, spec: ActionSpec, num: int, rng: np.random.Generator) -> Iterator[Clip]:
    """A clip itself, and other images of it, `num` in all, drawn from the eight.

    Args:
        clip: with actions.
        spec: of its actions.
        num: 1 to 8.
        rng: of which.
    """
    yield clip
    for which in 1 + rng.permutation(NUM_SYMMETRIES - 1)[: num - 1]:
        yield turned(clip, spec, int(which) % 4, mirrored=bool(which >= 4))


def _turned(
    values: np.ndarray, pairs: Sequence[tuple[int, int, int]], quarters: int, mirrored: bool
) -> np.ndarray:
    out = np.array(values)
    for i, j, sign in pairs:
        right, down = values[:, i] * (-1 if mirrored else 1), values[:, j] * sign
        for _ in range(quarters % 4):
            right, down = down, -right
        out[:, i], out[:, j] = right, down * sign
    return out
