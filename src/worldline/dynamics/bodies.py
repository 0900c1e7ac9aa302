"""Bodies in frames, to hundredths of a pixel: where a body's colour is, and how much of it.

A detector says roughly where bodies are. Around each, a pixel is explained as a mixture of the
body's colour and the ground's; the centroid of the shares is the body's middle and their sum its
area. This is exact for bodies of one colour on plain ground, and says by its residual how far a
picture is from that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

__all__ = ["Bodies", "Seed", "measure_bodies"]

_CORE, _RING, _REACH = 0.5, (1.35, 1.9), 1.6
"""In radii: where a body's own colour is taken, where the ground's, and how far it may reach."""

_LEAST_SHARE = 0.04
"""Smaller shares of a colour are noise of codecs."""

_LEAST_CONTRAST = 0.08
"""Colours nearer than this (of a range of 1) cannot be told apart."""

_TOUCHES_PX = 0.1
"""A body that reaches no farther than this beyond the border is whole."""

_OVERLOOKED, _OVERLOOKED_PX, _MOST_OVERLOOKED = 0.15, 4, 3
"""Contrast and least area of what stands out from the ground and no seed explains; where there are
more such things than this, the ground is no plain one."""

_NUM_LOOKS = 4
"""How often a body is measured, each time around where it was found before."""


@dataclass(frozen=True)
class Seed:
    """Roughly where a body is: middle and half its width, in pixels."""

    x_px: float
    y_px: float
    radius_px: float


@dataclass(frozen=True, eq=False)
class Bodies:
    """N bodies in the K frames of a context; the last frame says how many there are.

    Attributes:
        center_px: `[N, K, 2]` middles (x, y); NaN where a body was not found.
        radius_px: `[N, K]` of the disc of the same area; NaN likewise.
        residual: `[N]` what the mixture leaves unexplained in the last frame, over the contrast.
        spread: `[N]` second moment over that of a disc of the same area: 1 for a disc.
        is_cut: `[N, K]` the body touches the border of the picture.
        share: `[N, h, w]` how much of each pixel of the last frame is the body.
        color, ground: `[N, 3]` of the body and around it, in [0, 1].
    """

    center_px: Float[np.ndarray, "n k 2"]
    radius_px: Float[np.ndarray, "n k"]
    residual: Float[np.ndarray, " n"]
    spread: Float[np.ndarray, " n"]
    is_cut: Bool[np.ndarray, "n k"]
    share: Float[np.ndarray, "n h w"]
    color: Float[np.ndarray, "n 3"]
    ground: Float[np.ndarray, "n 3"]

    def __len__(self) -> int:
        return len(self.center_px)

    def keep(self, which: Bool[np.ndarray, " n"]) -> Bodies:
        """Only these bodies."""
        return Bodies(**{name: value[which] for name, value in vars(self).items()})


@dataclass(frozen=True, eq=False)
class _Look:
    """One body in one frame."""

    center_px: Float[np.ndarray, " 2"]
    radius_px: float
    residual: float
    spread: float
    is_cut: bool
    share: Float[np.ndarray, "h w"]
    color: Float[np.ndarray, " 3"]
    ground: Float[np.ndarray, " 3"]


def measure_bodies(frames: UInt8[np.ndarray, "k h w 3"], seeds: Sequence[Sequence[Seed]]) -> Bodies:
    """Find in every frame the bodies of the last one.

    Args:
        frames: the context.
        seeds: of each frame; those of the last frame begin bodies, the others help to find them.
    """
    height, width = frames.shape[1:3]
    first = _join(frames[-1], seeds[-1])
    last = _look_at(frames[-1], first)
    if more := _overlooked(frames[-1], last):
        last = _look_at(frames[-1], [*first, *more])
    paths = [[look] for look in last]
    for t in range(len(frames) - 2, -1, -1):
        hints = [_hint(path, seeds[t]) for path in paths]
        colors = [path[0].color for path in paths]
        found = _look_at(frames[t], [h for h in hints if h is not None])
        at = iter(found)
        for path, hint, color in zip(paths, hints, colors, strict=True):
            look = None if hint is None else next(at)
            if look is not None and np.abs(look.color - color).max() > 2 * _LEAST_CONTRAST:
                look = None
            path.append(look if look is not None else _nothing(path[0], (height, width)))
    num = len(paths)
    return Bodies(
        center_px=_stack(
            [[p.center_px for p in path[::-1]] for path in paths], (0, len(frames), 2)
        ),
        radius_px=_stack([[p.radius_px for p in path[::-1]] for path in paths], (0, len(frames))),
        residual=np.array([path[0].residual for path in paths]).reshape(num),
        spread=np.array([path[0].spread for path in paths]).reshape(num),
        is_cut=_stack([[p.is_cut for p in path[::-1]] for path in paths], (0, len(frames))).astype(
            bool
        ),
        share=_stack([path[0].share for path in paths], (0, height, width)),
        color=_stack([path[0].color for path in paths], (0, 3)),
        ground=_stack([path[0].ground for path in paths], (0, 3)),
    )


def _stack(rows: Sequence[object], empty: tuple[int, ...]) -> np.ndarray:
    return np.array(rows, dtype=np.float64) if rows else np.zeros(empty)


def _nothing(look: _Look, shape: tuple[int, int]) -> _Look:
    gone = np.full(2, np.nan)
    return _Look(gone, np.nan, 1.0, 1.0, False, np.zeros(shape), look.color, look.ground)


def _hint(path: Sequence[_Look], seeds: Sequence[Seed]) -> Seed | None:
    """Where a body was a frame before the first of its path: on its way back, or at a seed near."""
    known = [look for look in path if np.isfinite(look.radius_px)]
    if not np.isfinite(path[-1].radius_px):
        return None
    now = known[-1]
    back = now.center_px - known[-2].center_px if len(known) > 1 else np.zeros(2)
    expected = now.center_px + back
    reach = max(4.0, 1.5 * now.radius_px) if len(known) == 1 else max(3.0, 0.6 * now.radius_px)
    near = [np.hypot(seed.x_px - expected[0], seed.y_px - expected[1]) for seed in seeds]
    if near and min(near) <= reach:
        seed = seeds[int(np.argmin(near))]
        return Seed(seed.x_px, seed.y_px, now.radius_px)
    return Seed(float(expected[0]), float(expected[1]), now.radius_px)


def _look_at(frame: UInt8[np.ndarray, "h w 3"], seeds: Sequence[Seed]) -> list[_Look]:
    """Measure a body around each seed."""
    image = frame.astype(np.float64) / 255
    around = [Seed(s.x_px, s.y_px, max(1.0, s.radius_px)) for s in seeds]
    y, x = np.mgrid[: frame.shape[0], : frame.shape[1]] + 0.5
    looks: list[_Look] = []
    for _ in range(_NUM_LOOKS):
        away = [np.hypot(x - s.x_px, y - s.y_px) for s in around]
        looks = [_look_once(image, around, k, (x, y), away) for k in range(len(around))]
        around = [
            Seed(float(k.center_px[0]), float(k.center_px[1]), max(1.0, k.radius_px)) for k in looks
        ]
    return looks


def _overlooked(frame: UInt8[np.ndarray, "h w 3"], looks: Sequence[_Look]) -> list[Seed]:
    """Seeds for what stands out from plain ground beside the bodies that are known."""
    image = frame.astype(np.float64) / 255
    height, width = image.shape[:2]
    y, x = np.mgrid[:height, :width] + 0.5
    free = np.ones((height, width), dtype=bool)
    for look in looks:
        away = np.hypot(x - look.center_px[0], y - look.center_px[1])
        free &= away > 1.15 * look.radius_px + 1.5
    if free.mean() < 0.2:
        return []
    ground = np.median(image[free], axis=0)
    strange = free & (np.abs(image - ground).max(-1) > _OVERLOOKED)
    count, _, facts, centers = cv2.connectedComponentsWithStats(strange.astype(np.uint8))
    found = [k for k in range(1, count) if facts[k, cv2.CC_STAT_AREA] >= _OVERLOOKED_PX]
    if len(found) > _MOST_OVERLOOKED or count - 1 > 2 * _MOST_OVERLOOKED:
        return []
    return [
        Seed(
            float(centers[k, 0]) + 0.5,
            float(centers[k, 1]) + 0.5,
            float(np.sqrt(facts[k, cv2.CC_STAT_AREA] / np.pi)),
        )
        for k in found
    ]


def _look_once(
    image: Float[np.ndarray, "h w 3"],
    seeds: Sequence[Seed],
    own: int,
    grid: tuple[np.ndarray, np.ndarray],
    distances: Sequence[Float[np.ndarray, "h w"]],
) -> _Look:
    """One of the seeds' bodies; `distances` are those of the pixels `grid` (x, y) to each seed."""
    height, width = image.shape[:2]
    x, y = grid
    seed, away = seeds[own], distances[own]
    core = away <= max(_CORE * seed.radius_px, 0.75)
    if not core.any():
        core = away == away.min()
    color = np.median(image[core], axis=0)
    others = [(s, far) for k, (s, far) in enumerate(zip(seeds, distances, strict=True)) if k != own]
    theirs = np.zeros((height, width), dtype=bool)
    for other, far in others:
        theirs |= far < 1.2 * other.radius_px + 1
    ring = (away > _RING[0] * seed.radius_px + 1) & (away < _RING[1] * seed.radius_px + 4)
    bare = ring & ~theirs
    ground = np.median(image[bare if bare.sum() >= 8 else ring], axis=0) if ring.any() else color
    contrast = color - ground
    power = float(contrast @ contrast)
    share = ((image - ground) @ contrast / max(power, 1e-6)).clip(0, 1)
    near = away <= _REACH * seed.radius_px + 2
    for other, far in others:
        apart = np.hypot(other.x_px - seed.x_px, other.y_px - seed.y_px)
        if apart < _REACH * seed.radius_px + other.radius_px + 3:
            share = _part(image, ground, contrast, share, other, far, near)
            near &= away / seed.radius_px < far / max(other.radius_px, 1.0) + 0.35
    share = np.where(near & (share >= _LEAST_SHARE), share, 0.0)
    share = _connected(share, seed)
    area = float(share.sum())
    if area < 1.0 or power < _LEAST_CONTRAST**2:
        center, radius, spread = np.array([seed.x_px, seed.y_px]), seed.radius_px, 1.0
        residual = 1.0
    else:
        center = np.array([(share * x).sum(), (share * y).sum()]) / area
        radius = float(np.sqrt(area / np.pi))
        second = float((share * ((x - center[0]) ** 2 + (y - center[1]) ** 2)).sum() / area)
        spread = second / max(radius**2 / 2 + 1 / 6, 1e-6)
        mixed = ground + share[..., None] * contrast
        judged = near & ~theirs
        gap = np.square(image - mixed).sum(-1)[judged]
        residual = float(np.sqrt(gap.mean() / power)) if gap.size else 1.0
    room = min(center[0], center[1], width - center[0], height - center[1])
    border = np.r_[share[0], share[-1], share[:, 0], share[:, -1]]
    is_cut = bool(room < radius - _TOUCHES_PX and (border > 0.3).any())
    return _Look(center, radius, min(residual, 1.0), spread, is_cut, share, color, ground)


