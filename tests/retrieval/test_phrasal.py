"""Verbs that the sentence takes apart, and verbs that say nothing alone."""

from __future__ import annotations

import pytest

from worldline.retrieval import parse


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a hand picks the red cup up", "A lifting of a red cup by a hand."),
        ("a dog knocks a vase over", "A topple of a vase."),
        ("a person pushes a box over 50 cm", "A push of a box by a person with distance more "
         "than 0.5 m."),
        ("a car makes a sharp turn", "A turn of a car."),
        ("a bus has an accident with a truck", "A collision between a bus and a truck."),
        ("a ball starts rolling", "A roll of a ball."),
        ("a ball stops rolling", "A stop of a ball."),
        ("a wheel keeps on spinning", "A rotation of a wheel."),
    ],
)  # fmt: skip
def test_a_verb_of_several_words_is_one(text, sentence):
    assert parse(text).sentence == sentence


def test_a_stop_of_what_is_no_way_of_moving_along_is_in_doubt():
    assert parse("a wheel stops spinning").ignored == ("spinning",)
