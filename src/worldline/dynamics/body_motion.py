"""Where bodies go, learned with the symmetries of mechanics built in.

A body is a middle, a size and a short past, as `bodies` measures them. What moves it is learned,
how motion is counted is not:

- nothing depends on where the body is, how fast it moves (Galilean invariance) or how large it is
  in the picture: its acceleration is one of a few learned constants, or any; which, follows from
  how its path bends, by Bayes' rule with learned noise;
- two bodies act on each other along the line between them, with opposite impulses (Newton's third
  law) in proportion to how fast they approach: how much each gets is a logistic function of the
  logarithm of their sizes' ratio, so that it holds for ratios never seen; how elastic a touch is,
  and whether it is one at all or a passing behind each other, is learned from what both look like.

Objects and interactions as in interaction networks from pixels (Watters et al. 2017, "Visual
Interaction Networks", arXiv 1706.01433); a standard deviation for every body and moment beside the
path, fitted by likelihood (Nix and Weigend 1994).

Shape legend: B scenes, M bodies, K context frames, H frames ahead.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from jaxtyping import Bool, Float
from torch import Tensor, nn

from worldline.core.config import Config, register
from worldline.dynamics.base import Losses
from worldline.dynamics.bodies import Bodies

__all__ = ["BodyForecaster", "BodyPaths", "BodyStates", "states_of"]

_LEAST_STD_PX = 0.02
"""No path is known better than this."""

_BEND_PX = 0.05
"""Bend of a path (pixels per frame squared) that counts as one."""

_FAST = 8.0
"""The exponent of the sizes' ratio is learned so many times faster than weights."""

_PATH_NOISE_PX = 0.008
"""Error of a measured middle that is always granted; pictures as clean as the simulator's know it
five times better."""

_WIDE_PX = 0.5
"""Spread of bends that are none of the constants."""

_PLAIN = 0.01
"""Residuals below this are rounding and codecs: nothing is to be learned from them."""

_ROUND = 0.1
"""Second moments that differ from a disc's by less are those of a disc."""

_HAS_BEND = 2
"""Which of the looks says whether a bend is known."""

_NUM_LOOKS, _NUM_PAIR = 9, 8
"""Numbers that say what a body looks like, and a pair."""


@dataclass(frozen=True, eq=False)
class BodyStates:
    """What is known of M bodies in B scenes after the last context frame.

    Attributes:
        center_px: `[B, M, 2]` last middle.
        velocity_px: `[B, M, 2]` pixels per frame, of the line through the past middles.
        lag: `[B, M]` frames by which that velocity is older than the last frame.
        bend_px: `[B, M, 2]` acceleration of the parabola through them; 0 where there are too few.
        radius_px: `[B, M]`.
        looks: `[B, M, 9]` numbers of order one, see `states_of`.
        there: `[B, M]` the slot holds a body.
    """

    center_px: Float[Tensor, "b m 2"]
    velocity_px: Float[Tensor, "b m 2"]
    lag: Float[Tensor, "b m"]
    bend_px: Float[Tensor, "b m 2"]
    radius_px: Float[Tensor, "b m"]
    looks: Float[Tensor, "b m 9"]
    there: Bool[Tensor, "b m"]

    @classmethod
    def empty(cls, batch: int, slots: int, device: str = "cpu") -> BodyStates:
        """Scenes without bodies."""
        zeros = torch.zeros(batch, slots, 2, device=device)
        return cls(
            center_px=zeros,
            velocity_px=zeros,
            lag=zeros[..., 0],
            bend_px=zeros,
            radius_px=zeros[..., 0],
            looks=torch.zeros(batch, slots, _NUM_LOOKS, device=device),
            there=zeros[..., 0] > 0,
        )

    @classmethod
    def stack(cls, scenes: Sequence[BodyStates]) -> BodyStates:
        """Several scenes of equally many slots as one batch."""
        return cls(**{f.name: torch.cat([getattr(s, f.name) for s in scenes]) for f in fields(cls)})

    def rows(self, which: Tensor) -> BodyStates:
        """Some of the scenes."""
        return BodyStates(**{f.name: getattr(self, f.name)[which] for f in fields(self)})


