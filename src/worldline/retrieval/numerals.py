"""Numbers as people write them, brought to plain decimals before a sentence is taken apart."""

from __future__ import annotations

import math
import re
import unicodedata

from worldline.core.errors import InputError
from worldline.retrieval.units import UNITS

__all__ = ["plain_numbers", "quoted"]

_MOST = 60

_GROUPS = re.compile(r"(?<![\w.,/'-])[1-9]\d{0,2}(?:[\s_]\d{3})+(?![\d_])")
"""Thousands set apart: "1 000", "12_500"."""

_MIXED = re.compile(r"(?<![\w.,/'-])(\d+)\s+(\d+/\d+)(?![\w.,/'-]*\d)")
_PIECE = re.compile(r"[^\s()\[\]{}\"<>=&|;!?]+")
_NUMBER = re.compile(r"\+?([\d.,/]+(?:e[+-]?\d+)?)([^\W\d_]\S*)?")
_THOUSANDS = re.compile(r"[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?")
_DECIMAL = re.compile(r"(?:\d+(?:[.,]\d+)?|\.\d+)(?:e[+-]?\d+)?")
_FRACTION = re.compile(r"(\d+)/(\d+)")
_PLAIN = re.compile(r"\d+(?:\.\d+)?|\.\d+")
_SLASHED = re.compile(r"(?<=[\d.])[\s-]*([^\W\d_]+(?:/[^\s,;.()?!]+)+)")
_NOT_FINITE = re.compile(r"\b(?:nan|inf|infinity|infinite)\b")
_LOOSE = (
    (re.compile(r"->"), " -> "),
    (re.compile(r",(?!\d)|(?<=[^\W\d]),"), " , "),
    (re.compile(r"\.(?!\d)"), " "),
    (re.compile(r"(?<=\d)-(?=[a-z])"), " "),
    (re.compile(r"(?<=\d) - (?=\d)"), "-"),
)
"""Signs that end a number rather than belong to it, and dashes with room around them."""


def plain_numbers(text: str) -> str:
    """Rewrite every number of a sentence as a plain decimal; "2-3" becomes "2 to 3".

    Read are decimal points and commas, exponents, fractions, and thousands set apart by spaces or
    underscores. Words that merely hold a digit, such as "mp4", stay as they are.

    Args:
        text: in lower case, with dashes as "-".

    Raises:
        InputError: a number can be read in two ways, only in part, or is not finite.
    """
    text = "".join(_digits(text, at) for at in range(len(text)))
    for pattern, replacement in _LOOSE:
        text = pattern.sub(replacement, text)
    if found := _NOT_FINITE.search(text):
        raise InputError(f"the query asks for `{found[0]}`, which is not a finite number; give one")
    text = _GROUPS.sub(lambda found: re.sub(r"[\s_]", "", found[0]), text)
    text = _MIXED.sub(_mixed, text)
    text = _PIECE.sub(lambda found: _piece(found[0]), text)
    for found in _SLASHED.finditer(text):
        if found[1] not in UNITS:
            raise _unknown_unit(found[1])
    return text


def _digits(text: str, at: int) -> str:
    """A character, with digits of all scripts as 0 to 9 and signs such as a half as "1/2"."""
    sign = text[at]
    if sign.isdecimal():
        return str(unicodedata.decimal(sign))
    if sign == "\u2044":
        return "/"
    kind, *codes = unicodedata.decomposition(sign).split() or [""]
    if kind != "<fraction>":
        return sign
    fraction = "".join(chr(int(code, 16)) for code in codes).replace("\u2044", "/")
    return f" {fraction}" if at > 0 and text[at - 1].isdecimal() else fraction


def _mixed(found: re.Match[str]) -> str:
    """ "1 1/2" as 1.5; other neighbours are left as two numbers."""
    part = _value(found[2], found[0])
    return _shown(_value(found[1], found[0]) + part) if part < 1 else found[0]


def _piece(piece: str) -> str:
    """A word without spaces, its numbers made plain."""
    if piece in UNITS or not any(sign.isnumeric() and not sign.isalpha() for sign in piece):
        return piece
    word = piece.strip("'`:*")
    if word[0].isalpha() and re.fullmatch(r"[\w'-]+", word):
        return word
    low, dash, high = word.partition("-")
    if dash and (_NUMBER.fullmatch(high) and _DECIMAL.fullmatch(low)):
        return f"{_shown_of(low, word)} to {_piece(high)}"
    match = _NUMBER.fullmatch(word)
    if match is None:
        raise _not_whole(word)
    number, unit = match[1], match[2] or ""
    if unit and unit not in UNITS:
        raise _unknown_unit(word)
    return f"{_shown_of(number, word)} {unit}".rstrip()


def _shown_of(number: str, piece: str) -> str:
    return (
        number if _PLAIN.fullmatch(number) and len(number) < 16 else _shown(_value(number, piece))
    )


def _shown(value: float) -> str:
    return f"{value:.0f}" if value == int(value) and value < 1e15 else repr(value)


def _value(number: str, piece: str) -> float:
    """The value of a number without sign or unit."""
    if match := _FRACTION.fullmatch(number):
        above, below = float(match[1]), float(match[2])
        if below == 0 or not (math.isfinite(above) and math.isfinite(below)):
            raise InputError(
                f"`{quoted(piece)}` is no finite number; write it as a decimal, such as 0.5"
            )
        return above / below
    if _THOUSANDS.fullmatch(number):
        if number.count(",") == 1 and "." not in number:
            whole, point = number.replace(",", ""), number.replace(",", ".")
            raise InputError(
                f"`{quoted(piece)}` can be read in two ways; write {quoted(whole)} or "
                f"{quoted(point)}"
            )
        number = number.replace(",", "")
    if not _DECIMAL.fullmatch(number):
        raise _not_whole(piece)
    value = float(number.replace(",", "."))
    lost = value == 0 and re.search("[1-9]", number.partition("e")[0]) is not None
    if lost or not math.isfinite(value):
        size = "small" if lost else "large"
        raise InputError(
            f"`{quoted(piece)}` is too {size} to be a finite number; give a nearer one"
        )
    return value


def quoted(words: str) -> str:
    """Words to be repeated in a complaint, cut where they are long."""
    return words if len(words) <= _MOST else words[: _MOST - 1] + "\u2026"


def _not_whole(piece: str) -> InputError:
    return InputError(
        f"`{quoted(piece)}` cannot be read as a whole; write the number with digits and a decimal "
        "point, such as 2 or 0.5, and its unit after a space"
    )


def _unknown_unit(piece: str) -> InputError:
    return InputError(
        f"`{quoted(piece)}` has a unit that is not known; known are {', '.join(_known_units())}"
    )


def _known_units() -> list[str]:
    """The shortest name of each unit."""
    shortest: dict[tuple[str, float], str] = {}
    for name, meaning in UNITS.items():
        shortest.setdefault(meaning, name)
    return list(shortest.values())
