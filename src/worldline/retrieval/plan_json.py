"""Queries out of hand-written JSON: strict, and every complaint names the field."""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from itertools import repeat
from typing import Any, TypeVar

from worldline.core.errors import InputError
from worldline.physics import ONTOLOGY
from worldline.retrieval.query import (
    And,
    Compare,
    Count,
    Event,
    Not,
    Op,
    Or,
    Query,
    Relate,
    Relation,
    Then,
    Who,
)
from worldline.retrieval.sound import advise

__all__ = ["MAX_DEPTH", "Fields", "read_query"]

MAX_DEPTH = 100
"""Most levels of a query in JSON: as many as a sentence of `MAX_WORDS` words can have."""

_KINDS = {str: "text", dict: "an object", list: "a list", float: "a number", int: "a whole number"}
_KNOWN = {
    "event": ("type", "where", "roles"),
    "then": ("first", "second", "within_s"),
    "relate": ("first", "relation", "second"),
    "and": ("parts",),
    "or": ("parts",),
    "not": ("part",),
    "count": ("part", "comparator", "number"),
}


ChoiceT = TypeVar("ChoiceT", bound=StrEnum)


class Fields:
    """The fields of one object of the JSON, and where it stands."""

    def __init__(self, record: Any, place: str, *, known: Sequence[str], depth: int = 0) -> None:
        if not isinstance(record, Mapping):
            raise InputError(f"query JSON: {place} is {record!r}, expected an object")
        self._record, self._place, self._depth = record, place, depth
        if unknown := sorted(str(key) for key in set(record) - set(known)):
            raise InputError(
                f"query JSON: {place} has the unknown field {unknown[0]!r}; "
                f"known are {', '.join(known)}"
            )

    def optional(self, name: str, kind: type[Any]) -> Any:
        """A field, or None where it is absent or null."""
        value = self._record.get(name)
        if value is None:
            return None
        right = isinstance(
            value, Mapping if kind is dict else list | tuple if kind is list else kind
        )
        if kind is float:
            right = isinstance(value, int | float) and abs(value) <= sys.float_info.max
        if not right or (isinstance(value, bool) and kind in (int, float)):
            raise InputError(
                f"query JSON: {self._place}.{name} is {value!r}, expected {_KINDS[kind]}"
            )
        return value

    def needed(self, name: str, kind: type[Any]) -> Any:
        """A field that must be there."""
        value = self.optional(name, kind)
        if value is None:
            raise InputError(f"query JSON: {self._place} lacks {name} ({_KINDS[kind]})")
        return value

    def chosen(self, name: str, kinds: type[ChoiceT]) -> ChoiceT:
        """One of the values of an enumeration."""
        text = self.needed(name, str)
        if text not in [str(kind) for kind in kinds]:
            known = ", ".join(str(kind) for kind in kinds)
            raise InputError(f"query JSON: {self._place}.{name} is {text!r}; known are {known}")
        return kinds(text)

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts, empty where it is absent."""
        values = self.optional(name, list) or ()
        for index, value in enumerate(values):
            if not isinstance(value, str):
                place = f"{self._place}.{name}[{index}]"
                raise InputError(f"query JSON: {place} is {value!r}, expected text")
        return tuple(values)

    def parts(self, name: str, *, known: Sequence[str]) -> list[Fields]:
        """A list of objects, empty where it is absent."""
        values = self.optional(name, list) or ()
        return [
            Fields(value, f"{self._place}.{name}[{index}]", known=known)
            for index, value in enumerate(values)
        ]

    def query(self, name: str) -> Query:
        """A field that is itself a query."""
        return read_query(self.needed(name, dict), f"{self._place}.{name}", self._depth + 1)

    def queries(self, name: str) -> tuple[Query, ...]:
        """A field that is a list of queries, at least one."""
        values = self.needed(name, list)
        if not values:
            raise InputError(f"query JSON: {self._place}.{name} is empty")
        places = (f"{self._place}.{name}[{index}]" for index in range(len(values)))
        return tuple(map(read_query, values, places, repeat(self._depth + 1)))


def read_query(record: Any, place: str = "query", depth: int = 1) -> Query:
    """Read a query expression.

    Raises:
        InputError: a field is missing, unknown or of the wrong kind, or names an event, quantity or
            role that is not in docs/events.md; names it and its place. Or there are more than
            `MAX_DEPTH` levels.
    """
    if depth > MAX_DEPTH:
        raise InputError(f"query JSON is nested too deep; write it in at most {MAX_DEPTH} levels")
    if not isinstance(record, Mapping):
        raise InputError(f"query JSON: {place} is {record!r}, expected an object")
    kind = record.get("op")
    if not isinstance(kind, str) or kind not in _KNOWN:
        raise InputError(
            f"query JSON has the operation {kind!r} in {place}; known are {', '.join(_KNOWN)}"
        )
    fields = Fields(record, place, known=("op", *_KNOWN[kind]), depth=depth)
    match kind:
        case "event":
            return _read_event(fields, place)
        case "then":
            limit_s = fields.optional("within_s", float)
            return Then(fields.query("first"), fields.query("second"), limit_s)
        case "relate":
            relation = fields.chosen("relation", Relation)
            return Relate(fields.query("first"), relation, fields.query("second"))
        case "and":
            return And(fields.queries("parts"))
        case "or":
            return Or(fields.queries("parts"))
        case "not":
            return Not(fields.query("part"))
        case _:
            part, op = fields.query("part"), fields.chosen("comparator", Op)
            return Count(part, op, fields.needed("number", int))


def _read_event(fields: Fields, place: str) -> Event:
    kind = _named(fields.needed("type", str), f"{place}.type", ONTOLOGY)
    known = {*ONTOLOGY[kind].quantities, "duration_s"}
    where = [
        Compare(
            _named(item.needed("quantity", str), f"{place}.where[{index}].quantity", known),
            item.chosen("op", Op),
            float(item.needed("value", float)),
        )
        for index, item in enumerate(fields.parts("where", known=("quantity", "op", "value")))
    ]
    roles = []
    for role, record in (fields.optional("roles", dict) or {}).items():
        _named(role, f"a role in {place}.roles", ONTOLOGY[kind].roles)
        who = Fields(record, f"{place}.roles.{role}", known=("labels", "colors", "name"))
        roles.append(
            (role, Who(who.texts("labels"), who.texts("colors"), who.optional("name", str)))
        )
    return Event(kind, tuple(where), tuple(roles))


def _named(name: str, place: str, known: Collection[str]) -> str:
    """The name, if it is a known one: another would find nothing, and nobody would hear why."""
    if name in known:
        return name
    raise InputError(f"query JSON: {place} is {name!r}; {advise(name, known)}")
