"""Probabilities of contacts that are read from boxes."""

from __future__ import annotations

import numpy as np

from worldline.core import STATIC
from worldline.physics import detect_contacts
from worldline.physics.chances import LEAST, MOST
from worldline.physics.contact_chances import (
    GROUND,
    bundled_contact_chances,
)
from worldline.physics.contacts import find_claims

TIMES = np.arange(30) / 15


def meeting(pixel_scene, *, speed: float, kept: float, std: float, seed: int):
    """One body runs into another and loses a part of its velocity to it."""
    rng = np.random.default_rng(seed)
    before, after = np.minimum(TIMES, 1.0), np.maximum(TIMES - 1.0, 0)
    one = 280 - speed + speed * before + kept * speed * after
    two = 301 + (1 - kept) * speed * after
    path = np.stack([np.stack([x, np.full(30, 200.0)], axis=1) for x in (one, two)])
    return pixel_scene(path + rng.normal(0, std, path.shape), TIMES, std=std)


def bounce(pixel_scene, *, speed: float, rebound: float, std: float, seed: int):
    rng = np.random.default_rng(seed)
    down = np.where(TIMES < 1.0, speed * (TIMES - 1.0), -rebound * speed * (TIMES - 1.0))
    path = np.stack([np.stack([np.full(30, 320.0), 380 + down], axis=1)])
    return pixel_scene(path + rng.normal(0, std, path.shape), TIMES, std=std)


def test_no_two_contacts_are_equally_likely(pixel_scene):
    """A constant would be: probabilities have to say what speaks for the one and the other."""
    cases = [(120, 0.9, 0.2), (60, 0.5, 0.5), (200, 0.3, 1.5), (90, 0.1, 1.0)]
    ground = [
        contact.confidence
        for seed, (speed, rebound, std) in enumerate(cases)
        for contact in detect_contacts(
            bounce(pixel_scene, speed=speed, rebound=rebound, std=std, seed=seed)
        )
        if contact.b == STATIC
    ]
    bodies = [
        contact.confidence
        for seed, (speed, kept, std) in enumerate(cases)
        for contact in detect_contacts(
            meeting(pixel_scene, speed=speed, kept=kept, std=std, seed=seed)
        )
        if contact.b != STATIC
    ]
    for told in (ground, bodies):
        assert len(told) >= 3
        assert len({round(chance, 3) for chance in told}) == len(told)
        assert all(LEAST <= chance <= MOST for chance in told)
    assert max(ground) - min(ground) > 0.03


def test_a_sharper_turn_is_the_likelier_contact(pixel_scene):
    known = bundled_contact_chances()
    (claim,) = find_claims(bounce(pixel_scene, speed=120, rebound=0.8, std=0.3, seed=0))
    assert claim.kind == GROUND
    blunt = {**claim.traits, "sharp": claim.traits["sharp"] - 1.5, "turn": 0.4}
    assert known.of(GROUND, claim.traits) > known.of(GROUND, blunt) + 0.1


def test_what_comes_along_was_measured_on_other_films():
    measured = bundled_contact_chances().measured
    told = measured["told"]
    assert told["learned"]["num"] > 50
    assert told["learned"]["brier"] < told["share"]["brier"] < told["constants"]["brier"]
