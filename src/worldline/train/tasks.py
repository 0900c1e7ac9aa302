"""The four things that a world consists of, as tasks for the training loop."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from worldline.core.errors import InputError
from worldline.core.latents import Controls, Latents
from worldline.data.shards import Shards
from worldline.dynamics import CellMotion, Dynamics, TrajectoryForecaster
from worldline.readout.latent import LatentReadout, ObjectTargets
from worldline.tokenizer import Tokenizer

__all__ = ["DynamicsTask", "ReadoutTask", "TokenizerTask", "TrajectoryTask", "augment"]


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


class TokenizerTask:
    """Autoencoding of short clips, moving objects weighted up.

    Args:
        length: frames per clip; 1 for image tokenizers, else one that makes whole latent steps.

    Raises:
        InputError: the shards' clips are shorter.
    """

    def __init__(
        self,
        model: Tokenizer,
        shards: Shards,
        *,
        seed: int,
        batch: int,
        object_weight: float,
        length: int = 1,
    ) -> None:
        if not 1 <= length <= shards.frames.shape[1]:
            raise InputError(
                f"length {length} must lie between 1 and the {shards.frames.shape[1]} frames of "
                "the shards' clips"
            )
        self.model: nn.Module = model
        self.shards, self.seed, self.size, self.length = shards, seed, batch, length
        self.object_weight = object_weight

    def batch(self, step: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Consecutive frames `[B, L, H, W, 3]` of as many clips, pixel weights `[B, L, H, W]`."""
        clips = self.shards.order(self.seed, step * self.size, self.size)
        most = self.shards.frames.shape[1] - self.length
        starts = torch.randint(most + 1, (len(clips),), generator=generator).numpy()
        spans = [(c, slice(t, t + self.length)) for c, t in zip(clips, starts, strict=True)]
        frames = torch.from_numpy(np.stack([self.shards.frames[c, span] for c, span in spans]))
        moving = torch.from_numpy(np.stack([self.shards.moving[c, span] for c, span in spans]))
        frames, mirrored, _ = augment(frames, generator)
        moving = torch.where(mirrored[:, None, None, None], moving.flip(-1), moving)
        return frames, 1.0 + self.object_weight * moving.float()

    def loss(
        self, model: nn.Module, batch: tuple[Tensor, Tensor], generator: torch.Generator
    ) -> Mapping[str, Tensor]:
        """The tokenizer's own losses."""
        assert isinstance(model, Tokenizer)
        return model.loss(*batch, generator)

    def num_frames(self, batch: tuple[Tensor, Tensor]) -> int:
        """Frames in the batch."""
        return batch[0].shape[0] * batch[0].shape[1]


class _LatentTask:
    """Clips that are encoded by a frozen tokenizer on the way in."""

    def __init__(
        self, tokenizer: Tokenizer, shards: Shards, *, seed: int, batch: int, length: int
    ) -> None:
        self.tokenizer = copy.deepcopy(tokenizer).eval().to(torch.bfloat16)
        self.shards, self.seed, self.size, self.length = shards, seed, batch, length

    def clips(self, step: int, generator: torch.Generator) -> tuple[Tensor, Any, int, Tensor]:
        """Augmented frames `[B, L, H, W, 3]`, clip numbers, first frame, mirrored `[B]`."""
        chosen = self.shards.order(self.seed, step * self.size, self.size)
        most = self.shards.frames.shape[1] - self.length
        start = int(torch.randint(most + 1, (), generator=generator))
        stop = start + self.length
        raw = np.stack([self.shards.frames[c, start:stop] for c in chosen])
        frames, mirrored, channels = augment(torch.from_numpy(raw), generator)
        self.channels = channels
        return frames, chosen, start, mirrored

    @torch.no_grad()
    def encode(self, frames: Tensor) -> Latents:
        """Latents of augmented frames, where the tokenizer is."""
        return self.tokenizer.encode(frames.to(next(self.tokenizer.parameters()).device))


class DynamicsTask(_LatentTask):
    """Next-frame prediction in latent space."""

    def __init__(
        self,
        model: Dynamics[Any],
        tokenizer: Tokenizer,
        shards: Shards,
        *,
        seed: int,
        batch: int,
        length: int,
    ) -> None:
        super().__init__(tokenizer, shards, seed=seed, batch=batch, length=length)
        self.model: nn.Module = model

    def batch(self, step: int, generator: torch.Generator) -> Latents:
        """Latents `[B, L, N, C]`."""
        frames, *_ = self.clips(step, generator)
        return self.encode(frames)

    def loss(
        self, model: nn.Module, batch: Latents, generator: torch.Generator
    ) -> Mapping[str, Tensor]:
        """The dynamics' own losses."""
        assert isinstance(model, Dynamics)
        return model.loss(batch, Controls(), generator)

    def num_frames(self, batch: Latents) -> int:
        """Frames in the batch."""
        return batch.tokens.shape[0] * batch.tokens.shape[1]


