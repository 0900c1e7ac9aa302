"""What is trained: tokenizers, forecasters of trajectories, and any mix of objectives."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from worldline.core.config import Config, register
from worldline.core.errors import InputError
from worldline.core.latents import Latents
from worldline.data.shards import Shards
from worldline.data.text import TextEncoder, embed_captions
from worldline.dynamics import CellMotion, TrajectoryForecaster
from worldline.dynamics.optical import measure_flows
from worldline.tokenizer import Tokenizer
from worldline.train.draw import ClipBatch, augment, draw_clips
from worldline.train.drive import recorded_controls, require_controls, require_truth
from worldline.train.encoded import keep_latents, require_steps, settle_tokenizer
from worldline.train.loop import step_generator
from worldline.train.objectives import Follower, NextFrame, Objective, told_scale
from worldline.train.stirred import stirs_for
from worldline.world import World

__all__ = ["ObjectiveTask", "TokenizerTask", "TrajectoryTask"]


class TokenizerTask:
    """Autoencoding of short clips, moving objects weighted up.

    Args:
        length: frames per clip; 1 for image tokenizers, else one that makes whole latent steps.

    Raises:
        InputError: the shards' clips are shorter, or the length makes no whole steps.
    """

    @register("train/tokenizer")
    @dataclass(frozen=True)
    class Config(Config):
        """Weight.

        Attributes:
            object_weight: extra weight of moving objects' pixels.
        """

        object_weight: float = 3.0
        parts: ClassVar[tuple[str, ...]] = ("tokenizer",)

        def build(
            self, world: World, shards: Shards, *, seed: int, batch: int, length: int
        ) -> TokenizerTask:
            """Make the task."""
            return TokenizerTask(
                world.tokenizer,
                shards,
                seed=seed,
                batch=batch,
                object_weight=self.object_weight,
                length=length,
            )

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
        require_steps(model, length)
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

    def after_step(self, model: nn.Module) -> None:
        """Nothing follows the model."""

    def finish(self) -> None:
        """Measure the scale of the latents, once the weights are final."""
        assert isinstance(self.model, Tokenizer)
        self.model.eval()
        device = next(self.model.parameters()).device
        first = 10**8  # far from every step of training
        drawn = [self.batch(first + i, step_generator(self.seed, first + i))[0] for i in range(16)]
        self.model.measure_latents(torch.cat(drawn).to(device))


TrajectoryBatch = tuple[
    UInt8[Tensor, "b k s s 3"], CellMotion, Float[Tensor, "b r r"], Float[Tensor, "b f 2 s s"]
]


class TrajectoryTask:
    """Where everything that is seen in a frame goes after it, against the simulator's truth."""

    @register("train/trajectory", version=2, upgrades={1: {"flow": False}})
    @dataclass(frozen=True)
    class Config(Config):
        """What is learned from.

        Attributes:
            flow: optical flow is given; measuring it on enlarged frames takes time, which the
                first steps do better without.
        """

        flow: bool = True

        parts: ClassVar[tuple[str, ...]] = ("trajectory",)

        def build(
            self, world: World, shards: Shards, *, seed: int, batch: int, length: int
        ) -> TrajectoryTask:
            """Make the task. Raises `InputError` if the world forecasts no trajectories."""
            if world.trajectory is None:
                raise InputError(f"the world {world.name} forecasts no trajectories to be trained")
            return TrajectoryTask(world.trajectory, shards, seed=seed, batch=batch, flow=self.flow)

    def __init__(
        self,
        model: TrajectoryForecaster,
        shards: Shards,
        *,
        seed: int,
        batch: int,
        flow: bool = True,
    ) -> None:
        self.model: nn.Module = model
        self.num_flows = model.config.num_flows
        self.flow = flow
        self.shards, self.seed, self.size = shards, seed, batch
        self.context = model.config.context

    def batch(self, step: int, generator: torch.Generator) -> TrajectoryBatch:
        """Contexts, true motion after them, how much of each cell can move, and optical flow."""
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
        if self.flow:
            flows = torch.from_numpy(measure_flows(frames[:, -self.num_flows - 1 :].numpy()))
        else:
            flows = torch.zeros((len(frames), self.num_flows, 2, *frames.shape[2:4]))
        return frames, CellMotion(tracks[..., :2], tracks[..., 2]), tracks[:, 0, ..., 3], flows

    def loss(
        self,
        model: nn.Module,
        batch: TrajectoryBatch,
        generator: torch.Generator,
    ) -> Mapping[str, Tensor]:
        """The forecaster's own losses."""
        assert isinstance(model, TrajectoryForecaster)
        frames, truth, cover, flows = batch
        return model.loss(frames, truth, cover, generator, flows)

    def num_frames(self, batch: TrajectoryBatch) -> int:
        """Frames in the batch."""
        return batch[0].shape[0] * batch[0].shape[1]

    def after_step(self, model: nn.Module) -> None:
        """Nothing follows the model."""

    def finish(self) -> None:
        """Nothing is left to be done."""


