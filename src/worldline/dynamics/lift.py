"""Lift what moves off a video's last frame, and lay it down elsewhere.

Appearance stays what it was: bodies are copied, never painted anew, so they cannot fade.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from worldline.core.errors import InputError
from worldline.dynamics.optical import enlarge, measure_velocity

__all__ = ["Lifted", "Lifter"]


_NUM_LOOKS = 3
"""How often background and front are told apart at most, each time with what was found before."""


@dataclass(frozen=True, eq=False)
class Lifted:
    """The last frame of a context in two layers, the upper one at `upscale` times the size.

    Attributes:
        plate: `[h, w, 3]` the frame with what lies behind the moving pixels.
        last: `[h, w, 3]` the frame itself.
        front: `[a, b]` what moves, at a = upscale * h, b = upscale * w.
        sure: `[a, b]` the part of it whose velocity was measured rather than filled in.
        velocity: `[a, b, 2]` fine pixels per frame.
        bodies: masks `[a, b]` of the parts of the front that do not touch.
        x, y: `[P]` fine pixels of the front, fastest last.
        colors: `[P, 3]` their colours.
        upscale: see `Lifter`.
    """

    plate: UInt8[np.ndarray, "h w 3"]
    last: UInt8[np.ndarray, "h w 3"]
    front: Bool[np.ndarray, "a b"]
    sure: Bool[np.ndarray, "a b"]
    velocity: Float[np.ndarray, "a b 2"]
    bodies: Sequence[Bool[np.ndarray, "a b"]]
    x: np.ndarray
    y: np.ndarray
    colors: Float[np.ndarray, "p 3"]
    upscale: int

    @cached_property
    def sums(self) -> list[Float[np.ndarray, "h w 3"]]:
        """Velocity times weight, and weight, of the sure pixels of each body, on the small grid."""
        small = (self.last.shape[1], self.last.shape[0])
        found = []
        for body in self.bodies:
            weight = (self.sure & body).astype(np.float32)
            stack = np.dstack([self.velocity * weight[..., None], weight]).astype(np.float32)
            found.append(cv2.resize(stack, small, interpolation=cv2.INTER_AREA))
        return found

    def lay_down(
        self, shift: Float[np.ndarray, "p 2"], drawn: Int[np.ndarray, " d"] | None = None
    ) -> UInt8[np.ndarray, "h w 3"]:
        """The frame with the front moved on.

        Args:
            shift: displacement (x, y) of each point of the front in fine pixels.
            drawn: numbers of the points to draw, later ones over earlier ones; all in their own
                order unless given.
        """
        if not len(self.x):
            return self.last.copy()
        x, y, colors = self.x + shift[:, 0], self.y + shift[:, 1], self.colors
        if drawn is not None:
            x, y, colors = x[drawn], y[drawn], colors[drawn]
        layer, cover = _splat(colors, x, y, self.front.shape)
        size = (self.last.shape[1], self.last.shape[0])
        alpha = cv2.resize(cover, size, interpolation=cv2.INTER_AREA)[..., None]
        body = cv2.resize(layer * cover[..., None], size, interpolation=cv2.INTER_AREA)
        return np.clip(np.rint(body + (1 - alpha) * self.plate), 0, 255).astype(np.uint8)


@dataclass(frozen=True)
class Lifter:
    """Tells what moves in the last of some frames, and what lies behind it.

    Dense optical flow from the last frame to the one before gives each pixel its velocity. What is
    uncovered is filled with the median of the frames in which nothing moved there and nothing
    rested there that moves now, else painted in from its surroundings.

    Attributes:
        upscale: flow and splatting happen at this multiple of the frame's size.
        min_speed_px: slower pixels (per frame, in pixels of the input) count as still.
        closing_px: gaps in a moving body up to about twice this wide move along with it.
        min_change: a moving pixel differs by this many of 255 levels from what lies behind it.
    """

    upscale: int = 4
    min_speed_px: float = 0.2
    closing_px: float = 3.0
    min_change: int = 10

    def lift(self, context_frames: UInt8[np.ndarray, "k h w 3"]) -> Lifted:
        """Separate the last frame.

        Raises:
            InputError: fewer than two frames.
        """
        if len(context_frames) < 2:
            raise InputError("a velocity needs at least two context frames")
        last = context_frames[-1]
        fine = [enlarge(frame, self.upscale) for frame in context_frames]
        flows = [measure_velocity(now, other) for now, other in zip(fine[1:], fine, strict=False)]
        flows.insert(0, -measure_velocity(fine[0], fine[1]))
        speeds = [np.linalg.norm(flow, axis=-1) for flow in flows]
        moving = np.stack([self._close(v >= self.min_speed_px * self.upscale) for v in speeds])
        plate, front = self._part(context_frames, moving, fine[-1])
        # A body that rested before it moved was no background then: look again without it.
        for _ in range(_NUM_LOOKS):
            covered = np.stack([self._close(mask) for mask in _trace_back(front, flows)])
            if not (covered & ~moving[:-1]).any():
                break
            moving[:-1] |= covered
            plate, front = self._part(context_frames, moving, fine[-1])
        y, x = np.nonzero(front)
        order = np.argsort(speeds[-1][y, x], kind="stable")  # fastest written last
        y, x = y[order], x[order]
        return Lifted(
            plate=plate,
            last=last,
            front=front,
            sure=front & (speeds[-1] >= self.min_speed_px * self.upscale),
            velocity=flows[-1],
            bodies=_split_bodies(front, 4 * self.upscale**2) if len(x) else (),
            x=x,
            y=y,
            colors=fine[-1][y, x].astype(np.float32),
            upscale=self.upscale,
        )

    def _part(
        self,
        context: UInt8[np.ndarray, "k h w 3"],
        moving: Bool[np.ndarray, "k a b"],
        fine: UInt8[np.ndarray, "a b 3"],
    ) -> tuple[UInt8[np.ndarray, "h w 3"], Bool[np.ndarray, "a b"]]:
        """Background, and what moves in front of it.

        Flow leaks into the surroundings of a body; only what is not background is in front.
        """
        plate = self._fill_background(context, moving)
        back = enlarge(plate, self.upscale)
        unlike = np.abs(fine.astype(np.int16) - back).max(-1) > self.min_change
        return plate, moving[-1] & unlike

    def _close(self, moving: Bool[np.ndarray, "a b"]) -> Bool[np.ndarray, "a b"]:
        """Take in the still points of turning bodies."""
        width = 2 * round(self.closing_px * self.upscale) + 1
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
        closed = cv2.morphologyEx(moving.astype(np.uint8), cv2.MORPH_CLOSE, kernel)
        # What the border cannot reach is a hole.
        around = np.pad(closed, 1)
        cv2.floodFill(around, None, (0, 0), 2)
        return around[1:-1, 1:-1] != 2

    def _fill_background(
        self, context: UInt8[np.ndarray, "k h w 3"], moving: Bool[np.ndarray, "k a b"]
    ) -> UInt8[np.ndarray, "h w 3"]:
        """The last frame with its moving pixels replaced by what lies behind them."""
        k, h, w, _ = context.shape
        blocks = moving.reshape(k, h, self.upscale, w, self.upscale)
        busy: np.ndarray = np.asarray(blocks.any((2, 4)))
        hole = busy[-1]
        known = hole & ~busy.all(0)
        plate = context[-1].copy()
        values = np.where(busy[:, known, None], np.nan, context[:, known].astype(np.float64))
        if known.any():
            plate[known] = np.nanmedian(values, axis=0).round().astype(np.uint8)
        unknown = (hole & ~known).astype(np.uint8)
        return cv2.inpaint(plate, unknown, 2, cv2.INPAINT_TELEA) if unknown.any() else plate


def _trace_back(
    front: Bool[np.ndarray, "a b"], velocities: Sequence[Float[np.ndarray, "a b 2"]]
) -> Bool[np.ndarray, "k a b"]:
    """Where the pixels of the last frame's front were in each frame before it."""
    height, width = front.shape
    row, column = (index.astype(np.float64) for index in np.nonzero(front))
    covered = np.zeros((len(velocities) - 1, height, width), dtype=np.uint8)
    for t in range(len(velocities) - 1, 0, -1):
        y = np.clip(np.rint(row), 0, height - 1).astype(int)
        x = np.clip(np.rint(column), 0, width - 1).astype(int)
        step = velocities[t][y, x]
        row, column = row - step[:, 1], column - step[:, 0]
        y: np.ndarray = np.rint(row).astype(int)
        x: np.ndarray = np.rint(column).astype(int)
        inside = np.logical_and.reduce([y >= 0, y < height, x >= 0, x < width])
        covered[t - 1, y[inside], x[inside]] = 1
    kernel = np.ones((5, 5), dtype=np.uint8)
    return np.stack([cv2.dilate(mask, kernel) for mask in covered]).astype(bool)