class TrajectoryTask:
    """Where everything that is seen in a frame goes after it, against the simulator's truth."""

    def __init__(
        self, model: TrajectoryForecaster, shards: Shards, *, seed: int, batch: int
    ) -> None:
        self.model: nn.Module = model
        self.shards, self.seed, self.size = shards, seed, batch
        self.context = model.config.context

    def batch(
        self, step: int, generator: torch.Generator
    ) -> tuple[UInt8[Tensor, "b k s s 3"], CellMotion, Float[Tensor, "b r r"]]:
        """Contexts, true motion after them, and how much of each cell can move."""
        shards = self.shards
        if shards.tracks is None:
            raise InputError("these shards hold no apparent motion; write them again with tracking")
        clips = shards.order(self.seed, step * self.size, self.size)
        starts = torch.randint(shards.tracks.shape[1], (len(clips),), generator=generator)
        pairs = list(zip(clips, starts.tolist(), strict=True))
        ends = [shards.first_start + start + 1 for _, start in pairs]
        raw = np.stack(
            [shards.frames[c, e - self.context : e] for (c, _), e in zip(pairs, ends, strict=True)]
        )
        frames, mirrored, _ = augment(torch.from_numpy(raw), generator)
        tracks = torch.from_numpy(
            np.stack([shards.tracks[c, start] for c, start in pairs]).astype(np.float32)
        )
        flipped = tracks.flip(-2) * torch.tensor([-1.0, 1.0, 1.0, 1.0])
        tracks = torch.where(mirrored[:, None, None, None, None], flipped, tracks)
        return frames, CellMotion(tracks[..., :2], tracks[..., 2]), tracks[:, 0, ..., 3]

    def loss(
        self,
        model: nn.Module,
        batch: tuple[Tensor, CellMotion, Tensor],
        generator: torch.Generator,
    ) -> Mapping[str, Tensor]:
        """The forecaster's own losses."""
        assert isinstance(model, TrajectoryForecaster)
        return model.loss(*batch, generator)

    def num_frames(self, batch: tuple[Tensor, CellMotion, Tensor]) -> int:
        """Frames in the batch."""
        return batch[0].shape[0] * batch[0].shape[1]


class ReadoutTask(_LatentTask):
    """Objects from latents, against the simulator's truth."""

    def __init__(
        self,
        model: LatentReadout,
        tokenizer: Tokenizer,
        shards: Shards,
        *,
        seed: int,
        batch: int,
        length: int,
        noise: float,
    ) -> None:
        super().__init__(tokenizer, shards, seed=seed, batch=batch, length=length)
        self.model: nn.Module = model
        self.noise = noise

    def batch(self, step: int, generator: torch.Generator) -> tuple[Latents, ObjectTargets]:
        """Latents with some noise (predicted latents are not perfect either) and truth."""
        frames, chosen, start, mirrored = self.clips(step, generator)
        latents = self.encode(frames)
        noise = torch.randn(latents.tokens.shape, generator=generator)
        scale = self.noise * torch.rand(len(frames), 1, 1, 1, generator=generator)
        tokens = latents.tokens + (scale * noise).to(latents.tokens)
        span = slice(start, start + self.length)
        shards = self.shards
        center: Float[Tensor, "b t m 2"] = torch.from_numpy(shards.center_px[chosen, span])
        width = shards.frames.shape[3]
        flipped = torch.stack([width - center[..., 0], center[..., 1]], dim=-1)
        color = torch.from_numpy(shards.color_rgb[chosen])
        index = self.channels[:, None, :].expand(-1, color.shape[1], -1)
        targets = ObjectTargets(
            center_px=torch.where(mirrored[:, None, None, None], flipped, center),
            size_px=torch.from_numpy(shards.size_px[chosen, span]),
            depth_m=torch.from_numpy(shards.depth_m[chosen, span]),
            color_rgb=color.gather(-1, index),
            visible=torch.from_numpy(shards.visible[chosen, span]),
        )
        return Latents(tokens, latents.grid), targets

    def loss(
        self,
        model: nn.Module,
        batch: tuple[Latents, ObjectTargets],
        generator: torch.Generator,
    ) -> Mapping[str, Tensor]:
        """The readout's own losses."""
        assert isinstance(model, LatentReadout)
        return model.loss(*batch)

    def num_frames(self, batch: tuple[Latents, ObjectTargets]) -> int:
        """Frames in the batch."""
        return batch[0].tokens.shape[0] * batch[0].tokens.shape[1]
