"""Autoregressive dynamics: the next frame's discrete tokens, as a language model's next words.

Tokens are the digits of finite scalar quantisation, each with its own softmax (a factorised
vocabulary). One network learns two orders: cell after cell, whose likelihoods multiply (as Cosmos'
autoregressive world, arXiv 2501.03575, section 5.2), and masked cells all at once (as Genie,
Bruce et al. 2024, arXiv 2402.15391, section 2.1, after MaskGIT). The decoder says which of them
samples.

Shape legend: B batch, T frames, N cells a frame, d digits a cell.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from worldline.core.config import register
from worldline.core.latents import Controls, Latents
from worldline.dynamics.base import Dynamics, Losses
from worldline.dynamics.decoding import Decoder, MaskedParallel, NextToken
from worldline.dynamics.network import NetworkConfig
from worldline.dynamics.past import Cache, before_and_change, extend, newest
from worldline.dynamics.tokens import TokenNetwork

__all__ = ["AutoregressiveDynamics", "TokenCarry"]


@dataclass(frozen=True, eq=False)
class TokenCarry:
    """State of a rollout.

    Attributes:
        cache: keys and values per block over time.
        last: `[B, 2, N, d]` values of the two newest frames.
        num_frames: frames seen and sampled so far.
        generator_state: of the sampling, copied so that a fork repeats its draws.
    """

    cache: Cache
    last: Tensor
    num_frames: int
    generator_state: Tensor


class AutoregressiveDynamics(Dynamics[TokenCarry]):
    """Block-causal transformer over quantised cells, with a sliding key-value cache."""

    @register("dynamics/autoregressive")
    @dataclass(frozen=True)
    class Config(NetworkConfig):
        """Sizes, sampling and training.

        Attributes:
            levels: of the digits of a cell; the tokenizer's.
            decoder: how frames are sampled.
            in_order_share: share of training clips that are learned cell after cell; the others
                are learned masked.
            known_share: share of the masked clips' frames that are shown whole, as the past is when
                sampling.
            context_noise: largest share of the past's digits that are replaced by a neighbour, in
                training.
            unrolled_share: share of training clips whose past is replaced by the model's own
                predictions.
        """

        levels: tuple[int, ...] = (8, 8, 8, 5, 5, 5)
        stem_width: int = 64
        decoder: MaskedParallel.Config | NextToken.Config = MaskedParallel.Config()
        in_order_share: float = 0.5
        known_share: float = 0.2
        context_noise: float = 0.1
        unrolled_share: float = 0.5

        @property
        def channels(self) -> int:
            """Numbers per latent cell."""
            return len(self.levels)

        def build(self) -> AutoregressiveDynamics:
            """Make the untrained model."""
            return AutoregressiveDynamics(self)

    def __init__(self, config: AutoregressiveDynamics.Config) -> None:
        super().__init__()
        self.config = config
        self.is_random = True
        self.decoder: Decoder = config.decoder.build()
        self.network = TokenNetwork(
            config,
            levels=config.levels,
        )

    # -- training -----------------------------------------------------------------------------

    def loss(self, latents: Latents, controls: Controls, generator: torch.Generator) -> Losses:
        """Cross-entropy in nats per cell, of frames 1 .. T-1: in order, and of masked cells."""
        config, x_BTNd = self.config, latents.tokens
        batch = len(x_BTNd)
        num_ordered = round(batch * config.in_order_share)
        seen = self._corrupt(x_BTNd, generator)
        seen = self._mix_in_predictions(seen, x_BTNd, controls, generator)
        losses: dict[str, Tensor] = {}
        total = torch.zeros((), device=x_BTNd.device)
        for start, stop, in_order in ((0, num_ordered, True), (num_ordered, batch, False)):
            if start == stop:
                continue
            own = x_BTNd[start:stop]
            known = self._hide(own, in_order, generator)
            logits, _ = self._ask(
                own,
                known,
                seen[start:stop],
                controls.clips(start, stop),
                in_order=in_order,
                generator=generator,
            )
            digits = self.network.quantiser.digits(own)
            cost = -self.network.likelihood(logits, digits)[:, 1:]
            asked = torch.ones_like(known) if in_order else ~known
            asked = asked[:, 1:].to(cost.dtype)
            mean = (cost * asked).sum() / asked.sum().clamp_min(1)
            losses["in_order" if in_order else "masked"] = mean
            total = total + mean * (stop - start) / batch
        return {"total": total, **losses}

    def _hide(
        self, x_BTNd: Tensor, in_order: bool, generator: torch.Generator
    ) -> Bool[Tensor, "b t n"]:
        """Which cells are known: all in order, else a random part by the cosine schedule."""
        shape, device = x_BTNd.shape[:3], x_BTNd.device
        if in_order:
            return torch.ones(shape, dtype=torch.bool, device=device)
        draws = torch.rand(*shape[:2], 2, 1, generator=generator, device=device)
        hidden_share = (math.pi / 2 * draws[:, :, 0]).cos()
        whole = draws[:, :, 1] < self.config.known_share
        return (torch.rand(shape, generator=generator, device=device) >= hidden_share) | whole

    def _corrupt(self, x_BTNd: Tensor, generator: torch.Generator) -> Tensor:
        """Move some digits of the past by one level."""
        quantiser, device = self.network.quantiser, x_BTNd.device
        share = self.config.context_noise * torch.rand(
            (len(x_BTNd), 1, 1, 1), generator=generator, device=device
        )
        chosen = torch.rand(x_BTNd.shape, generator=generator, device=device) < share
        up = torch.rand(x_BTNd.shape, generator=generator, device=device) < 0.5
        digits = quantiser.digits(x_BTNd)
        moved = torch.where(up, digits + 1, digits - 1)
        moved = moved.clamp_min(0).minimum(quantiser.levels - 1)
        return quantiser.values(torch.where(chosen, moved, digits)).to(x_BTNd.dtype)

    @torch.no_grad()
    def _mix_in_predictions(
        self, seen: Tensor, x_BTNd: Tensor, controls: Controls, generator: torch.Generator
    ) -> Tensor:
        """Replace parts of the past of some clips by what the model would itself have said.

        All cells are taken from one masked pass over the true past, as `FlowDynamics` does.
        """
        batch, num_frames = x_BTNd.shape[:2]
        chosen = torch.rand(batch, 1, generator=generator, device=x_BTNd.device)
        chosen = chosen < self.config.unrolled_share
        share = torch.rand(batch, 1, generator=generator, device=x_BTNd.device)
        frames = torch.rand(batch, num_frames, generator=generator, device=x_BTNd.device) < share
        frames = frames & chosen
        frames[:, 0] = False
        if not bool(frames.any()):
            return seen
        known = torch.zeros(x_BTNd.shape[:3], dtype=torch.bool, device=x_BTNd.device)
        logits, _ = self._ask(x_BTNd, known, seen, controls, in_order=False)
        digits = torch.stack([p.argmax(-1) for p in self.network.split(logits)], dim=-1)
        predicted = self.network.quantiser.values(digits).to(seen.dtype)
        return torch.where(frames[..., None, None], predicted, seen)

    def _ask(
        self,
        own: Tensor,
        known: Tensor,
        seen: Tensor,
        controls: Controls,
        *,
        in_order: bool,
        generator: torch.Generator | None = None,
    ) -> tuple[Tensor, Cache]:
        """Logits of a whole clip in parallel; frame t is conditioned on `seen` before t."""
        before, moved = before_and_change(seen)
        return self.network(
            own, known, before, moved, controls, in_order=in_order, generator=generator
        )

    # -- rollout ------------------------------------------------------------------------------

    @torch.no_grad()
    def init(self, context: Latents, controls: Controls, generator: torch.Generator) -> TokenCarry:
        """Fill the cache from context frames `[B, K, N, d]`, in one parallel pass."""
        x = context.tokens
        known = torch.ones(x.shape[:3], dtype=torch.bool, device=x.device)
        _, cache = self._ask(x, known, x, controls, in_order=self.decoder.in_order)
        cache = extend((), cache, self.config.window)
        return TokenCarry(cache, newest(x), x.shape[1], generator.get_state())

    @torch.no_grad()
    def step(self, carry: TokenCarry, controls: Controls) -> tuple[TokenCarry, Latents]:
        """Sample the next frame."""
        generator = torch.Generator(device=carry.last.device).set_state(carry.generator_state)
        quantiser = self.network.quantiser

        def ask(digits: Tensor, known: Tensor) -> Tensor:
            own = quantiser.values(digits)[:, None]
            return self._advance(carry, own, known[:, None], controls)[0][:, 0]

        batch, _, num_cells, _ = carry.last.shape
        digits = self.decoder.draw(self.network, ask, (batch, num_cells), generator)
        x = quantiser.values(digits)[:, None].to(carry.last.dtype)
        grid = (self.config.rows, self.config.rows)
        carry = self._commit(carry, x, controls)
        return replace(carry, generator_state=generator.get_state()), Latents(x, grid)

    @torch.no_grad()
    def observe(self, carry: TokenCarry, observed: Latents, controls: Controls) -> TokenCarry:
        """Take the next frame as given."""
        return self._commit(carry, observed.tokens, controls)

    @torch.no_grad()
    def surprise(
        self, carry: TokenCarry, observed: Latents, controls: Controls
    ) -> Float[Tensor, " b"]:
        """Nats per cell that the frame takes: its likelihood in order, or of all cells masked."""
        x = observed.tokens
        known = torch.full(x.shape[:3], self.decoder.in_order, device=x.device)
        logits, _ = self._advance(carry, x, known, controls)
        digits = self.network.quantiser.digits(x)
        return -self.network.likelihood(logits, digits).mean(dim=(1, 2))

    def _advance(
        self, carry: TokenCarry, own: Tensor, known: Tensor, controls: Controls
    ) -> tuple[Tensor, Cache]:
        earlier, before = carry.last[:, :1], carry.last[:, 1:]
        return self.network(
            own,
            known,
            before,
            before - earlier,
            controls,
            in_order=self.decoder.in_order,
            start=carry.num_frames,
            past=carry.cache,
        )

    def _commit(self, carry: TokenCarry, x: Tensor, controls: Controls) -> TokenCarry:
        known = torch.ones(x.shape[:3], dtype=torch.bool, device=x.device)
        _, fresh = self._advance(carry, x, known, controls)
        return replace(
            carry,
            cache=extend(carry.cache, fresh, self.config.window),
            last=torch.cat([carry.last[:, 1:], x], dim=1),
            num_frames=carry.num_frames + 1,
        )
