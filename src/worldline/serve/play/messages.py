"""What a browser may say, as typed messages; anything else is refused in a sentence."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from worldline.core.errors import InputError
from worldline.core.wording import printable

__all__ = ["MAX_BYTES", "Message", "parse"]

MAX_BYTES = 2**14
"""A longer message ends the connection."""

_MAX_SEED = 2**53
"""A number that JavaScript still counts exactly."""


@dataclass(frozen=True)
class Message:
    """One message.

    Attributes:
        kind: one of the types in `docs/play.md`.
        fields: as they were given, checked, with what was left out filled in.
    """

    kind: str
    fields: Mapping[str, Any] = field(default_factory=dict)


def _flag(value: Any) -> bool:
    return isinstance(value, bool)


def _count(value: Any) -> bool:
    return type(value) is int and 0 <= value < _MAX_SEED


def _seed(value: Any) -> bool:
    return value is None or _count(value)


def _token(value: Any) -> bool:
    return value is None or (isinstance(value, str) and len(value) <= 100)


def _number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) < _MAX_SEED and math.isfinite(value)


def _other(value: Any) -> bool:
    return value in ("old", "none")


def _any(value: Any) -> bool:
    return True


_NEEDED = object()
_FIELDS: Mapping[str, Mapping[str, tuple[Callable[[Any], bool], str, Any]]] = {
    "open": {"resume": (_token, "a token or null", None), "seed": (_seed, "a seed or null", None)},
    "act": {
        "action": (_any, "", _NEEDED),
        "number": (_count, "a whole number of at least 0", 0),
    },
    "pause": {"on": (_flag, "true or false", _NEEDED)},
    "step": {},
    "rewind": {"frames": (_count, "a whole number of at least 0", _NEEDED)},
    "fork": {"other": (_other, '"old" or "none"', "old")},
    "join": {},
    "restart": {"seed": (_seed, "a seed or null", None)},
    "record": {"on": (_flag, "true or false", _NEEDED)},
    "watch": {"on": (_flag, "true or false", _NEEDED)},
    "ping": {"sent": (_number, "a number", _NEEDED)},
    "leave": {},
}
"""Fields of each type: check, what it wants in words, and what stands for a field left out."""


def parse(text: str | bytes | None) -> Message:
    """Read a message.

    Raises:
        InputError: it is no JSON object, of an unknown type, or a field is missing, unknown or of
            another kind.
    """
    if not isinstance(text, str):
        raise InputError("messages are text, JSON objects; this one is binary")
    try:
        record = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise InputError("the message is not JSON") from None
    if not isinstance(record, dict):
        raise InputError('a message is a JSON object such as {"type": "step"}')
    kind = record.pop("type", None)
    known = _FIELDS.get(kind) if isinstance(kind, str) else None
    if known is None:
        raise InputError(f"unknown type {_shown(kind)}; there are {', '.join(_FIELDS)}")
    if extra := sorted(set(record) - set(known)):
        raise InputError(f"{kind} has no field {_shown(extra[0])}")
    fields = {}
    for name, (check, wanted, default) in known.items():
        value = record.get(name, default)
        if value is _NEEDED:
            raise InputError(f"{kind} needs the field {name}")
        if not check(value):
            raise InputError(f"{kind}.{name} is {_shown(value)}; it must be {wanted}")
        fields[name] = value
    return Message(str(kind), fields)


def _refuse(name: str) -> Any:
    raise ValueError(name)


def _shown(value: Any) -> str:
    text = printable(json.dumps(value))
    return text if len(text) <= 40 else f"{text[:37]}..."
