"""Light that was seen in several places is known from then on."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from worldline.readout.known_light import KnownLight
from worldline.readout.regions import find_regions
from worldline.readout.shade import Shade

SIDE = 96
RED = np.float32((0.8, 0.45, 0.4))
GRAY = np.float32((0.3, 0.3, 0.3))
THROUGH = Shade(own=0.2, follows=9.0)


def ground() -> np.ndarray:
    stripes = np.where(np.arange(SIDE) // 12 % 2, 1.0, 0.7).astype(np.float32)
    return np.float32((170, 160, 150)) * stripes[:, None, None] * np.ones((1, SIDE, 1), np.float32)


def seen(picture: np.ndarray) -> np.ndarray:
    noisy = picture + np.random.default_rng(1).normal(0, 0.7, picture.shape)
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def lit(column: int, light: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The ground with a round patch of light, and where that is."""
    mask = cv2.circle(np.zeros((SIDE, SIDE), np.uint8), (column, 48), 18, 1, cv2.FILLED)
    return np.where(mask[..., None] > 0, ground() * light, ground()), mask


def learned(columns: tuple[int, ...], light: np.ndarray, shade: Shade = THROUGH) -> KnownLight:
    known = KnownLight()
    for column in columns:
        picture, mask = lit(column, light)
        regions = find_regions(mask, seen(picture), 14.0, np.eye(3))
        for region in regions:
            object.__setattr__(region, "shade", shade)
        known.learn(regions, seen(picture), seen(ground()))
    return known


def share(known: KnownLight, picture: np.ndarray, mask: np.ndarray) -> float:
    """How much of the patch is found to be light."""
    found = known.find(seen(picture), seen(ground()), mask)
    return 0.0 if found is None else float(found[mask > 0].mean())


@pytest.mark.parametrize("light", [RED, GRAY, np.float32((1.05, 1.15, 1.5))])
def test_light_seen_in_three_places_is_known_in_the_next(light):
    picture, mask = lit(70, light)
    assert share(learned((20, 35), light), picture, mask) == 0.0
    assert share(learned((20, 35, 50), light), picture, mask) > 0.95


def test_what_stays_in_one_place_teaches_nothing():
    # There the background may hold a body that has come back.
    picture, mask = lit(40, RED)
    assert share(learned((40, 41, 40, 41), RED), picture, mask) == 0.0


def test_what_hides_the_ground_teaches_nothing():
    picture, mask = lit(70, RED)
    for shade in (Shade(own=0.2, follows=1.0), Shade(own=0.2, through=3, hidden=20)):
        assert share(learned((20, 35, 50), RED, shade), picture, mask) == 0.0


def test_a_body_in_known_light_is_left():
    picture, mask = lit(70, RED)
    body = cv2.circle(np.zeros((SIDE, SIDE), np.uint8), (74, 50), 6, 1, cv2.FILLED)
    picture[body > 0] = (20, 60, 140)
    found = learned((20, 35, 50), RED).find(seen(picture), seen(ground()), mask)
    assert found is not None
    assert found[body > 0].mean() < 0.1
    assert found[(mask > 0) & (cv2.dilate(body, np.ones((5, 5), np.uint8)) == 0)].mean() > 0.9


def test_a_body_elsewhere_of_the_grounds_colour_is_no_known_light():
    known = learned((20, 35, 50), GRAY)
    body = cv2.circle(np.zeros((SIDE, SIDE), np.uint8), (70, 30), 12, 1, cv2.FILLED)
    picture = np.where(body[..., None] > 0, np.float32((90, 85, 80)), ground())
    assert share(known, picture, body) < 0.1
