"""Bodies that motion does not show and a world's latents do: what rests, and what was missed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float

from worldline.core.scene import Scene
from worldline.physics import detect_events, with_contacts

__all__ = ["MIN_TRUST", "complete"]

MIN_TRUST = 0.8
"""Below, nothing is added: the footage is unlike what the world has learned."""

_SEEN = 0.7  # share of the frames that a body spans in which it is seen,
_LASTS = 0.3  # and share of the video that it spans
_SAME = 0.3  # mean overlap from which a body is the one that moves
_CROSSED = 0.2  # share of its frames in which it may lie upon what moves
_RESTING = 0.35  # of its size, within which its middle stays
_STEP_SLACK = 0.6  # of a frame's spacing, within which a moment is the same


def complete(scene: Scene, told: Scene, *, trust: float) -> Scene:
    """The scene of motion with what a world alone saw added behind it; its own rows stay as they
    are.

    A body is added that is seen for most of the time that it spans, a good part of the video,
    is none of the moving objects and hardly ever lies upon one. One that stays in its place gets
    one box for all of the time. It brings no depth or other state. Contacts and events are
    found anew if anything was added.

    Args:
        scene: objects by motion.
        told: what a world saw, in the same pixels; moments between its frames count as the nearest.
        trust: in the world on this footage, from 0 to 1; below `MIN_TRUST` nothing is added.

    Raises:
        ValueError: the scenes are of images of different size.
    """
    if (scene.width_px, scene.height_px) != (told.width_px, told.height_px):
        raise ValueError(
            f"a scene of {scene.width_px}x{scene.height_px} pixels cannot be completed by one of "
            f"{told.width_px}x{told.height_px}"
        )
    if not trust >= MIN_TRUST or told.num_objects == 0 or told.num_frames == 0:
        return scene
    told = _at(told, scene)
    rows = [k for k in range(told.num_objects) if _is_lasting(told.visible[k])]
    rows = [k for k in rows if not _is_known(scene, told, k)]
    return _append(scene, told, rows) if rows else scene


def _at(told: Scene, scene: Scene) -> Scene:
    """What was told, at the moments of the scene; nothing where it has no frame close by."""
    apart = np.abs(scene.time_s[:, None] - told.time_s[None])
    pick = apart.argmin(axis=1)
    steps = [float(np.median(np.diff(s.time_s))) for s in (scene, told) if s.num_frames > 1]
    near = apart.min(axis=1) <= _STEP_SLACK * max(steps, default=1.0)
    there = {name: getattr(told, name)[:, pick] & near for name in ("present", "visible")}
    lengths = ("center_px", "size_px", "center_px_std")
    return Scene(
        time_s=scene.time_s,
        width_px=told.width_px,
        height_px=told.height_px,
        ids=told.ids,
        labels=told.labels,
        color_rgb=told.color_rgb,
        **there,
        **{name: getattr(told, name)[:, pick] for name in lengths},
    )


def _is_lasting(visible: Bool[np.ndarray, " t"]) -> bool:
    seen = np.flatnonzero(visible)
    if len(seen) < 2:
        return False
    span = seen[-1] - seen[0] + 1
    return bool(len(seen) >= _SEEN * span and span >= _LASTS * len(visible))


def _is_known(scene: Scene, told: Scene, k: int) -> bool:
    """Whether a body is one of the moving objects, or lies upon them for too long."""
    both = told.visible[k] & scene.visible
    if not both.any():
        return False
    apart = np.abs(np.nan_to_num(told.center_px[k] - scene.center_px, nan=np.inf))
    half, own_half = np.nan_to_num(scene.size_px) / 2, np.nan_to_num(told.size_px[k]) / 2
    upon = both & ((apart < half).all(axis=-1) | (apart < own_half).all(axis=-1))
    if upon.any(axis=0).sum() > _CROSSED * told.visible[k].sum():
        return True
    inside = np.prod(np.clip(half + own_half - apart, 0, 2 * np.minimum(half, own_half)), axis=-1)
    areas = 4 * (np.prod(half, axis=-1) + np.prod(own_half, axis=-1))
    overlap = np.where(both, inside / np.maximum(areas - inside, 1e-9), 0.0)
    num = both.sum(axis=1)
    return bool(np.any((num >= 3) & (overlap.sum(axis=1) >= _SAME * num)))


def _append(scene: Scene, told: Scene, rows: list[int]) -> Scene:
    n, m = scene.num_objects, len(rows)
    visible = told.visible[rows]
    center, size, std = (
        np.where(visible[..., None], array[rows], np.nan)
        for array in (told.center_px, told.size_px, told.center_px_std)
    )
    for i in range(m):
        if _is_resting(center[i, visible[i]], size[i, visible[i]]):
            center[i, visible[i]] = np.median(center[i, visible[i]], axis=0)
            size[i, visible[i]] = np.median(size[i, visible[i]], axis=0)
    after = int(scene.ids.max()) + 1 if n else 1
    grown = {
        "ids": np.concatenate([scene.ids, after + np.arange(m)]),
        "labels": (*scene.labels, *(["object"] * m)),
        "present": np.concatenate([scene.present, visible]),
        "visible": np.concatenate([scene.visible, visible]),
        "center_px": np.concatenate([scene.center_px, center]),
        "size_px": np.concatenate([scene.size_px, size]),
        "center_px_std": np.concatenate([scene.center_px_std, std]),
    }
    if scene.color_rgb is not None:
        new = np.full((m, 3), np.nan) if told.color_rgb is None else told.color_rgb[rows]
        grown["color_rgb"] = np.concatenate([scene.color_rgb, new])
    for name in ("depth_m", "depth_m_std", "nearness", "nearness_std"):
        array = getattr(scene, name)
        if array is not None:
            grown[name] = np.concatenate([array, np.full((m, scene.num_frames), np.nan)])
    grown = with_contacts(replace(scene, **grown, contacts=(), events=()))
    return grown.with_events(detect_events(grown))


def _is_resting(center: Float[np.ndarray, "k 2"], size: Float[np.ndarray, "k 2"]) -> bool:
    way = np.linalg.norm(np.percentile(center, 90, axis=0) - np.percentile(center, 10, axis=0))
    return bool(way < _RESTING * np.sqrt(np.prod(np.median(size, axis=0))))
