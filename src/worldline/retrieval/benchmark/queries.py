"""The benchmark's questions, in words, each with what makes a clip an answer to it."""

from __future__ import annotations

from dataclasses import dataclass

from worldline.physics import ONTOLOGY
from worldline.retrieval.benchmark.relevance import (
    Need,
    both,
    count_of,
    either,
    happens,
    never,
    sequence,
)

__all__ = ["Question", "questions"]


@dataclass(frozen=True)
class Question:
    """One query.

    Attributes:
        text: what the library is asked.
        group: event type for plain queries, else "quantity", "color", "sequence", "negation",
            "count" or "choice".
        need: what makes a clip relevant.
    """

    text: str
    group: str
    need: Need


PHRASES = {
    "accelerate": "something accelerates",
    "bounce": "something bounces",
    "brake": "something brakes",
    "carry": "one thing carries another",
    "collapse": "a pile collapses",
    "collide": "two things collide",
    "contact": "something touches something",
    "contain": "something goes into something",
    "converge": "things converge",
    "deform": "something deforms",
    "diverge": "things diverge",
    "break": "something breaks",
    "flow": "something flows",
    "pour": "something pours",
    "cross": "the paths of two things cross",
    "enter": "something enters",
    "exit": "something exits",
    "fall": "something falls",
    "follow": "one thing follows another",
    "near_miss": "a near miss",
    "occlude": "something is occluded",
    "oscillate": "something swings",
    "overtake": "one thing overtakes another",
    "pick_up": "something is picked up",
    "push": "one thing pushes another",
    "put_down": "something is put down",
    "reappear": "something reappears",
    "rise": "something rises",
    "roll": "something rolls",
    "rotate": "something rotates",
    "slide": "something slides",
    "start": "something starts moving",
    "still": "something stands still",
    "stop": "something stops",
    "support": "one thing stands on another",
    "throw": "something is thrown",
    "topple": "something topples",
    "turn": "something turns",
}
"""How each type is asked for; others by their own name."""


def questions() -> tuple[Question, ...]:
    """Every query: each event type by itself, then with conditions and together."""
    plain = tuple(
        Question(PHRASES.get(name, name.replace("_", " ")), name, happens(name))
        for name in ONTOLOGY
    )
    return plain + _CONDITIONED


_HIT_AND_STOP = sequence(happens("collide"), happens("stop"), within_s=1.0)
_BOUNCE_FALL = sequence(happens("fall"), happens("bounce"), same=True)

_CONDITIONED = (
    Question("something falls more than 2 m", "quantity", happens("fall", over={"height_m": 2.0})),
    Question(
        "something falls less than 1.5 m", "quantity", happens("fall", under={"height_m": 1.5})
    ),
    Question(
        "a fall with an impact speed above 6 m/s",
        "quantity",
        happens("fall", over={"impact_speed_mps": 6.0}),
    ),
    Question(
        "something falls for more than 0.6 s", "quantity", happens("fall", over={"duration_s": 0.6})
    ),
    Question(
        "a near miss with ttc under 1 s", "quantity", happens("near_miss", under={"ttc_s": 1.0})
    ),
    Question(
        "a bounce with restitution above 0.5",
        "quantity",
        happens("bounce", over={"restitution": 0.5}),
    ),
    Question(
        "something stands still for more than 1 s",
        "quantity",
        happens("still", over={"duration_s": 1.0}),
    ),
    Question(
        "something is occluded for more than 0.3 s",
        "quantity",
        happens("occlude", over={"duration_s": 0.3}),
    ),
    Question(
        "something rolls for more than 1 s", "quantity", happens("roll", over={"duration_s": 1.0})
    ),
    Question("a red object falls", "color", happens("fall", color="red")),
    Question("a green object falls", "color", happens("fall", color="green")),
    Question("a blue object rolls", "color", happens("roll", color="blue")),
    Question("a yellow object slides", "color", happens("slide", color="yellow")),
    Question("a purple object collides", "color", happens("collide", color="purple")),
    Question("a cyan object topples", "color", happens("topple", color="cyan")),
    Question("something falls, then bounces", "sequence", _BOUNCE_FALL),
    Question("two things collide, then one stops within 1 s", "sequence", _HIT_AND_STOP),
    Question(
        "something is occluded, then reappears",
        "sequence",
        sequence(happens("occlude"), happens("reappear"), same=True),
    ),
    Question(
        "something enters, then exits",
        "sequence",
        sequence(happens("enter"), happens("exit"), same=True),
    ),
    Question(
        "something starts moving, then collides",
        "sequence",
        sequence(happens("start"), happens("collide"), same=True),
    ),
    Question(
        "something rises, then falls",
        "sequence",
        sequence(happens("rise"), happens("fall"), same=True),
    ),
    Question(
        "something topples, then stops",
        "sequence",
        sequence(happens("topple"), happens("stop"), same=True),
    ),
    Question("nothing collides", "negation", never(happens("collide"))),
    Question("nothing falls", "negation", never(happens("fall"))),
    Question(
        "something falls without bouncing",
        "negation",
        never(happens("bounce"), beside=happens("fall"), same=True),
    ),
    Question(
        "a near miss without a collision",
        "negation",
        never(happens("collide"), beside=happens("near_miss")),
    ),
    Question(
        "something rises without falling",
        "negation",
        never(happens("fall"), beside=happens("rise"), same=True),
    ),
    Question("at least two collisions", "count", count_of(happens("collide"), 2)),
    Question("exactly one collision", "count", count_of(happens("collide"), 1, 1)),
    Question("at least two falls", "count", count_of(happens("fall"), 2)),
    Question("at least three bounces", "count", count_of(happens("bounce"), 3)),
    Question("at least two topples", "count", count_of(happens("topple"), 2)),
    Question(
        "a collision or a near miss", "choice", either(happens("collide"), happens("near_miss"))
    ),
    Question("a fall or a throw", "choice", either(happens("fall"), happens("throw"))),
    Question("a fall and a collision", "choice", both(happens("fall"), happens("collide"))),
)
