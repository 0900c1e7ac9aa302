"""Training the forecaster of bodies: paths as measured in pixels, against the simulator's truth."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from worldline.core.config import Config, register
from worldline.core.errors import InputError
from worldline.data.shards import Shards
from worldline.dynamics.body_motion import BodyForecaster, BodyStates, states_of
from worldline.world import World
from worldline.world.bodies import find_bodies

__all__ = ["BodyTask", "BodyWindows", "measure_windows"]

_SHORTEST = 3
"""Frames of the shortest past; every clip gives one window with it and one with any past."""

_LATEST = 0.5
"""Share of a clip in which windows begin."""

_NEAR = 0.5
"""A measured body is the true one whose middle is within so much of its radius."""


@dataclass(frozen=True, eq=False)
class BodyWindows:
    """Contexts of clips with what followed.

    Attributes:
        states: of W contexts as one batch.
        truth: `[W, M, H, 2]` where the bodies went, on from where they were measured.
        known: `[W, M, H]` where that is known.
    """

    states: BodyStates
    truth: Float[Tensor, "w m h 2"]
    known: Bool[Tensor, "w m h"]

    def save(self, path: Path) -> None:
        """Keep them in a file."""
        arrays = {f.name: getattr(self.states, f.name).numpy() for f in fields(self.states)}
        partial = path.with_suffix(".partial.npz")
        np.savez(partial, **arrays, truth=self.truth.numpy(), known=self.known.numpy())
        partial.replace(path)

    @classmethod
    def load(cls, path: Path) -> BodyWindows:
        """Inverse of `save`."""
        with np.load(path) as file:
            arrays = {name: torch.from_numpy(file[name]) for name in file.files}
        truth, known = arrays.pop("truth"), arrays.pop("known")
        return cls(BodyStates(**arrays), truth, known)


def measure_windows(world: World, shards: Shards, seed: int) -> BodyWindows:
    """Two windows of each clip, anywhere in its first half: one of three frames, one of any number
    up to `context`."""
    assert world.bodies is not None
    config = world.bodies.config
    num_frames = shards.frames.shape[1]
    horizon = num_frames - _SHORTEST
    rng = np.random.default_rng(seed)
    states, truth, known = [], [], []
    for clip in range(shards.num_clips):
        for length in (_SHORTEST, int(rng.integers(_SHORTEST, config.context + 1))):
            stop = length + int(rng.integers(int(_LATEST * num_frames)))
            frames = np.array(shards.frames[clip, stop - length : stop])
            bodies = find_bodies(world, frames)
            states.append(states_of(bodies, config.slots))
            paths = np.zeros((config.slots, horizon, 2), dtype=np.float32)
            told = np.zeros((config.slots, horizon), dtype=bool)
            for k in range(min(len(bodies), config.slots)):
                _follow(shards, clip, stop, bodies.center_px[k, -1], paths[k], told[k])
            truth.append(torch.from_numpy(paths))
            known.append(torch.from_numpy(told))
    return BodyWindows(BodyStates.stack(states), torch.stack(truth), torch.stack(known))


def _follow(
    shards: Shards, clip: int, stop: int, center: np.ndarray, path: np.ndarray, told: np.ndarray
) -> None:
    """Write where the true body at `center` in frame `stop - 1` goes."""
    visible = shards.visible[clip, stop - 1]
    away = np.linalg.norm(shards.center_px[clip, stop - 1] - center, axis=-1)
    reach = np.maximum(2.0, _NEAR * shards.size_px[clip, stop - 1].max(-1) / 2)
    away = np.where(visible & (away <= reach), away, np.inf)
    if not np.isfinite(away).any():
        return
    who = int(np.argmin(away))
    ahead = shards.center_px[clip, stop:, who] - shards.center_px[clip, stop - 1, who]
    seen = shards.visible[clip, stop:, who] & np.isfinite(ahead).all(-1)
    path[: len(ahead)] = np.where(seen[:, None], center + ahead, 0.0)
    told[: len(ahead)] = seen


class BodyTask:
    """Where measured bodies go, and how well that is known."""

    @register("train/bodies")
    @dataclass(frozen=True)
    class Config(Config):
        """Nothing to choose."""

        parts: ClassVar[tuple[str, ...]] = ("bodies",)

        def build(
            self, world: World, shards: Shards, *, seed: int, batch: int, length: int
        ) -> BodyTask:
            """Make the task, which measures all clips once. Raises `InputError` if the world
            forecasts no bodies."""
            if world.bodies is None:
                raise InputError(f"the world {world.name} forecasts no bodies to be trained")
            return BodyTask(world.bodies, _windows(world, shards, seed), seed=seed, batch=batch)

    def __init__(
        self, model: BodyForecaster, windows: BodyWindows, *, seed: int, batch: int
    ) -> None:
        self.model: nn.Module = model
        self.windows, self.seed, self.size = windows, seed, batch

    def batch(self, step: int, generator: torch.Generator) -> tuple[BodyStates, Tensor, Tensor]:
        """Windows at random, mirrored left to right at random."""
        windows = self.windows
        rows = torch.randint(len(windows.truth), (self.size,), generator=generator)
        mirrored = torch.rand(self.size, generator=generator) < 0.5
        sign = torch.where(mirrored, -1.0, 1.0)[:, None, None] * torch.tensor([1.0, 0.0])
        sign = sign + torch.tensor([0.0, 1.0])
        states = windows.states.rows(rows)
        turned = {
            name: getattr(states, name) * sign for name in ("center_px", "velocity_px", "bend_px")
        }
        kept = {f.name: getattr(states, f.name) for f in fields(states)}
        return (
            BodyStates(**{**kept, **turned}),
            windows.truth[rows] * sign[:, :, None],
            windows.known[rows],
        )

    def loss(
        self,
        model: nn.Module,
        batch: tuple[BodyStates, Tensor, Tensor],
        generator: torch.Generator,
    ) -> Mapping[str, Tensor]:
        """The forecaster's own losses."""
        assert isinstance(model, BodyForecaster)
        return model.loss(*batch)

    def after_step(self, model: nn.Module) -> None:
        """Nothing."""

    def finish(self) -> None:
        """Nothing."""

    def num_frames(self, batch: tuple[BodyStates, Tensor, Tensor]) -> int:
        """Forecast frames."""
        return batch[1].shape[0] * batch[1].shape[2]


def _windows(world: World, shards: Shards, seed: int) -> BodyWindows:
    """Measured, or as they were measured before with the same eyes."""
    if shards.folder is None:
        return measure_windows(world, shards, seed)
    assert world.bodies is not None
    digest = hashlib.sha256(repr((seed, world.bodies.config)).encode())
    for part in (world.tokenizer, world.readout):
        for value in part.state_dict().values():
            digest.update(value.float().numpy().tobytes())
    path = shards.folder / f"bodies-{digest.hexdigest()[:12]}.npz"
    if not path.is_file():
        measure_windows(world, shards, seed).save(path)
    return BodyWindows.load(path)
