"""A negation denies its own event, wherever it stands."""

from __future__ import annotations

import pytest

from worldline.retrieval.grammar import parse
from worldline.retrieval.query import And, Not


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("without bouncing a ball falls", "a ball falls without bouncing"),
        ("without a fall or a bounce a ball rolls", "a ball rolls without a fall or a bounce"),
        ("with no collision a car brakes", "a car brakes with no collision"),
        ("without hitting a box, a ball rolls", "a ball rolls without hitting a box"),
        ("unless a car brakes it turns", "a car turns unless it brakes"),
    ],
)
def test_what_is_denied_first_may_be_denied_last(asked: str, meant: str):
    assert parse(asked).query == parse(meant).query


@pytest.mark.parametrize(
    "asked",
    ["a car that does not brake hits a person", "a car not braking hits a person",
     "a car which never brakes hits a person", "a car without any braking hits a person"],
)  # fmt: skip
def test_a_relative_clause_denies_what_it_says(asked: str):
    query = parse(asked).query
    assert isinstance(query, And)
    assert not isinstance(query.parts[0], Not)
    assert isinstance(query.parts[1], Not)


def test_a_denial_of_two_events_together_is_told():
    plan = parse("no car that brakes hits a person")
    assert isinstance(plan.query, Not)
    assert [(g.words, g.meaning) for g in plan.guesses] == [("no", "denies all of it together")]
