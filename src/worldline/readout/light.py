"""Shadows and lamp light: what differs from the background by the light on it and in no other way.

Light multiplies what a surface shows. Under a shadow a place keeps its colour up to a factor below
one, in the light of a lamp up to one above (Horprasert, Harwood and Davis 1999; Prati et al. 2003,
section 3); the factor changes slowly from place to place, and the texture of the ground stays. A
body of the ground's colour does the same pixel by pixel. So pixels are only the first step: whole
patches of them are light or a body, by what is seen of

1. **texture**: whether the ground's fine detail is still there, times the factor;
2. **outline**: that of light has a penumbra all around, a body's is as sharp as the picture;
3. **evenness**: the factor of a shadow is the same all over its inside, shading makes a body's not.

A sharp, even, plain patch on plain ground may be either: where it is darker by less than half it is
called a shadow, else a body. In company of things that are no light, colours alone are asked:
something is there that can cast a shadow, and real things have patches of all sorts.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from worldline.readout.background import UNIT, without

__all__ = ["find_light", "sharpness"]

_SHADE = (0.30, 0.97)  # share of the light that a shadow may leave,
_GLOW = (1.03, 2.6)  # and what a lamp may make of it
_CHROMA = 0.010  # change of r/(r+g+b) or g/(r+g+b) under light of the same colour,
_TINT = 0.035  # and under another, such as the sky's in the shadow of the sun
_PLAIN_SHADE = (0.55, 0.97)  # range in which what nothing else tells is a shadow
_CAST_SHADE = (0.45, 0.97)  # the same where a body can cast it
_TRUE = 0.7  # share of a patch whose colour stays, under light that only its outline tells of
_MARGIN = 3  # texture is compared so far inside a patch
_TEXTURE = 1.6  # grey levels of detail in the ground from which it can be found again
_MIN_PIXELS = 48
_KEPT, _LOST = 0.5, 0.3  # share of the expected detail that light leaves, and that bodies leave
_SURE = 4.0  # standard errors
_SOFT = 1.6  # a penumbra is so much wider than the picture's own sharpness
_SHARP_SHARE = 0.3  # of the outline, for a patch with a penumbra
_UNEVEN = 0.3  # spread of the factor inside a patch, as a share of the change, it is shaded from
_POOL = 0.025  # share of the picture that a lamp's pool without texture must cover
_MOST_PATCHES = 16  # more at once are no scene with a few shadows
_FAINT = round(2.5 * UNIT)  # strength up to which a dark patch may be a shadow if nobody judges it
_DISC = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
_CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))


@dataclass(frozen=True, eq=False)
class _Patch:
    """A connected patch of pixels that may be light.

    Attributes:
        mask: `[h, w]` 1 inside, in a window.
        now, then: `[h, w]` mean over channels of the picture and the background there, plus 1.
        level: median of now / then inside.
        true_color: share of its pixels whose colour stays.
    """

    mask: UInt8[np.ndarray, "h w"]
    now: Float[np.ndarray, "h w"]
    then: Float[np.ndarray, "h w"]
    level: float
    true_color: float


def sharpness(scale: float) -> float:
    """Width in pixels of an edge in pictures that were scaled and smoothed for the search: the
    change across it over its steepest slope."""
    return max(3.0, 1.75 * scale)


def find_light(
    image: UInt8[np.ndarray, "h w 3"],
    background: UInt8[np.ndarray, "h w 3"],
    strength: UInt8[np.ndarray, "h w"],
    suspects: UInt8[np.ndarray, "h w"],
    *,
    min_area: float,
    sharp_px: float,
    steady: bool,
) -> UInt8[np.ndarray, "h w"]:
    """1 at pixels that are the background in other light.

    Args:
        image, background: the picture now, and without objects.
        strength: how they differ, see `background.Deviation`.
        suspects: 1 at the pixels to look at, else 0.
        min_area: pixels of the smallest object; smaller patches are light wherever colours say so.
        sharp_px: width of the sharpest edges that the picture has.
        steady: the camera has not moved. Else texture and outlines do not lie upon each other, and
            colours alone are asked: dark things are shadows beside others, or where they are faint.
    """
    light = np.zeros(suspects.shape, np.uint8)
    at = np.flatnonzero(suspects.view(bool))  # of zeros and ones; many times faster
    if not len(at):
        return light
    level, apart = _compare(image, background, at)
    same = apart < _CHROMA
    cast = _spread(same & (level > _CAST_SHADE[0]) & (level < _CAST_SHADE[1]), at, light)
    tinted = apart < _TINT
    shade = tinted & (level > _SHADE[0]) & (level < _SHADE[1])
    glow = tinted & (level > _GLOW[0]) & (level < _GLOW[1])
    by_color = cast.copy()
    kinds = [
        cv2.morphologyEx(_spread(kind, at, light), cv2.MORPH_CLOSE, _CROSS)
        for kind in ((shade, glow) if steady else ())
    ]
    most = by_color.copy()
    for maybe in kinds:
        most |= maybe
    if _casts(strength, suspects, most, min_area):
        return by_color  # whatever the patches are, something else is there
    colors, alone = _spread(same, at, light), np.zeros_like(light)
    for maybe in kinds:
        for window, mask in _patches(maybe, min_area):
            now, then = (
                cv2.transform(picture[window].astype(np.float32), _MEAN) + np.float32(1.0)
                for picture in (image, background)
            )
            inside = mask > 0
            patch = _Patch(
                mask,
                now,
                then,
                float(np.median(now[inside] / then[inside])),
                float(np.mean(colors[window][inside])),
            )
            answer = _judge(patch, sharp_px, _POOL * light.size)
            if answer == "light":
                light[window] |= mask
            elif answer == "light if alone":
                alone[window] |= mask
            elif answer == "body":
                cast[window][mask > 0] = 0
    if _casts(strength, suspects, light | alone | by_color, min_area):
        return by_color
    light |= alone
    dark = without(cv2.threshold(strength, _FAINT, 1, cv2.THRESH_BINARY)[1], light)
    # Nothing is there that could cast a shadow, so what is much darker is a dark body.
    return light if cv2.morphologyEx(dark, cv2.MORPH_OPEN, _CROSS).any() else light | cast


def _casts(
    strength: UInt8[np.ndarray, "h w"],
    suspects: UInt8[np.ndarray, "h w"],
    light: UInt8[np.ndarray, "h w"],
    min_area: float,
) -> bool:
    """Whether there is enough of what is no light, and could cast a shadow."""
    casters = cv2.threshold(strength, UNIT, 1, cv2.THRESH_BINARY)[1]
    casters = cv2.subtract(cv2.bitwise_and(casters, suspects), light)
    casters = cv2.morphologyEx(casters, cv2.MORPH_OPEN, _CROSS)
    return cv2.countNonZero(casters) >= min_area


_MEAN = np.full((1, 3), 1 / 3, np.float32)


def _compare(
    image: np.ndarray, background: np.ndarray, at: np.ndarray
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """Factor of brightness at some pixels, and change of colour; in the dark colours are noise."""
    # Channel by channel, and in place: there can be a hundred thousand of them.
    now, then = (
        np.ascontiguousarray(picture.reshape(-1, 3).take(at, axis=0).T).astype(np.float32)
        for picture in (image, background)
    )
    now += np.float32(1.0)
    then += np.float32(1.0)
    sum_now, sum_then = (part[0] + part[1] + part[2] for part in (now, then))
    now[:2] /= sum_now
    then[:2] /= sum_then
    apart = np.abs(np.subtract(now[:2], then[:2], out=now[:2]), out=now[:2])
    return sum_now / sum_then, np.maximum(*apart) - np.float32(1.5) / sum_now


def _spread(
    values: Bool[np.ndarray, " n"], at: np.ndarray, like: np.ndarray
) -> UInt8[np.ndarray, "h w"]:
    """A picture that is 1 at those of some pixels that are true, and 0 elsewhere."""
    out = np.zeros(like.size, np.uint8)
    out[at] = values.view(np.uint8)  # of the same type, or each one is converted by itself
    return out.reshape(like.shape)


def _patches(
    mask: UInt8[np.ndarray, "h w"], min_area: float
) -> list[tuple[tuple[slice, slice], np.ndarray]]:
    """The largest connected patches that are large enough, small holes filled, each in a window
    around it."""
    opened = cv2.morphologyEx(mask, cv2.MORPH_OPEN, _CROSS)
    height, width = mask.shape
    contours, _ = cv2.findContours(opened, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    large = [contour for contour in contours if cv2.contourArea(contour) >= 0.5 * min_area]
    large = sorted(large, key=cv2.contourArea, reverse=True)[:_MOST_PATCHES]
    found = []
    for contour in large:
        x, y, w, h = cv2.boundingRect(contour)
        pad = _MARGIN + 1
        window = (
            slice(max(0, y - pad), min(height, y + h + pad)),
            slice(max(0, x - pad), min(width, x + w + pad)),
        )
        own = np.zeros_like(opened[window])
        corner = -window[1].start, -window[0].start
        cv2.drawContours(own, [contour], -1, 1, thickness=cv2.FILLED, offset=corner)
        own = cv2.bitwise_and(own, opened[window])
        if cv2.countNonZero(own) >= min_area:
            found.append((window, cv2.morphologyEx(own, cv2.MORPH_CLOSE, _DISC)))
    return found


def _judge(patch: _Patch, sharp_px: float, pool_px: float) -> str:
    """What a patch is by its texture: "light" or a "body"; without any "light if alone" by its
    outline and evenness, or "either"."""
    inner = cv2.erode(patch.mask, np.ones((2 * _MARGIN + 1,) * 2, np.uint8), borderValue=0)
    kept = _keeps_texture(patch, inner, sharp_px)
    if kept is not None:
        return "light" if kept else "body"
    if patch.true_color < _TRUE:
        return "either"
    # A lamp's pool is large; what is small and bright in its middle is a body, lit from above.
    is_pool = patch.level < 1.0 or np.count_nonzero(patch.mask) >= pool_px
    if is_pool and _sharp_share(patch, sharp_px) < _SHARP_SHARE:
        return "light if alone"
    plain = _PLAIN_SHADE[0] < patch.level < _PLAIN_SHADE[1] and _is_even(patch, inner)
    return "light if alone" if plain else "either"


def _keeps_texture(patch: _Patch, inner: UInt8[np.ndarray, "h w"], sharp_px: float) -> bool | None:
    """Whether the ground's detail is there, in the light that falls on it; None if nobody can say.

    Detail now is a multiple of what it would be in that light: one under light, none on a body.
    """
    width = 2 * round(1.2 * sharp_px) + 1
    smooth = [cv2.blur(p, (width, width)) for p in (patch.now, patch.then)]
    inside = inner > 0
    num = np.count_nonzero(inside) / sharp_px**2  # neighbours are not independent
    detail = (patch.then - smooth[1])[inside]
    if num * sharp_px**2 < _MIN_PIXELS or float(np.std(detail)) < _TEXTURE:
        return None
    expected = detail * (smooth[0] / smooth[1])[inside]
    found = (patch.now - smooth[0])[inside]
    energy = float(expected @ expected)
    slope = float(expected @ found) / energy
    rest = float(np.mean((found - slope * expected) ** 2))
    error = float(np.sqrt(rest * len(found) / (num * energy)))
    if slope > _KEPT and slope > _SURE * error:
        return True
    if slope < _LOST and 1.0 - slope > _SURE * error:
        return False
    return None


def _sharp_share(patch: _Patch, sharp_px: float) -> float:
    """Share of a patch's outline where the factor changes as fast as the picture allows."""
    factor = cv2.divide(cv2.blur(patch.now, (3, 3)), cv2.blur(patch.then, (3, 3)))
    across, down = (cv2.Sobel(factor, cv2.CV_32F, dx, 1 - dx, scale=0.125) for dx in (1, 0))
    reach = np.ones((2 * _MARGIN + 1,) * 2, np.uint8)
    steepest = cv2.dilate(cv2.magnitude(across, down), reach)
    outline = (patch.mask - cv2.erode(patch.mask, _CROSS, borderValue=0)) > 0
    outline[[0, -1]] = False  # there the window ends with the picture
    outline[:, [0, -1]] = False
    if not outline.any():
        return 0.0
    width = abs(1.0 - patch.level) / np.maximum(steepest[outline], 1e-6)
    return float(np.mean(width < _SOFT * sharp_px))


def _is_even(patch: _Patch, inner: UInt8[np.ndarray, "h w"]) -> bool:
    inside = (inner if cv2.countNonZero(inner) >= _MIN_PIXELS else patch.mask) > 0
    factor = (cv2.blur(patch.now, (5, 5)) / cv2.blur(patch.then, (5, 5)))[inside]
    return float(np.std(factor)) < _UNEVEN * abs(1.0 - patch.level)
