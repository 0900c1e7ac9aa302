"""Words that the grammar knows, and what each of them stands for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from worldline.retrieval.query import Op
from worldline.retrieval.rows import COLORS, STATIC_LABEL
from worldline.retrieval.verbs import FORMS

__all__ = [
    "FROM_A_GREAT_HEIGHT_M",
    "FROM_A_HEIGHT_M",
    "LEXICON",
    "QUANTITY_OF",
    "UNITS",
    "Entry",
    "Kind",
]

FROM_A_HEIGHT_M = 0.5
"""What "from a height" is taken to mean at least: above knee height, where a fall can do harm."""

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
    COMMA = "comma"
    ARTICLE = "article"
    FILLER = "filler"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Entry:
    """Meaning of a word or phrase.

    Attributes:
        kind: what it does.
        text: event type, label, colour, quantity or comparator, by kind.
        value: number, by kind.
    """

    kind: Kind
    text: str = ""
    value: float = 0.0


LEXICON: dict[str, Entry] = {}
"""Lower-case word or phrase to its meaning; the longest phrase that fits is taken."""


def _add(kind: Kind, phrases: str, text: str = "", value: float = 0.0) -> None:
    for phrase in phrases.split(","):
        LEXICON[phrase.strip()] = Entry(kind, text, value)


for _type, _phrases in FORMS.items():
    _add(Kind.EVENT, _phrases, _type)

_ALMOST = ("nearly, almost, narrowly avoid, narrowly avoids, narrowly avoided, barely avoid, "
           "barely avoids, barely avoided, come close to, comes close to, came close to, close to, "
           "on the verge of, avoid, avoids, avoided, just avoid, just avoids, almost a, near, "
           "nearly a, narrowly avoided a, avoid a, avoids a, near to")  # fmt: skip
_add(
    Kind.EVENT,
    "near miss, near misses, near missed, near miss collision, near miss collisions, "
    "near miss event, near miss events, nearly miss, nearly misses, narrowly miss, "
    "narrowly misses, narrowly missed, narrowly missing, just miss, just misses, just missed, "
    "barely miss, barely misses, barely missed, narrow miss, narrow misses, close call, "
    "close calls, close shave, near accident, near accidents, narrow escape, miss, misses, missed, "
    "missing",
    "near_miss",
)
for _touch in (*FORMS["collide"].split(", "), *FORMS["contact"].split(", ")):
    for _near in _ALMOST.split(", "):
        _add(Kind.EVENT, f"{_near} {_touch}", "near_miss")

_LABELS = {
    "ball": "ball, balls, sphere, spheres",
    "box": "box, boxes, cube, cubes, block, blocks, brick, bricks, crate, crates",
    "disc": "disc, discs, disk, disks, puck, pucks, circle, circles",
    "cylinder": "cylinder, cylinders, can, cans",
    "capsule": "capsule, capsules",
    "domino": "domino, dominoes, dominos",
    "person": "person, persons, people, man, men, woman, women, child, children, pedestrian, "
    "pedestrians, human, humans, walker, walkers, someone, somebody, anyone, anybody",
    "car": "car, cars, automobile, automobiles",
    "truck": "truck, trucks, lorry, lorries",
    "bus": "bus, buses",
    "bicycle": "bicycle, bicycles, bike, bikes, cyclist, cyclists",
    "motorcycle": "motorcycle, motorcycles, motorbike, motorbikes",
    "car truck bus motorcycle": "vehicle, vehicles",
    "dog": "dog, dogs",
    "cat": "cat, cats",
    "bird": "bird, birds",
    "pendulum": "pendulum, pendulums",
    "plank": "plank, planks",
    "pusher": "pusher, pushers",
    "cup": "cup, cups",
    "bottle": "bottle, bottles",
}
for _label, _phrases in _LABELS.items():
    _add(Kind.NOUN, _phrases, _label)
_add(
    Kind.PLACE,
    "floor, ground, wall, walls, table, ramp, shelf, slope, road, ceiling, surface, street, desk",
    STATIC_LABEL,
)
_add(
    Kind.ANYTHING,
    "something, anything, object, objects, thing, things, item, items, "
    "another, another object, another one, other, body, bodies, others, everything",
)
_add(Kind.NOTHING, "nothing, no one, nobody, none")
for _color in COLORS:
    _add(Kind.COLOR, _color, _color)
_add(Kind.COLOR, "grey", "gray")
_add(Kind.COLOR, "violet, magenta", "purple")
_add(Kind.COLOR, "turquoise", "cyan")
_NUMBERS = "zero one two three four five six seven eight nine ten eleven twelve"
for _value, _word in enumerate(_NUMBERS.split()):
    _add(Kind.NUMBER, _word, "", float(_value))
_add(Kind.NUMBER, "half a", "measure", 0.5)
_add(Kind.NUMBER, "both, a pair of, couple of, a couple of", "", 2.0)
_add(Kind.TIMES, "times, time", "", 0.0)
_add(Kind.TIMES, "once", "", 1.0)
_add(Kind.TIMES, "twice", "", 2.0)
_add(Kind.TIMES, "thrice", "", 3.0)

_add(
    Kind.COMPARATOR,
    "more than, over, above, greater than, higher than, faster than, longer than, farther than, "
    "further than, exceeding, beyond, taller than, >, harder than, bigger than, in excess of",
    Op.GT,
)
_add(
    Kind.COMPARATOR,
    "or over, or above, or longer, or higher, or faster, "
    "at least, no less than, not less than, minimum, a minimum of, minimum of, >=, or more, "
    "no fewer than, from at least, not under, not below, not fewer than",
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
    "at most, no more than, not more than, up to, maximum, a maximum of, maximum of, <=, "
    "or less, or fewer, or under, or below, not over, not above, no longer than, "
    "no faster than, no higher than",
    Op.LE,
)
_add(Kind.COMPARATOR, "exactly, =, ==, precisely", Op.EQ)

UNITS: Mapping[str, tuple[str, float]] = {
    **dict.fromkeys(("m", "metre", "metres", "meter", "meters"), ("m", 1.0)),
    **dict.fromkeys(("cm", "centimetre", "centimetres", "centimeter", "centimeters"), ("m", 0.01)),
    **dict.fromkeys(("mm", "millimetre", "millimetres", "millimeter", "millimeters"), ("m", 1e-3)),
    **dict.fromkeys(("km", "kilometre", "kilometres", "kilometer", "kilometers"), ("m", 1000.0)),
    **dict.fromkeys(("ft", "foot", "feet"), ("m", 0.3048)),
    **dict.fromkeys(("in", "inch", "inches"), ("m", 0.0254)),
    **dict.fromkeys(("px", "pixel", "pixels"), ("px", 1.0)),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), ("s", 1.0)),
    **dict.fromkeys(("ms", "msec", "millisecond", "milliseconds"), ("s", 1e-3)),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), ("s", 60.0)),
    **dict.fromkeys(("m/s", "mps", "metres per second", "meters per second"), ("mps", 1.0)),
    **dict.fromkeys(("cm/s", "centimetres per second", "centimeters per second"), ("mps", 0.01)),
    **dict.fromkeys(("mm/s", "millimetres per second", "millimeters per second"), ("mps", 1e-3)),
    **dict.fromkeys(("km/h", "kmh", "kph", "kilometres per hour"), ("mps", 1 / 3.6)),
    **dict.fromkeys(("mph", "miles per hour"), ("mps", 0.44704)),
    **dict.fromkeys(("ft/s", "feet per second"), ("mps", 0.3048)),
    **dict.fromkeys(("px/s", "pixels per second"), ("px_s", 1.0)),
    **dict.fromkeys(("rad", "radian", "radians"), ("rad", 1.0)),
    **dict.fromkeys(("deg", "degree", "degrees"), ("rad", math.pi / 180)),
}
"""Unit to the unit in which quantities of its dimension are stored, and the factor to it."""

QUANTITY_OF: Mapping[str, Mapping[str, str]] = {
    "fall": {"m": "height_m", "px": "height_px", "mps": "impact_speed_mps"},
    "rise": {"m": "height_m", "px": "height_px"},
    "throw": {"m": "range_m", "mps": "speed_mps", "rad": "launch_angle_rad"},
    "collide": {"mps": "approach_speed_mps", "px_s": "approach_speed_px_s"},
    "near_miss": {
        "m": "distance_m",
        "px": "distance_px",
        "s": "ttc_s",
        "mps": "closing_speed_mps",
        "px_s": "closing_speed_px_s",
    },
    "bounce": {"mps": "speed_before_mps", "px_s": "speed_before_px_s"},
    "roll": {"m": "distance_m", "mps": "speed_mps"},
    "slide": {"m": "distance_m", "mps": "speed_mps"},
    "start": {"mps": "top_speed_mps", "px_s": "top_speed_px_s"},
    "stop": {"mps": "top_speed_mps", "px_s": "top_speed_px_s"},
    "topple": {"rad": "tilt_rad"},
    "enter": {"px_s": "speed_px_s"},
    "exit": {"px_s": "speed_px_s"},
    "cross": {"s": "pet_s"},
    "reappear": {"s": "hidden_s"},
    "accelerate": {"mps": "delta_v_mps"},
    "brake": {"mps": "delta_v_mps"},
    "turn": {"rad": "angle_rad", "m": "radius_m", "px": "radius_px"},
    "oscillate": {"s": "period_s", "m": "amplitude_m", "px": "amplitude_px"},
    "rotate": {"rad": "angle_rad"},
    "push": {"m": "distance_m", "mps": "speed_mps"},
    "carry": {"m": "distance_m", "mps": "speed_mps"},
    "pick_up": {"m": "height_m"},
    "put_down": {"m": "height_m"},
    "overtake": {"mps": "relative_speed_mps", "px_s": "relative_speed_px_s"},
}
"""Event and stored unit to the quantity that a bare measure of that unit is about; a bare time is
`duration_s` where nothing else is said."""

_add(Kind.QUANTITY, "time to collision, ttc", "ttc_s")
_add(Kind.QUANTITY, "post encroachment time, pet", "pet_s")
_add(Kind.QUANTITY, "restitution", "restitution")
_add(Kind.QUANTITY, "approach speed", "approach_speed_mps")
_add(Kind.QUANTITY, "closing speed", "closing_speed_mps")
_add(Kind.QUANTITY, "impact speed", "impact_speed_mps")
_add(Kind.QUANTITY, "duration", "duration_s")
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
_add(Kind.QUANTITY, "modified time to collision, mttc", "mttc_s")
_add(Kind.QUANTITY, "deceleration rate to avoid a crash, drac", "drac_mps2")
_add(Kind.QUANTITY, "modified drac, mdrac", "mdrac_mps2")
_add(Kind.PROFILE, "serious", "serious")
for _profile in ("ssam", "sumo"):
    for _way in ("", "by ", "by the ", "according to ", "as defined by ", "judged by "):
        _add(Kind.PROFILE, f"{_way}{_profile}, {_way}{_profile} limits", _profile)
_add(Kind.LASTING, "for, lasting, lasts, that lasts")
_add(Kind.WITHIN, "within, in under, in less than")
_add(Kind.BETWEEN, "between")
_add(Kind.ON, "on, onto, on top of, off, behind, against, along, down, upon")
_add(Kind.FROM, "from, off of, through")
_add(Kind.NOT, "not, no, never, without, does not, do not, did not, is not, are not, but not")
_add(Kind.NOT, "and not, with no, but no, and no, but never, and never, but without, and without")
_add(Kind.NOT, "without any, but does not, but do not, without ever, absence of, but is not")
_add(Kind.AND, "and, but, as well as, together with, plus, &, while, and also, and it")
_add(Kind.OR, "or, or else, |, either")
_add(Kind.THEN, "then, and then, followed by, followed, before, and afterwards, afterwards")
_add(Kind.THEN, "and later, later, and after that, after that, after which, ->, next")
_add(Kind.THEN, "and subsequently, subsequently, which then, that then")
_add(Kind.AFTER, "after, following, preceded by, just after, right after, shortly after")
_add(Kind.COMMA, "comma, ;")
_add(Kind.ARTICLE, "a, an, the, any, some, this, every, all, all the, each")
_add(
    Kind.FILLER,
    "find, show, show me, give me, list, get, search, search for, look for, i want, i need, want, "
    "clip, clips, video, videos, scene, scenes, footage, moment, moments, event, events, me, "
    "example, examples, case, cases, segment, segments, part, parts, recording, recordings, "
    "where, when, in which, which, that, who, of, with, is, are, was, were, be, been, being, by, "
    "into, in, to, at, there, has, have, had, having, its, gets, get hit, happens, happen, "
    "happening, occurs, occur, please, can you, could you, you, my, library, all clips, do, does, "
    "it, each other, one another, as, away, apart, tall, high, height, of height, a height of, "
    "from a height of, deep, "
    "distance, a distance of, a speed of, speed, long, far, only, just, both of, itself, "
    "involving, containing, contain, contains, one, during, out, over the, onto the, view, frame, "
    "s, also, up, same, what, do you have, any clips, were there, are there, "
    "path, paths, moving, moves, move",
)
LEXICON["one"] = Entry(Kind.NUMBER, "", 1.0)
LEXICON["in"] = Entry(Kind.FILLER)
