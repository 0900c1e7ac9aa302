"""How numbers of things, measured values and names of files are said in a sentence."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

__all__ = [
    "counted",
    "describe_asked",
    "describe_limit",
    "describe_quantities",
    "describe_quantity",
]
__all__ += ["name_object", "plain", "printable", "tell_who", "write_number"]

_UNITS = {
    "mps2": "m/s²",
    "mps": "m/s",
    "radps": "rad/s",
    "sizes_s2": "object sizes/s²",
    "sizes_s": "object sizes/s",
    "px_s2": "px/s²",
    "px_s": "px/s",
    "rad": "rad",
    "deg": "°",
    "px": "px",
    "kg": "kg",
    "ns": "N·s",
    "m": "m",
    "s": "s",
}

_CALLED = {
    "bend": "relative bend",
    "delta_v": "change of speed",
    "delta_v_a": "change of velocity of one",
    "delta_v_b": "change of velocity of the other",
    "drac": "deceleration to avoid a crash",
    "mdrac": "deceleration to avoid a crash after 1\u202fs",
    "mean_rate": "mean change of speed",
    "mttc": "time to collision with acceleration",
    "pet": "post-encroachment time",
    "speed_a": "speed of one",
    "speed_b": "speed of the other",
    "ttc": "time to collision",
}
"""What quantities are called whose names are abbreviations, without their units."""

_LIMITS = {">": "more than", ">=": "at least", "<": "less than", "<=": "at most", "==": "exactly"}

_JOINTS = {
    "support": "on",
    "against": "on",
    "occluder": "behind",
    "vessel": "in",
    "agent": "by",
    "leader": "behind",
    "overtaken": "past",
}

# Control characters, the marks that end a line or turn the direction of writing, and bytes of a
# file name that are no text: a terminal would obey the first, and be misled or fail by the others.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def counted(number: int, thing: str, things: str = "") -> str:
    """Such as "1 frame" or "3 frames"; `things` is the plural where it does not end in s."""
    return f"{number} {thing}" if number == 1 else f"{number} {things or thing + 's'}"


def printable(text: str, *, keep: str = "") -> str:
    r"""The same text with what a terminal must not see written out, such as `\x1b`.

    Args:
        text: to show.
        keep: characters that stay as they are, such as a line feed in a paragraph.
    """
    return _UNPRINTABLE.sub(lambda found: _written(found[0], keep), text)


def _written(character: str, keep: str) -> str:
    return character if character in keep else character.encode("unicode_escape").decode()


def plain(name: str) -> str:
    """A name from the program as words: "near_miss" becomes "near miss"."""
    return name.replace("_", " ").strip()


def write_number(value: float, digits: int = 3) -> str:
    """A number to so many significant digits, without an exponent unless it is absurd."""
    if not math.isfinite(value) or (value and not 1e-12 < abs(value) < 1e15):
        return f"{value:.{digits}g}"
    return format(Decimal(f"{value:.{digits}g}"), "f")


def describe_quantity(name: str, value: Any) -> str:
    """A measured value with its unit, from a name such as "height_m"."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"{plain(name)} {value}"
    if name == "needed_fps":
        return f"insufficient frame rate for metres, needed {value:.0f}\u202f/s"
    return f"{_parts(name)[0]} {_amount(name, value)}"


def describe_asked(
    name: str, value: float, op: str, threshold: float, std: float | None = None
) -> str:
    """A measured value with the limit that was asked of it.

    Args:
        name: of the quantity, with its unit.
        value, std: what was measured, and its standard error where known.
        op: one of > >= < <= ==.
        threshold: the limit, in the same unit.
    """
    (text,) = describe_quantities({name: value, f"{name}_std": std})
    return f"{text} (asked: {_limit(name, op, threshold)})"


def describe_limit(name: str, op: str, threshold: float) -> str:
    """A condition in words, such as "height more than 0.5 m"; arguments as `describe_asked`."""
    return f"{_parts(name)[0]} {_limit(name, op, threshold)}"


def describe_quantities(quantities: Mapping[str, Any]) -> tuple[str, ...]:
    """Values with units; a standard error joins the value it belongs to."""
    out = []
    for name, value in quantities.items():
        if name.endswith("_std") and name.removesuffix("_std") in quantities:
            continue
        text = describe_quantity(name, value)
        error = quantities.get(f"{name}_std")
        if isinstance(error, int | float):
            text += f" ± {write_number(error, 2)}"
        out.append(text)
    return tuple(out)


def name_object(number: int) -> str | None:
    """An object by its id, as `tell_who` takes it: "object 2", None for the static world."""
    return None if number < 0 else f"object {number}"


def tell_who(roles: Mapping[str, str | None]) -> str:
    """Who takes part in an event: "object 2 and object 5", "ball 1 behind box 4".

    Args:
        roles: role to the name of what plays it; None for the static world.
    """
    pair = [roles[role] or "the static world" for role in ("a", "b") if role in roles]
    names = {role: name for role, name in roles.items() if name is not None and role not in "ab"}
    lead = names.pop("object", None) or (None if pair else names.pop(next(iter(names), ""), None))
    said = [" and ".join(pair)] if pair else []
    said += [lead] if lead else []
    return " ".join([*said, *(f"{_JOINTS.get(role, 'with')} {names[role]}" for role in names)])


def _parts(name: str) -> tuple[str, str]:
    """What a quantity is called, and its unit or ""."""
    if name == "metres_per_px":
        return "scale", "m/px"
    for suffix, unit in _UNITS.items():  # longer suffixes come first
        stem = name.removesuffix(f"_{suffix}")
        if stem and stem != name:
            return _CALLED.get(stem, plain(stem)), unit
    return _CALLED.get(name, plain(name).removeprefix("num ")), ""


def _limit(name: str, op: str, threshold: float) -> str:
    return f"{_LIMITS.get(op, op)} {_amount(name, threshold, 6)}"


def _amount(name: str, value: float, digits: int = 3) -> str:
    """A value with the unit of its quantity."""
    number = write_number(value, digits) if isinstance(value, float) else str(value)
    _, unit = _parts(name)
    gap = "" if unit in ("", "°") else "\u202f"
    return f"{number}{gap}{unit}"
