"""What the columns of an action vector mean, and discrete actions as such vectors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Float32, Int64
from numpy.typing import ArrayLike

from worldline.core.errors import InputError

__all__ = ["ACTION_DETAIL", "ActionSpec"]

ACTION_DETAIL = "actions"
"""Key of a clip's provenance details under which the action spec is kept, as JSON."""


@dataclass(frozen=True)
class ActionSpec:
    """How actions are counted or measured.

    A discrete action is D whole numbers, each of which chooses among some possibilities (D is 1
    for a game pad with one button at a time); it becomes D one-hot vectors side by side. A
    continuous one is a vector already.

    Attributes:
        names: one for each of the A columns of the vector.
        num_actions: for each of the D choices, how many possibilities it has; empty if continuous.
        low, high: limits of each column; both empty where they are unknown or infinite.
    """

    names: tuple[str, ...]
    num_actions: tuple[int, ...] = ()
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        width = sum(self.num_actions) if self.num_actions else len(self.names)
        if len(self.names) != width or width == 0 or any(n < 1 for n in self.num_actions):
            raise InputError(
                f"action spec names {len(self.names)} columns for choices {self.num_actions}"
            )
        if len(self.low) != len(self.high) or len(self.low) not in (0, width):
            raise InputError(f"action spec has limits for {len(self.low)} of {width} columns")

    @property
    def is_discrete(self) -> bool:
        """Whether actions are choices."""
        return bool(self.num_actions)

    @property
    def width(self) -> int:
        """A, the length of the vector."""
        return len(self.names)

    @property
    def num_columns(self) -> int:
        """Length of an action as it was taken: D numbers of choices, or A."""
        return len(self.num_actions) or self.width

    def vectors(
        self, actions: Float32[np.ndarray, "t a"] | Int64[np.ndarray, "t d"]
    ) -> Float32[np.ndarray, "t a"]:
        """Actions as vectors: one-hot for each choice, unchanged where they are continuous."""
        if not self.is_discrete:
            return actions.astype(np.float32)
        parts = [
            np.eye(count, dtype=np.float32)[actions[:, column]]
            for column, count in enumerate(self.num_actions)
        ]
        return np.concatenate(parts, axis=1)

    def normalised(self, vectors: Float[np.ndarray, "*t a"]) -> Float32[np.ndarray, "*t a"]:
        """Vectors as a world takes them: continuous ones from their limits to [-1, 1].

        What lies beyond the limits is cut off; without limits, and for choices, nothing changes.
        """
        if not self.low:
            return vectors.astype(np.float32)
        low, high = np.asarray(self.low), np.asarray(self.high)
        span = np.where(high > low, high - low, 1.0)
        return (2 * (vectors - low) / span - 1).clip(-1, 1).astype(np.float32)

    def restored(
        self, vectors: Float[np.ndarray, "*t a"] | ArrayLike
    ) -> Float32[np.ndarray, "*t a"]:
        """Inverse of `normalised`, within the limits: a planner's actions in the environment's own
        units. Tensors on the processor are taken as well as arrays; choices stay one-hot.

        Raises:
            InputError: actions are not of as many numbers as the spec names.
        """
        given = np.asarray(vectors).astype(np.float32)
        if given.ndim == 0 or given.shape[-1] != self.width:
            raise InputError(
                f"actions are {list(given.shape)}; the last axis must hold {self.width} numbers, "
                f"{', '.join(self.names)}"
            )
        if not self.low:
            return given
        low, high = np.asarray(self.low), np.asarray(self.high)
        span = np.where(high > low, high - low, 1.0)
        return (low + (given + 1) / 2 * span).astype(np.float32)

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary for JSON."""
        return {name: list(value) for name, value in asdict(self).items()}

    def to_text(self) -> str:
        """The same as text, for provenance details."""
        return json.dumps(self.to_json(), separators=(",", ":"))

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> ActionSpec:
        """Inverse of `to_json`. Raises `InputError` for anything else."""
        try:
            return cls(
                names=tuple(str(name) for name in record["names"]),
                num_actions=tuple(int(n) for n in record.get("num_actions", ())),
                low=tuple(float(x) for x in record.get("low", ())),
                high=tuple(float(x) for x in record.get("high", ())),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(f"not an action spec ({error})") from None

    @classmethod
    def from_text(cls, text: str) -> ActionSpec:
        """Inverse of `to_text`. Raises `InputError` for anything else."""
        try:
            record = json.loads(text)
        except json.JSONDecodeError as error:
            raise InputError(f"not an action spec ({error})") from None
        if not isinstance(record, dict):
            raise InputError("not an action spec (expected a JSON object)")
        return cls.from_json(record)
