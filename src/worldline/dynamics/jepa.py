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

from worldline.core.config import register
from worldline.core.latents import Controls, Latents
from worldline.dynamics.base import Dynamics, Losses
from worldline.dynamics.network import LatentNetwork, NetworkConfig
from worldline.dynamics.past import Cache, before_and_change, extend, newest
from worldline.dynamics.vector import VectorNetwork
from worldline.nn import shrink

__all__ = ["JepaCarry", "JepaDynamics"]

_LEAST_WEIGHT, _MOST_WEIGHT = 1.0, 10.0
"""Of a cell in the loss: its change over the mean change, between these two. With a tenth as the
least, as in flow dynamics, still cells were left to drift, which nothing here mends in rollouts."""


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

    @register(
        "dynamics/jepa",
        version=3,
        upgrades={1: {"second_order": False, "relative": False}, 2: {"shrinkage": 0.0}},
    )
    @dataclass(frozen=True)
    class Config(NetworkConfig):
        """Sizes and training.

        Attributes:
            channels: numbers per latent cell.
            rollout_steps: predictions are fed back this often in training; 1 is teacher forcing
                alone.
            second_order: untrained it goes on at constant velocity instead of copying; for latents
                that are linear in place, such as keypoints.
            relative: train for errors as shares of copying's, cells weighted by their movement.
            shrinkage: changes of a cell in a rollout smaller than this (root mean square over its
                channels) are taken for noise; see `worldline.nn.shrink`.
        """

        channels: int = 32
        rollout_steps: int = 2
        second_order: bool = False
        relative: bool = False
        shrinkage: float = 0.0

        def build(self) -> JepaDynamics:
            """Make the untrained model."""
            return JepaDynamics(self)

    def __init__(self, config: JepaDynamics.Config) -> None:
        super().__init__()
        if config.rollout_steps < 1:
            raise ValueError(f"rollout_steps is {config.rollout_steps}, must be at least 1")
        self.config = config
        self.is_random = False
        kind = VectorNetwork if config.rows == 1 else LatentNetwork
        self.network = kind(
            config,
            in_channels=2 * config.channels,
            out_channels=config.channels,
        )

    # -- training -----------------------------------------------------------------------------

    def loss(self, latents: Latents, controls: Controls, generator: torch.Generator) -> Losses:
        """Squared error of the frames predicted from the true past, and from predictions.

        Gradients also reach the latents, so that an encoder can be trained along with it. Round k
        predicts every frame of a clip at once from the predictions of round k - 1, which stands for
        rollouts of k steps from every frame (frames 1 .. T-1 in round 1, k .. T-1 in round k).

        If `relative`, errors are shares of what copying the last true frame gives, with gradients
        through both: an encoder that learns along gains nothing by features that stand still, of
        which those of bodies would be the first. Cells are weighted by how much they really move
        (without gradients), because bodies fill few of them.
        """
        x_BTNC = latents.tokens
        drop = generator if self.config.controls.any else None
        change = _distance(x_BTNC[:, 1:], x_BTNC[:, :-1]).detach()
        copying = change.mean().clamp_min(1e-9)
        weight = (change / copying).clamp(_LEAST_WEIGHT, _MOST_WEIGHT)
        seen = x_BTNC
        losses: dict[str, Tensor] = {}
        total = torch.zeros((), device=x_BTNC.device)
        for k in range(1, self.config.rollout_steps + 1):
            predicted, _ = self.expect_each(seen, controls, generator=drop)
            error = _distance(predicted[:, k:], x_BTNC[:, k:])
            if self.config.relative:
                copied = _distance(x_BTNC[:, k:], x_BTNC[:, :-k])
                heavy = weight[:, k - 1 :]
                total = total + (heavy * error).sum() / (heavy * copied).sum().clamp_min(1e-6)
            else:
                total = total + error.mean()
            error = error.mean()
            losses["error" if k == 1 else f"error_{k}"] = error
            seen = torch.cat([x_BTNC[:, :1], predicted[:, 1:]], dim=1)
        losses["error_over_copying"] = losses["error"].detach() / copying
        return {"total": total, **losses}

    def expect_each(
        self,
        seen: Float[Tensor, "b t n c"],
        controls: Controls,
        generator: torch.Generator | None = None,
    ) -> tuple[Float[Tensor, "b t n c"], Cache]:
        """Each frame of clips from the frames before it, in parallel, with keys and values.

        Args:
            seen: latents of the clips.
            controls: of the same frames.
            generator: drops controls at random; see `ControlEncoder`.
        """
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
        _, cache = self.expect_each(x, controls)
        return JepaCarry(extend((), cache, self.config.window), newest(x), x.shape[1])

    @torch.no_grad()
    def step(self, carry: JepaCarry, controls: Controls) -> tuple[JepaCarry, Latents]:
        """Predict the next frame."""
        return self.step_with_slope(carry, controls)

    def step_with_slope(self, carry: JepaCarry, controls: Controls) -> tuple[JepaCarry, Latents]:
        """As `step`, with gradients to the controls and to the carry."""
        x, fresh = self._advance(carry, controls)
        x = self.settled(x, carry.last[:, 1:])
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

    def settled(
        self, expected: Float[Tensor, "b 1 n c"], before: Float[Tensor, "b 1 n c"]
    ) -> Float[Tensor, "b 1 n c"]:
        """The next frame of a rollout: as expected, but still where hardly anything changes."""
        if self.config.shrinkage == 0:
            return expected
        return before + shrink(expected - before, self.config.shrinkage)

    def _advance(self, carry: JepaCarry, controls: Controls) -> tuple[Tensor, Cache]:
        return self.expect(carry.last, controls, start=carry.num_frames, past=carry.cache)

    def _commit(self, carry: JepaCarry, x: Tensor, fresh: Cache) -> JepaCarry:
        return replace(
            carry,
            cache=extend(carry.cache, fresh, self.config.window),
            last=torch.cat([carry.last[:, 1:], x], dim=1),
            num_frames=carry.num_frames + 1,
        )


def _distance(
    one: Float[Tensor, "b t n c"], other: Float[Tensor, "b t n c"]
) -> Float[Tensor, "b t n"]:
    """Mean square of what cells differ by."""
    return (one - other).float().square().mean(-1)
