"""Per-pixel evidence that a picture shows a thing of a known colour in front of a known background.

The evidence is an opacity, not a class: a pixel is explained as a blend of the clean background and
one of the object's own colours, so that blurring an object spreads its evidence and keeps the sum.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, UInt8
from scipy.ndimage import binary_erosion
from scipy.sparse.csgraph import connected_components

__all__ = ["color_groups", "match_exposure", "object_evidence", "palette"]

_NUM_COLORS = 5
_COLOR_SIGMA = 0.09  # RGB distance in [0, 1] units that a predictor may be off by
_MIN_CONTRAST = 0.06  # below this distance from the background an object cannot be told apart
_SAME_COLOR = 0.12  # palettes closer than this cannot tell two objects apart
_DARKEST_SHADOW = 0.35
_SHADOW_DOUBT = 0.5  # weight of a pixel that is as likely a shadow as the object
_PLAIN_VARIANCE = 1e-3


def palette(
    frame: UInt8[np.ndarray, "h w 3"], mask: Bool[np.ndarray, "h w"]
) -> Float[np.ndarray, "k 3"]:
    """Up to five colours, in [0, 1], that stand for what lies under a mask.

    Pixels are sorted along the main axis of their colours and averaged in groups of equal size,
    which follows both shading and two-tone textures. Rim pixels, mixed with the background, are
    left out where enough others remain.
    """
    core = np.asarray(binary_erosion(mask), dtype=bool)
    pixels = frame[core if core.sum() >= 8 else mask].astype(np.float64) / 255
    centred = pixels - pixels.mean(0)
    axis = np.linalg.eigh(centred.T @ centred)[1][:, -1]
    order = np.argsort(centred @ axis, kind="stable")
    groups = np.array_split(order, min(_NUM_COLORS, len(order)))
    return np.stack([pixels[group].mean(0) for group in groups])


def match_exposure(
    frame: UInt8[np.ndarray, "h w 3"], background: UInt8[np.ndarray, "h w 3"]
) -> Float[np.ndarray, "h w 3"]:
    """The frame in [0, 1] with a gain and an offset per channel that bring it to the background.

    Least squares over the pixels that agree with the background, trimmed three times; what differs
    by a uniform change of brightness or tint alone is no evidence of anything.
    """
    pixels, plate = frame.astype(np.float64) / 255, background.astype(np.float64) / 255
    x, y = pixels.reshape(-1, 3), plate.reshape(-1, 3)
    offset = np.median(y - x, axis=0)
    fitted = x + offset
    for tolerance in (0.15, 0.08, 0.05):
        keep = np.abs(fitted - y).max(1) < tolerance
        if keep.mean() < 0.2:  # nothing to hold on to: the view itself has changed
            return pixels
        near_x, near_y = x[keep], y[keep]
        mean_x, mean_y = near_x.mean(0), near_y.mean(0)
        off_x, off_y = near_x - mean_x, near_y - mean_y
        # A plain background says nothing of the gain: there it stays near 1.
        spread = (off_x**2).mean(0) + _PLAIN_VARIANCE
        gain = ((off_x * off_y).mean(0) + _PLAIN_VARIANCE) / spread
        gain = np.clip(gain, 0.5, 2.0)
        fitted = (x - mean_x) * gain + mean_y
    return fitted.reshape(pixels.shape)


def object_evidence(
    frame: Float[np.ndarray, "h w 3"],
    background: UInt8[np.ndarray, "h w 3"],
    palettes: Sequence[Float[np.ndarray, "k 3"]],
) -> Float[np.ndarray, "n h w"]:
    """Opacity in [0, 1] with which each object seems to cover each pixel.

    For pixel p, background b and object colour c the opacity is the projection of p - b on c - b,
    weighted by how little of p - b lies off that line. Where another object's pure colour, or a
    shadow (a darker b), explains the pixel better, the weight is taken back.

    Args:
        frame: picture in [0, 1], exposure matched.
        background: the same view without the objects.
        palettes: colours of each object (see `palette`).
    """
    plate = background.astype(np.float64) / 255
    change = frame - plate
    opacity = np.zeros((len(palettes), *frame.shape[:2]))
    purity = np.zeros_like(opacity)
    for index, colors in enumerate(palettes):
        for color in colors:
            contrast = color - plate
            length = (contrast**2).sum(-1)
            share = np.clip((change * contrast).sum(-1) / (length + _MIN_CONTRAST**2), 0, 1)
            off_line = ((change - share[..., None] * contrast) ** 2).sum(-1)
            np.maximum(opacity[index], share * _closeness(off_line), out=opacity[index])
            pure = _closeness(((frame - color) ** 2).sum(-1))
            np.maximum(purity[index], pure, out=purity[index])
    dimming = (frame * plate).sum(-1) / np.maximum((plate**2).sum(-1), 1e-6)
    dimming = np.clip(dimming, _DARKEST_SHADOW, 1.0)
    shadow = _closeness(((frame - dimming[..., None] * plate) ** 2).sum(-1))
    for index in range(len(palettes)):
        others = np.delete(purity, index, axis=0)
        rival = np.maximum(shadow, others.max(0)) if len(others) else shadow
        doubt = np.maximum(rival - purity[index], _SHADOW_DOUBT * shadow)
        opacity[index] *= 1 - np.maximum(doubt, 0)
    return opacity


def color_groups(palettes: Sequence[Float[np.ndarray, "k 3"]]) -> list[list[int]]:
    """Indices of objects that colour alone cannot tell apart, group by group."""
    near = np.eye(len(palettes), dtype=bool)
    for i, a in enumerate(palettes):
        for j, b in enumerate(palettes):
            distance = np.linalg.norm(a[:, None] - b[None], axis=-1)
            gap = max(distance.min(0).mean(), distance.min(1).mean())
            near[i, j] |= bool(gap < _SAME_COLOR)
    count, label = connected_components(near, directed=False)
    return [np.flatnonzero(label == group).tolist() for group in range(count)]


def _closeness(square_distance: np.ndarray) -> np.ndarray:
    return np.exp(-square_distance / (2 * _COLOR_SIGMA**2))
