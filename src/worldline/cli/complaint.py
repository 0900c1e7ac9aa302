"""What is wrong with the arguments of a command, in words of its options."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Sequence
from pathlib import PurePath

from worldline.core.media import VIDEO_SUFFIXES

__all__ = ["explain"]

_NUMBER = re.compile(
    r"Error parsing (?P<option>--[\w-]+): .*"
    r"(?:(?P<whole>int\(\)|integer string|matching INT)|string to float|matching FLOAT)"
)


def explain(complaint: str, words: Sequence[str]) -> str:
    """One sentence for what tyro says at length.

    Args:
        complaint: tyro's text, in the box that it draws around it.
        words: the arguments.
    """
    gist = _gist(complaint)
    number = _NUMBER.match(gist)
    if number is not None:
        kind = "a whole number" if number["whole"] else "a number"
        return f"{number['option']} is {_value(number['option'], words)!r}; it must be {kind}"
    if gist.startswith("Unrecognized options: "):
        files = [word for word in words if word.startswith("-") and _may_be_file(word)]
        if files:
            name = files[0]
            return f"{name} is read as an option; write ./{name} for the file, or -- ahead of it"
    return gist


def _gist(complaint: str) -> str:
    """The first paragraph inside the box; in ASCII the box is lines of dashes below its title."""
    rows = [line.strip(" \u2502") for line in complaint.splitlines()]
    top = (n for n, row in enumerate(rows) if row.startswith("\u256d") or _is_dashes(row))
    body = itertools.dropwhile(lambda row: not row, rows[next(top, -1) + 1 :])
    words = itertools.takewhile(
        lambda row: row and row[0] not in "\u2500\u2570" and not _is_dashes(row), body
    )
    return " ".join(words) or "arguments not understood"


def _is_dashes(row: str) -> bool:
    return len(row) > 2 and set(row) == {"-"}


def _value(option: str, words: Sequence[str]) -> str:
    """What was given for an option, last of all: tyro's own text may break it across lines."""
    spelled = (option, option.replace("-", "_").replace("__", "--", 1))
    given = ""
    for word, following in itertools.pairwise([*words, ""]):
        name, sign, value = word.partition("=")
        if name in spelled:
            given = value if sign else following
    return given if len(given) <= 40 else given[:40] + "…"


def _may_be_file(word: str) -> bool:
    return os.path.lexists(word) or PurePath(word).suffix.lower() in VIDEO_SUFFIXES
