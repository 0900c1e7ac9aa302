"""Whether the numbers of a clause are used whole, as counts or as sizes."""

from __future__ import annotations

from collections.abc import Sequence

from worldline.core.errors import InputError
from worldline.retrieval.numerals import quoted
from worldline.retrieval.units import unit_of
from worldline.retrieval.vocabulary import Kind
from worldline.retrieval.words import Item

__all__ = ["check_whole", "counted_twice", "in_unit", "unused", "whole"]

_ALSO = {
    "mps": ("px_s", "sizes_s"),
    "m": ("px",),
    "mps2": ("px_s2", "sizes_s2"),
}
"""Units that the same quantity has in pixel scenes."""


_NO_MEASURE = frozenset(
    [
        *("kg", "kilo", "kilos", "kilogram", "kilograms", "gram", "grams", "lb", "lbs", "pound"),
        *("pounds", "ton", "tons", "tonne", "tonnes", "newton", "newtons", "litre", "litres"),
        *("liter", "liters", "joule", "joules", "watt", "watts", "celsius", "fahrenheit"),
    ]
)
"""Units of what nothing in the library measures."""


def counted_twice(words: str) -> InputError:
    """The complaint about a second count."""
    return InputError(
        f"the query counts one event twice, once by `{quoted(words)}`; give one limit, such as "
        "2 times"
    )


def whole(number: Item) -> int:
    """The value of a count. Raises `InputError` for half an event."""
    value = number.entry.value
    if value != int(value):
        raise InputError(f"a count of {quoted(number.words)} is asked for; give a whole number")
    return int(value)


def check_whole(items: Sequence[Item], number: Item, end: int, *, apart: bool = False) -> None:
    """Refuse a number that an unknown word parts from what it would count.

    "Two sudden falls" count falls; "within 2 furlongs of a car" does not count cars. Where `apart`
    no unknown word may stand between.
    """
    between = items[_place(items, number) + 1 : end]
    if between and between[0].words in _NO_MEASURE:
        raise unused(items, number)  # "a 5 kg box": no five boxes
    kinds = {item.kind for item in between}
    if Kind.UNKNOWN in kinds and (apart or kinds - {Kind.UNKNOWN, Kind.COLOR}):
        raise unused(items, number)


def unused(items: Sequence[Item], number: Item) -> InputError:
    """The complaint about a number among `items` that nothing known follows."""
    at = _place(items, number)
    words = " ".join(item.words for item in items[at : at + 2])
    return InputError(
        f"`{quoted(words)}` cannot be read: no unit or thing that is known follows the number; "
        "write a limit as 2 m, 2 s or 2 m/s, and a count as 2 times"
    )


def _place(items: Sequence[Item], number: Item) -> int:
    return next(at for at, item in enumerate(items) if item is number)


def in_unit(hint: Item, size: Item) -> str:
    """The quantity that a phrase names, in the kind of unit that was said.

    Raises:
        InputError: it is not measured in such a unit.
    """
    quantity = hint.entry.text
    unit = unit_of(quantity)
    if size.unit in ("", unit):
        return quantity
    if unit and size.unit in _ALSO.get(unit, ()):
        return f"{quantity.removesuffix(unit)}{size.unit}"
    raise InputError(f"`{hint.words}` is not measured in the unit of {size.words}")
