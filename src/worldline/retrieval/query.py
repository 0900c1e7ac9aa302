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
from typing import Any, NoReturn

from worldline.core.errors import InputError
from worldline.retrieval.conditions import (
    Compare,
    Op,
    Quantity,
    Who,
    approach_speed_mps,
    check_limits,
    distance_m,
    drac_mps2,
    duration_s,
    height_m,
    pet_s,
    speed_mps,
    ttc_s,
)
from worldline.retrieval.sound import check_event
from worldline.retrieval.together import BLUR_S, NEARBY_S, ONSET_TYPES, TOUCH_S

__all__ = [
    "BLUR_S",
    "NEARBY_S",
    "ONSET_TYPES",
    "PAIR_TYPES",
    "TOUCH_S",
    "Accelerate",
    "And",
    "Bounce",
    "Brake",
    "Break",
    "Carry",
    "Collapse",
    "Collide",
    "Compare",
    "Contact",
    "Contain",
    "Converge",
    "Count",
    "Cross",
    "Deform",
    "Diverge",
    "Enter",
    "Event",
    "EventType",
    "Exit",
    "Fall",
    "Flow",
    "Follow",
    "NearMiss",
    "Not",
    "Occlude",
    "Op",
    "Or",
    "Oscillate",
    "Overtake",
    "PickUp",
    "Pour",
    "Push",
    "PutDown",
    "Quantity",
    "Query",
    "Reappear",
    "Relate",
    "Relation",
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
    "check_query",
    "distance_m",
    "drac_mps2",
    "duration_s",
    "events_in",
    "height_m",
    "pet_s",
    "speed_mps",
    "ttc_s",
]

PAIR_TYPES = frozenset({"contact", "collide", "near_miss", "cross"})
"""Events of two objects whose roles `a` and `b` are not ordered: either may be said first."""


@dataclass(frozen=True)
class Query:
    """Base of all expressions. Combine with `then`, `&`, `|`, `~` and `times`."""

    def then(self, second: Query, *, within_s: float | None = None) -> Then:
        """This, and afterwards `second`, starting at most `within_s` after this is done.

        Done is when it ends, or when it begins where it is one of `ONSET_TYPES`.
        """
        return Then(self, second, within_s)

    def times(self, number: int, op: Op = Op.GE) -> Count:
        """Videos in which this happens so many times; at least, unless `op` says otherwise."""
        return Count(self, op, number)

    def meanwhile(self, second: Query) -> Relate:
        """This and `second`, sharing some time."""
        return Relate(self, Relation.WHILE, second)

    def during(self, second: Query) -> Relate:
        """This, beginning and ending in the course of `second`."""
        return Relate(self, Relation.DURING, second)

    def overlaps(self, second: Query) -> Relate:
        """This, beginning before `second` and ending in the course of it."""
        return Relate(self, Relation.OVERLAPS, second)

    def meets(self, second: Query) -> Relate:
        """This, ending as `second` begins."""
        return Relate(self, Relation.MEETS, second)

    def starts(self, second: Query) -> Relate:
        """This, beginning together with `second` and ending before it."""
        return Relate(self, Relation.STARTS, second)

    def finishes(self, second: Query) -> Relate:
        """This, beginning after `second` and ending together with it."""
        return Relate(self, Relation.FINISHES, second)

    def __and__(self, other: Query) -> And:
        return And((self, other))

    def __or__(self, other: Query) -> Or:
        return Or((self, other))

    def __invert__(self) -> Not:
        return Not(self)

    def __bool__(self) -> NoReturn:
        raise InputError(
            "a query has no truth value: join queries with &, | and ~ instead of and, or and not"
        )


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
        check_limits(self.where)

    def of(self, *labels: str, color: str | None = None, name: str | None = None) -> Event:
        """The same event of an object with one of these labels, or with this colour."""
        colors = () if color is None else (color,)
        return self._with("a" if self.type in PAIR_TYPES else "object", Who(labels, colors, name))

    def between(self, a: str | Who, b: str | Who) -> Event:
        """The same event between two objects, in either order."""
        first, second = (w if isinstance(w, Who) else Who((w,)) for w in (a, b))
        return self._with("a", first)._with("b", second)

    def cast(self, **roles: str | Who) -> Event:
        """The same event with objects in its roles: `Push().cast(agent="person", object="box")`.

        Args:
            roles: by role a label, or a `Who` for colours, several labels or a variable.
        """
        event = self
        for role, who in roles.items():
            event = event._with(role, who if isinstance(who, Who) else Who((who,)))
        return event

    def _with(self, role: str, who: Who) -> Event:
        check_event(self.type, (), ((role, who),))
        others = tuple(pair for pair in self.roles if pair[0] != role)
        return replace(self, roles=(*others, (role, who)))