@dataclass(frozen=True, eq=False)
class BodyPaths:
    """Forecast paths.

    Attributes:
        center_px: `[B, M, H, 2]`.
        std_px: `[B, M, H]` standard deviation of x and of y.
    """

    center_px: Float[Tensor, "b m h 2"]
    std_px: Float[Tensor, "b m h"]


def states_of(bodies: Bodies, slots: int | None = None) -> BodyStates:
    """States of measured bodies, as a batch of one scene.

    Only the newest frames in a row in which a body is whole count. What a body looks like: is it
    cut, can a velocity and a bend be told, how far its pixels are from one colour on plain ground
    and its shape from a disc, how far its path is from a line and from a parabola, how much it
    grows, and how many frames it was followed for.

    Args:
        bodies: of one context.
        slots: M, at least as many as bodies; later ones are left out where it is less.
    """
    num = len(bodies) if slots is None else slots
    rows = [_state(bodies, k) for k in range(min(len(bodies), num))]
    empty = [(np.zeros(2), np.zeros(2), 0.0, np.zeros(2), 1.0, np.zeros(_NUM_LOOKS))]
    padded = rows + empty * (num - len(rows))

    def column(k: int, *shape: int) -> Tensor:
        values = np.array([row[k] for row in padded], dtype=np.float32)
        return torch.from_numpy(values.reshape(1, num, *shape))

    return BodyStates(
        center_px=column(0, 2),
        velocity_px=column(1, 2),
        lag=column(2),
        bend_px=column(3, 2),
        radius_px=column(4),
        looks=column(5, _NUM_LOOKS),
        there=torch.arange(num)[None] < len(rows),
    )


def _state(
    bodies: Bodies, k: int
) -> tuple[np.ndarray, np.ndarray, float, np.ndarray, float, object]:
    path, cut = bodies.center_px[k], bodies.is_cut[k]
    whole = np.isfinite(path).all(-1) & ~cut
    if not whole[-1]:
        whole = np.isfinite(path).all(-1)
    gaps = np.flatnonzero(~whole)
    first = int(gaps[-1]) + 1 if len(gaps) else 0
    seen = path[first:]
    n = len(seen)
    tau = np.arange(1 - n, 1, dtype=np.float64)
    velocity, bend, lag = np.zeros(2), np.zeros(2), 0.0
    line = curve = 0.0
    if n >= 2:
        slope = np.polynomial.polynomial.polyfit(tau, np.c_[seen, tau**2 / 2], 1)
        velocity, lag = slope[1, :2], -float(slope[1, 2])
        line = _misfit(seen, tau, 1)
    if n >= 3:
        bend = 2 * np.polynomial.polynomial.polyfit(tau, seen, 2)[2]
        curve = _misfit(seen, tau, 2)
    radius = bodies.radius_px[k]
    known = radius[np.isfinite(radius)]
    growth = float(np.log(known[-1] / known[0])) if len(known) > 1 else 0.0
    spread = float(np.clip(bodies.spread[k], 0.5, 3)) - 1
    looks = np.array(
        [
            float(cut[-1]),
            float(n >= 2),
            float(n >= 3),
            math.log10(max(float(bodies.residual[k]), _PLAIN)) - math.log10(_PLAIN),
            math.copysign(max(abs(spread) - _ROUND, 0.0), spread),
            math.log10(line + 1e-3) + 2,
            math.log10(curve + 1e-3) + 2,
            10 * growth,
            n / 8,
        ]
    )
    return path[-1], velocity, lag, bend, float(radius[-1]), looks


def _misfit(path: np.ndarray, tau: np.ndarray, degree: int) -> float:
    if len(path) <= degree + 1:
        return 0.0
    fit = np.polynomial.polynomial.polyfit(tau, path, degree)
    away = path - np.polynomial.polynomial.polyval(tau, fit).T
    return float(np.sqrt((away**2).sum() / (len(path) - degree - 1)))


class _Net(nn.Module):
    """Two hidden layers, in single precision whatever the weights are kept in."""

    def __init__(self, num_in: int, width: int, num_out: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            [nn.Linear(num_in, width), nn.Linear(width, width), nn.Linear(width, num_out)]
        )

    def forward(self, x: Tensor) -> Tensor:
        for number, layer in enumerate(self.layers):
            assert isinstance(layer, nn.Linear)
            x = F.linear(x, layer.weight.float(), layer.bias.float())
            x = F.silu(x) if number < len(self.layers) - 1 else x
        return x


