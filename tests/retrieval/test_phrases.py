"""Phrases as people type them give exactly their plans; what fails is listed with them."""

from __future__ import annotations

import pytest
from tests.retrieval.phrases import SETS, Phrase, like_terms, plan_of, read_phrases

PHRASES = [phrase for name in SETS for phrase in read_phrases(name)]


def _param(phrase: Phrase):
    marks = [pytest.mark.xfail(strict=True)] if phrase.is_known_failure else []
    return pytest.param(phrase, id=phrase.text, marks=marks)


@pytest.mark.parametrize("phrase", [_param(phrase) for phrase in PHRASES])
def test_a_phrase_gives_exactly_its_plan(phrase):
    expected = None if phrase.query is None else like_terms(phrase.query)
    assert plan_of(phrase.text) == expected


def test_no_phrase_is_listed_twice():
    texts = [phrase.text for phrase in PHRASES]
    assert len(set(texts)) == len(texts)
