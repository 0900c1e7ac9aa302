"""Seek the bodies of a context in a continued video, frame by frame.

It looks at pixels only, and knows nothing of who made them. Bodies are what moves at the end of the
context (`worldline.dynamics.lift`). Each is sought by its colours (`worldline.audit.evidence`), and
then laid on the background so that it gives the picture best, in place and size: what it does not
explain there tells whether it is still the same. The camera has to stand still.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from worldline.audit.evidence import palette
from worldline.core.errors import InputError
from worldline.dynamics.lift import Lifted, Lifter

__all__ = ["Course", "follow"]

_MIN_AREA_PX = 10
_UNLIKE = 0.1
_SIGMA = 0.09
_MIN_CONTRAST = 0.06
_SAME_COLOR = 0.12
_DARKEST = 0.35
_RIM_PX = 2
_REACH_PX = 12.0
_NUM_STEPS = 4
_TRIALS = np.diag([0.25, 0.25, 0.02])
_SETTLED = np.array([2e-3, 2e-3, 2e-4])
_LEAST_COVER = 0.25
_MOST_STEP = np.array([1.0, 1.0, 0.1])
_FIRM = np.diag([1e-4, 1e-4, 1e-2])
"""Keeps what the picture says nothing of at what it was."""
_MAX_BODIES = 4


@dataclass(frozen=True, eq=False)
class Course:
    """Bodies through the frames of a context and its continuation.

    Attributes:
        center_px: `[N, T, 2]` middle (x, y).
        mass_px: `[N, T]` summed opacity in the body's own colours.
        size: `[N, T]` logarithm of how many times as large as at the end of the context it is.
        misfit: `[N, T]` what the body as last seen does not explain there, as a share of what it
            would change in the picture; 1 where it is missing.
        radius_px: `[N]` of a disc of its area.
        strange_px: `[T]` pixels unlike the background that are near no body.
        change: `[T]` mean absolute change of the pixels since the frame before, of 255 levels.
        first: number of context frames; the continuation begins there.
        side_px: of the picture.
    """

    center_px: Float[np.ndarray, "n t 2"]
    mass_px: Float[np.ndarray, "n t"]
    size: Float[np.ndarray, "n t"]
    misfit: Float[np.ndarray, "n t"]
    radius_px: Float[np.ndarray, " n"]
    strange_px: Float[np.ndarray, " t"]
    change: Float[np.ndarray, " t"]
    first: int
    side_px: int


def follow(
    context: UInt8[np.ndarray, "k h w 3"],
    frames: UInt8[np.ndarray, "t h w 3"],
    lifted: Lifted | None = None,
) -> Course:
    """Seek the bodies that move at the end of a context in all its frames and those that follow.

    Args:
        context: true frames.
        frames: of the continuation.
        lifted: what moves in the last frame of the context, if that is known already.

    Raises:
        InputError: less than three context frames, no frames, or frames of another size.
    """
    if len(context) < 3 or not len(frames) or context.shape[1:] != frames.shape[1:]:
        raise InputError("a continuation needs three context frames, and frames of the same size")
    lifted = Lifter().lift(context) if lifted is None else lifted
    plate = lifted.plate.astype(np.float32) / 255
    film = np.concatenate([context, frames]).astype(np.float32) / 255
    masks = _bodies(lifted, film[len(context) - 1], plate)
    shadow = _shadow(film, plate)
    colors = [palette(context[-1], mask).astype(np.float32) for mask in masks]
    pure = [_purity(film, color) for color in colors]
    fields = []
    for n, color in enumerate(colors):
        rivals = [p for m, p in enumerate(pure) if m != n and not _alike(color, colors[m])]
        doubt = np.maximum.reduce([shadow, *rivals]) - pure[n]
        fields.append(_opacity(film, plate, color) * (1 - np.clip(doubt, 0, 1)))
    tracks = [_track(field, mask, len(context)) for field, mask in zip(fields, masks, strict=True)]
    num, length = len(tracks), len(film)
    center = np.array([c for c, _ in tracks]).reshape(num, length, 2)
    mass = np.array([m for _, m in tracks]).reshape(num, length)
    size, misfit = np.zeros((num, length)), np.zeros((num, length))
    for n, mask in enumerate(masks):
        layer = _cut_out(lifted, mask, film[len(context) - 1])
        found = _register(film, plate, layer, center[n], len(context) - 1)
        center[n], size[n], misfit[n] = found
    radius = np.sqrt(np.array([mask.sum() for mask in masks], dtype=np.float64) / np.pi)
    strange = _strangers(film, plate, center, radius)
    step = np.abs(np.diff(film.astype(np.float64), axis=0)).mean((1, 2, 3)) * 255
    change = np.concatenate([step[:1], step])
    return Course(center, mass, size, misfit, radius, strange, change, len(context), len(plate))


def _bodies(
    lifted: Lifted, last: Float[np.ndarray, "h w 3"], plate: Float[np.ndarray, "h w 3"]
) -> list[Bool[np.ndarray, "h w"]]:
    """Masks of what moves: bodies first, then what may be a shadow of one, or a dark body."""
    size = (last.shape[1], last.shape[0])
    front = cv2.resize(lifted.front.astype(np.float32), size, interpolation=cv2.INTER_AREA) >= 0.5
    solid = front & (_shadow(last[None], plate)[0] < 0.5)
    solid &= np.abs(last - plate).max(-1) > _UNLIKE / 2
    rest = front & (cv2.dilate(solid.astype(np.uint8), np.ones((3, 3), np.uint8)) == 0)
    return [*_parts(solid), *_parts(rest)][:_MAX_BODIES]


def _parts(mask: Bool[np.ndarray, "h w"]) -> list[Bool[np.ndarray, "h w"]]:
    """What hangs together and is no speck, the largest first."""
    num, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    order = sorted(range(1, num), key=lambda k: -stats[k, cv2.CC_STAT_AREA])
    return [labels == k for k in order if stats[k, cv2.CC_STAT_AREA] >= _MIN_AREA_PX]


def _shadow(
    film: Float[np.ndarray, "t h w 3"], plate: Float[np.ndarray, "h w 3"]
) -> Float[np.ndarray, "t h w"]:
    """How well each pixel is the background, darker or as it is, in [0, 1]."""
    dim = (film * plate).sum(-1) / np.maximum((plate**2).sum(-1), 1e-6)
    dim = np.clip(dim, _DARKEST, 1.0)
    return _near(film - dim[..., None] * plate)


def _near(difference: Float[np.ndarray, "*x c"]) -> Float[np.ndarray, "*x"]:
    return np.exp(-np.square(difference).sum(-1) / (2 * _SIGMA**2))


def _purity(
    film: Float[np.ndarray, "t h w 3"], colors: Float[np.ndarray, "k 3"]
) -> Float[np.ndarray, "t h w"]:
    return np.maximum.reduce([_near(film - color) for color in colors])


def _opacity(
    film: Float[np.ndarray, "t h w 3"],
    plate: Float[np.ndarray, "h w 3"],
    colors: Float[np.ndarray, "k 3"],
) -> Float[np.ndarray, "t h w"]:
    """Opacity with which the colours seem to cover the background; see `audit.evidence`."""
    change = film - plate
    best = np.zeros(film.shape[:3], dtype=np.float32)
    for color in colors:
        contrast = color - plate
        length = np.square(contrast).sum(-1)
        share = np.clip((change * contrast).sum(-1) / (length + _MIN_CONTRAST**2), 0, 1)
        np.maximum(best, share * _near(change - share[..., None] * contrast), out=best)
    return best


def _alike(a: Float[np.ndarray, "k 3"], b: Float[np.ndarray, "k 3"]) -> bool:
    return bool(np.linalg.norm(a.mean(0) - b.mean(0)) < _SAME_COLOR)


def _track(
    field: Float[np.ndarray, "t h w"], mask: Bool[np.ndarray, "h w"], first: int
) -> tuple[Float[np.ndarray, "t 2"], Float[np.ndarray, " t"]]:
    """Middle and mass of one body in every frame, from the last of the context both ways.

    Where the body's shape is filled best counts, and the more the nearer to where its motion would
    bring it; the centroid of its opacity around that place is its middle.
    """
    y, x = np.nonzero(mask)
    shape = mask[y.min() : y.max() + 1, x.min() : x.max() + 1].astype(np.float32)
    inside = np.pad(shape, _RIM_PX)
    wide = cv2.dilate(inside, np.ones((2 * _RIM_PX + 1,) * 2, dtype=np.uint8))
    rim = wide - inside
    kernel = inside / inside.sum() - 0.5 * rim / max(float(rim.sum()), 1.0)
    reach = np.sqrt(mask.sum() / np.pi) + _RIM_PX
    rows, columns = np.mgrid[: field.shape[1], : field.shape[2]].astype(np.float32) + 0.5
    length = len(field)
    center, mass = np.zeros((length, 2)), np.zeros(length)

    def settle(t: int, guess: np.ndarray) -> None:
        fit = cv2.filter2D(field[t], -1, kernel, borderType=cv2.BORDER_CONSTANT)
        far = (columns - guess[0]) ** 2 + (rows - guess[1]) ** 2
        row, column = np.unravel_index(
            int((fit * np.exp(-far / (2 * _REACH_PX**2))).argmax()), fit.shape
        )
        at, total = np.array([column + 0.5, row + 0.5]), 0.0
        for _ in range(3):
            weight = field[t] * ((columns - at[0]) ** 2 + (rows - at[1]) ** 2 <= reach**2)
            total = float(weight.sum())
            if total < 1e-3:
                break
            at = np.array([(weight * columns).sum(), (weight * rows).sum()]) / total
        center[t], mass[t] = at, total

    settle(first - 1, np.array([x.mean() + 0.5, y.mean() + 0.5]))
    for t in range(first - 2, -1, -1):
        settle(t, center[t + 1] if t == first - 2 else 2 * center[t + 1] - center[t + 2])
    for t in range(first, length):
        settle(t, 2 * center[t - 1] - center[t - 2])
    return center, mass


def _cut_out(
    lifted: Lifted, mask: Bool[np.ndarray, "h w"], last: Float[np.ndarray, "h w 3"]
) -> Float[np.ndarray, "h w 4"]:
    """A body as a layer: colours times opacity, and opacity."""
    wide = cv2.dilate(mask.astype(np.uint8), np.ones((3, 3), dtype=np.uint8))
    size = (last.shape[1], last.shape[0])
    soft = cv2.resize(lifted.front.astype(np.float32), size, interpolation=cv2.INTER_AREA) * wide
    fine = np.zeros((*lifted.front.shape, 3), dtype=np.float32)
    fine[lifted.y, lifted.x] = lifted.colors / 255
    color = cv2.resize(fine, size, interpolation=cv2.INTER_AREA) * wide[..., None]
    return np.dstack([color, soft]).astype(np.float32)


def _register(
    film: Float[np.ndarray, "t h w 3"],
    plate: Float[np.ndarray, "h w 3"],
    layer: Float[np.ndarray, "h w 4"],
    guesses: Float[np.ndarray, "t 2"],
    last: int,
) -> tuple[Float[np.ndarray, "t 2"], Float[np.ndarray, " t"], Float[np.ndarray, " t"]]:
    """Where and how large the layer has to be laid on the background to give each frame.

    Gauss-Newton steps (Lucas and Kanade 1981) for shift and size, with weights of Cauchy against
    what covers the body.

    Returns:
        middle `[T, 2]`, log size `[T]`, misfit `[T]`; see `Course`.
    """
    height, width = plate.shape[:2]
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    opacity = layer[..., 3]
    total = float(opacity.sum())
    middle = np.array([(opacity * columns).sum(), (opacity * rows).sum()]) / total
    reach = float(np.sqrt(total / np.pi)) * 1.6 + 3
    center, size, misfit = guesses.copy(), np.zeros(len(film)), np.zeros(len(film))
    bias = guesses[last] - middle

    def lay(p: Float[np.ndarray, " 3"], box: tuple[slice, slice]) -> Float[np.ndarray, "a b 3"]:
        scale = float(np.exp(p[2]))
        corner = np.array([box[1].start, box[0].start])
        matrix = np.array([[scale, 0, 0], [0, scale, 0]])
        matrix[:, 2] = p[:2] - scale * middle - corner
        shape = (box[1].stop - box[1].start, box[0].stop - box[0].start)
        moved = cv2.warpAffine(layer, matrix, shape, flags=cv2.INTER_LINEAR)
        return moved[..., :3] + (1 - moved[..., 3:]) * plate[box]

    def fit(t: int, start: Float[np.ndarray, " 2"], log_size: float) -> tuple[np.ndarray, float]:
        p = np.array([*(start - bias), log_size])
        low = np.clip(np.floor(p[:2] - reach), 0, [width - 4, height - 4]).astype(int)
        high = np.clip(np.ceil(p[:2] + reach), low + 4, [width, height]).astype(int)
        box = (slice(int(low[1]), int(high[1])), slice(int(low[0]), int(high[0])))
        shown = lay(p, box)
        for _ in range(_NUM_STEPS):
            left = film[t][box] - shown
            steps = [(lay(p + d, box) - shown) / d.sum() for d in _TRIALS]
            slope = np.stack(steps, axis=-1).reshape(-1, 3)
            weight = np.repeat((1 / (1 + np.square(left).sum(-1) / _SIGMA**2)).reshape(-1), 3)
            normal = (slope * weight[:, None]).T @ slope + _FIRM
            step = np.linalg.solve(normal, slope.T @ (weight * left.reshape(-1)))
            p = p + np.clip(step, -_MOST_STEP, _MOST_STEP)
            p[2] = np.clip(p[2], -0.6, 0.6)
            shown = lay(p, box)
            if (np.abs(step) < _SETTLED).all():
                break
        cover = np.square(shown - plate[box]).sum(-1)
        support = cover > 1e-4
        rest = np.square(film[t][box] - shown).sum(-1)
        if cover.sum() < _LEAST_COVER * usual:  # laid where it would hardly be seen
            return p, 1.0
        return p, min(float(rest[support].sum() / max(cover[support].sum(), 1e-6)), 2.0)

    whole = layer[..., :3] - layer[..., 3:] * plate
    usual = float(np.square(whole).sum())

    order = [*range(last, -1, -1), *range(last + 1, len(film))]
    for t in order:
        back = 1 if t > last else -1  # towards the end of the context
        near = t - back if t != last else t
        log_size = float(size[near])
        best = fit(t, guesses[t], log_size)
        if t > last or t < last - 1:
            on = 2 * center[near] - center[near - back]
            if np.hypot(*(on - guesses[t])) > 0.5:
                best = min(best, fit(t, on, log_size), key=lambda pair: pair[1])
        p, misfit[t] = best
        center[t], size[t] = p[:2] + bias, p[2]
    return center, size, misfit


def _strangers(
    film: Float[np.ndarray, "t h w 3"],
    plate: Float[np.ndarray, "h w 3"],
    center: Float[np.ndarray, "n t 2"],
    radius: Float[np.ndarray, " n"],
) -> Float[np.ndarray, " t"]:
    """Pixels unlike the background that are near no body."""
    dim = (film * plate).sum(-1) / np.maximum((plate**2).sum(-1), 1e-6)
    dim = np.clip(dim, _DARKEST, 1.0)
    unlike = np.abs(film - dim[..., None] * plate).max(-1) > _UNLIKE
    rows, columns = np.mgrid[: film.shape[1], : film.shape[2]] + 0.5
    for path, size in zip(center, radius, strict=True):
        far = (columns - path[:, 0, None, None]) ** 2 + (rows - path[:, 1, None, None]) ** 2
        unlike &= far > (1.5 * size + 2) ** 2
    return unlike.sum((1, 2)).astype(np.float64)
