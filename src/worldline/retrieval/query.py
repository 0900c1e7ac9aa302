"""The query language: typed expressions over events, roles, quantities, counts and order in time.

`Fall(height_m > 2).then(Bounce(), within_s=2)` is a query. A quantity is an object whose
comparison gives a `Compare`, so that a query reads as it is said, misspelled names fail where they
are written, and nothing has to be taken apart from keyword names.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NoReturn

from worldline.core.errors import InputError

__all__ = [
    "NEARBY_S",
    "PAIR_TYPES",
    "Accelerate",
    "And",
    "Bounce",
    "Brake",
    "Carry",
    "Collapse",
    "Collide",
    "Compare",
    "Contact",
    "Count",
    "Cross",
    "Enter",
    "Event",
    "EventType",
    "Exit",
    "Fall",
    "Follow",
    "NearMiss",
    "Not",
    "Occlude",
    "Op",
    "Or",
    "Oscillate",
    "Overtake",
    "PickUp",
    "Push",
    "PutDown",
    "Quantity",
    "Query",
    "Reappear",
    "Rise",
    "Roll",
    "Rotate",
    "Slide",
    "Start",
    "Still",
    "Stop",
    "Support",
    "Then",
    "Throw",
    "Topple",
    "Turn",
    "Who",
    "approach_speed_mps",
    "distance_m",
    "duration_s",
    "events_in",
    "height_m",
    "speed_mps",
    "ttc_s",
]

NEARBY_S = 10.0
"""Parts of an `And`, and what a `Not` beside them excludes, lie within this many seconds."""

PAIR_TYPES = frozenset({"contact", "collide", "near_miss", "cross"})
"""Events of two objects whose roles `a` and `b` are not ordered: either may be said first."""


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

    def __bool__(self) -> NoReturn:
        raise InputError(
            f"a condition on {self.quantity} has no truth value by itself: write two conditions "
            "side by side, Fall(height_m > 1, height_m < 2), instead of 1 < height_m < 2"
        )


def _check_limits(where: tuple[Compare, ...]) -> None:
    """Raise `InputError` for two conditions on one quantity that exclude each other."""
    for low in where:
        for high in where:
            if low.quantity != high.quantity or low.op in (Op.LT, Op.LE):
                continue
            strict = low.op is Op.GT or high.op is Op.LT
            beyond = low.value > high.value or (strict and low.value == high.value)
            if high.op not in (Op.GT, Op.GE) and beyond:
                said = [f"{low.op} {low.value:g}", f"{high.op} {high.value:g}"]
                raise InputError(
                    f"{low.quantity} {said[0]} and {low.quantity} {said[1]} cannot both hold; "
                    "give limits that leave room between them"
                )


@dataclass(frozen=True)
class Quantity:
    """A measured quantity by name; comparing it with a number gives a `Compare`."""

    name: str

    def __gt__(self, value: float) -> Compare:
        return Compare(self.name, Op.GT, float(value))

    def __ge__(self, value: float) -> Compare:
        return Compare(self.name, Op.GE, float(value))

    def __lt__(self, value: float) -> Compare:
        return Compare(self.name, Op.LT, float(value))

    def __le__(self, value: float) -> Compare:
        return Compare(self.name, Op.LE, float(value))


height_m = Quantity("height_m")
distance_m = Quantity("distance_m")
speed_mps = Quantity("speed_mps")
approach_speed_mps = Quantity("approach_speed_mps")
ttc_s = Quantity("ttc_s")
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


@dataclass(frozen=True)
class Query:
    """Base of all expressions. Combine with `then`, `&`, `|`, `~` and `times`."""

    def then(self, second: Query, *, within_s: float | None = None) -> Then:
        """This, and afterwards `second`, starting at most `within_s` after this has ended."""
        return Then(self, second, within_s)

    def times(self, number: int, op: Op = Op.GE) -> Count:
        """Videos in which this happens so many times; at least, unless `op` says otherwise."""
        return Count(self, op, number)

    def __and__(self, other: Query) -> And:
        return And((self, other))

    def __or__(self, other: Query) -> Or:
        return Or((self, other))

    def __invert__(self) -> Not:
        return Not(self)


@dataclass(frozen=True)
class Event(Query):
    """One event of a type, with conditions on its quantities and on the objects in its roles.

    Raises `InputError` where no value can satisfy all conditions on a quantity.

    Attributes:
        type: name in the ontology, such as "fall".
        where: conditions that must all hold; a quantity that was not measured satisfies none.
        roles: (role, who) pairs; events of two objects have `a` and `b`, others `object`.
    """

    type: str
    where: tuple[Compare, ...] = ()
    roles: tuple[tuple[str, Who], ...] = ()

    def __post_init__(self) -> None:
        _check_limits(self.where)

    def of(self, *labels: str, color: str | None = None, name: str | None = None) -> Event:
        """The same event of an object with one of these labels, or with this colour."""
        colors = () if color is None else (color,)
        return self._with("a" if self.type in PAIR_TYPES else "object", Who(labels, colors, name))

    def between(self, a: str | Who, b: str | Who) -> Event:
        """The same event between two objects, in either order."""
        first, second = (w if isinstance(w, Who) else Who((w,)) for w in (a, b))
        return self._with("a", first)._with("b", second)

    def _with(self, role: str, who: Who) -> Event:
        others = tuple(pair for pair in self.roles if pair[0] != role)
        return replace(self, roles=(*others, (role, who)))


@dataclass(frozen=True)
class Then(Query):
    """`first`, and `second` after it. `within_s` None: any time later in the same video."""

    first: Query
    second: Query
    within_s: float | None = None

    def __post_init__(self) -> None:
        if self.within_s is not None and not 0 < self.within_s < math.inf:
            raise InputError(f"within_s is {self.within_s}; give a positive number of seconds")


@dataclass(frozen=True)
class And(Query):
    """All parts, within `NEARBY_S` of each other; a part that is a `Not` must not happen there."""

    parts: tuple[Query, ...]


@dataclass(frozen=True)
class Or(Query):
    """Any of the parts."""

    parts: tuple[Query, ...]


@dataclass(frozen=True)
class Not(Query):
    """Absence: by itself, of the whole video; within an `And`, around the other parts."""

    part: Query


@dataclass(frozen=True)
class Count(Query):
    """Videos in which `part` happens so many times."""

    part: Query
    op: Op
    number: int

    def __post_init__(self) -> None:
        if self.number < 0:
            raise InputError(f"a count of {self.number} is asked for; give 0 or more")
        if self.op is Op.LT and self.number == 0:
            raise InputError("a count of less than 0 is asked for; give 1 or more after `<`")


@dataclass(frozen=True)
class EventType:
    """A type of event, called with conditions: `Fall(height_m > 2)`."""

    name: str

    def __call__(self, *where: Compare) -> Event:
        """The event with these conditions."""
        return Event(self.name, where)


def events_in(query: Query) -> Iterator[Event]:
    """Every event that a query mentions, absent ones included, in the order of writing."""
    match query:
        case Event():
            yield query
        case Then(first, second):
            yield from events_in(first)
            yield from events_in(second)
        case And(parts) | Or(parts):
            for part in parts:
                yield from events_in(part)
        case Not(part) | Count(part):
            yield from events_in(part)


Accelerate = EventType("accelerate")
Bounce = EventType("bounce")
Brake = EventType("brake")
Carry = EventType("carry")
Collapse = EventType("collapse")
Collide = EventType("collide")
Contact = EventType("contact")
Cross = EventType("cross")
Enter = EventType("enter")
Exit = EventType("exit")
Fall = EventType("fall")
Follow = EventType("follow")
NearMiss = EventType("near_miss")
Occlude = EventType("occlude")
Oscillate = EventType("oscillate")
Overtake = EventType("overtake")
PickUp = EventType("pick_up")
Push = EventType("push")
PutDown = EventType("put_down")
Reappear = EventType("reappear")
Rise = EventType("rise")
Roll = EventType("roll")
Rotate = EventType("rotate")
Slide = EventType("slide")
Start = EventType("start")
Still = EventType("still")
Stop = EventType("stop")
Support = EventType("support")
Throw = EventType("throw")
Topple = EventType("topple")
Turn = EventType("turn")
