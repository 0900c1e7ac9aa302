"""Flow dynamics: diffusion forcing with x-prediction on top of what copying gives for free.

Diffusion forcing (Chen et al. 2024, arXiv 2407.01392) gives each frame of a clip its own noise
level. With the straight path of rectified flow (Liu et al. 2022, eq. 1), a frame at level tau is

    x_tau = tau x + (1 - tau) noise,        tau = 0: pure noise, tau = 1: data,

and the network predicts the clean frame x itself ("x-prediction"). Sampling walks tau from 0 to 1:

    x_tau' = x_tau + (tau' - tau) / (1 - tau) (x_hat - x_tau).

Most of a video frame is the frame before. The network sees, beside the noised frame, the two frames
before it, and its output is added to the last: x_hat_t = x_{t-1} + f(x_tau, x_{t-1}, x_{t-1} -
x_{t-2}, past). An untrained network copies it, and capacity goes into what changes.

With `shortcut_doublings` the network also takes the size of the step, d, and learns that one step
of 2d should lead where two steps of d lead (shortcut models, Frans et al. 2024, arXiv 2410.12557,
eq. 5; with x-prediction as in Hafner et al. 2025, arXiv 2509.24527, eq. 7), so that one network
samples well in 1, 2, 4 or more steps. With `start_share` it also learns first frames, after a
blank one.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from worldline.core.config import register
from worldline.core.latents import Controls, Latents
from worldline.dynamics.base import Dynamics, Losses
from worldline.dynamics.blank import keep_blank, open_blank, relative_error
from worldline.dynamics.levels import check_sampling, draw_levels, mix_at_random, shortcut_target
from worldline.dynamics.network import LatentNetwork, NetworkConfig
from worldline.dynamics.past import Cache, FlowCarry, before_and_change, extend, newest
from worldline.nn import shrink

__all__ = ["FlowCarry", "FlowDynamics"]


class FlowDynamics(Dynamics[FlowCarry]):
    """Block-causal transformer that denoises the next frame, with a sliding key-value cache."""

    @register(
        "dynamics/flow",
        version=4,
        upgrades={1: {"coarse": 2, "mends": False}, 2: {"sink": 0}, 3: {"onset": 0.0}},
    )
    @dataclass(frozen=True)
    class Config(NetworkConfig):
        """Sizes, sampling and training noise.

        Attributes:
            channels: numbers per latent cell.
            num_steps: denoising steps per frame.
            shortcut_doublings: the finest step that is learned is 2 to the minus this; 0 for a
                network that knows no step size.
            guidance: scale of classifier-free guidance when sampling; 1 for none.
            shrinkage: changes of a cell smaller than this (root mean square over its channels) are
                taken for noise.
            onset: change that one of the cells around has to have besides; 0 asks for none. See
                `worldline.nn.shrink` for both.
            context_noise: scale of the corruption of the frames before, in training.
            level_zero_share: share of training clips with every frame at pure noise.
            unrolled_share: share of training clips whose past is replaced by the model's own
                predictions, so that it learns to mend its errors instead of adding to them.
            weight_floor, weight_ceiling: bounds of the loss weight of a cell, which is its squared
                change since the last frame over the mean one.
            coarse: latent cells along the side of a token of the transformer.
            mends: cells count in the loss by the change that they need, errors of the frames before
                included, and not by the true one alone: what went wrong is put right.
            sink: frames at the beginning of a rollout that stay in the cache when it slides on, the
                first of the context; they count among the `window`.
            start_share: share of training clips that a blank frame opens, so that the model can
                start from nothing; 0 for one that cannot.
        """

        channels: int = 16
        num_steps: int = 1
        shortcut_doublings: int = 0
        guidance: float = 1.0
        shrinkage: float = 0.3
        onset: float = 0.0
        context_noise: float = 0.1
        level_zero_share: float = 0.5
        unrolled_share: float = 0.5
        weight_floor: float = 0.1
        weight_ceiling: float = 10.0
        coarse: int = 2
        mends: bool = False
        sink: int = 0
        start_share: float = 0.0

        def __post_init__(self) -> None:
            check_sampling(
                rows=self.rows,
                coarse=self.coarse,
                window=self.window,
                sink=self.sink,
                num_steps=self.num_steps,
                doublings=self.shortcut_doublings,
            )
            if self.guidance != 1 and not self.controls.any:
                raise ValueError("guidance needs a world with controls")
            if not 0 <= self.start_share <= 1:
                raise ValueError(f"start_share is {self.start_share}, must lie between 0 and 1")

        def build(self) -> FlowDynamics:
            """Make the untrained model."""
            return FlowDynamics(self)

    def __init__(self, config: FlowDynamics.Config) -> None:
        super().__init__()
        self.config = config
        self.is_random = True
        self.network = LatentNetwork(
            config,
            in_channels=3 * config.channels,
            out_channels=config.channels,
            has_level=True,
            has_step=config.shortcut_doublings > 0,
            coarse=config.coarse,
        )

    @property
    def can_start(self) -> bool:
        """Whether it has learned first frames."""
        return self.config.start_share > 0

    def sampled(self, **changes: Any) -> FlowDynamics:
        """The same model, weights shared, with another `num_steps`, `guidance`, `shrinkage`,
        `onset` or `sink`.

        Raises:
            ValueError: the model did not learn steps of such a size, or nothing guides it.
        """
        twin = copy.copy(self)
        twin.config = replace(self.config, **changes)
        return twin

    def loss(self, latents: Latents, controls: Controls, generator: torch.Generator) -> Losses:
        """Weighted squared error of the predicted clean frames 1 .. T-1; see `relative_error`."""
        x_BTNC = latents.tokens
        config, starts = self.config, None
        batch, num_frames = x_BTNC.shape[:2]
        if self.can_start:
            drawn = torch.rand(batch, generator=generator, device=x_BTNC.device)
            starts = drawn < config.start_share
            x_BTNC, controls = open_blank(x_BTNC, controls, starts)
        level, step = draw_levels(
            (batch, num_frames),
            generator,
            doublings=config.shortcut_doublings,
            level_zero_share=config.level_zero_share,
            starts=starts,
        )
        scale = torch.rand((batch, 1, 1, 1), generator=generator, device=x_BTNC.device)
        scale = config.context_noise * scale
        seen = x_BTNC + (scale * self._noise(x_BTNC.shape, generator)).to(x_BTNC.dtype)
        if starts is not None:
            seen = keep_blank(seen, starts)
        seen = self._mix_in_predictions(seen, x_BTNC, controls, generator, starts)
        return self._score(x_BTNC, seen, controls, generator, level, step, starts)

    def forced_loss(
        self,
        latents: Latents,
        seen: Float[Tensor, "b t n c"],
        controls: Controls,
        generator: torch.Generator,
    ) -> Losses:
        """As `loss`, from pure noise, with a past that is given: frames `seen` stand where the
        true ones did, and what is wanted after them is the truth."""
        level = torch.zeros(seen.shape[:2], device=seen.device)
        step = None
        if self.config.shortcut_doublings:
            step = torch.full_like(level, 0.5**self.config.shortcut_doublings)
        return self._score(latents.tokens, seen, controls, generator, level, step, None)

    def _score(
        self,
        x_BTNC: Float[Tensor, "b t n c"],
        seen: Float[Tensor, "b t n c"],
        controls: Controls,
        generator: torch.Generator,
        level: Float[Tensor, "b t"],
        step: Float[Tensor, "b t"] | None,
        starts: Bool[Tensor, " b"] | None,
    ) -> Losses:
        """Losses of what is predicted from a past, under noise of these levels."""
        config = self.config
        noised = self._corrupt(x_BTNC, level, generator)
        drop = generator if config.controls.any else None
        given = self._inputs(noised, seen)
        predicted = self.clean(given, controls, level=level, step=step, generator=drop)[0]
        target = x_BTNC
        if step is not None:

            def clean(x: Tensor, level: Tensor, step: Tensor) -> Tensor:
                return self.clean(self._inputs(x, seen), controls, level=level, step=step)[0]

            finest = 0.5**config.shortcut_doublings
            target = shortcut_target(clean, x_BTNC, noised, level, step, finest=finest)
        bounds = config.weight_floor, config.weight_ceiling
        return relative_error(
            predicted, target, x_BTNC, seen, starts, bounds=bounds, mends=config.mends
        )

    def _mix_in_predictions(
        self,
        seen: Float[Tensor, "b t n c"],
        x_BTNC: Float[Tensor, "b t n c"],
        controls: Controls,
        generator: torch.Generator,
        starts: Bool[Tensor, " b"] | None,
    ) -> Float[Tensor, "b t n c"]:
        """Replace parts of the past, in the first clips of a batch, by the model's predictions.

        All frames are predicted in parallel from the true past, so this costs one pass and stands
        for a rollout of one step; over training it compounds (compare Bengio et al. 2015). Frames
        that follow a blank one stay, because another first frame leads to another clip.
        """
        num = round(len(x_BTNC) * self.config.unrolled_share)
        if num == 0:
            return seen
        part = controls.clips(0, num)
        shape = x_BTNC[:num].shape
        level = torch.zeros(shape[:2], device=x_BTNC.device)
        step = torch.ones_like(level) if self.config.shortcut_doublings else None
        with torch.no_grad():
            noised = self._noise(shape, generator).to(x_BTNC.dtype)
            given = self._inputs(noised, seen[:num])
            predicted, _ = self.clean(given, part, level=level, step=step)
        later = None if starts is None else starts[:num]
        mixed = mix_at_random(seen[:num], predicted, generator, later)
        return torch.cat([mixed, seen[num:]], dim=0)

    def _noise(self, shape: torch.Size, generator: torch.Generator) -> Tensor:
        return torch.randn(shape, generator=generator, device=generator.device)

    def _corrupt(self, x: Tensor, level: Tensor, generator: torch.Generator) -> Tensor:
        tau = level[..., None, None].to(x.dtype)
        return tau * x + (1 - tau) * self._noise(x.shape, generator).to(x.dtype)

    def _inputs(self, noised: Tensor, seen: Tensor) -> Tensor:
        """Of a whole clip: noised frames, each with the frame before it and that one's change."""
        return torch.cat([noised, *before_and_change(seen)], dim=-1)

    def clean(
        self,
        inputs: Float[Tensor, "b t n c3"],
        controls: Controls,
        *,
        level: Float[Tensor, "b t"],
        step: Float[Tensor, "b t"] | None,
        start: int | Int[Tensor, ""] = 0,
        past: Cache | None = None,
        generator: torch.Generator | None = None,
        guidance: float = 1.0,
    ) -> tuple[Float[Tensor, "b t n c"], Cache]:
        """Clean frames as the network expects them, guided away from what it expects unasked.

        `inputs` hold the noised frames, the frame before each and that one's change. Also gives
        keys and values of these frames; `start` and `past` as in `Backbone`.
        """
        dropped = None
        batch = inputs.shape[0]
        before = inputs.chunk(3, dim=-1)[1]
        if guidance != 1:
            inputs, controls, level = (
                torch.cat([inputs] * 2),
                controls.repeat(2),
                level.repeat(2, 1),
            )
            step = None if step is None else step.repeat(2, 1)
            dropped = torch.arange(2 * batch, device=inputs.device) >= batch
        change, fresh = self.network(
            inputs,
            controls,
            level=level,
            step=step,
            start=start,
            past=past,
            generator=generator,
            dropped=dropped,
        )
        if guidance != 1:
            asked, unasked = change.chunk(2)
            change = unasked + guidance * (asked - unasked)
        return before + change.to(before.dtype), fresh

    @property
    def _commit_level(self) -> float:
        """Level of the last denoising step, at which past frames lie in the cache."""
        return (self.config.num_steps - 1) / self.config.num_steps

    @torch.no_grad()
    def init(
        self,
        context: Latents,
        controls: Controls,
        generator: torch.Generator,
        *,
        start: int = 0,
    ) -> FlowCarry:
        """Fill the cache from context frames `[B, K, N, C]`, in one parallel pass.

        `start` is the number of the first of them: carries whose frames have the same numbers may
        be put together to one of a larger batch.
        """
        x = context.tokens
        level = torch.full(x.shape[:2], self._commit_level, device=x.device)
        given = self._inputs(self._corrupt(x, level, generator), x)
        guidance = self.config.guidance
        _, cache = self.clean(
            given,
            controls,
            level=level,
            step=self._step_size(level),
            start=start,
            guidance=guidance,
        )
        cache = extend((), cache, self.config.window, self.config.sink)
        return FlowCarry(cache, newest(x), start + x.shape[1], generator.get_state())

    @torch.no_grad()
    def step(self, carry: FlowCarry, controls: Controls) -> tuple[FlowCarry, Latents]:
        """Sample the next frame in `num_steps` steps from noise."""
        generator = self._generator(carry)
        before = carry.last[:, 1:]
        noise = self._noise(before[:: carry.alike].shape, generator).to(before.dtype)
        x = noise.repeat_interleave(carry.alike, dim=0)
        num_steps = self.config.num_steps
        fresh: Cache = ()
        for k in range(num_steps):
            tau = k / num_steps
            clean, fresh = self._advance(carry, x, tau, controls)
            x = x + (clean - x) * ((1 / num_steps) / (1 - tau))
        x = before + shrink(x - before, self.config.shrinkage, self.config.onset)
        return self._commit(carry, x, fresh, generator), Latents(x, (self.config.rows,) * 2)

    @torch.no_grad()
    def observe(self, carry: FlowCarry, observed: Latents, controls: Controls) -> FlowCarry:
        """Take the next frame as given."""
        generator = self._generator(carry)
        level = torch.full(observed.tokens.shape[:2], self._commit_level)
        noised = self._corrupt(observed.tokens, level, generator)
        _, fresh = self._advance(carry, noised, self._commit_level, controls)
        return self._commit(carry, observed.tokens, fresh, generator)

    @torch.no_grad()
    def surprise(
        self, carry: FlowCarry, observed: Latents, controls: Controls
    ) -> Float[Tensor, " b"]:
        """Squared error of the frame expected from pure noise, over the mean of all cells."""
        noise = self._noise(observed.tokens.shape, self._generator(carry))
        expected, _ = self._advance(carry, noise.to(observed.tokens.dtype), 0.0, controls)
        return (expected - observed.tokens).float().square().mean(dim=(1, 2, 3))

    def _advance(
        self, carry: FlowCarry, noised: Tensor, tau: float, controls: Controls
    ) -> tuple[Tensor, Cache]:
        earlier, before = carry.last[:, :1], carry.last[:, 1:]
        level = torch.full(noised.shape[:2], tau, device=noised.device)
        return self.clean(
            torch.cat([noised, before, before - earlier], dim=-1),
            controls,
            level=level,
            step=self._step_size(level),
            start=carry.num_frames,
            past=carry.cache,
            guidance=self.config.guidance,
        )

    def _step_size(self, level: Tensor) -> Tensor | None:
        if not self.config.shortcut_doublings:
            return None
        return torch.full_like(level, 1 / self.config.num_steps)

    def _commit(
        self,
        carry: FlowCarry,
        x: Tensor,
        fresh: Cache,
        generator: torch.Generator,
    ) -> FlowCarry:
        return replace(
            carry,
            cache=extend(carry.cache, fresh, self.config.window, self.config.sink),
            last=torch.cat([carry.last[:, 1:], x], dim=1),
            num_frames=carry.num_frames + 1,
            generator_state=generator.get_state(),
        )

    def _generator(self, carry: FlowCarry) -> torch.Generator:
        return torch.Generator(device=carry.last.device).set_state(carry.generator_state)
