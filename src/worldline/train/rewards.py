"""Training the readout of rewards: on true frames, and on what the world makes of them.

What a world imagines is blurred, and a readout that knows true frames alone sees no event in it. So
the world continues its own training clips under their actions, once, and what these actions earned
is learned from both kinds of frames. What is told of imagined frames is then an expectation over
all that may have been blurred away, which is right on average.

A readout with hindsight sees what an action led to. It learns best from true frames alone
(`imagined=0`): the true rewards of frames in which nothing has come of an action would teach it to
pay for what is not to be seen, and that pays policies that do not deserve it.

Most actions earn the same. Moments are drawn by the square roots of how frequent their rewards are
and weighted back, so that what is rare is seen often and probabilities stay those of the data.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Float, Float16, Int
from torch import Tensor, nn

from worldline.core.config import Config, register
from worldline.core.errors import InputError
from worldline.data.cache import fingerprint
from worldline.data.shards import Shards
from worldline.dynamics import FlowDynamics
from worldline.readout.reward import RewardMoments, RewardReadout
from worldline.train.drive import draw_controls
from worldline.world import World

__all__ = ["RewardTask", "imagine_clips"]

_CHUNK = 32
"""Clips that are continued together."""


class RewardTask:
    """What actions earn and whether they end an episode, from true and from imagined frames.

    A batch is of moments: a frame, the one before it (with hindsight, the one after), and the
    action.
    """

    @register("train/rewards")
    @dataclass(frozen=True)
    class Config(Config):
        """What is learned from.

        Attributes:
            imagined: share of the moments that are imagined, before weights.
            shrinkages: of changes, with which flow worlds imagine, clips taking turns; which one a
                world gets is chosen when it is finished.
        """

        imagined: float = 0.7
        shrinkages: tuple[float, ...] = (0.1, 0.2, 0.3, 0.45)
        parts: ClassVar[tuple[str, ...]] = ("reward",)

        def __post_init__(self) -> None:
            if not 0 <= self.imagined <= 1:
                raise ValueError(f"imagined is {self.imagined}, must lie between 0 and 1")
            if not self.shrinkages:
                raise ValueError("shrinkages: at least one is needed")

        def build(
            self, world: World, shards: Shards, *, seed: int, batch: int, length: int
        ) -> RewardTask:
            """Make the task, for which all clips are continued once by `length` frames.

            Raises:
                InputError: the world tells no rewards, no clip does, clips are too short, or the
                    tokenizer folds time.
            """
            return RewardTask(self, world, shards, seed=seed, batch=batch, length=length)

    def __init__(
        self,
        config: RewardTask.Config,
        world: World,
        shards: Shards,
        *,
        seed: int,
        batch: int,
        length: int,
    ) -> None:
        if world.reward is None:
            raise InputError(f"the world {world.name} tells no rewards to be trained")
        if shards.earned is None or shards.ended is None or shards.has_rewards is None:
            raise InputError("these clips do not tell what their actions earned")
        if world.tokenizer.time_stride != 1:
            raise InputError("a tokenizer that folds time leaves no single frames to be rewarded")
        self.model: nn.Module = world.reward
        self.shards, self.size, self.context = shards, batch, world.context
        self.earned, self.ended = shards.earned, shards.ended
        self.tokenizer = copy.deepcopy(world.tokenizer).eval().requires_grad_(False)
        self.imagined = None
        if config.imagined > 0:
            self.imagined = _imagined(world, shards, length, config.shrinkages, seed)
        self.rows, kinds = self._list_moments()
        self.groups, self.chance, self.weight = _balance(kinds, self.rows[:, 0], config.imagined)

    def batch(self, step: int, generator: torch.Generator) -> RewardMoments:
        """Moments at random, rare kinds more often than they are frequent."""
        kinds = torch.multinomial(self.chance, self.size, replacement=True, generator=generator)
        at = torch.rand(self.size, generator=generator).tolist()
        chosen = [
            self.groups[kind][int(place * len(self.groups[kind]))]
            for kind, place in zip(kinds.tolist(), at, strict=True)
        ]
        table = self.rows[chosen]
        shards, clips, times = self.shards, table[:, 1], table[:, 2]
        before, now = zip(*(self._look(*row) for row in table.tolist()), strict=True)
        return RewardMoments(
            before=torch.stack(before),
            now=torch.stack(now),
            acted=torch.from_numpy(shards.actions[clips, times]),
            earned=torch.from_numpy(self.earned[clips, times]).float(),
            ended=torch.from_numpy(self.ended[clips, times]),
            weight=self.weight[kinds],
        )

    def loss(
        self, model: nn.Module, batch: RewardMoments, generator: torch.Generator
    ) -> Mapping[str, Tensor]:
        """The readout's own losses."""
        assert isinstance(model, RewardReadout)
        return model.loss(batch)

    def num_frames(self, batch: RewardMoments) -> int:
        """Moments in the batch."""
        return len(batch.earned)

    def after_step(self, model: nn.Module) -> None:
        """Nothing."""

    def finish(self) -> None:
        """Nothing."""

    def _list_moments(self) -> tuple[Int[np.ndarray, "m 3"], Int[np.ndarray, " m"]]:
        """Of every moment: whether it is imagined, clip and frame; and what kind it is of."""
        assert isinstance(self.model, RewardReadout)
        assert self.shards.has_rewards is not None
        clips = np.flatnonzero(self.shards.has_rewards)
        # of a last frame there is none after it
        short = int(self.model.config.hindsight)
        spans = [(0, 0, self.shards.frames.shape[1] - short)]
        if self.imagined is not None:
            spans.append((1, self.context, self.context + self.imagined.shape[1] - short))
        rows = [
            np.stack(np.broadcast_arrays(kind, clips[:, None], np.arange(first, stop)), -1)
            for kind, first, stop in spans
        ]
        table = np.concatenate([each.reshape(-1, 3) for each in rows])
        if not len(table):
            raise InputError("these clips do not tell what their actions earned")
        earned = torch.from_numpy(self.earned[table[:, 1], table[:, 2]])
        kinds = 2 * self.model.nearest_bin(earned).numpy() + self.ended[table[:, 1], table[:, 2]]
        return table, kinds

    def _look(self, kind: int, clip: int, time: int) -> tuple[Tensor, Tensor]:
        """Latents of the frame before a moment and of its own; with hindsight, those of the next
        moment."""
        assert isinstance(self.model, RewardReadout)
        time += self.model.config.hindsight
        if kind:
            assert self.imagined is not None
            place = time - self.context
            now = torch.from_numpy(self.imagined[clip, place].astype(np.float32))
            if place:
                before = torch.from_numpy(self.imagined[clip, place - 1].astype(np.float32))
                return before, now
            return self._encode(clip, time - 1)[0], now
        seen = self._encode(clip, max(time - 1, 0), time + 1)
        return seen[0], seen[-1]

    def _encode(self, clip: int, first: int, stop: int | None = None) -> Float[Tensor, "t n c"]:
        stop = first + 1 if stop is None else stop
        frames = torch.from_numpy(np.array(self.shards.frames[clip, first:stop]))
        with torch.no_grad():
            return self.tokenizer.encode(frames[None]).tokens[0].float()


