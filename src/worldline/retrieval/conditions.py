"""Conditions of a query: quantities compared with numbers, and objects described."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NoReturn

from worldline.core.errors import InputError
from worldline.core.wording import describe_limit

__all__ = [
    "Compare",
    "Op",
    "Quantity",
    "Who",
    "approach_speed_mps",
    "check_limits",
    "distance_m",
    "drac_mps2",
    "duration_s",
    "height_m",
    "pet_s",
    "speed_mps",
    "ttc_s",
]


class Op(StrEnum):
    """Comparator between a measured quantity (left) and a threshold (right)."""

    GT = ">"
    GE = ">="
    LT = "<"
    LE = "<="
    EQ = "=="

    def holds(self, value: float, threshold: float) -> bool:
        """Whether `value` stands in this relation to `threshold`; never for NaN."""
        match self:
            case Op.GT:
                return value > threshold
            case Op.GE:
                return value >= threshold
            case Op.LT:
                return value < threshold
            case Op.LE:
                return value <= threshold
            case Op.EQ:
                return value == threshold


@dataclass(frozen=True)
class Compare:
    """A condition on one measured quantity, in the unit that its name ends with."""

    quantity: str
    op: Op
    value: float

    def __post_init__(self) -> None:
        if not math.isfinite(self.value):
            raise InputError(f"{self.quantity} is compared with {self.value}; give a finite number")

    def loosely(self) -> Compare:
        """The condition that a value can meet whose error leaves it a chance to meet this one."""
        match self.op:
            case Op.GT | Op.GE:
                return Compare(self.quantity, self.op, self.value - 0.5 * abs(self.value))
            case Op.LT | Op.LE:
                return Compare(self.quantity, self.op, self.value + abs(self.value))
            case Op.EQ:
                return self

    def chance(self, value: float, std: float) -> float:
        """Probability that it is met, where a measured value has a normal error; `std` > 0."""
        above = 0.5 * math.erfc((self.value - value) / (std * math.sqrt(2)))
        return above if self.op in (Op.GT, Op.GE) else 1 - above

    def __bool__(self) -> NoReturn:
        raise InputError(
            f"a condition on {self.quantity} has no truth value by itself: write two conditions "
            "side by side, Fall(height_m > 1, height_m < 2), instead of 1 < height_m < 2"
        )


def check_limits(where: tuple[Compare, ...]) -> None:
    """Raise `InputError` for two conditions on one quantity that exclude each other."""
    for low in where:
        for high in where:
            if low.quantity != high.quantity or low.op in (Op.LT, Op.LE):
                continue
            strict = low.op is Op.GT or high.op is Op.LT
            beyond = low.value > high.value or (strict and low.value == high.value)
            if high.op not in (Op.GT, Op.GE) and beyond:
                said = [describe_limit(c.quantity, c.op, c.value) for c in (low, high)]
                raise InputError(
                    f"{said[0]} and {said[1]} cannot both hold; give limits that leave room "
                    "between them"
                )


def _number(name: str, value: Any) -> float:
    try:
        if not isinstance(value, str | bytes):
            return float(value)
    except (TypeError, ValueError, OverflowError):
        pass
    raise InputError(f"{name} is compared with {value!r}; give a finite number")


@dataclass(frozen=True)
class Quantity:
    """A measured quantity by name; comparing it with a number gives a `Compare`."""

    name: str

    def __gt__(self, value: float) -> Compare:
        return Compare(self.name, Op.GT, _number(self.name, value))

    def __ge__(self, value: float) -> Compare:
        return Compare(self.name, Op.GE, _number(self.name, value))

    def __lt__(self, value: float) -> Compare:
        return Compare(self.name, Op.LT, _number(self.name, value))

    def __le__(self, value: float) -> Compare:
        return Compare(self.name, Op.LE, _number(self.name, value))


height_m = Quantity("height_m")
distance_m = Quantity("distance_m")
speed_mps = Quantity("speed_mps")
approach_speed_mps = Quantity("approach_speed_mps")
ttc_s = Quantity("ttc_s")
pet_s = Quantity("pet_s")
drac_mps2 = Quantity("drac_mps2")
duration_s = Quantity("duration_s")
"""Length of the event's own interval; every event has it."""


@dataclass(frozen=True)
class Who:
    """What is asked of the object in a role.

    Attributes:
        labels: words of which one must be the object's label; empty: any object.
        colors: words of which one must be the object's colour; empty: any colour.
        name: a variable: roles with the same name in one query must be the same object.
    """

    labels: tuple[str, ...] = ()
    colors: tuple[str, ...] = ()
    name: str | None = None

    def __post_init__(self) -> None:
        for word in (*self.labels, *self.colors, self.name or ""):
            if not isinstance(word, str):
                raise InputError(f'an object is described by {word!r}; give words, such as "car"')
