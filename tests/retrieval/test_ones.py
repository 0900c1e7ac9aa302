"""`One` in the place of a noun."""

from __future__ import annotations

import pytest

from worldline.retrieval.grammar import parse


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("a red ball hits a blue one", "a red ball hits a blue ball"),
        ("the green box pushes the yellow one", "the green box pushes the yellow box"),
        ("a red car overtakes two blue ones", "a red car overtakes two blue cars"),
        ("something hits a white one", "something hits a white thing"),
        ("a white one falls", "a white thing falls"),
    ],
)
def test_it_is_the_noun_before(asked: str, meant: str):
    assert parse(asked).query == parse(meant).query


def test_without_a_colour_it_is_a_number():
    assert parse("one ball falls").query == parse("1 ball falls").query
