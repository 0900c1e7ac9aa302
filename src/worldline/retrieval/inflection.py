"""The forms of English verbs: falls, fell, fallen, falling; and the comparatives of adjectives."""

from __future__ import annotations

from collections.abc import Iterator

__all__ = ["comparative", "forms_of", "is_past"]

_IRREGULAR = {
    "be": "is are was were been being",
    "bend": "bent",
    "break": "broke broken",
    "bring": "brought",
    "burst": "burst",
    "come": "came",
    "cut": "cut",
    "do": "did done",
    "draw": "drew drawn",
    "drive": "drove driven",
    "fall": "fell fallen",
    "fling": "flung",
    "fly": "flew flown",
    "get": "got gotten",
    "give": "gave given",
    "go": "went gone",
    "have": "has had",
    "hide": "hid hidden",
    "hit": "hit",
    "hold": "held",
    "keep": "kept",
    "lay": "laid",
    "lead": "led",
    "leave": "left",
    "let": "let",
    "lie": "lay lain",
    "lose": "lost",
    "make": "made",
    "meet": "met",
    "overtake": "overtook overtaken",
    "put": "put",
    "ride": "rode ridden",
    "rise": "rose risen",
    "run": "ran",
    "see": "saw seen",
    "set": "set",
    "shoot": "shot",
    "shrink": "shrank shrunk",
    "sink": "sank sunk",
    "sit": "sat",
    "slide": "slid",
    "sling": "slung",
    "speed": "sped",
    "spill": "spilt",
    "spin": "spun",
    "split": "split",
    "spread": "spread",
    "spring": "sprang sprung",
    "stand": "stood",
    "stick": "stuck",
    "strike": "struck",
    "sweep": "swept",
    "swing": "swung",
    "take": "took taken",
    "tear": "tore torn",
    "throw": "threw thrown",
    "wind": "wound",
}
"""Past and participle of verbs that do not take "ed"."""

_PARTICIPLES = frozenset(forms.split()[-1] for forms in _IRREGULAR.values())

_SINGLE = "aeiou"
_LIGHT = ("er", "en", "or", "et", "it", "om", "el", "on", "al", "ot", "ul")
"""Last syllables without stress, after which the last letter stays single."""


def forms_of(lemma: str) -> Iterator[str]:
    """Every form of a verb, or of a phrase that begins with one, such as "pick up"."""
    verb, _, rest = lemma.partition(" ")
    for form in dict.fromkeys((verb, _third(verb), *_past(verb), _gerund(verb))):
        yield f"{form} {rest}".rstrip()


def is_past(word: str) -> bool:
    """Whether a verb may be a participle that makes a passive: "pushed", "taken", "held"."""
    return word.endswith(("ed", "en")) or word in _PARTICIPLES


def comparative(adjective: str) -> str:
    """The comparative of a short adjective: "longer", "bigger", "steadier"."""
    if adjective.endswith("e"):
        return adjective + "r"
    if adjective.endswith("y") and adjective[-2] not in _SINGLE:
        return adjective[:-1] + "ier"
    return _doubled(adjective) + "er"


def _third(verb: str) -> str:
    if verb in ("be", "have"):
        return verb
    if verb.endswith(("s", "x", "z", "ch", "sh", "o")):
        return verb + "es"
    if verb.endswith("y") and verb[-2] not in _SINGLE:
        return verb[:-1] + "ies"
    return verb + "s"


def _past(verb: str) -> tuple[str, ...]:
    if verb in _IRREGULAR:
        return tuple(_IRREGULAR[verb].split())
    if verb.endswith("e"):
        return (verb + "d",)
    if verb.endswith("y") and verb[-2] not in _SINGLE:
        return (verb[:-1] + "ied",)
    return (_doubled(verb) + "ed",)


def _gerund(verb: str) -> str:
    if verb.endswith("ie"):
        return verb[:-2] + "ying"
    if verb.endswith("e") and not verb.endswith(("ee", "oe", "ye")) and verb != "be":
        return verb[:-1] + "ing"
    return _doubled(verb) + "ing"


def _doubled(word: str) -> str:
    """The word with its last letter doubled where one short vowel stands before it: "stopp"."""
    if len(word) < 3 or word[-1] in "aeiouwxy":
        return word
    if word.endswith(_LIGHT) and any(letter in "aeiouy" for letter in word[:-2]):
        return word
    short = word[-2] in _SINGLE and (word[-3] not in _SINGLE or word[-3:-1] == "ui")
    return word + word[-1] if short else word
