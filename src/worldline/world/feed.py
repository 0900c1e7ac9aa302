"""What a clip brings beside its pictures, as the controls that a world takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor

from worldline.core.camera import Camera, plucker_rays
from worldline.core.clip import Clip
from worldline.core.errors import InputError
from worldline.core.latents import Controls
from worldline.data.maps import crop_map, draw_maps
from worldline.data.transform import center_square
from worldline.dynamics import ControlEncoder

if TYPE_CHECKING:
    from worldline.world.world import World

__all__ = [
    "describe_controls",
    "feed_controls",
    "feed_world",
    "of_training",
    "read_scale",
    "refuse_unknown",
    "write_scale",
]

_SLACK = 0.6
"""A moment is covered by a frame that is at most so many frame spacings away."""

StateScale = tuple[Float[np.ndarray, " s"], Float[np.ndarray, " s"]]
"""Mean and standard deviation of each column of the state."""


def read_scale(takes: ControlEncoder.Config, calibration: Mapping[str, Any]) -> StateScale:
    """Mean and standard deviation of a world's readings; 0 and 1 where none were measured."""
    num = len(takes.state_names)
    record = calibration.get("state", {"mean": [0.0] * num, "std": [1.0] * num})
    return np.array(record["mean"], np.float64), np.array(record["std"], np.float64)


def write_scale(mean: np.ndarray, std: np.ndarray) -> dict[str, Any]:
    """The entry of a calibration that holds them."""
    return {"state": {"mean": mean.tolist(), "std": std.tolist()}}


def of_training(calibration: Mapping[str, Any]) -> dict[str, Any]:
    """What of a calibration was measured on training data and belongs to the weights."""
    return {name: calibration[name] for name in ("state",) if name in calibration}


def describe_controls(takes: ControlEncoder.Config) -> dict[str, Any]:
    """Which controls a world takes, for people and JSON; empty where it takes none."""
    found: dict[str, Any] = {}
    if takes.action_size:
        found["actions"] = {"size": takes.action_size, "embodiments": takes.num_embodiments}
    if takes.rays:
        found["camera"] = {"as": "Plücker rays"}
    if takes.map_size:
        found["maps"] = {"names": list(takes.map_names), "size": takes.map_size}
    if takes.state_size:
        found["state"] = {"names": list(takes.state_names), "size": takes.state_size}
    if takes.text_size:
        found["text"] = {"size": takes.text_size}
    return found


def feed_world(world: World, clip: Clip, time_s: Float[np.ndarray, " t"]) -> Controls:
    """What `World.feed` does; see there."""
    refuse_unknown(world.controls, clip, world.name)
    return feed_controls(
        world.controls,
        clip,
        time_s,
        size_px=world.size_px,
        rows=world.tokenizer.grid[0],
        state_scale=world.state_scale,
    )


def refuse_unknown(takes: ControlEncoder.Config, clip: Clip, world: str) -> None:
    """Raise `InputError` for a control of another width than the world takes."""
    if takes.action_size and clip.actions is not None:
        width = clip.actions.shape[1]
        if width != takes.action_size:
            raise InputError(
                f"{_name(clip)}: its actions have {width} numbers, the world {world} takes "
                f"{takes.action_size}"
            )
        bad = ~np.isfinite(clip.actions).all(axis=1)
        if bad.any():
            raise InputError(f"{_name(clip)}: action {bad.argmax()} is not finite")