def _balance(
    kinds: Int[np.ndarray, " m"], source: Int[np.ndarray, " m"], imagined: float
) -> tuple[list[np.ndarray], Float[Tensor, " k"], Float[Tensor, " k"]]:
    """Rows of each kind, how likely it is drawn, and the weight that undoes that.

    What is to be learned from has the given share of imagined moments, all of one source alike.
    """
    num = np.bincount(source, minlength=2)
    share = np.array([1 - imagined, imagined]) / np.maximum(num, 1)
    groups, wanted = [], []
    for value in np.unique(2 * kinds + source):
        rows = np.flatnonzero(2 * kinds + source == value)
        groups.append(rows)
        wanted.append(share[value % 2] * len(rows))
    truth = torch.tensor(wanted, dtype=torch.float64)
    truth = truth / truth.sum()
    chance = truth.sqrt() / truth.sqrt().sum()
    return groups, chance, (truth / chance).float()


@torch.no_grad()
def imagine_clips(
    world: World, shards: Shards, horizon: int, shrinkages: tuple[float, ...], seed: int
) -> Iterator[tuple[slice, Float[Tensor, "b h n c"]]]:
    """Latents of frames that the world continues clips by, under their own actions.

    Args:
        world: whose dynamics are trained.
        shards: of clips of `world.context` + `horizon` frames at least.
        horizon: H.
        shrinkages: of changes, in turns, where the dynamics are of the flow family.
        seed: of noise.

    Raises:
        InputError: clips are too short.
    """
    context, num_frames = world.context, shards.frames.shape[1]
    if not 1 <= horizon <= num_frames - context:
        raise InputError(
            f"clips of {num_frames} frames cannot be compared with {horizon} frames imagined "
            f"after {context}; there are {num_frames - context}"
        )
    dynamics = copy.deepcopy(world.dynamics).eval()
    for turn, first in enumerate(range(0, shards.num_clips, _CHUNK)):
        chosen = np.arange(first, min(first + _CHUNK, shards.num_clips))
        part = slice(first, first + len(chosen))
        frames = np.array(shards.frames[part, : context + horizon])
        controls = draw_controls(
            shards,
            chosen,
            slice(0, context + horizon),
            frames,
            np.zeros(len(chosen), dtype=bool),
            world.controls,
            world.state_scale,
            world.tokenizer.grid[0],
        )
        model = dynamics
        if isinstance(dynamics, FlowDynamics):
            model = dynamics.sampled(shrinkage=shrinkages[turn % len(shrinkages)])
        seen = world.tokenizer.encode(torch.from_numpy(frames[:, :context]))
        generator = torch.Generator().manual_seed(seed * 1_000_003 + turn)
        carry = model.init(seen, controls.frames(0, context), generator)
        made = []
        for t in range(context, context + horizon):
            carry, latents = model.step(carry, controls.frames(t, t + 1))
            made.append(latents.tokens)
        yield part, torch.cat(made, dim=1)


def _imagined(
    world: World, shards: Shards, horizon: int, shrinkages: tuple[float, ...], seed: int
) -> Float16[np.ndarray, "k h n c"]:
    """Of all clips, in half precision; as they were made before by the same dynamics, if they lie
    beside the shards."""
    rows, columns = world.tokenizer.grid
    shape = shards.num_clips, horizon, rows * columns, world.tokenizer.channels
    if shards.folder is None:
        kept = np.zeros(shape, np.float16)
        for part, latents in imagine_clips(world, shards, horizon, shrinkages, seed):
            kept[part] = latents.half().numpy()
        return kept
    config = world.dynamics.config
    assert isinstance(config, Config)
    made_by = fingerprint(world.dynamics, config.to_json())
    key = repr((made_by, horizon, shrinkages, seed, world.context))
    path = shards.folder / f"imagined-{hashlib.sha256(key.encode()).hexdigest()[:12]}.npy"
    if not path.is_file():
        partial = path.with_suffix(".partial")
        file = np.lib.format.open_memmap(partial, mode="w+", dtype=np.float16, shape=shape)
        for part, latents in imagine_clips(world, shards, horizon, shrinkages, seed):
            file[part] = latents.half().numpy()
        file.flush()
        del file
        partial.replace(path)
    return np.load(path, mmap_mode="r")
