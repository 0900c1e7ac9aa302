"""Verbs take their forms by rule, and irregular ones by a list."""

from __future__ import annotations

import pytest

from worldline.retrieval.inflection import comparative, forms_of, is_past


@pytest.mark.parametrize(
    ("lemma", "forms"),
    [
        ("topple over", "topple over, topples over, toppled over, toppling over"),
        ("stop", "stop, stops, stopped, stopping"),
        ("scatter", "scatter, scatters, scattered, scattering"),
        ("carry", "carry, carries, carried, carrying"),
        ("fall", "fall, falls, fell, fallen, falling"),
        ("hit", "hit, hits, hitting"),
        ("lie", "lie, lies, lay, lain, lying"),
        ("be hidden", "be hidden, is hidden, are hidden, was hidden, were hidden, been hidden, "
         "being hidden"),
    ],
)  # fmt: skip
def test_a_verb_has_all_its_forms(lemma, forms):
    assert ", ".join(forms_of(lemma)) == forms


def test_comparatives_are_spelled_as_adjectives_ask():
    assert [comparative(word) for word in ("long", "big", "large", "heavy", "slow")] == [
        *("longer", "bigger", "larger", "heavier", "slower"),
    ]


def test_passives_are_told_by_participles_regular_or_not():
    assert [w for w in ("pushed", "brought", "held", "taken", "pushes", "hold") if is_past(w)] == [
        *("pushed", "brought", "held", "taken"),
    ]