class BodyForecaster(nn.Module):
    """Paths of bodies, and how well they are known."""

    @register("dynamics/bodies")
    @dataclass(frozen=True)
    class Config(Config):
        """Sizes.

        Attributes:
            width: of the hidden layers.
            num_constants: learned accelerations that a body may have.
            context: most frames of the past that are looked at.
            slots: most bodies of a scene in training.
        """

        width: int = 64
        num_constants: int = 6
        context: int = 8
        slots: int = 5

        def build(self) -> BodyForecaster:
            """Make the untrained forecaster."""
            return BodyForecaster(self)

    def __init__(self, config: BodyForecaster.Config) -> None:
        super().__init__()
        self.config = config
        self.constants = nn.Parameter(torch.randn(config.num_constants, 2))
        self.prior = _Net(_NUM_LOOKS, config.width, config.num_constants + 2)
        self.touch = _Net(_NUM_PAIR, config.width, 2)
        self.share = nn.Parameter(torch.ones(()) / _FAST)
        self.reach = nn.Parameter(torch.zeros(()))
        self.doubt = _Net(_NUM_LOOKS + 3, config.width, 3)

    def forward(self, states: BodyStates, horizon: int) -> BodyPaths:
        """Forecast `horizon` frames."""
        bend, _ = self._acceleration(states)
        x = states.center_px
        v = states.velocity_px + bend * states.lag[..., None]
        touch, elastic = self._pairs(states)
        share = torch.sigmoid(_FAST * self.share.float() * self._size_ratio(states))
        reach = self.reach.float().exp() * (
            states.radius_px[:, :, None] + states.radius_px[:, None]
        )
        path = []
        for _ in range(horizon):
            # the parabola's mean velocity over the coming frame
            step = v + bend / 2
            push, when = _collide(x, step, reach, touch, elastic, share)
            x = x + step + (push * (1 - when)[..., None]).sum(2)
            v = v + bend + push.sum(2)
            path.append(x)
        return BodyPaths(torch.stack(path, dim=2), self._std(states, horizon))

    def _acceleration(self, states: BodyStates) -> tuple[Tensor, Tensor]:
        """Posterior mean of a mixture (K constants seen with noise, or a bend of any size) and
        minus the logarithm of its likelihood."""
        constants = 2 * _BEND_PX * self.constants.float()
        found = self.prior(states.looks)
        noise = _BEND_PX * found[..., -1:].clamp(-3, 3).exp()
        noise = noise.hypot(self._least_noise(states)[..., None])
        away = (states.bend_px[..., None, :] - constants).square().sum(-1)
        wide = noise.square() + _WIDE_PX**2
        any_size = states.bend_px.square().sum(-1, keepdim=True)
        fit = torch.cat(
            [
                -away / (2 * noise.square()) - 2 * noise.log(),
                -any_size / (2 * wide) - wide.log(),
            ],
            -1,
        )
        joint = found[..., :-1].log_softmax(-1) + fit
        weight = joint.softmax(-1)
        mean = weight[..., :-1] @ constants + weight[..., -1:] * states.bend_px
        return mean, -joint.logsumexp(-1)

    @staticmethod
    def _least_noise(states: BodyStates) -> Tensor:
        """Standard error of the bend of a parabola through n middles, each off by as much as rims
        without smooth edges and codecs can move it."""
        n = (states.looks[..., -1] * 8).clamp_min(3.0)
        return _PATH_NOISE_PX * (720 / (n * (n.square() - 1) * (n.square() - 4))).sqrt()

    @staticmethod
    def _size_ratio(states: BodyStates) -> Tensor:
        """Logarithm of the other's size over the own, `[B, M, M]`."""
        size = states.radius_px.clamp_min(0.5).log()
        return size[:, None] - size[:, :, None]

    def _pairs(self, states: BodyStates) -> tuple[Tensor, Tensor]:
        """Whether pairs act on each other, and 1 + restitution; both `[B, M, M]`."""
        looks = states.looks[..., [0, 3, 4, 7]]
        one, other = looks[:, :, None], looks[:, None]
        both = torch.cat([one + other, (one - other).abs()], -1)
        found = self.touch(both)
        pair = states.there[:, :, None] & states.there[:, None]
        pair = pair & ~torch.eye(pair.shape[1], dtype=torch.bool, device=pair.device)
        return torch.sigmoid(found[..., 0] + 1) * pair, 2 * torch.sigmoid(found[..., 1] + 1)

    def _std(self, states: BodyStates, horizon: int) -> Tensor:
        apart = (states.center_px[:, :, None] - states.center_px[:, None]).norm(dim=-1)
        apart = apart - states.radius_px[:, :, None] - states.radius_px[:, None]
        alone = torch.eye(apart.shape[1], dtype=torch.bool, device=apart.device)
        alone = alone | ~states.there[:, None]
        nearest = apart.masked_fill(alone, 64.0).amin(-1).clamp(-8, 64)
        more = torch.stack(
            [
                (nearest / 16).clamp(max=1),
                torch.log10(states.bend_px.norm(dim=-1) + 1e-3) + 2,
                states.there.sum(-1, keepdim=True).expand_as(nearest) / 4,
            ],
            -1,
        )
        first, growth, late = self.doubt(torch.cat([states.looks, more], -1)).unbind(-1)
        ahead = torch.arange(1, horizon + 1, dtype=torch.float32, device=first.device)
        slope = F.softplus(growth)[..., None] * ahead.log()
        slope = slope + F.softplus(late)[..., None] * (ahead / 16)
        return _LEAST_STD_PX + (first[..., None] - 1 + slope).clamp(-6, 5).exp()

    def loss(
        self, states: BodyStates, truth: Float[Tensor, "b m h 2"], known: Bool[Tensor, "b m h"]
    ) -> Losses:
        """Error of paths in units of their own doubt, the likelihood of that doubt, and that of how
        the measured paths bend.

        Args:
            states: measured.
            truth: where the bodies went, relative to the picture.
            known: where that is known.
        """
        paths = self(states, truth.shape[2])
        away = paths.center_px - torch.where(known[..., None], truth, paths.center_px.detach())
        distance = (away.square().sum(-1) + 1e-6).sqrt()
        std = paths.std_px
        weight = known.float() / known.sum().clamp_min(1)
        path = (weight * (distance / std.detach()).clamp(max=30)).sum()
        squared = (distance.detach() / std).square() / 2
        doubt = (weight * (squared.clamp(max=200) + 2 * std.log())).sum()
        told = states.there & (states.looks[..., _HAS_BEND] > 0)
        evidence = (self._acceleration(states)[1] * told).sum() / told.sum().clamp_min(1)
        return {
            "path": path,
            "doubt": doubt,
            "evidence": evidence,
            "error_px": (weight * distance.detach()).sum(),
            "total": path + doubt + evidence,
        }


def _collide(
    x: Tensor, step: Tensor, reach: Tensor, touch: Tensor, elastic: Tensor, share: Tensor
) -> tuple[Tensor, Tensor]:
    """Changes of velocity `[B, M, M, 2]` of each body by each other within one frame, and when in
    it (0 to 1): the first moment at which two discs on straight ways are `reach` apart."""
    apart = x[:, None] - x[:, :, None]  # from the first to the second
    closing = step[:, None] - step[:, :, None]
    a = closing.square().sum(-1).clamp_min(1e-8)
    b = (apart * closing).sum(-1)
    c = apart.square().sum(-1) - reach.square()
    under = b.square() - a * c
    root = under.clamp_min(1e-12).sqrt()
    when = torch.where(c <= 0, torch.zeros_like(c), (-b - root) / a)
    hit = (b < 0) & (under > 0) & (when <= 1) & (touch > 0)
    when = torch.where(hit, when, torch.zeros_like(when)).clamp(0, 1)
    place = apart + closing * when[..., None]
    normal = place / place.norm(dim=-1, keepdim=True).clamp_min(1e-6)
    approach = -(closing * normal).sum(-1)
    size = hit * touch * elastic * share * approach.clamp_min(0)
    return -normal * size[..., None], when
