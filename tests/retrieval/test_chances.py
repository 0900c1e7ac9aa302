"""Chances: learned steps find what matters, stay near what is common, and survive a file."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from worldline.core.scene import Event
from worldline.physics import ONTOLOGY
from worldline.retrieval.chances import (
    BASE,
    LEAST,
    MOST,
    Chances,
    Step,
    bundled_chances,
    fit_chances,
)

NOTHING_SAID = dict.fromkeys(BASE, 0.0)


def examples(num: int, rng: np.random.Generator):
    """Happens where `speed` is high, most of the time; `noise` says nothing."""
    rows = []
    for clip in range(num):
        speed, noise = rng.random(), rng.random()
        true = bool(rng.random() < (0.9 if speed > 0.5 else 0.1))
        rows.append(({**NOTHING_SAID, "speed": speed, "noise": noise}, true, clip))
    return rows


def chance(table: Chances, kind: str, **traits: float) -> float:
    return table.of(Event(kind, 0.0, 1.0), {**NOTHING_SAID, **traits})


def test_what_matters_is_learned_and_probabilities_are_those_of_the_source():
    table = fit_chances({"fall": examples(600, np.random.default_rng(0))}, {"fall": 1})
    assert chance(table, "fall", speed=0.8, noise=0.5) == pytest.approx(0.9, abs=0.07)
    assert chance(table, "fall", speed=0.2, noise=0.5) == pytest.approx(0.1, abs=0.07)


def test_noise_alone_teaches_little():
    rng = np.random.default_rng(1)
    rows = [
        ({**NOTHING_SAID, "noise": rng.random()}, bool(rng.random() < 0.3), clip)
        for clip in range(400)
    ]
    table = fit_chances({"fall": rows}, {"fall": 1})
    found = [chance(table, "fall", noise=x) for x in np.linspace(0, 1, 11)]
    assert max(found) - min(found) < 0.15


def test_a_type_with_few_examples_stays_near_all_types():
    rng = np.random.default_rng(2)
    few = [({**NOTHING_SAID, "speed": 0.1}, True, n) for n in range(3)]
    table = fit_chances({"fall": examples(300, rng), "rise": few}, {"fall": 1, "rise": 1})
    assert 0.5 < chance(table, "rise", speed=0.1) < 0.9
    assert not table.steps["rise"]


def test_the_weight_of_the_spotter_is_learned_from_all_types():
    rng = np.random.default_rng(5)

    def said(num: int):
        rows = []
        for clip in range(num):
            odds = float(rng.normal(-1.0, 2.0))
            true = bool(rng.random() < 1 / (1 + np.exp(-odds)))
            rows.append(({**NOTHING_SAID, "spot_track": odds}, true, clip))
        return rows

    table = fit_chances({"fall": said(900), "rise": said(12)}, {"fall": 1, "rise": 1})
    for kind in ("fall", "rise"):
        assert chance(table, kind, spot_track=3.0) == pytest.approx(0.95, abs=0.06)
        assert chance(table, kind, spot_track=-3.0) == pytest.approx(0.05, abs=0.06)


def test_nothing_to_learn_from_gives_an_empty_table():
    assert not fit_chances({}, {"fall": 1}).knows("fall", 1)


def test_what_is_not_known_has_a_value_of_its_own():
    step = Step("speed", 0.5, -1.0, 1.0, 0.25)
    assert step.value({}) == step.value({"speed": math.nan}) == 0.25
    assert step.value({"speed": 0.5}) == -1.0
    assert step.value({"speed": 0.6}) == 1.0


def test_a_table_comes_back_from_json():
    table = fit_chances({"fall": examples(200, np.random.default_rng(3))}, {"fall": 2})
    again = Chances.from_json(json.loads(json.dumps(table.to_json())))
    assert again.knows("fall", 2)
    assert not again.knows("fall", 3)
    one, other = (chance(t, "fall", speed=0.7, noise=0.1) for t in (table, again))
    assert one == pytest.approx(other, abs=0.01)


def test_the_bundled_table_knows_today_s_definitions():
    table = bundled_chances()
    known = [name for name, kind in ONTOLOGY.items() if table.knows(name, kind.version)]
    assert "fall" in known
    assert len(known) > 30
    for name in known:
        assert LEAST <= table.of(Event(name, 0.0, 1.0), NOTHING_SAID) <= MOST
