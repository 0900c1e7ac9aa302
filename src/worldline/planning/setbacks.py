"""What did not come out as imagined a moment ago is not trusted again at the same place.

Where a test shifts, a picture that leads astray can look like any other (`Familiarity` does not see
it); but who acts sees what comes of it. An agent that notes where it imagined a move and saw
another one can leave that action, there, to the last.

Shape legend: B situations, S plans, H steps, N latent cells, C channels, A numbers of an action, M
moments that are remembered, D = N * C.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from worldline.core.errors import InputError
from worldline.planning.imagination import Rollout

__all__ = ["Setbacks"]

_ACTION_WIDTH = 0.5
"""Standard deviation of the kernel over actions, whose numbers lie in [-1, 1]."""


@dataclass(eq=False)
class Setbacks:
    """A penalty on doing again, where one did it, what came out otherwise than imagined.

    Of each action that was done its place in latents is kept and how wrong the world was there: the
    squared error of the imagined latent over the larger of the imagined and the seen change, 1 at
    most. What changed less than half of what is usual tells nothing and is not kept. A plan's step
    costs the largest of these, weighed by a Gaussian kernel of place and action (as in
    kernel regression; Nadaraya 1964), so that an episode in which all goes as imagined costs
    nothing. `WorldAgent` tells it what came of each action, and that a new episode begins.

    Attributes:
        step: mean squared change of a latent number by one action that is usual; the kernel is as
            wide as that.
    """

    step: float
    _places: list[Tensor] = field(default_factory=list, init=False, repr=False)
    _actions: list[Tensor] = field(default_factory=list, init=False, repr=False)
    _wrong: list[Tensor] = field(default_factory=list, init=False, repr=False)

    def __post_init__(self) -> None:
        if not 0 < self.step < float("inf"):
            raise InputError(f"the usual step is {self.step}; it must be above 0")

    def forget(self) -> None:
        """New episodes."""
        self._places, self._actions, self._wrong = [], [], []

    def note(
        self,
        before: Float[Tensor, "b n c"],
        action: Float[Tensor, "b a"],
        imagined: Float[Tensor, "b n c"],
        seen: Float[Tensor, "b n c"],
    ) -> None:
        """What came of an action of each situation.

        Args:
            before: latents where it was done.
            action: what was done.
            imagined: latents that it was to lead to.
            seen: that it led to.
        """
        place = before.flatten(1)
        error = (imagined - seen).flatten(1).square().mean(dim=1)
        change = torch.stack(
            [(x.flatten(1) - place).square().mean(dim=1) for x in (imagined, seen)]
        )
        change = change.amax(dim=0)
        wrong = (error / change.clamp_min(1e-12)).clamp_max(1.0)
        self._wrong.append(torch.where(change > self.step / 4, wrong, torch.zeros_like(wrong)))
        self._places.append(place)
        self._actions.append(action)

    def cost(self, rollout: Rollout) -> Float[Tensor, "b s"]:
        """Sum over steps; see `Objective`."""
        num, samples, horizon, _ = rollout.actions.shape
        if not self._places:
            return torch.zeros(num, samples)
        first = rollout.start[:, None, None, 1].expand(-1, samples, -1, -1, -1)
        where = torch.cat([first, rollout.latents[:, :, :-1]], dim=2).flatten(3).flatten(1, 2)
        places = torch.stack(self._places, dim=1)
        far = torch.cdist(where, places).square() / places.shape[-1] / self.step
        done = torch.stack(self._actions, dim=1).to(rollout.actions)
        other = torch.cdist(rollout.actions.flatten(1, 2), done).square() / _ACTION_WIDTH**2
        near = torch.exp(-0.5 * (far + other)) * torch.stack(self._wrong, dim=1)[:, None]
        return near.amax(dim=-1).unflatten(1, (samples, horizon)).sum(dim=-1)