def feed_controls(
    takes: ControlEncoder.Config,
    clip: Clip,
    time_s: Float[np.ndarray, " t"],
    *,
    size_px: int,
    rows: int,
    state_scale: StateScale,
) -> Controls:
    """Controls `[1, T]` at given moments, of what the clip knows of them.

    What the clip lacks, and moments that none of its frames covers, are absent. Rays are relative
    to the first moment's camera.

    Args:
        takes: what the world takes.
        clip: brings actions, camera, depth, segmentation or state; its pictures are used for maps
            of edges alone.
        time_s: of the frames to drive, evenly spaced, on the clip's clock.
        size_px, rows: pixels and latent cells per side of the world.
        state_scale: of the world's readings.
    """
    pick, covered = _nearest(clip.time_s, time_s)
    parts: dict[str, Tensor] = {}
    known: dict[str, Tensor] = {}

    def put(name: str, value: np.ndarray, there: np.ndarray) -> None:
        if there.any():
            parts[name] = torch.from_numpy(np.ascontiguousarray(value, dtype=np.float32))[None]
            known[name] = torch.from_numpy(np.ascontiguousarray(there))[None]

    if takes.action_size and clip.actions is not None:
        put("actions", *_actions_to(clip.actions, clip.time_s, time_s))
    camera = None if clip.camera is None else _square(clip.camera)
    if takes.rays and camera is not None and covered[0]:
        # without the first moment there is nothing that poses could be relative to
        rays = plucker_rays(
            camera.poses(clip.num_frames)[pick], camera.focal_px / camera.width_px, rows
        )
        put("rays", rays, covered[:, None])
    if takes.map_names:
        maps, there = _maps(takes.map_names, clip, pick, size_px, rows)
        put("maps", maps, there & covered[:, None])
    if takes.state_names and clip.state is not None:
        state = clip.state.columns(takes.state_names).at(pick)
        mean, std = state_scale
        there = state.known & covered[:, None]
        put("state", np.where(there, (state.values - mean) / std, 0.0), there)
    controls: Any = {**parts, "known": known or None}
    return Controls(**controls)


def _square(camera: Camera) -> Camera:
    side = min(camera.width_px, camera.height_px)
    x, y = (camera.width_px - side) // 2, (camera.height_px - side) // 2
    return camera.cropped((x, y, side, side), side)


def _maps(
    names: tuple[str, ...], clip: Clip, pick: Int[np.ndarray, " t"], size_px: int, rows: int
) -> tuple[np.ndarray, np.ndarray]:
    frames: UInt8[np.ndarray, "t h w 3"]
    frames, crop_px = center_square(clip.frames[pick], size_px)

    def cut(values: np.ndarray | None) -> np.ndarray | None:
        return None if values is None else crop_map(values[pick], crop_px, size_px)[None]

    maps, known = draw_maps(
        names,
        frames=frames[None],
        depth_m=cut(clip.depth_m),
        segmentation=cut(clip.segmentation),
        rows=rows,
    )
    return maps[0], known[0]


def _nearest(
    have_s: Float[np.ndarray, " n"], want_s: Float[np.ndarray, " t"]
) -> tuple[Int[np.ndarray, " t"], Bool[np.ndarray, " t"]]:
    """The nearest frame to each moment, and whether it is near enough."""
    right = np.clip(np.searchsorted(have_s, want_s), 0, len(have_s) - 1)
    left = np.maximum(right - 1, 0)
    nearer = np.abs(want_s - have_s[left]) <= np.abs(have_s[right] - want_s)
    pick = np.where(nearer, left, right)
    step_s = float(np.median(np.diff(have_s))) if len(have_s) > 1 else np.inf
    return pick, np.abs(have_s[pick] - want_s) <= _SLACK * step_s


def _actions_to(
    actions: Float[np.ndarray, "n a"], have_s: np.ndarray, want_s: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The action that leads to each moment: the mean of those taken since the moment before.

    Action n acts from frame n to the next; the last one holds for as long as the step before it.
    """
    step_s = float(np.median(np.diff(want_s))) if len(want_s) > 1 else 0.0
    if len(have_s) > 1:
        usual_s = float(np.median(np.diff(have_s)))
        step_s = step_s or usual_s
        edges = np.append(have_s, have_s[-1] + usual_s)
    else:
        edges = np.append(have_s, have_s[-1] + step_s)
    values = np.zeros((len(want_s), actions.shape[1]))
    known = np.zeros((len(want_s), 1), dtype=bool)
    for i, end_s in enumerate(want_s):
        start_s = end_s - step_s
        overlap = np.minimum(edges[1:], end_s) - np.maximum(edges[:-1], start_s)
        overlap = np.maximum(overlap, 0.0)
        if overlap.sum() >= (1 - 0.5 * _SLACK) * step_s > 0:
            values[i] = overlap @ actions / overlap.sum()
            known[i] = True
    return values, known


def _name(clip: Clip) -> str:
    return clip.provenance.source or "clip"