def _part(
    image: Float[np.ndarray, "h w 3"],
    ground: Float[np.ndarray, " 3"],
    contrast: Float[np.ndarray, " 3"],
    share: Float[np.ndarray, "h w"],
    other: Seed,
    away: Float[np.ndarray, "h w"],
    near: Bool[np.ndarray, "h w"],
) -> Float[np.ndarray, "h w"]:
    """Shares next to a body of another colour, so far away: mixtures of three, where it is near."""
    core = away <= max(0.5 * other.radius_px, 0.75)
    if not core.any():
        return share
    theirs = np.median(image[core], axis=0) - ground
    if np.linalg.norm(theirs - contrast) < _LEAST_CONTRAST:
        return share
    both = np.stack([contrast, theirs], axis=1)
    found = np.linalg.lstsq(both, (image[near] - ground).T, rcond=None)[0]
    share = share.copy()
    share[near] = np.minimum(share[near], found[0].clip(0, 1))
    return share


def _connected(share: Float[np.ndarray, "h w"], seed: Seed) -> Float[np.ndarray, "h w"]:
    """What hangs together with the middle."""
    count, names = cv2.connectedComponents((share > 0).astype(np.uint8), connectivity=8)
    if count <= 2:
        return share
    height, width = share.shape
    row, column = (int(np.clip(v, 0, n - 1)) for v, n in ((seed.y_px, height), (seed.x_px, width)))
    name = int(names[row, column])
    if name == 0:
        sums = [float(share[names == k].sum()) for k in range(1, count)]
        name = 1 + int(np.argmax(sums))
    return np.where(names == name, share, 0.0)


