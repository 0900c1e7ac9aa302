"""Spellings brought to one form before a sentence is taken apart into words."""

from __future__ import annotations

import re

from worldline.retrieval.query import NEARBY_S

__all__ = ["spell_out"]

_SIGNS = str.maketrans(
    {
        "\u2265": ">=",
        "\u2264": "<=",
        "\u2013": "-",
        "\u2212": "-",
        "\u2014": " , ",
        "\u00b0": " deg ",
        "\u2019": "'",
        "\u2192": "->",
        "\u2248": " about ",
        "~": " about ",
    }
)
_SIZES = (
    "second|minute|millisecond|metre|meter|centimetre|centimeter|millimetre|millimeter|kilometre|"
    "kilometer|foot|inch"
)
_COUNTS = "two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
_COUNT = rf"(?:\d+|{_COUNTS})"
_LIMITS = "at least|at most|more than|less than|fewer than|exactly|over|no more than|no fewer than"
_SPELLED_OUT = (
    (re.compile(r"\b(does|do|did|is|are|was|were)n't\b"), r"\1 not"),
    (re.compile(r"\b(?:can|could|will|would|ca|wo|should|must)(?:n't| ?not)\b"), "not"),
    (re.compile(r"\bwithout (?:it |them )?(?:first |ever )?"), "without "),
    (re.compile(r"\bi'(?:m|d)\b"), "i"),
    (re.compile(r"\b(\w+)'s\b"), r"\1"),
    (re.compile(r"\bre-(?=[a-z])"), "re"),
    (re.compile(r"\bone another\b"), "each other"),
    (re.compile(r"\bw/o\b"), "without"),
    (re.compile(r"\b(without|not|never|no) (?:even )?(?:a |one )?single\b"), r"\1"),
    (re.compile(r"\bneither (\w+ than) (.+?) nor (\w+ than)\b"), r"not \1 \2 and not \3"),
    (re.compile(r"\b(?:a )?quarter[ -](?:circle|turn)\b"), "90 degrees"),
    (re.compile(r"\b(?:a )?half[ -](?:circle|turn)\b"), "180 degrees"),
    (re.compile(r"\b(?:a )?full circle\b"), "360 degrees"),
    (re.compile(r"(?<=[a-z])-(?!>)(?=[a-z])"), " "),
    (re.compile(r"\bnear ?miss"), "near miss"),
    (re.compile(r"\bon (?:the )?top of\b"), "on"),
    (re.compile(r"(?<=\d)\s*%"), " percent"),
    (re.compile(r"\bone after (?:another|the other)\b"), ""),
    (re.compile(r"(?<!\w)(.+\w): (?=\w)"), r"\1 , "),
    (
        re.compile(r"(\w+(?:s|ed|ing)) neither ((?:the|an?) [^,]+?) nor (?=(?:the|an?) )"),
        r"does not \1 \2 or ",
    ),
    (re.compile(r"(?<!look)(?<!looks)(?<!looking)(?<!something) like an? \w+"), ""),
    (re.compile(rf"\b(\w+er|more|less) then (?=\d|{_COUNTS}|an? )"), r"\1 than "),
    (
        re.compile(r"\b(?:a|the) second (?=[a-z])(?!or |and |then |later|before|after|of |apart)"),
        "another ",
    ),
    (
        re.compile(
            rf"\b(?:in|into) ((?:{_LIMITS}|between) )?({_COUNT}(?:(?: ?- ?| to | and | or )"
            rf"{_COUNT})?(?: or (?:more|fewer|less))?) (?:\w+ )?"
            r"(?:pieces|parts|fragments|shards|bits|chunks)\b"
        ),
        r"with num pieces \1\2",
    ),
    (
        re.compile(
            r"\b(?:something|anything|an object|objects) (?:\w+ looks |looking )?like (?=an? )"
        ),
        "",
    ),
    (re.compile(r"/s(?:\u00b2|\^2|/s)(?!\w)"), "/s2"),
    (re.compile(r"\bdeg ?/ ?s\b"), "deg/s"),
    (re.compile(r"\bm s-?2\b"), "m/s2"),
    (re.compile(r"\b(?:just |only )?(?:a |one )?single\b"), "exactly one"),
    (re.compile(r"\bone and a half\b"), "1.5"),
    (re.compile(r"\btwo and a half\b"), "2.5"),
    (re.compile(rf"\b(?:a|an|one) ({_SIZES}) and a half\b"), r"1.5 \1"),
    (re.compile(rf"\b(?:a )?quarter(?: of)?(?: an?)? ({_SIZES})"), r"0.25 \1"),
    (re.compile(rf"\b(?:a )?half(?: of)?(?: an?)? ({_SIZES})"), r"0.5 \1"),
    (
        re.compile(
            r"\b(than|under|over|within|least|most|for|about|above|below|exceeding|exactly|around|"
            rf"lasting|to|by|roughly) (?:a|an|a full|a whole) (?=(?:{_SIZES})\b)"
        ),
        r"\1 1 ",
    ),
    (re.compile(r"(?<![\w.])(\d[\d.]*) ?\+(?= ?[a-z])"), r"at least \1 "),
    (re.compile(r"(?<![\w.])(\d[\d.]* ?[a-z/]+)\+(?!\w)"), r"at least \1"),
    (re.compile(r"(?<![\w.])(\d+) ?x(?= [a-z])"), r"\1 times"),
    (re.compile(r"\(([a-z])\)"), r" named_\1 "),
    (re.compile(rf"\(within {NEARBY_S:g} s\)"), ""),
)


def spell_out(text: str) -> str:
    """A sentence in lower case, with contractions, hyphens and sizes like "a second" spelled out.

    Variables of a plan, such as "(x)", become words of their own; how near the parts of a plan are
    is left out, since it says nothing new.
    """
    text = " ".join(text.lower().translate(_SIGNS).split())
    for pattern, replacement in _SPELLED_OUT:
        text = pattern.sub(replacement, text)
    return text