@dataclass(frozen=True)
class Then(Query):
    """`first`, and `second` after it. `within_s` None: any time later in the same video.

    One of the two may be a `Not`, which must not happen then: `Then(~Brake(), Collide())`.
    """

    first: Query
    second: Query
    within_s: float | None = None

    def __post_init__(self) -> None:
        _need_queries(self.first, self.second)
        limit_s: Any = self.within_s
        if limit_s is not None and not (
            isinstance(limit_s, int | float) and 0 < limit_s < math.inf
        ):
            raise InputError(f"within_s is {self.within_s}; give a positive number of seconds")


class Relation(StrEnum):
    """How the interval of one event lies to that of another (Allen 1983).

    Ends that lie within `TOUCH_S` of each other count as one moment: intervals are measured.
    Before and after are `Then`; the relations that turn these round are had by changing sides.
    """

    WHILE = "while"
    """They share some time: every relation of Allen's except before, meets, and their inverses."""
    DURING = "during"
    """The first lies within the second; they may begin or end together."""
    OVERLAPS = "overlaps"
    """The first begins before the second, and ends in the course of it."""
    MEETS = "meets"
    """The second begins as the first ends."""
    STARTS = "starts"
    """Both begin together, and the first ends before the second."""
    FINISHES = "finishes"
    """Both end together, and the first begins after the second."""


@dataclass(frozen=True)
class Relate(Query):
    """`first` and `second`, with their intervals in a relation.

    A `second` that is a `Not` must not stand in it: `Fall().meanwhile(~Roll())`.
    """

    first: Query
    relation: Relation
    second: Query

    def __post_init__(self) -> None:
        _need_queries(self.first, self.second)
        if isinstance(self.first, Not):
            raise InputError(
                f"what does not happen has no interval to be {self.relation} something; write "
                "what happens first, and what must be absent second"
            )


@dataclass(frozen=True)
class _Joined(Query):
    parts: tuple[Query, ...]

    def __post_init__(self) -> None:
        _need_queries(*self.parts)


@dataclass(frozen=True)
class And(_Joined):
    """All parts, within `NEARBY_S` of each other; a part that is a `Not` must not happen there."""


@dataclass(frozen=True)
class Or(_Joined):
    """Any of the parts."""


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
        _need_queries(self.part)
        if not isinstance(self.number, int) or self.number < 0:
            raise InputError(f"a count of {self.number} is asked for; give a whole number")
        if self.op is Op.LT and self.number == 0:
            raise InputError("a count of less than 0 is asked for; give 1 or more after `<`")


@dataclass(frozen=True)
class EventType:
    """A type of event, called with conditions: `Fall(height_m > 2)`."""

    name: str

    def __call__(self, *where: Compare) -> Event:
        """The event with these conditions. Raises `InputError` for those that it cannot have."""
        check_event(self.name, where, ())
        return Event(self.name, where)


def _need_queries(*parts: Any) -> None:
    for part in parts:
        if not isinstance(part, Query):
            raise InputError(f"{part!r} is no query; give one such as Fall(), with its brackets")


def check_query(query: Any) -> None:
    """Raise `InputError` for what is no query, or asks of an event what it does not have."""
    _need_queries(query)
    for event in events_in(query):
        check_event(event.type, event.where, event.roles)


def events_in(query: Query) -> Iterator[Event]:
    """Every event that a query mentions, absent ones included, in the order of writing."""
    match query:
        case Event():
            yield query
        case Then(first, second) | Relate(first, _, second):
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
Break = EventType("break")
Carry = EventType("carry")
Collapse = EventType("collapse")
Collide = EventType("collide")
Contact = EventType("contact")
Contain = EventType("contain")
Converge = EventType("converge")
Cross = EventType("cross")
Deform = EventType("deform")
Diverge = EventType("diverge")
Enter = EventType("enter")
Exit = EventType("exit")
Fall = EventType("fall")
Flow = EventType("flow")
Follow = EventType("follow")
NearMiss = EventType("near_miss")
Occlude = EventType("occlude")
Oscillate = EventType("oscillate")
Overtake = EventType("overtake")
PickUp = EventType("pick_up")
Pour = EventType("pour")
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
