"""Words that the grammar knows, and what each of them stands for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from worldline.physics import ONTOLOGY
from worldline.retrieval.colors import COLORS
from worldline.retrieval.forms import FORMS, LOOSE
from worldline.retrieval.inflection import comparative, forms_of
from worldline.retrieval.labels import LABELS, PLACES
from worldline.retrieval.query import Op, Relation
from worldline.retrieval.rows import STATIC_LABEL
from worldline.retrieval.units import QUANTITIES, name_of

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
    NEARLY = "nearly"
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
    PILE = "pile"
    VAGUE = "vague"
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


GUESSED: set[str] = set()
"""Phrases that may mean something else than what they are read as."""

for _type, _forms in FORMS.items():
    for _form in _forms:
        LEXICON[_form] = Entry(Kind.EVENT, _type)
for _type, _forms in LOOSE.items():
    for _form in _forms:
        LEXICON.setdefault(_form, Entry(Kind.EVENT, _type))
        GUESSED.add(_form)

_AVOIDS = ("avoid", "miss", "dodge", "evade", "escape")
_NEARS = ("come within", "get within", "pass within", "come close to", "get close to")
_NEARS += ("come near to", "come near", "come closest to", "get closest to")
AVOIDS = frozenset(
    [
        *(
            f"{adverb}{form}"
            for adverb in ("", "narrowly ", "barely ", "just ", "only just ", "nearly ", "almost ")
            for verb in _AVOIDS
            for form in forms_of(verb)
        ),
        *(form for verb in _NEARS for form in forms_of(verb)),
    ]
)
"""Verbs of near misses, which may say of what: "avoids hitting"."""

_add(Kind.EVENT, ", ".join(sorted(AVOIDS)), "near_miss")
_add(
    Kind.NEARLY,
    "nearly, almost, close to, near to, on the verge of, about to, on the brink of, just about, "
    "all but, within an inch of, within a hair of, a hair away from, inches from",
)

LIGHT = frozenset(
    form
    for verb in ("make", "have", "do", "perform", "get", "cause", "take", "undergo", "be", "give")
    for form in forms_of(verb)
)
"""Verbs that say nothing beside a noun for what happens: "makes a turn", "has an accident"."""

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
_add(Kind.COLOR, "olive", "green")
_NUMBERS = "zero one two three four five six seven eight nine ten eleven twelve"
for _value, _word in enumerate(_NUMBERS.split()):
    _add(Kind.NUMBER, _word, "", float(_value))
_TEENS = "thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty"
for _value, _word in enumerate(_TEENS.split(), start=13):
    _add(Kind.NUMBER, _word, "", float(_value))
for _value, _word in enumerate(
    ["thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], start=3
):
    _add(Kind.NUMBER, _word, "", 10.0 * _value)
_add(Kind.NUMBER, "dozen, a dozen", "", 12.0)
_add(Kind.NUMBER, "half a dozen", "", 6.0)
_add(Kind.NUMBER, "hundred, a hundred, one hundred", "", 100.0)
_add(Kind.NUMBER, "half a", "measure", 0.5)
_add(Kind.NUMBER, "both, a pair of, couple of, a couple of, multiple, several", "", 2.0)
_add(Kind.TIMES, "times, time", "", 0.0)
_add(Kind.TIMES, "once", "", 1.0)
_add(Kind.TIMES, "twice, repeatedly, over and over, again and again", "", 2.0)
_add(Kind.TIMES, "thrice", "", 3.0)
_add(Kind.VAGUE, "once or twice, two or three times, three or four times")

_MORE = "high tall long far fast quick big large great hard wide heavy strong deep late steep sharp"
_LESS = "low short near close slow small weak shallow narrow gentle soft early soon light tight"
UPRIGHT = frozenset(["high", "tall", "up", "upward", "upwards", "height", "higher", "taller"])
"""Words beside a size that make it a height."""


def _compared(adjectives: str, others: str) -> list[str]:
    return [*map(comparative, adjectives.split()), *others.split()]


for _ers, _over, _from in (
    (_compared(_MORE, "farther further more greater"), Op.GT, Op.GE),
    (_compared(_LESS, "less fewer"), Op.LT, Op.LE),
):
    _upto = Op.LE if _from is Op.GE else Op.GE
    for _er in _ers:
        _add(Kind.COMPARATOR, f"{_er} than", _over)
        _add(Kind.COMPARATOR, f"or {_er}, {_er} than or equal to, equal to or {_er} than", _from)
        _add(Kind.COMPARATOR, f"no {_er} than, not {_er} than, never {_er} than", _upto)
_add(
    Kind.COMPARATOR,
    "over, above, exceeds, exceed, exceeded, upwards of, exceeding, beyond, >, in excess of, "
    "upward of, surpassing, topping",
    Op.GT,
)
_add(
    Kind.COMPARATOR,
    "or over, or above, at a minimum, at least, minimum, a minimum of, minimum of, >=, from at "
    "least, not under, not below, at or above, min, minimally, at the least, at the very least, "
    "or upwards, and up, and above, or even more, a good, fully, no under",
    Op.GE,
)
_add(Kind.COMPARATOR, "under, below, <, short of, not quite", Op.LT)
_add(
    Kind.COMPARATOR,
    "at most, up to, maximum, a maximum of, maximum of, <=, or under, or below, not over, not "
    "above, at or below, not exceeding, max, at the most, at the very most, maximally, "
    "no over, not beyond, as much as, a max of, as little as",
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
    "in front of, underneath, beneath, because of, due to, thanks to",
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
_add(Kind.NOT, "unless, instead of, rather than, lacking")
GUESSED |= {"unless", "instead of", "rather than", "lacking"}
_add(Kind.NOT, "and not, with no, but no, and no, but never, and never, but without, and without")
_add(Kind.NOT, "without any, but does not, but do not, without ever, absence of, but is not")
_add(Kind.AND, "and, but, as well as, together with, plus, &, and also")
_add(Kind.OR, "or, or else, |, either")
_add(Kind.THEN, "then, and then, followed by, followed, before, and afterwards, afterwards")
_add(Kind.THEN, "beforehand, previously")
_add(
    Kind.THEN,
    "and later, later, and after that, after that, after which, ->, next, finally, and "
    "finally, and lastly, lastly, eventually, "
    "and eventually, only then, and only then, not until then, and not until then, followed "
    "closely by",
)
_add(Kind.THEN, "and subsequently, subsequently, which then, that then")
_add(Kind.AFTER, "after, following, preceded by, shortly after, because, caused by")
_add(
    Kind.AFTER,
    "as soon as, immediately after, just after, right after, straight after, directly after",
    "soon",
)
_add(Kind.THEN, "immediately followed by, and immediately, then immediately, immediately", "soon")
_add(Kind.THEN, "shortly before, prior to")
_add(Kind.THEN, "and right after, right before, just before, immediately before", "soon")
_add(
    Kind.RELATION,
    "at the very moment, at the moment, the moment, at the same moment as, "
    "the instant, just as, "
    "right when, at the very moment when, at the moment when, "
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
    "other, one another, height, of height, a height of, from a height "
    "of, did, does it, got, their, his, whose, distance, a distance of, a speed of, speed, "
    "both of, involving, containing, contain, contains, one, over the, "
    "onto the, view, frame, s, also, same, what, do you have, any clips, were there, are "
    "there, ever, path, paths, moving, moves, move, in the whole video, the whole video, on "
    "screen, i am looking for, looking for, i would like to see, i would like, would like, see, "
    "hi, hello, hey, thanks, thank you, i, am, id like to see, tell me, display, return, "
    "retrieve, all of, nothing happens, in a row, in "
    "succession, locate, fetch, identify, detect, interested in, is there, got any, sequences, "
    "sequence, shots, shot, film, films, every time, any time, anytime, everything where, all "
    "videos, picture, image, "
    "the picture, the image,  first, at a speed of, by a distance of, an angle of, at an angle "
    "of, angle, instances, instance, occurrences, situations, "
    "situation, let me, we, need, us, so, quickly find, take, place, takes place, taking place",
)
_add(
    Kind.FILLER,
    "group of, a group of, crowd of, a crowd of, bunch of, a bunch of, set of, a set of, a number "
    "of, a lot of, lots of, line of, row of, a row of, a line of, series of, a series of, kind of, "
    "sort of, that is, which is, who is, that are, whoever, whatever, really, "
    "manoeuvre, manoeuvres, maneuver, maneuvers, movement, movements, motion, motions, action, "
    "actions, process, phase, phases, incident, incidents, activity, behaviour, behavior, "
    "pick out, bring up, dig out, find out, out of all, "
    "close in at, closing in at, closes in at, approaching at, closing at, "
    "very, quite, now, coming in at, comes in at, able to, starts to, begins to, "
    "start to, begin to",
)
_add(Kind.PILE, "tower, towers, stack, stacks, pile, piles, heap, heaps, pyramid, pyramids")
_add(
    Kind.VAGUE,
    "tall, high, deep, long, wide, far, away, apart, up, out, off the ground, itself, higher, "
    "lower, farther, further, head on, in two, in half, to bits, alone, forward, forwards, "
    "backward, backwards, upward, upwards, downward, downwards, sideways, again, together, "
    "longer, faster, slower, closer, stacked, remain, remains, remained, stay, stays, stayed",
)
LEXICON["one"] = Entry(Kind.NUMBER, "", 1.0)
LEXICON["in"] = Entry(Kind.FILLER)
LEXICON["some"] = Entry(Kind.ARTICLE)
for _phrase, _entry in list(LEXICON.items()):
    if _entry.kind in (Kind.EVENT, Kind.RELATION, Kind.AT_ONCE, Kind.THEN, Kind.AFTER):
        for _article in (" the ", " a "):  # "at same time", "comes to halt"
            LEXICON.setdefault(_phrase.replace(_article, " "), _entry)
