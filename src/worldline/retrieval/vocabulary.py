"""Words that the grammar knows, and what each of them stands for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from worldline.physics import ONTOLOGY
from worldline.retrieval.colors import COLORS
from worldline.retrieval.labels import LABELS, PLACES
from worldline.retrieval.query import Op, Relation
from worldline.retrieval.rows import STATIC_LABEL
from worldline.retrieval.units import QUANTITIES, name_of
from worldline.retrieval.verbs import FORMS

__all__ = [
    "BRAKES_HARD_MPS2",
    "FROM_A_GREAT_HEIGHT_M",
    "FROM_A_HEIGHT_M",
    "LEXICON",
    "MOVING",
    "Entry",
    "Kind",
]

FROM_A_HEIGHT_M = 0.5
"""What "from a height" is taken to mean at least: above knee height, where a fall can do harm."""

BRAKES_HARD_MPS2 = 3.35
"""What "brakes hard" is taken to mean at least: a severe deceleration (Archer 2005)."""

FROM_A_GREAT_HEIGHT_M = 2.0
"""What "from a great height" is taken to mean at least: the 2 m of "work at height" rules."""


class Kind(StrEnum):
    """What a word or phrase does in a sentence."""

    EVENT = "event"
    NEAR_MISS = "near miss"
    NOUN = "noun"
    PLACE = "place"
    ANYTHING = "anything"
    NOTHING = "nothing"
    COLOR = "color"
    NUMBER = "number"
    TIMES = "times"
    COMPARATOR = "comparator"
    MEASURE = "measure"
    QUANTITY = "quantity"
    HEIGHT = "height"
    HARD = "hard"
    SIDE = "side"
    ABOUT = "about"
    ONLY = "only"
    LASTING = "lasting"
    PROFILE = "profile"
    WITHIN = "within"
    BETWEEN = "between"
    ON = "on"
    FROM = "from"
    NOT = "not"
    AND = "and"
    OR = "or"
    THEN = "then"
    AFTER = "after"
    RELATION = "relation"
    AT_ONCE = "at once"
    PRONOUN = "pronoun"
    NAME = "name"
    COMMA = "comma"
    ARTICLE = "article"
    FILLER = "filler"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Entry:
    """Meaning of a word or phrase.

    Attributes:
        kind: what it does.
        text: event type, labels, colour, quantity, comparator or relation, by kind.
        value: number, by kind.
    """

    kind: Kind
    text: str = ""
    value: float = 0.0


MOVING = Entry(Kind.EVENT, "stop", 1.0)
"""Motion at a speed that is said; no event is that alone, see `bursts.of_motion`."""

LEXICON: dict[str, Entry] = {}
"""Lower-case word or phrase to its meaning; the longest phrase that fits is taken."""


def _add(kind: Kind, phrases: str, text: str = "", value: float = 0.0) -> None:
    for phrase in phrases.split(","):
        LEXICON[phrase.strip()] = Entry(kind, text, value)


for _type, _phrases in FORMS.items():
    _add(Kind.EVENT, _phrases, _type)

_ALMOST = ("nearly, almost, narrowly avoid, narrowly avoids, narrowly avoided, barely avoid, "
           "barely avoids, barely avoided, come close to, comes close to, came close to, "
           "coming close to, close to, "
           "on the verge of, avoid, avoids, avoided, just avoid, just avoids, almost a, near, "
           "nearly a, narrowly avoided a, avoid a, avoids a, near to")  # fmt: skip
_add(
    Kind.EVENT,
    "conflict, conflicts, traffic conflict, traffic conflicts, "
    "near miss, near misses, near missed, near miss collision, near miss collisions, "
    "near miss event, near miss events, nearly miss, nearly misses, narrowly miss, "
    "narrowly misses, narrowly missed, narrowly missing, just miss, just misses, just missed, "
    "barely miss, barely misses, barely missed, narrow miss, narrow misses, close call, "
    "comes within, come within, came within, gets within, get within, passes within, pass within, "
    "passed within, avoid, avoids, avoided, avoiding, comes close to, come close to, "
    "came close to, "
    "coming close to, gets close to, narrowly avoids, nearly misses, "
    "close calls, close shave, near accident, near accidents, narrow escape, miss, misses, missed, "
    "missing",
    "near_miss",
)
for _touch in (*FORMS["collide"].split(", "), *FORMS["contact"].split(", ")):
    for _near in _ALMOST.split(", "):
        _add(Kind.EVENT, f"{_near} {_touch}", "near_miss")

for _label, _phrases in LABELS.items():
    _add(Kind.NOUN, _phrases, _label)
_add(Kind.PLACE, PLACES, STATIC_LABEL)
_add(
    Kind.ANYTHING,
    "something, anything, object, objects, thing, things, item, items, "
    "another, another object, another one, other, second one, body, bodies, others, everything",
)
_add(Kind.NOTHING, "nothing, none")
_add(Kind.NOTHING, "no one, nobody", "person")
_add(Kind.PRONOUN, "it, them, they, him, her")
for _color in COLORS:
    _add(Kind.COLOR, _color, _color)
_add(Kind.COLOR, "grey", "gray")
_add(Kind.COLOR, "violet, magenta", "purple")
_add(Kind.COLOR, "turquoise", "cyan")
_NUMBERS = "zero one two three four five six seven eight nine ten eleven twelve"
for _value, _word in enumerate(_NUMBERS.split()):
    _add(Kind.NUMBER, _word, "", float(_value))
_add(Kind.NUMBER, "half a", "measure", 0.5)
_add(Kind.NUMBER, "both, a pair of, couple of, a couple of, multiple, several", "", 2.0)
_add(Kind.TIMES, "times, time", "", 0.0)
_add(Kind.TIMES, "once", "", 1.0)
_add(Kind.TIMES, "twice, repeatedly, over and over, again and again", "", 2.0)
_add(Kind.TIMES, "thrice", "", 3.0)

_add(
    Kind.COMPARATOR,
    "more than, over, above, greater than, higher than, faster than, longer than, farther than, "
    "further than, exceeds, exceed, exceeded, quicker than, larger than, upwards of, exceeding, "
    "beyond, taller than, >, harder than, bigger than, in excess of",
    Op.GT,
)
_add(
    Kind.COMPARATOR,
    "or over, or above, or greater, or further, or farther, or larger, at a minimum, or longer, "
    "or higher, or faster, at least, no less than, not less than, minimum, a minimum of, minimum "
    "of, >=, or more, no fewer than, from at least, not under, not below, not fewer than",
    Op.GE,
)
_add(
    Kind.COMPARATOR,
    "less than, under, below, smaller than, lower than, slower than, shorter than, fewer than, "
    "closer than, nearer than, <",
    Op.LT,
)
_add(
    Kind.COMPARATOR,
    "at most, no more than, not more than, up to, maximum, a maximum of, maximum of, <=, or "
    "less, or fewer, or lower, or slower, or shorter, or smaller, or closer, or under, or below, "
    "not over, not above, no longer than, no faster than, no higher than",
    Op.LE,
)
_add(
    Kind.COMPARATOR,
    "greater than or equal to, more than or equal to, equal to or greater than, at or above, "
    "no lower than, no slower than, no shorter than",
    Op.GE,
)
_add(
    Kind.COMPARATOR,
    "less than or equal to, smaller than or equal to, equal to or less than, at or below, "
    "no closer than, not exceeding, no greater than",
    Op.LE,
)
_add(Kind.COMPARATOR, "exactly, =, ==, precisely, equal to", Op.EQ)
_add(Kind.ABOUT, "about, around, roughly, approximately, approx, circa, some, almost exactly")
_add(Kind.ONLY, "only, just")

for _quantity, (_about, _phrases) in QUANTITIES.items():
    _add(Kind.QUANTITY, _phrases, _quantity)
for _definition in ONTOLOGY.values():
    for _quantity in _definition.quantities:
        _name = name_of(_quantity)
        if " " in _name and _name not in LEXICON:  # "speed", "height": the unit tells which
            _add(Kind.QUANTITY, _name, _quantity)
_add(
    Kind.HEIGHT,
    "from a height, from height, from high up, from high, from up high, from heights, high up, "
    "from above, from a certain height, from some height",
    "from a height",
    FROM_A_HEIGHT_M,
)
_add(
    Kind.HEIGHT,
    "from a great height, from great height, from very high up, from very high, "
    "from a large height, from way up",
    "from a great height",
    FROM_A_GREAT_HEIGHT_M,
)
_add(Kind.PROFILE, "serious", "serious")
for _profile in ("ssam", "sumo"):
    for _way in ("", "by ", "by the ", "according to ", "as defined by ", "judged by "):
        _add(Kind.PROFILE, f"{_way}{_profile}, {_way}{_profile} limits", _profile)
_add(
    Kind.HARD,
    "hard, harshly, sharply, heavily, abruptly, harsh, sharp, heavy, abrupt, emergency, severe, "
    "severely",
    "hard",
    BRAKES_HARD_MPS2,
)
_add(Kind.SIDE, "left, to the left, leftward, leftwards, left hand", "left", -1.0)
_add(
    Kind.SIDE, "right, to the right, rightward, rightwards, right hand, to its right", "right", 1.0
)
_add(Kind.LASTING, "for, lasting, lasts, that lasts")
_add(Kind.WITHIN, "within")
_add(Kind.WITHIN, "in under, in less than", Op.LT)
_add(Kind.BETWEEN, "between")
_add(Kind.ON, "on, onto, on top of, off, behind, against, along, down, upon, out of")
_add(
    Kind.FROM,
    "from, off of, through, past, across, toward, towards, beside, next to, alongside, near, "
    "in front of, underneath, beneath",
)
_add(
    Kind.NOT,
    "not, no, never, without, does not, do not, did not, is not, are not, was not, "
    "were not, but not, neither, nor, and neither",
)
_add(
    Kind.NOT,
    "fails to, fail to, failed to, failing to, refuses to, unable to, is unable to, are unable to, "
    "cannot",
)
_add(Kind.NOT, "and not, with no, but no, and no, but never, and never, but without, and without")
_add(Kind.NOT, "without any, but does not, but do not, without ever, absence of, but is not")
_add(Kind.AND, "and, but, as well as, together with, plus, &, and also")
_add(Kind.OR, "or, or else, |, either")
_add(Kind.THEN, "then, and then, followed by, followed, before, and afterwards, afterwards")
_add(Kind.THEN, "beforehand, previously")
_add(Kind.THEN, "and later, later, and after that, after that, after which, ->, next")
_add(Kind.THEN, "and subsequently, subsequently, which then, that then")
_add(Kind.AFTER, "after, following, preceded by, just after, right after, shortly after")
_add(Kind.AFTER, "as soon as, immediately after, straight after, directly after", "soon")
_add(Kind.THEN, "immediately followed by, and immediately, then immediately, immediately", "soon")
_add(Kind.THEN, "and right after, right before, just before, shortly before, prior to")
_add(Kind.THEN, "immediately before", "soon")
_add(
    Kind.RELATION,
    "while, whilst, as, when, whenever, at the same time as, and at the same time, meanwhile, "
    "and meanwhile, and simultaneously, simultaneously with",
    Relation.WHILE,
)
_add(
    Kind.RELATION,
    "during, in the course of, in the middle of, throughout, during which",
    Relation.DURING,
)
_add(Kind.RELATION, "overlapping, overlaps, overlapping with, overlaps with", Relation.OVERLAPS)
_add(Kind.RELATION, "until, till, up until", Relation.MEETS)
_add(
    Kind.RELATION,
    "beginning together with, begins together with, starting together with, starts together with, "
    "beginning at the same time as, starting at the same time as",
    Relation.STARTS,
)
_add(
    Kind.RELATION,
    "ending together with, ends together with, ending at the same time as, "
    "ends at the same time as, finishing at the same time as",
    Relation.FINISHES,
)
_add(Kind.AT_ONCE, "at the same time, simultaneously, at once, concurrently")
_add(Kind.COMMA, "comma, ;")
_add(Kind.ARTICLE, "a, an, the, any, some, this, every, all, all the, each")
_add(
    Kind.FILLER,
    "find, show, show me, give me, list, get, search, search for, look for, i want, i need, "
    "want, clip, clips, video, videos, scene, scenes, footage, moment, moments, event, events, "
    "me, example, examples, case, cases, segment, segments, part, parts, recording, recordings, "
    "where, in which, which, that, who, of, with, is, are, was, were, be, been, being, by, into, "
    "in, to, at, there, has, have, had, having, its, gets, get hit, happens, happen, happening, "
    "occurs, occur, please, can you, could you, you, my, library, all clips, do, does, each "
    "other, one another, away, apart, tall, high, height, of height, a height of, from a height "
    "of, deep, did, does it, got, their, his, whose, distance, a distance of, a speed of, speed, "
    "long, far, both of, itself, involving, containing, contain, contains, one, out, over the, "
    "onto the, view, frame, s, also, up, same, what, do you have, any clips, were there, are "
    "there, ever, path, paths, moving, moves, move, in the whole video, the whole video, on "
    "screen, i am looking for, looking for, i would like to see, i would like, would like, see, "
    "hi, hello, hey, thanks, thank you, i, am, id like to see, tell me, display, return, "
    "retrieve, all of, nothing happens, in a row, in "
    "succession, locate, fetch, identify, detect, interested in, is there, got any, sequences, "
    "sequence, shots, shot, film, films, every time, any time, anytime, head on, higher, lower, "
    "farther, further, in two, in half, to bits, everything where, all videos, picture, image, "
    "the picture, the image,  first, at a speed of, by a distance of, an angle of, at an angle "
    "of, angle, tower of, stack of, pile of, instances, instance, occurrences, situations, "
    "situation, let me, we, need, us, so, quickly find, take, place, takes place, taking place",
)
LEXICON["one"] = Entry(Kind.NUMBER, "", 1.0)
LEXICON["in"] = Entry(Kind.FILLER)
LEXICON["some"] = Entry(Kind.ARTICLE)