def _join(frame: UInt8[np.ndarray, "h w 3"], seeds: Sequence[Seed]) -> list[Seed]:
    """One of each group of seeds that lie in the same body: all between them is of its colour."""
    image = frame.astype(np.float64) / 255
    kept: list[Seed] = []
    for seed in sorted(seeds, key=lambda s: -s.radius_px):
        for k, other in enumerate(kept):
            if _is_one(image, seed, other):
                apart = float(np.hypot(seed.x_px - other.x_px, seed.y_px - other.y_px))
                radius = max(other.radius_px, (apart + seed.radius_px + other.radius_px) / 2)
                middle = (seed.x_px + other.x_px) / 2, (seed.y_px + other.y_px) / 2
                kept[k] = Seed(*middle, radius)
                break
        else:
            kept.append(seed)
    return kept


def _is_one(image: Float[np.ndarray, "h w 3"], a: Seed, b: Seed) -> bool:
    height, width = image.shape[:2]
    apart = np.hypot(a.x_px - b.x_px, a.y_px - b.y_px)
    if apart > 2.5 * max(a.radius_px, b.radius_px) + 2:
        return False
    way = np.linspace(0, 1, max(3, int(2 * apart)))
    x = np.clip(a.x_px + way * (b.x_px - a.x_px), 0, width - 1).astype(int)
    y = np.clip(a.y_px + way * (b.y_px - a.y_px), 0, height - 1).astype(int)
    between = image[y, x]
    return bool(np.abs(between - np.median(between, axis=0)).max() < 2 * _LEAST_CONTRAST)
