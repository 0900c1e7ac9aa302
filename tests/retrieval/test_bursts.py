"""Two events near in time, and motion at a speed."""

from __future__ import annotations

import pytest

from worldline.core.errors import InputError
from worldline.retrieval import Bounce, Collide, Fall, Or, Relate, Relation, Then, Topple, parse
from worldline.retrieval.query import events_in


def test_within_a_time_of_each_other_is_in_either_order_or_at_once():
    fall, topple = Fall().of("ball"), Topple().of("box")
    assert parse("a ball falls and a box topples within 2 s of each other").query == Or(
        (Then(fall, topple, 2), Then(topple, fall, 2), Relate(fall, Relation.WHILE, topple))
    )


def test_two_of_a_kind_within_a_time_follow_each_other():
    assert parse("two collisions within 3 s").query == Then(Collide(), Collide(), 3)


def test_twice_within_a_time_is_one_and_the_same_object():
    query = parse("a ball bounces twice within 2 s").query
    assert query == Then(Bounce().of("ball", name="x"), Bounce().of("ball", name="x"), 2)


def test_more_than_two_within_a_time_cannot_be_asked_and_it_is_said():
    plan = parse("three collisions within 5 s")
    assert plan.query == Collide().times(3)
    assert plan.ignored == ("within 5 s",)


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("a car moves faster than 50 km/h", ["start", "stop", "roll", "slide"]),
        ("a car moves faster than 50 px/s", ["start", "stop", "enter", "exit"]),
    ],
)
def test_motion_at_a_speed_is_any_event_that_measures_it(text, kinds):
    plan = parse(text)
    assert isinstance(plan.query, Or)
    assert [event.type for event in events_in(plan.query)] == kinds
    assert all(dict(e.roles)["object"].labels == ("car",) for e in events_in(plan.query))
    assert [g.words for g in plan.guesses] == ["moves"]


def test_fast_without_a_speed_is_asked_about():
    with pytest.raises(InputError, match="does not say how fast; give a speed"):
        parse("something fast")


def test_a_guess_that_the_plan_makes_plain_is_not_told():
    assert parse("two balls roll at the same time").guesses == ()
