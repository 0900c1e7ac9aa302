"""What comes to be in, on or behind something, however it is said."""

from __future__ import annotations

import pytest

from worldline.retrieval import parse


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a robot drops the ball into a bin", "A containment of a ball in a bin."),
        ("a person put an apple in a bowl", "A containment of an apple in a bowl."),
        ("a ball enters the bucket", "A containment of a ball in a bucket."),
        ("a car enters", "An entry of a car."),
        ("a ball rolls into a cup", "A containment of a ball in a cup."),
        ("a ball in a cup", "A containment of a ball in a cup."),
        ("a bottle on a tray", "A support of a bottle on a tray."),
        ("a jar holding a coin", "A containment of a coin in a jar."),
        ("a dog walks behind a person", "A following of a person by a dog."),
        ("no fall in the video", "No fall in the whole video."),
    ],
)
def test_a_place_is_read_out_of_verb_and_thing(text, sentence):
    plan = parse(text)
    assert (plan.sentence, plan.guesses) == (sentence, ())


@pytest.mark.parametrize(
    ("text", "sentence", "guess"),
    [
        ("a ball rolls into a domino", "A collision between a ball and a domino.", "read as hits"),
        ("a dog walks behind a tree", "An occlusion of a dog behind a tree.", "goes out of sight"),
    ],
)
def test_the_thing_decides_where_the_verb_does_not(text, sentence, guess):
    plan = parse(text)
    assert (plan.sentence, plan.guesses[0].meaning) == (sentence, guess)
