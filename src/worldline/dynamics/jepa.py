"""JEPA dynamics: the next latent itself, in one step and without noise.

A joint-embedding predictive architecture (LeCun 2022; Assran et al. 2025, V-JEPA 2, arXiv
2506.09985, section 3) predicts representations, not pixels. The action-conditioned form learns from
teacher forcing and from rollouts of its own predictions (equations 2 to 4 there). What keeps the
representation from collapsing is not decided here: a moving-average target or a regulariser of the
encoder is a matter of the objectives.

Like the other families it adds its output to the frame before, so that untrained it copies; or, if
asked to, to the frame before moved on as it moved last.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from worldline.core.config import Config, register
from worldline.core.latents import Controls, Latents
from worldline.dynamics.base import Dynamics, Losses
from worldline.dynamics.controls import ControlEncoder
from worldline.dynamics.network import LatentNetwork
from worldline.dynamics.past import Cache, before_and_change, extend, newest

__all__ = ["JepaCarry", "JepaDynamics"]


@dataclass(frozen=True, eq=False)
class JepaCarry:
    """State of a rollout.

    Attributes:
        cache: keys and values per block over time.
        last: `[B, 2, N, C]` the two newest frames.
        num_frames: frames seen and predicted so far.
    """

    cache: Cache
    last: Tensor
    num_frames: int


class JepaDynamics(Dynamics[JepaCarry]):
    """Block-causal transformer that predicts the next latents, with a sliding key-value cache.

    Rollouts have no noise: futures differ only by their contexts.
    """

    @register("dynamics/jepa")
    @dataclass(frozen=True)
    class Config(Config):
        """Sizes and training.

        Attributes:
            channels: numbers per latent cell.
            rows: latent cells per side (square grids).
            stem_width: channels of the convolutions at full latent resolution.
            width, depth, heads: transformer; every third block looks over time.
            registers: learned extra tokens per frame.
            window: frames that attention and cache reach back.
            controls: what drives the world.
            rollout_steps: predictions are fed back this often in training; 1 is teacher forcing
                alone.
            second_order: untrained it goes on at constant velocity instead of copying; for latents
                that are linear in place, such as keypoints.
        """

        channels: int = 32
        rows: int = 8
        stem_width: int = 128
        width: int = 256
        depth: int = 9
        heads: int = 4
        registers: int = 1
        window: int = 32
        controls: ControlEncoder.Config = ControlEncoder.Config()
        rollout_steps: int = 2
        second_order: bool = False

        def build(self) -> JepaDynamics:
            """Make the untrained model."""
            return JepaDynamics(self)

    def __init__(self, config: JepaDynamics.Config) -> None:
        super().__init__()
        if config.rollout_steps < 1:
            raise ValueError(f"rollout_steps is {config.rollout_steps}, must be at least 1")
        self.config = config
        self.is_random = False
        self.network = LatentNetwork(
            in_channels=2 * config.channels,
            out_channels=config.channels,
            rows=config.rows,
            stem_width=config.stem_width,
            width=config.width,
            depth=config.depth,
            heads=config.heads,
            registers=config.registers,
            window=config.window,
            controls=config.controls,
        )

    # -- training -----------------------------------------------------------------------------

    def loss(self, latents: Latents, controls: Controls, generator: torch.Generator) -> Losses:
        """Mean squared error of the frames predicted from the true past, and from predictions.

        Gradients also reach the latents, so that an encoder can be trained along with it. Round k
        predicts every frame of a clip at once from the predictions of round k - 1, which stands for
        rollouts of k steps from every frame (frames 1 .. T-1 in round 1, k .. T-1 in round k).
        """
        x_BTNC = latents.tokens
        drop = generator if self.config.controls.any else None
        seen = x_BTNC
        losses: dict[str, Tensor] = {}
        total = torch.zeros((), device=x_BTNC.device)
        for k in range(1, self.config.rollout_steps + 1):
            predicted, _ = self._predict(seen, controls, generator=drop)
            error = (predicted[:, k:] - x_BTNC[:, k:]).float().square().mean()
            total = total + error
            losses["error" if k == 1 else f"error_{k}"] = error
            seen = torch.cat([x_BTNC[:, :1], predicted[:, 1:]], dim=1)
        copying = (x_BTNC[:, 1:] - x_BTNC[:, :-1]).detach().float().square().mean()
        losses["error_over_copying"] = losses["error"].detach() / copying.clamp_min(1e-9)
        return {"total": total, **losses}

    def _predict(
        self, seen: Tensor, controls: Controls, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Cache]:
        """Each frame of a clip from the frames before it, in parallel."""
        before, moved = before_and_change(seen)
        given = torch.cat([before, moved], dim=-1)
        change, fresh = self.network(given, controls, generator=generator)
        return self._go_on(before, moved) + change.to(before.dtype), fresh

    def _go_on(self, before: Tensor, moved: Tensor) -> Tensor:
        """What comes next if the network says nothing."""
        return before + moved if self.config.second_order else before

    # -- rollout ------------------------------------------------------------------------------

    @torch.no_grad()
    def init(self, context: Latents, controls: Controls, generator: torch.Generator) -> JepaCarry:
        """Fill the cache from context frames `[B, K, N, C]`, in one parallel pass."""
        x = context.tokens
        _, cache = self._predict(x, controls)
        return JepaCarry(extend((), cache, self.config.window), newest(x), x.shape[1])

    @torch.no_grad()
    def step(self, carry: JepaCarry, controls: Controls) -> tuple[JepaCarry, Latents]:
        """Predict the next frame."""
        x, fresh = self._advance(carry, controls)
        grid = (self.config.rows, self.config.rows)
        return self._commit(carry, x, fresh), Latents(x, grid)

    @torch.no_grad()
    def observe(self, carry: JepaCarry, observed: Latents, controls: Controls) -> JepaCarry:
        """Take the next frame as given."""
        _, fresh = self._advance(carry, controls)
        return self._commit(carry, observed.tokens, fresh)

    @torch.no_grad()
    def surprise(
        self, carry: JepaCarry, observed: Latents, controls: Controls
    ) -> Float[Tensor, " b"]:
        """Squared error of the predicted frame, over the mean of all cells."""
        expected, _ = self._advance(carry, controls)
        return (expected - observed.tokens).float().square().mean(dim=(1, 2, 3))

    def expect(
        self,
        last: Float[Tensor, "b 2 n c"],
        controls: Controls,
        *,
        start: int | Int[Tensor, ""],
        past: Cache,
    ) -> tuple[Float[Tensor, "b 1 n c"], Cache]:
        """The frame after the two newest, and its keys and values.

        Args:
            last: the two newest frames.
            controls: of the frame to come.
            start, past: its number and the cache; see `Backbone`.
        """
        earlier, before = last[:, :1], last[:, 1:]
        moved = before - earlier
        given = torch.cat([before, moved], dim=-1)
        change, fresh = self.network(given, controls, start=start, past=past)
        return self._go_on(before, moved) + change.to(before.dtype), fresh

    def _advance(self, carry: JepaCarry, controls: Controls) -> tuple[Tensor, Cache]:
        return self.expect(carry.last, controls, start=carry.num_frames, past=carry.cache)

    def _commit(self, carry: JepaCarry, x: Tensor, fresh: Cache) -> JepaCarry:
        return replace(
            carry,
            cache=extend(carry.cache, fresh, self.config.window),
            last=torch.cat([carry.last[:, 1:], x], dim=1),
            num_frames=carry.num_frames + 1,
        )