class ObjectiveTask:
    """Any parts of a world, trained on any weighted mix of objectives.

    Parts that are not in training are frozen copies, in the number type of the trained ones. The
    tokenizer encodes each batch once, with gradients if it is in training. Dynamics that take text
    learn from the clips' captions.
    """

    @register(
        "train/objectives",
        version=3,
        upgrades={1: {"stirred_share": 0.0}, 2: {"settled": False}},
    )
    @dataclass(frozen=True)
    class Config(Config):
        """What is trained and what for.

        Attributes:
            parts: of the world, by name.
            objectives: configs of objectives.
            augmented: mirror and recolour clips at random; must be off where dynamics that take
                text are trained, because captions say colours and sides.
            latest_start: last frame of a clip that training may start at, so that what a caption
                tells is still to come; any if absent.
            cached: keep the latents of clips beside the shards instead of encoding each batch;
                needs a tokenizer that is not in training, and clips that are not augmented.
            stirred_share: share of the clips that are drawn by how much is set in motion in them,
                as the recorded state tells (`worldline.train.stirred`); 0 draws all alike.
            settled: an untrained tokenizer is scaled by the clips first (`WholeTokenizer.settle`).
        """

        parts: tuple[str, ...] = ("dynamics",)
        objectives: tuple[Config, ...] = (NextFrame.Config(),)
        augmented: bool = True
        latest_start: int | None = None
        cached: bool = False
        stirred_share: float = 0.0
        settled: bool = False

        def build(
            self, world: World, shards: Shards, *, seed: int, batch: int, length: int
        ) -> ObjectiveTask:
            """Make the task.

            Raises:
                ValueError: the world does not have a part, or the share is none.
                InputError: text is to be learned, but clips are to be augmented, or have no
                    caption, or the world takes vectors of another size than the sentence model's;
                    or latents cannot be kept, or nothing tells what is set in motion.
            """
            return ObjectiveTask(self, world, shards, seed=seed, batch=batch, length=length)

    def __init__(
        self,
        config: ObjectiveTask.Config,
        world: World,
        shards: Shards,
        *,
        seed: int,
        batch: int,
        length: int,
    ) -> None:
        unknown = sorted(set(config.parts) - set(world.parts))
        if unknown or not config.parts or not config.objectives:
            raise ValueError(
                f"parts to train are {config.parts}, objectives {len(config.objectives)}; give at "
                f"least one each, of the parts {', '.join(world.parts)}"
            )
        require_steps(world.tokenizer, length)
        self.config, self.shards = config, shards
        self.text = self._embed_captions(world) if "dynamics" in config.parts else None
        self.takes = recorded_controls(world, config.parts)
        require_controls(shards, self.takes)
        if "readout" in config.parts:
            require_truth(shards, world.readout.config)
        self.state_scale = world.state_scale
        self.rows = world.tokenizer.grid[0]
        self.told_scale = told_scale(config.objectives, shards)
        if config.settled:
            settle_tokenizer(world.tokenizer if "tokenizer" in config.parts else None, shards, seed)
        self.stirs = stirs_for(shards, config.stirred_share)
        self.seed, self.size, self.length = seed, batch, length
        made = [objective.build(world) for objective in config.objectives]  # type: ignore[attr-defined]
        self.names = [objective.type_name.split("/")[-1] for objective in config.objectives]
        self.model: nn.Module = nn.ModuleDict(
            {
                "parts": nn.ModuleDict({name: world.parts[name] for name in config.parts}),
                "objectives": nn.ModuleList(made),
            }
        )
        self.frozen = {
            name: copy.deepcopy(part).eval().requires_grad_(False)
            for name, part in world.parts.items()
            if name not in config.parts
        }
        self.encoded = None
        if config.cached:
            moving = config.augmented or "tokenizer" in config.parts
            self.encoded = keep_latents(
                world.tokenizer, shards, length, config.latest_start, moving=moving
            )

    def batch(self, step: int, generator: torch.Generator) -> ClipBatch:
        """Clips with all that is known of them."""
        return draw_clips(
            self.shards,
            seed=self.seed,
            step=step,
            batch=self.size,
            length=self.length,
            generator=generator,
            augmented=self.config.augmented,
            latest_start=self.config.latest_start,
            text=self.text,
            takes=self.takes,
            state_scale=self.state_scale,
            rows=self.rows,
            encoded=self.encoded,
            told_scale=self.told_scale,
            stirs=self.stirs,
            stirred_share=self.config.stirred_share,
        )

    def _embed_captions(self, world: World) -> Float[Tensor, "n e"] | None:
        """Of every clip, if the world takes text."""
        text_size, encoder = world.dynamics.config.controls.text_size, TextEncoder()
        if text_size == 0:
            return None
        if text_size != encoder.size:
            raise InputError(
                f"controls.text_size is {text_size}, but the sentence model {encoder.name} gives "
                f"{encoder.size} numbers"
            )
        if self.config.augmented:
            raise InputError(
                "the dynamics take text, and captions say colours and sides, so clips cannot be "
                "mirrored or recoloured: set augmented=False in the task's config"
            )
        return embed_captions(self.shards, encoder)

    def loss(
        self, model: nn.Module, batch: ClipBatch, generator: torch.Generator
    ) -> Mapping[str, Tensor]:
        """Weighted sum of the objectives' totals, and every scalar of each under its name."""
        assert isinstance(model, nn.ModuleDict)
        trained = model["parts"]
        assert isinstance(trained, nn.ModuleDict)
        device = batch.frames.device
        dtype = next(trained.parameters()).dtype
        frozen = {name: part.to(device, dtype) for name, part in self.frozen.items()}
        parts = {**frozen, **dict(trained.items())}
        tokenizer = parts["tokenizer"]
        assert isinstance(tokenizer, Tokenizer)
        if batch.latents is None:
            with torch.set_grad_enabled("tokenizer" in trained):
                latents: Latents = tokenizer.encode(batch.frames)
        else:
            latents = replace(batch.latents, tokens=batch.latents.tokens.to(dtype))
        driven = replace(batch, controls=batch.controls.per_step(tokenizer.time_stride))
        total = torch.zeros((), device=device)
        losses: dict[str, Tensor] = {}
        objectives: Any = model["objectives"]
        for name, objective in zip(self.names, objectives, strict=True):
            assert isinstance(objective, Objective)
            found = objective.loss(parts, driven, latents, generator)
            total = total + objective.weight * found["total"]
            losses |= {f"{name}/{key}": value for key, value in found.items()}
        return {"total": total, **losses}

    def num_frames(self, batch: ClipBatch) -> int:
        """Frames in the batch."""
        return batch.frames.shape[0] * batch.frames.shape[1]

    def after_step(self, model: nn.Module) -> None:
        """Let moving averages follow."""
        assert isinstance(model, nn.ModuleDict)
        parts, objectives = model["parts"], model["objectives"]
        assert isinstance(parts, nn.ModuleDict)
        assert isinstance(objectives, nn.ModuleList)
        for objective in objectives:
            if isinstance(objective, Follower):
                objective.follow(dict(parts.items()))

    def finish(self) -> None:
        """Nothing is left to be done."""
