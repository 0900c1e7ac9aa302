"""What a region is to the background behind it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from worldline.readout.shade import measure_shade

SIDE = 40


def ground(texture: float = 12.0) -> np.ndarray:
    coarse = np.random.default_rng(2).normal(0, texture, (10, 10, 1)).astype(np.float32)
    return np.float32((150, 140, 120)) + cv2.resize(coarse, (SIDE, SIDE))[..., None]


def pixels(picture: np.ndarray) -> np.ndarray:
    noisy = picture + np.random.default_rng(3).normal(0, 0.7, picture.shape)
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


MASK = cv2.circle(np.zeros((SIDE, SIDE), np.uint8), (20, 20), 15, 1, cv2.FILLED)


@pytest.mark.parametrize("factor", [(0.4, 0.4, 0.4), (0.5, 0.45, 0.4), (1.5, 1.5, 1.5)])
def test_light_is_one_factor_of_the_ground(factor):
    shade = measure_shade(MASK, pixels(ground() * np.float32(factor)), pixels(ground()))
    assert shade is not None
    assert shade.possible
    logs = np.log(factor)
    assert shade.level == pytest.approx(logs.mean(), abs=0.02)
    assert shade.chroma == pytest.approx(np.abs(logs - logs.mean()).max(), abs=0.02)
    assert shade.spread < 2 * np.sqrt(shade.noise)


def test_a_body_hides_the_ground():
    body = np.zeros((SIDE, SIDE, 3), np.float32) + np.float32((60, 56, 48))
    shade = measure_shade(MASK, pixels(body), pixels(ground()))
    assert shade is not None
    assert shade.possible
    assert shade.spread > 2 * np.sqrt(shade.noise)
    assert shade.own < 0.05


def test_a_shaded_body_varies_by_itself():
    slope = np.linspace(0.5, 1.5, SIDE, dtype=np.float32)[:, None, None]
    ball = slope * np.float32((60, 56, 48)) + 0 * ground()
    shade = measure_shade(MASK, pixels(ball), pixels(ground()))
    assert shade is not None
    assert shade.own > 0.1


def test_no_light_turns_grey_ground_green():
    green = np.zeros((SIDE, SIDE, 3), np.float32) + np.float32((20, 160, 30))
    shade = measure_shade(MASK, pixels(green), pixels(ground()))
    assert shade is not None
    assert not shade.possible


def test_fine_detail_is_found_in_uneven_light_and_not_on_a_body():
    grit = np.random.default_rng(7).normal(0, 14, (SIDE, SIDE, 1)).astype(np.float32)
    then = ground(0.0) + cv2.GaussianBlur(grit, (0, 0), 1.0)[..., None] * 2
    slope = np.linspace(0.3, 0.9, SIDE, dtype=np.float32)[:, None, None]
    lit = measure_shade(MASK, pixels(then * slope * np.float32((0.6, 0.8, 1.0))), pixels(then))
    body = measure_shade(MASK, pixels(ground(0.0) * slope), pixels(then))
    assert lit is not None
    assert body is not None
    assert lit.through >= 3 > lit.hidden
    assert body.hidden >= 3 > body.through
    plain = measure_shade(MASK, pixels(ground(0.0) * slope), pixels(ground(0.0)))
    assert plain is not None
    assert plain.through == plain.hidden == 0


def test_one_factor_of_unlike_ground_is_seen_beside_a_body_that_it_swallowed():
    stripes = np.where(np.arange(SIDE) // 8 % 2, 1.0, 0.7).astype(np.float32)
    then = ground(0.0) * stripes[:, None, None]
    lit = then * np.float32((0.6, 0.8, 1.0))
    lit[12:20, 10:24] = (30, 60, 90)
    flat, plain = np.zeros_like(then) + np.float32((60, 56, 48)), ground(0.0)
    shades = [measure_shade(MASK, pixels(a), pixels(b)) for a, b in ((lit, then), (flat, then))]
    assert shades[0] is not None
    assert shades[1] is not None
    assert shades[0].follows > 5 > 1.3 > shades[1].follows
    untold = measure_shade(MASK, pixels(plain * 0.5), pixels(plain))
    assert untold is not None
    assert np.isnan(untold.follows)


def test_a_lamps_pool_begins_softly_and_a_disc_does_not():
    y, x = np.mgrid[:SIDE, :SIDE]
    away = np.hypot(y - 20, x - 20)[..., None].astype(np.float32)
    pool, disc = 1 + 0.6 * np.clip((15 - away) / 14, 0, 1), 1 + 0.6 * (away < 15)
    then = np.zeros((SIDE, SIDE, 3), np.float32) + np.float32((120, 112, 96))
    soft, sharp = (measure_shade(MASK, pixels(then * own), pixels(then)) for own in (pool, disc))
    assert soft is not None
    assert sharp is not None
    assert soft.soft < 0.5 < 0.9 < sharp.soft


def test_a_wide_rim_is_not_measured_where_there_is_room():
    then = np.zeros((SIDE, SIDE, 3), np.float32) + np.float32((120, 112, 96))
    y, x = np.mgrid[:SIDE, :SIDE]
    away = np.hypot(y - 20, x - 20)[..., None].astype(np.float32)
    shadow = then * (1 - 0.5 * np.clip((15 - away) / 4, 0, 1))
    shade = measure_shade(MASK, pixels(shadow), pixels(then))
    assert shade is not None
    assert shade.spread < 2 * np.sqrt(shade.noise)
    assert shade.level == pytest.approx(np.log(0.5), abs=0.02)


def test_what_is_too_small_is_not_measured():
    speck = np.zeros((6, 6), np.uint8)
    speck[2:4, 2:5] = 1
    plain = np.full((6, 6, 3), 90, np.uint8)
    assert measure_shade(speck, plain // 2, plain) is None
