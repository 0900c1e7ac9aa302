"""Claimed contacts beside true ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from worldline.audit.touches import (
    Answer,
    Settings,
    is_right,
    learn,
    list_takes,
    measure,
    reliability,
)
from worldline.core import STATIC, Contact, Provenance, Scene
from worldline.physics.contact_chances import BODIES, GROUND


def scene(*rows: tuple[float, float], ids: tuple[int, ...] = (1, 2)) -> Scene:
    """Bodies of 10 px at rest, 20 frames of 0.1 s."""
    n, t = len(rows), 20
    there = np.ones((n, t), dtype=bool)
    center = np.repeat(np.array(rows, dtype=np.float64)[:, None], t, axis=1)
    return Scene(
        time_s=np.arange(t) / 10,
        width_px=100,
        height_px=100,
        ids=np.array(ids[:n]),
        labels=("object",) * n,
        present=there,
        visible=there,
        center_px=center,
        size_px=np.full((n, t, 2), 10.0),
        center_px_std=np.zeros((n, t, 2)),
        provenance=Provenance(),
    )


def test_a_claim_is_right_where_the_bodies_under_the_tracks_touch_then():
    truth = scene((20, 50), (30, 50), ids=(7, 3))
    truth = replace(truth, contacts=(Contact(3, 7, 0.5, 0.6), Contact(7, STATIC, 1.5, 1.9)))
    seen = scene((21, 51), (31, 50))
    for contact, right in (
        (Contact(1, 2, 0.5, 0.5), True),
        (Contact(1, 2, 0.8, 0.8), True),  # two frames late
        (Contact(1, 2, 1.2, 1.2), False),
        (Contact(1, STATIC, 1.6, 1.6), True),
        (Contact(2, STATIC, 1.6, 1.6), False),  # another body's
        (Contact(1, STATIC, 0.5, 0.5), False),
    ):
        assert is_right(contact, seen, truth) is right, contact
    nowhere = scene((21, 51), (70, 80))
    assert not is_right(Contact(1, 2, 0.5, 0.5), nowhere, truth)
    pieces = scene((19, 50), (22, 50))  # of one body
    assert not is_right(Contact(1, 2, 0.5, 0.5), pieces, truth)


def test_reliability_of_known_numbers():
    chance = np.array([0.25, 0.25, 0.25, 0.25, 0.95, 0.95])
    right = np.array([True, False, False, False, True, False])
    found = reliability(chance, right)
    assert found["num"] == 6
    assert found["right"] == pytest.approx(1 / 3, abs=1e-3)
    assert found["calibration_error"] == pytest.approx(0.45 * 2 / 6, abs=1e-3)
    brier = (3 * 0.0625 + 0.5625 + 0.0025 + 0.9025) / 6
    assert found["brier"] == pytest.approx(brier, abs=1e-3)


def test_learned_chances_beat_constants_where_traits_tell():
    rng = np.random.default_rng(2)

    def answers(num: int) -> list[Answer]:
        made = []
        for k in range(num):
            sharp = float(rng.normal())
            right = bool(rng.random() < 1 / (1 + np.exp(-2 * sharp)))
            made.append(Answer("drop", (BODIES, GROUND)[k % 2], {"sharp": sharp}, right))
        return made

    measured = measure(learn(answers(600)), answers(600))
    for name in (BODIES, GROUND, "told", "all claims"):
        row = measured[name]
        assert row["learned"]["brier"] < row["share"]["brier"] - 0.03
        assert row["share"]["brier"] <= row["constants"]["brier"]
        assert row["learned"]["calibration_error"] < 0.1


def test_films_to_measure_on_are_others():
    settings = Settings(rounds=2, more=1, test_rounds=1, test_more=1)
    learned, tested = (list_takes(settings, test=test) for test in (False, True))
    assert not {take.seed for take in learned} & {take.seed for take in tested}
    assert len({take.family for take in tested}) > 20
    assert len(learned) == 2 * len({take.family for take in tested}) + len(settings.rich)
