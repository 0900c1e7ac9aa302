"""What actions there are to plan with."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from worldline.core.errors import InputError
from worldline.data.actions import ActionSpec

__all__ = ["ActionSpace"]


@dataclass(frozen=True)
class ActionSpace:
    """What actions there are, as a world takes them.

    Attributes:
        width: numbers per action, each in [-1, 1].
        num_actions: where actions are choices, how many possibilities each of them has; an action
            is then their one-hot vectors side by side, `width` numbers together.
    """

    width: int
    num_actions: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        total = sum(self.num_actions)
        if self.width < 1 or (self.num_actions and total != self.width):
            raise InputError(
                f"actions of {self.width} numbers with choices {self.num_actions}: choices must "
                "add up to the width, and 1 is the least"
            )

    @classmethod
    def of(cls, spec: ActionSpec) -> ActionSpace:
        """Of an environment's actions."""
        return cls(spec.width, spec.num_actions)

    @property
    def is_discrete(self) -> bool:
        """Whether actions are choices."""
        return bool(self.num_actions)

    @property
    def num_columns(self) -> int:
        """Numbers that have to be drawn for an action: one per choice, or one per number."""
        return len(self.num_actions) or self.width

    def rest(self, num: int, horizon: int) -> Float[Tensor, "b h a"]:
        """Plans to begin with: no motion, or every choice as likely as the others."""
        if not self.num_actions:
            return torch.zeros(num, horizon, self.width)
        parts = [torch.full((n,), 1 / n) for n in self.num_actions]
        return torch.cat(parts).expand(num, horizon, -1).clone()
