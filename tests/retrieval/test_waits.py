"""Time between events is no length of an event."""

from __future__ import annotations

import pytest

from worldline.retrieval.grammar import parse
from worldline.retrieval.query import Event, Then, events_in


def _durations(asked: str) -> list[float]:
    query = parse(asked).query
    assert query is not None
    return [c.value for e in events_in(query) for c in e.where if c.quantity == "duration_s"]


@pytest.mark.parametrize(
    ("asked", "within_s"),
    [
        ("a ball falls and bounces at most 2 s later", 2.0),
        ("a ball falls, and in less than 2 s it bounces", 2.0),
        ("a ball falls and stops within 2 s of it", 2.0),
        ("the second fall within 2 s of the first", 2.0),
    ],
)
def test_an_upper_limit_is_a_wait(asked: str, within_s: float):
    query = parse(asked).query
    assert isinstance(query, Then)
    assert query.within_s == within_s
    assert _durations(asked) == []


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("a collision more than 1 s after a bounce", "more than 1 s"),
        ("a ball hits a box at least 2 s before it stops", "at least 2 s"),
        ("a ball stops between 1 and 2 s after bouncing", "at least 1 s"),
        ("after 3 s a ball falls", "after 3 s"),
        ("fewer than 3 bounces in 2 s", "within 2 s"),
        ("at least three dominoes topple within 2 s", "within 2 s"),
        ("a box topples within 2 s of the beginning", "within 2 s of"),
    ],
)
def test_what_no_plan_can_hold_is_listed(asked: str, told: str):
    assert told in parse(asked).ignored
    assert _durations(asked) == []


def test_a_length_stays_a_length():
    assert _durations("a ball rolls for more than 2 s before it stops") == [2.0]
    assert parse("a ball falls within 2 s").query == parse("a ball falls in 2 s").query
    assert isinstance(parse("a ball falls within 2 s").query, Event)


def test_a_length_that_may_be_a_wait_is_told():
    meanings = {g.words: g.meaning for g in parse("a ball hits two boxes within 1 s").guesses}
    assert meanings["1 s"] == "how long the collision takes"