def _split_bodies(front: Bool[np.ndarray, "a b"], min_area: int) -> list[Bool[np.ndarray, "a b"]]:
    """Bodies that do not touch have velocities of their own; specks count as one."""
    num, labels, stats, _ = cv2.connectedComponentsWithStats(front.astype(np.uint8))
    large = [body for body in range(1, num) if stats[body, cv2.CC_STAT_AREA] >= min_area]
    bodies = [labels == body for body in large]
    specks = front & ~np.isin(labels, large)
    return [*bodies, specks] if specks.any() else bodies


def _splat(
    colors: np.ndarray, x: np.ndarray, y: np.ndarray, shape: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Write pixels at moved places, later ones over earlier ones, and close pinholes.

    Returns:
        colours `[a, b, 3]` and cover `[a, b]` in {0, 1}, float32.
    """
    layer = np.zeros((*shape, 3), dtype=np.float32)
    cover = np.zeros(shape, dtype=np.float32)
    column: np.ndarray = np.rint(x).astype(int)
    row: np.ndarray = np.rint(y).astype(int)
    inside = np.logical_and.reduce([column >= 0, column < shape[1], row >= 0, row < shape[0]])
    layer[row[inside], column[inside]] = colors[inside]
    cover[row[inside], column[inside]] = 1
    # Diverging velocities leave gaps between neighbours: closing fills these, not real holes.
    kernel = np.ones((3, 3), dtype=np.uint8)
    closed = cv2.morphologyEx(cover, cv2.MORPH_CLOSE, kernel)
    gaps = (closed > 0) & (cover == 0)
    if gaps.any():
        total = cv2.boxFilter(layer * cover[..., None], -1, (3, 3), normalize=False)
        count = cv2.boxFilter(cover, -1, (3, 3), normalize=False)
        layer[gaps] = total[gaps] / np.maximum(count[gaps], 1)[:, None]
        cover[gaps] = 1
    return layer, cover
