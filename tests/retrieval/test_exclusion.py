"""What is said not to be meant leaves the plan, and is told."""

from __future__ import annotations

import pytest

from worldline.retrieval.exclusion import quantified, set_aside
from worldline.retrieval.grammar import parse
from worldline.retrieval.words import read_words


@pytest.mark.parametrize(
    ("asked", "rest", "told"),
    [
        ("everything but a ball falls", "everything falls", "but a ball"),
        ("anything other than a red ball falls", "anything falls", "other than a red ball"),
        ("every car except trucks brakes", "every car brakes", "except trucks"),
        ("a non-red ball falls", "a ball falls", "non red"),
        ("a ball which isn't red falls", "a ball which falls", "is not red"),
        ("a car, not a bus, brakes", "a car brakes", "not a bus"),
        ("a red ball, not the blue one, falls", "a red ball falls", "not the blue one"),
        ("a car is hit by a truck, not by a bus", "a car is hit by a truck", "not by a bus"),
        ("nothing but a ball falls", "a ball falls", "nothing but"),
        ("not only balls fall", "balls fall", "not only"),
    ],
)
def test_an_exclusion_is_told_and_not_turned_round(asked: str, rest: str, told: str):
    plan = parse(asked)
    assert plan.query == parse(rest).query
    assert any(word in told for words in plan.ignored for word in [words])


@pytest.mark.parametrize(
    "asked",
    ["a car brakes but does not stop", "a ball falls but no box falls", "no red ball falls",
     "nothing falls", "a near miss but no collision", "not only once a ball falls"],
)  # fmt: skip
def test_what_denies_an_event_stays(asked: str):
    words = read_words(asked)
    assert set_aside(words) == (words, [])


@pytest.mark.parametrize(
    ("asked", "words"),
    [("all balls fall", "all balls"), ("each ball falls", "each ball"),
     ("only balls fall", "only balls"), ("not all balls fall", "not all balls")],
)  # fmt: skip
def test_how_many_of_them_are_looked_for_is_told(asked: str, words: str):
    assert [guess.words for guess in parse(asked).guesses] == [words]


@pytest.mark.parametrize("asked", ["every car that brakes", "all car crashes", "only 2 balls fall"])
def test_a_list_asks_for_one_at_a_time(asked: str):
    assert quantified(read_words(asked)) == []
