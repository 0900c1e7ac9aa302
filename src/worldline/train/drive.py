"""Controls of training clips, out of shards."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor

from worldline.core.camera import mirror_poses, plucker_rays
from worldline.core.errors import InputError
from worldline.core.latents import Controls, lead_to
from worldline.data.maps import draw_maps
from worldline.data.shards import Shards
from worldline.dynamics import ControlEncoder
from worldline.readout.latent import LatentReadout
from worldline.world import World

__all__ = [
    "draw_controls",
    "measure_state",
    "poses_of",
    "recorded_controls",
    "require_controls",
    "require_truth",
]


def recorded_controls(world: World, parts: Collection[str]) -> ControlEncoder.Config:
    """What of a world's controls has to be recorded where these parts of it are trained: none if
    the dynamics are not among them, and no actions that it reads off the frames."""
    takes = world.controls if "dynamics" in parts else ControlEncoder.Config()
    return takes if world.inverse is None else replace(takes, action_size=0)


def require_controls(shards: Shards, takes: ControlEncoder.Config) -> None:
    """Raise `InputError` where no clip of the shards has a control that a world is to learn."""
    lacks: str | None = None
    if takes.rays and (shards.world_from_camera is None or shards.focal_ratio is None):
        lacks = "camera rays, but no clip has a camera"
    elif "depth" in takes.map_names and shards.depth_map_m is None:
        lacks = "depth maps, but none are kept"
    elif "segmentation" in takes.map_names and shards.segmentation is None:
        lacks = "segmentation maps, but none are kept"
    elif unknown := [name for name in takes.state_names if name not in shards.state_names]:
        have = ", ".join(shards.state_names) or "none"
        lacks = f"readings of {', '.join(unknown)}, but the clips have {have}"
    elif takes.action_size and shards.has_actions.any():
        width = shards.actions.shape[-1]
        if width != takes.action_size:
            lacks = f"actions of {takes.action_size} numbers, but the clips have {width}"
    if lacks is not None:
        where = f"{shards.folder}: " if shards.folder else ""
        raise InputError(f"{where}the world takes {lacks}")


def require_truth(shards: Shards, readout: LatentReadout.Config) -> None:
    """Raise `InputError` where a head of the readout would have nothing to learn from."""
    lacks: str | None = None
    if readout.contacts and (shards.has_touching is None or not shards.has_touching.any()):
        lacks = "contacts, but of no clip is it known what touches"
    elif readout.camera and shards.focal_ratio is None:
        lacks = "the camera's motion, but no clip has a camera"
    if lacks is not None:
        where = f"{shards.folder}: " if shards.folder else ""
        raise InputError(f"{where}the readout is to say {lacks}")


def measure_state(
    shards: Shards, names: tuple[str, ...]
) -> tuple[Float[np.ndarray, " s"], Float[np.ndarray, " s"]]:
    """Mean and standard deviation of each column, over all readings that are known."""
    if not names or shards.state is None or shards.has_state is None:
        return np.zeros(len(names)), np.ones(len(names))
    columns = [shards.state_names.index(name) for name in names]
    values, known = shards.state[..., columns].astype(np.float64), shards.has_state[..., columns]
    count = np.maximum(known.sum(axis=(0, 1)), 1)
    mean = (values * known).sum(axis=(0, 1)) / count
    variance = (np.square(values - mean) * known).sum(axis=(0, 1)) / count
    # A column that never varies keeps its unit.
    return mean, np.where(variance > 1e-12, np.sqrt(variance), 1.0)


def poses_of(
    shards: Shards,
    chosen: Int[np.ndarray, " b"],
    span: slice,
    mirrored: Bool[np.ndarray, " b"],
) -> Float[np.ndarray, "b t 4 4"]:
    """Camera poses, mirrored where the pictures are; NaN where a clip has no camera."""
    assert shards.world_from_camera is not None
    poses = shards.world_from_camera[chosen, span]
    return np.where(mirrored[:, None, None, None], mirror_poses(poses), poses)


def draw_controls(
    shards: Shards,
    chosen: Int[np.ndarray, " b"],
    span: slice,
    frames: UInt8[np.ndarray, "b t h w 3"],
    mirrored: Bool[np.ndarray, " b"],
    takes: ControlEncoder.Config,
    state_scale: tuple[np.ndarray, np.ndarray] | None,
    rows: int,
) -> Controls:
    """What drives clips, and what of it is known.

    Args:
        shards: where the clips come from.
        chosen, span: which clips, and which of their frames.
        frames: their pictures, mirrored and recoloured.
        mirrored: which of them are mirrored.
        takes: what the world takes.
        state_scale: mean and standard deviation of its readings; measured if absent.
        rows: latent cells per side.
    """
    parts: dict[str, Tensor] = {}
    known: dict[str, Tensor] = {}
    batch, num_frames = frames.shape[:2]
    if shards.has_actions[chosen].any():
        # shards keep the action after each frame; nothing has led to a clip's first one
        parts["actions"] = _tensor(lead_to(shards.actions[chosen])[:, span])
        led = np.arange(shards.frames.shape[1])[span] > 0
        known["actions"] = _tensor((shards.has_actions[chosen][:, None] & led)[..., None])
    if takes.rays and shards.focal_ratio is not None:
        there = np.isfinite(shards.focal_ratio[chosen])
        poses = poses_of(shards, chosen, span, mirrored)
        poses = np.where(there[:, None, None, None], poses, np.eye(4))
        ratio = np.where(there, shards.focal_ratio[chosen], 1.0)
        parts["rays"] = _tensor(plucker_rays(poses, ratio, rows))
        known["rays"] = _tensor(np.broadcast_to(there[:, None, None], (batch, num_frames, 1)))
    if takes.map_names:
        maps, given = draw_maps(
            takes.map_names,
            frames=frames,
            depth_m=_flipped(shards.depth_map_m, chosen, span, mirrored),
            segmentation=_flipped(shards.segmentation, chosen, span, mirrored),
            rows=rows,
        )
        parts["maps"], known["maps"] = _tensor(maps), _tensor(given)
    if takes.state_names and shards.state is not None and shards.has_state is not None:
        columns = [shards.state_names.index(name) for name in takes.state_names]
        mean, std = state_scale or measure_state(shards, takes.state_names)
        there = shards.has_state[chosen, span][..., columns]
        scaled = (shards.state[chosen, span][..., columns] - mean) / std
        parts["state"] = _tensor(np.where(there, scaled, 0).astype(np.float32))
        known["state"] = _tensor(there)
    controls: Any = {**parts, "known": known or None}
    return Controls(**controls)


def _flipped(
    maps: np.ndarray | None, chosen: np.ndarray, span: slice, mirrored: np.ndarray
) -> np.ndarray | None:
    if maps is None:
        return None
    part = np.stack([maps[clip, span] for clip in chosen])
    return np.where(mirrored[:, None, None, None], part[..., ::-1], part)


def _tensor(array: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array))
