"""How a number of things and the name of a file are said in a sentence."""

from __future__ import annotations

import re

__all__ = ["counted", "printable"]

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
