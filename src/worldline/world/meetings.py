"""Two things that meet: on one line neither gets past the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from worldline.world.oddities import Palette, order_x
from worldline.world.outlines import Thing, gap_px

__all__ = ["Meeting", "find_meetings"]

_NEAR_PX = 5.0
_LEVEL_PX, _FLAT_PX = 3.5, 0.4
_MEMORY_FRAMES = 16
_ROOM_PX = 14
_SEEN_FRAMES = 2
_LOOKS, _UNLIKE_LEVELS = 4, 20


@dataclass(eq=False)
class Meeting:
    """Two things that come together on one line.

    Attributes:
        one, two: the things.
        since: frame in which they were near each other first.
        palette: tells their pixels apart.
        side: 1 if the first was to the right of the second, -1 if to the left.
        width: mean of theirs in pixels.
        crossed: frames in which they were seen the other way round.
    """

    one: Thing
    two: Thing
    since: int
    palette: Palette
    side: float
    width: float
    crossed: int = 0

    def look(
        self, now: Float[np.ndarray, "h w 3"], plate: Float[np.ndarray, "h w 3"], frame: int
    ) -> float:
        """How far they have got past each other, in their width; 0 where they have not.

        Args:
            now, plate: the frame, and what lies behind.
            frame: number of the frame.
        """
        if frame - self.since > _MEMORY_FRAMES:
            return 0.0
        boxes = [thing.last.box for thing in (self.one, self.two)]
        box = (
            min(b[0] for b in boxes) - _ROOM_PX,
            min(b[1] for b in boxes) - 2,
            max(b[2] for b in boxes) + _ROOM_PX,
            max(b[3] for b in boxes) + 2,
        )
        order = order_x(now, plate, self.palette, box)
        past = 0.0 if order is None else -self.side * order / self.width
        self.crossed = self.crossed + 1 if past > 0.3 else 0
        return past if self.crossed >= _SEEN_FRAMES else 0.0


def find_meetings(
    things: Sequence[Thing],
    frames: Sequence[Float[np.ndarray, "h w 3"]],
    plate: Float[np.ndarray, "h w 3"],
    frame: int,
) -> list[Meeting]:
    """Pairs of things that were near each other, on one line and apart, in the frame before.

    Args:
        things: that are known.
        frames: seen so far.
        plate: what lies behind.
        frame: number of the last one.
    """
    before = frame - 1
    seen = [
        thing
        for thing in things
        if before in thing.frames[-2:] and len(thing.blobs) >= 3 and thing.state != "left"
    ]
    found = []
    for number, one in enumerate(seen):
        for two in seen[:number]:
            a, b = (thing.blobs[thing.frames.index(before)] for thing in (one, two))
            apart = float(a.place[0] - b.place[0])
            widths = (a.box[2] - a.box[0], b.box[2] - b.box[0])
            clear = abs(apart) >= 0.35 * sum(widths)
            closing = apart * float(one.velocity[0] - two.velocity[0]) < 0
            level = abs(a.box[3] - b.box[3]) <= _LEVEL_PX
            level &= max(abs(a.velocity[1]), abs(b.velocity[1])) < _FLAT_PX
            if not (clear and closing and level and gap_px(a.box, b.box) <= _NEAR_PX):
                continue
            palette = Palette.of(_pixels(one, frames, plate), _pixels(two, frames, plate))
            if palette is not None:
                found.append(
                    Meeting(one, two, frame, palette, float(np.sign(apart)), sum(widths) / 2)
                )
    return found


def _pixels(
    thing: Thing, frames: Sequence[np.ndarray], plate: np.ndarray
) -> Float[np.ndarray, "n 3"]:
    """Of a thing lately, without what is like the background."""
    found = []
    for number, blob in list(zip(thing.frames, thing.blobs, strict=True))[-_LOOKS - 1 :]:
        own = frames[number][blob.mask]
        found.append(own[np.abs(own - plate[blob.mask]).max(-1) > _UNLIKE_LEVELS])
    return np.concatenate(found[:-1] if len(found) > 1 else found).astype(np.float64)
