"""Lists, colours after their noun, and things with others in them."""

from __future__ import annotations

import pytest
from tests.retrieval.phrases import like_terms, plan_of

from worldline.retrieval import Contain, Enter, Fall, Support, Topple, Turn, Who, parse
from worldline.retrieval.compounds import apart, compound
from worldline.retrieval.words import read_words


def _said(text: str) -> str:
    return " ".join(item.words for item in compound(read_words(text)))


def test_commas_of_a_list_are_alternatives():
    query = parse("a car, truck or bus turns").query
    assert query == Turn().of("car", "truck", "bus")


def test_a_comma_between_clauses_is_left_alone():
    assert _said("a car brakes, a bus or truck stops") == "a car brakes comma a bus or truck stops"


def test_a_colour_may_follow_its_noun():
    assert parse("something blue falls").query == Fall().cast(object=Who((), ("blue",)))


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("a bowl with a ball in it", Contain().cast(object="ball", vessel="bowl")),
        ("a bowl with a ball inside", Contain().cast(object="ball", vessel="bowl")),
        ("a box with a cup on top", Support().cast(object="cup", support="box")),
    ],
)
def test_what_a_thing_holds_is_an_event(text, query):
    assert plan_of(text) == like_terms(query)


def test_what_holds_something_takes_part_itself():
    bowl = Who(("bowl",), name="x")
    query = Contain().cast(object="ball", vessel=bowl) & Topple().cast(object=bowl)
    assert plan_of("a bowl with a ball in it topples") == like_terms(query)


def test_colours_and_labels_are_not_mixed():
    query = parse("a black dog or a white cat enters").query
    dog, cat = (
        Enter().cast(object=Who((x,), (c,))) for x, c in (("dog", "black"), ("cat", "white"))
    )
    assert query == (dog | cat)


def test_a_shared_colour_stays_shared():
    assert len(apart(read_words("a red ball or box falls"))) == 1
    assert len(apart(read_words("a red ball or a box falls"))) == 2
