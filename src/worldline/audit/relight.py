"""Simulated films in other light: the renderer knows what a scene shows without its bodies.

Shadows are made darker, coloured or softer where bodies cast them; a patch of other light crosses
everything; bodies are painted in the ground's colour, so that they look like its shadows.
"""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool, Float

from worldline.core import Clip

__all__ = ["cast", "cross", "paint", "relit", "rods", "soften"]

_NEARER = 0.98  # share of the scenery's distance from which something stands before it
_GROUND_FROM = 1 / 3  # of the picture's height; what lies below is ground, mostly


def rods(clip: Clip) -> Bool[np.ndarray, "t h w"]:
    """Where something stands before the scenery that is no body's row: a pendulum's rod.

    Nowhere if the camera moves or there is no depth.
    """
    assert clip.segmentation is not None
    if clip.depth_m is None or not _is_fixed(clip):
        return np.zeros(clip.segmentation.shape, bool)
    before = clip.depth_m < _NEARER * clip.depth_m.max(axis=0)
    return before & (clip.segmentation < 0)


def cast(clip: Clip, left: tuple[float, ...]) -> Float[np.ndarray, "t h w 3"]:
    """The frames with bodies' shadows of another colour; for a camera that stands still.

    Args:
        left: what is left of the red, green and blue light in the darkest part of the shadows.
    """
    plain, frames = _plain(clip), clip.frames.astype(np.float32)
    level = (frames.sum(-1) + 3) / (plain.sum(-1) + 3)
    near = matter = _matter(clip)
    for axis, step in ((1, 1), (1, -1), (2, 1), (2, -1)):
        near = near | np.roll(matter, step, axis)  # its rim is mixed with the ground
    shaded = ~near & (level < 0.97)
    darkest = np.percentile(level[shaded], 5) if shaded.any() else 1.0
    share = np.clip((1 - level) / max(1e-3, 1 - darkest), 0, 1)[..., None]
    dark = plain * (1 - share * (1 - np.array(left, np.float32)))
    return np.where(shaded[..., None], dark, frames).astype(np.float32)


def soften(
    clip: Clip, frames: Float[np.ndarray, "t h w 3"], edge_px: float
) -> Float[np.ndarray, "t h w 3"]:
    """The frames with shadows whose edge is as wide as a Gaussian of this standard deviation."""
    plain, matter = _plain(clip), _matter(clip)[..., None]
    shade = np.where(matter, 0, frames - plain).astype(np.float32)
    blurred = np.stack([cv2.GaussianBlur(one, (0, 0), edge_px) for one in shade])
    return np.where(matter, frames, plain + blurred).astype(np.float32)


def cross(
    clip: Clip, left: tuple[float, ...], edge_px: float, rng: np.random.Generator
) -> Float[np.ndarray, "t h w 3"]:
    """The frames with a round patch of other light that crosses them.

    Args:
        left: what it makes of the red, green and blue light.
        edge_px: width of its edge.
        rng: chooses its size and way.
    """
    num, height, width = clip.frames.shape[:3]
    y, x = np.mgrid[:height, :width] + 0.5
    radius, row = rng.uniform(0.1, 0.2) * width, rng.uniform(0.2, 0.8) * height
    out = []
    for frame, middle in zip(clip.frames, np.linspace(0.1, 0.9, num) * width, strict=True):
        away = np.hypot(x - middle, y - row) - radius
        share = np.clip(0.5 - away / edge_px, 0, 1)[..., None].astype(np.float32)
        out.append(frame * (1 - share * (1 - np.array(left, np.float32))))
    return np.stack(out).astype(np.float32)


def paint(clip: Clip, shading: float, rng: np.random.Generator) -> Float[np.ndarray, "t h w 3"]:
    """The frames with all bodies in the ground's colour, darker by a factor of each body's own.

    Args:
        shading: power of their own light and shade that is left: none at 0, all at 1.
        rng: chooses the factors.
    """
    assert clip.segmentation is not None
    ground = _plain(clip)[0, int(_GROUND_FROM * clip.frames.shape[1]) :].reshape(-1, 3)
    color = np.median(ground, axis=0)
    frames = clip.frames.astype(np.float32)
    light = frames.sum(axis=-1)
    for body in range(int(clip.segmentation.max()) + 1):
        inside, factor = clip.segmentation == body, rng.uniform(0.28, 0.65)
        if inside.any():
            own = (light[inside] / max(3.0, float(np.median(light[inside])))) ** shading
            frames[inside] = np.clip(color * factor * own[:, None], 0, 255)
    return frames


def relit(clip: Clip, rng: np.random.Generator) -> list[tuple[str, Float[np.ndarray, "t h w 3"]]]:
    """The frames in other lights, all drawn anew: a name and the frames of each."""
    out = []
    if _is_fixed(clip):
        grey = cast(clip, _light(rng, (0.12, 0.65), 0.0))
        coloured = [cast(clip, _light(rng, (0.12, 0.65), 0.35)) for _ in range(2)]
        out += [("grey shadows", grey), *(("coloured shadows", one) for one in coloured)]
        out.append(("soft shadows", soften(clip, coloured[-1], float(rng.uniform(1, 3)))))
        out += [(f"bodies like shadows, {s}", paint(clip, s, rng)) for s in (0.0, 0.6)]
    for levels in ((0.2, 0.8), (1.15, 1.7)):
        light = _light(rng, levels, 0.3 * float(rng.random() < 0.6))
        edge_px = float(rng.choice([1.5, 3, 6, 12, 24]))
        out.append(("a patch of light crosses", cross(clip, light, edge_px, rng)))
    return out


def _light(rng: np.random.Generator, levels: tuple[float, float], tint: float) -> tuple[float, ...]:
    apart = rng.uniform(0, 1, 3) * tint
    return tuple(np.clip(rng.uniform(*levels) * np.exp(apart - apart.mean()), 0.05, 2.5).tolist())


def _is_fixed(clip: Clip) -> bool:
    return clip.background is not None and len(clip.background) == 1


def _plain(clip: Clip) -> Float[np.ndarray, "1 h w 3"]:
    """What the scene shows without bodies and their shadows."""
    assert clip.background is not None
    assert _is_fixed(clip), "the camera moves"
    return clip.background.astype(np.float32)


def _matter(clip: Clip) -> Bool[np.ndarray, "t h w"]:
    assert clip.segmentation is not None
    return (clip.segmentation >= 0) | rods(clip)
