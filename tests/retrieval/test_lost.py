"""No number and no negation of a sentence vanishes: it shows in the plan, or is told."""

from __future__ import annotations

import itertools

import pytest

from worldline.core.errors import InputError
from worldline.retrieval.grammar import parse
from worldline.retrieval.lost import without_part
from worldline.retrieval.query import Count, Event, Not, Op, Then
from worldline.retrieval.words import read_words

FALL = Event("fall")


def _lost(words: str, query: Event | Not | Count | Then, ignored: tuple[str, ...] = ()):
    return without_part(read_words(words), query, (), ignored)


def test_a_number_that_no_part_holds_is_lost():
    assert _lost("three falls", FALL) == ("three",)
    assert _lost("three falls", FALL, ignored=("three",)) == ()
    assert _lost("three falls", Count(FALL, Op.GE, 3)) == ()
    assert _lost("falls within 2 s", Then(FALL, FALL, 3.0)) == ("2 s",)
    assert _lost("falls within 2 s", Then(FALL, FALL, 2.0)) == ()


def test_a_negation_that_no_part_holds_is_lost():
    assert _lost("never falls", FALL) == ("never",)
    assert _lost("never falls", Not(FALL)) == ()


@pytest.mark.parametrize(
    ("asked", "told"),
    [("a ball hits at least two boxes", "two"), ("two cars and a truck collide", "two"),
     ("one ball and two boxes fall", "two"), ("three balls hit a box", "three")],
)  # fmt: skip
def test_a_count_of_others_than_the_subject_is_told(asked: str, told: str):
    assert told in parse(asked).ignored


def test_any_negation_anywhere_shows_or_is_told():
    subjects = ("a ball", "no ball", "a ball that does not bounce", "everything but a ball")
    verbs = ("falls", "never falls", "hits no box", "hits a box but not a wall")
    for subject, verb in itertools.product(subjects, verbs):
        asked = f"{subject} {verb}"
        try:
            plan = parse(asked)
        except InputError:
            continue
        said = plan.sentence + " " + " ".join([*plan.ignored, *(g.words for g in plan.guesses)])
        plain = subject == "a ball" and verb == "falls"
        assert plain == (not {"no", "without", "but", "not"} & {*said.lower().split()}), asked
