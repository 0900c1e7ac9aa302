"""Draw training batches of clips from shards, augmented."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from worldline.core.errors import InputError
from worldline.core.latents import Controls, Latents
from worldline.data.shards import Shards
from worldline.dynamics import ControlEncoder
from worldline.readout.latent import CameraTargets, ObjectTargets
from worldline.train.drive import draw_controls, poses_of, require_controls
from worldline.train.encoded import EncodedClips
from worldline.train.stirred import draw_stirred

__all__ = ["ClipBatch", "augment", "draw_clips"]


@dataclass(frozen=True, eq=False)
class ClipBatch:
    """B clips of T frames with what is known of them.

    Attributes:
        frames: the pictures.
        moving: pixels of objects.
        objects: the simulator's truth.
        controls: what drives the clips, by frame; an objective gets them by latent step.
        latents: the encoded pictures, if they were encoded before.
        camera: how it moved, where any camera is known.
        told: of each column of the recorded state `[B, T]` values, in standard deviations from the
            mean where a scale was given, and which of them are known.
    """

    frames: UInt8[Tensor, "b t h w 3"]
    moving: Bool[Tensor, "b t h w"]
    objects: ObjectTargets
    controls: Controls
    latents: Latents | None = None
    camera: CameraTargets | None = None
    told: Mapping[str, tuple[Float[Tensor, "b t"], Bool[Tensor, "b t"]]] = field(
        default_factory=dict
    )


def augment(
    frames: UInt8[Tensor, "b t h w 3"], generator: torch.Generator
) -> tuple[UInt8[Tensor, "b t h w 3"], Tensor, Tensor]:
    """Mirror clips left to right and permute their colour channels, both at random per clip.

    Physics does not change under either. Returns frames, mirrored `[B]` and permutation `[B, 3]`.
    """
    batch = len(frames)
    mirrored = torch.rand(batch, generator=generator) < 0.5
    channels = torch.rand(batch, 3, generator=generator).argsort(dim=-1)
    out = torch.stack([clip[..., order] for clip, order in zip(frames, channels, strict=True)])
    return torch.where(mirrored[:, None, None, None, None], out.flip(-2), out), mirrored, channels


def draw_clips(
    shards: Shards,
    *,
    seed: int,
    step: int,
    batch: int,
    length: int,
    generator: torch.Generator,
    augmented: bool = True,
    latest_start: int | None = None,
    text: Float[Tensor, "n e"] | None = None,
    takes: ControlEncoder.Config | None = None,
    state_scale: tuple[np.ndarray, np.ndarray] | None = None,
    rows: int = 8,
    encoded: EncodedClips | None = None,
    told_scale: Mapping[str, tuple[float, float]] | None = None,
    stirs: Float[np.ndarray, "n t"] | None = None,
    stirred_share: float = 0.0,
) -> ClipBatch:
    """The batch of a step: clips in an endless reshuffled order, all from the same first frame.

    Args:
        shards: where clips come from.
        seed: of the order.
        step: number of the batch.
        batch, length: B and T.
        generator: of first frame and augmentation.
        augmented: mirror and recolour at random; not where actions or words say what is left,
            right or red.
        latest_start: last frame that a batch may start at; any that leaves room if absent.
        text: embedding of the caption of each of the shards' clips, for a world that takes text.
        takes: the controls that the world takes beside actions and text; none if absent. Poses and
            maps are mirrored along with the pictures.
        state_scale: mean and standard deviation of each column of the world's state.
        rows: latent cells per side, for rays and maps.
        encoded: where latents are taken from; only for clips that are not augmented.
        told_scale: mean and standard deviation of each column of the recorded state that is wanted
            beside the pictures.
        stirs: of every frame how much was set in motion when it came; see `measure_stirs`.
        stirred_share: share of the clips that are drawn by that, instead of in turn.

    Raises:
        InputError: the shards' clips are shorter than `length`, lack a control that the world
            takes, or clips with actions, captions or readings are to be mirrored and recoloured,
            which would turn their meaning around.
    """
    takes = takes or ControlEncoder.Config()
    if augmented and (text is not None or shards.has_actions.any() or takes.state_names):
        raise InputError(
            "captions say colours and sides, and actions and readings sides, so clips that are "
            "drawn with them cannot be mirrored or recoloured: set augmented=False in the task's "
            "config"
        )
    require_controls(shards, takes)
    most = shards.frames.shape[1] - length
    if latest_start is not None:
        most = min(most, latest_start)
    if most < 0 or length < 1:
        raise InputError(
            f"length {length} must lie between 1 and the {shards.frames.shape[1]} frames of the "
            "shards' clips"
        )
    chosen = shards.order(seed, step * batch, batch)
    start = int(torch.randint(most + 1, (), generator=generator))
    span = slice(start, start + length)
    if stirs is not None:
        chosen = draw_stirred(chosen, stirs, span, stirred_share, generator)
    frames = torch.from_numpy(np.stack([shards.frames[c, span] for c in chosen]))
    moving = torch.from_numpy(np.stack([shards.moving[c, span] for c in chosen]))
    center = torch.from_numpy(shards.center_px[chosen, span])
    color = torch.from_numpy(shards.color_rgb[chosen])
    mirrored = torch.zeros(batch, dtype=torch.bool)
    if augmented:
        frames, mirrored, channels = augment(frames, generator)
        moving = torch.where(mirrored[:, None, None, None], moving.flip(-1), moving)
        flipped = torch.stack([frames.shape[3] - center[..., 0], center[..., 1]], dim=-1)
        center = torch.where(mirrored[:, None, None, None], flipped, center)
        color = color.gather(-1, channels[:, None, :].expand(-1, color.shape[1], -1))
    objects = ObjectTargets(
        center_px=center,
        size_px=torch.from_numpy(shards.size_px[chosen, span]),
        depth_m=torch.from_numpy(shards.depth_m[chosen, span]),
        color_rgb=color,
        visible=torch.from_numpy(shards.visible[chosen, span]),
        touching=_part(shards.touching, chosen, span),
        has_touching=_part(shards.has_touching, chosen),
    )
    controls = draw_controls(
        shards, chosen, span, frames.numpy(), mirrored.numpy(), takes, state_scale, rows
    )
    if text is not None:
        controls = replace(controls, text=text[torch.from_numpy(chosen)])
    camera = None
    if shards.world_from_camera is not None and shards.focal_ratio is not None:
        poses = poses_of(shards, chosen, span, mirrored.numpy())
        camera = CameraTargets(
            torch.from_numpy(poses.astype(np.float32)),
            torch.from_numpy(shards.focal_ratio[chosen]),
        )
    latents = None if encoded is None else encoded.draw(chosen.tolist(), span)
    told = {}
    for name, (mean, std) in (told_scale or {}).items():
        assert shards.state is not None
        assert shards.has_state is not None
        column = shards.state_names.index(name)
        known = shards.has_state[chosen, span, column]
        scaled = np.where(known, (shards.state[chosen, span, column] - mean) / std, 0)
        told[name] = torch.from_numpy(scaled.astype(np.float32)), torch.from_numpy(known)
    return ClipBatch(frames, moving, objects, controls, latents, camera, told)


def _part(array: np.ndarray | None, *index: Any) -> Tensor | None:
    """Of an array, as a tensor; of none, none."""
    return None if array is None else torch.from_numpy(np.ascontiguousarray(array[index]))
