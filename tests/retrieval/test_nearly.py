"""What nearly happens is a near miss where it is a touch, and said with the plan otherwise."""

from __future__ import annotations

import pytest

from worldline.retrieval import NearMiss, parse

BOTH = NearMiss().between("car", "dog")


@pytest.mark.parametrize(
    "text",
    [
        "a car almost hits a dog",
        "a car is very nearly having a crash with a dog",
        "a car only just avoids running over a dog",
        "a car came close to bumping into a dog",
        "a car is on the verge of colliding with a dog",
        "a car nearly misses hitting a dog",
        "a near collision of a car with a dog",
    ],
)
def test_a_touch_that_nearly_happens_is_a_near_miss(text):
    assert parse(text).query == BOTH


def test_another_event_that_nearly_happens_is_in_doubt():
    plan = parse("a car almost stops")
    assert plan.ignored == ("almost",)


def test_nearly_a_size_is_about_it():
    plan = parse("a ball falls nearly 2 m")
    assert plan.sentence == "A fall of a ball with height at least 1.8 m and height at most 2.2 m."
    assert plan.guesses[0].meaning == "within 10% of it"
