"""Light that moves is no object; bodies of the ground's colour are."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from worldline.readout.background import UNIT
from worldline.readout.light import find_light, sharpness

SIZE = 96
SHARP_PX = sharpness(1.0)


def ground(texture: float) -> np.ndarray:
    coarse = np.random.default_rng(5).normal(0, 1, (SIZE // 3, SIZE // 3, 1)).astype(np.float32)
    large = cv2.resize(coarse, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)[..., None]
    return np.float32((165, 160, 150)) * (1 + texture / 160 * large)


def disc(radius: float, edge_px: float) -> np.ndarray:
    """1 inside, with an edge of this width."""
    y, x = np.mgrid[:SIZE, :SIZE] + 0.5
    away = np.hypot(x - SIZE / 2, y - SIZE / 2) - radius
    return np.clip(0.5 - away / edge_px, 0, 1)[..., None].astype(np.float32)


def found(picture: np.ndarray, background: np.ndarray, radius: float = 24.0) -> float:
    """Share of what differs, within a disc, that is called light."""
    rng = np.random.default_rng(1)
    noisy = picture + rng.normal(0, 1, picture.shape)
    now, then = (
        cv2.GaussianBlur(np.clip(np.rint(p), 0, 255).astype(np.uint8), (3, 3), 0.8)
        for p in (noisy, background)
    )
    change = cv2.absdiff(now, then).max(axis=2)
    suspects = (change > 8).astype(np.uint8)
    strength = np.clip(change.astype(int) * UNIT // 11, 0, 255).astype(np.uint8)
    light = find_light(now, then, strength, suspects, min_area=20.0, sharp_px=SHARP_PX, steady=True)
    inside = (suspects > 0) & (disc(radius, 1.0)[..., 0] > 0)
    return float(light[inside].mean())


@pytest.mark.parametrize("texture", [0.0, 25.0])
@pytest.mark.parametrize("edge_px", [1.0, 16.0])
@pytest.mark.parametrize("factor", [(0.65, 0.65, 0.65), (0.8, 0.8, 0.8)])
def test_hard_and_soft_shadows_are_light_on_plain_and_textured_ground(texture, edge_px, factor):
    then = ground(texture)
    shadow = then * (1 - disc(20, edge_px) * (1 - np.float32(factor)))
    assert found(shadow, then) > 0.9


def test_a_coloured_shadow_is_told_by_the_texture_that_it_leaves():
    then = ground(25.0)
    assert found(then * (1 - disc(20, 4.0) * np.float32((0.42, 0.38, 0.32))), then) > 0.9


def test_the_light_of_a_lamp_has_a_soft_outline_or_leaves_texture():
    for texture, edge_px in ((0.0, 20.0), (25.0, 2.0)):
        then = ground(texture)
        lit = then * (1 + disc(24, edge_px) * np.float32((0.35, 0.33, 0.30)))
        assert found(lit, then) > 0.8


@pytest.mark.parametrize("texture", [0.0, 25.0])
@pytest.mark.parametrize("gray", [20, 60, 235])
def test_black_grey_and_white_bodies_are_no_light(texture, gray):
    then = ground(texture)
    body = disc(20, 1.0)  # its rim is mixed with the ground
    assert found(then * (1 - body) + body * np.float32((gray,) * 3), then, radius=16) < 0.15


def test_a_body_of_the_grounds_colour_hides_its_texture():
    then = ground(25.0)
    body = disc(20, 1.0)
    dark = then * (1 - body) + body * np.float32((107, 104, 98))
    assert found(dark, then, radius=16) < 0.05


def test_a_grey_ball_on_plain_ground_is_told_by_its_shading():
    then = ground(0.0)
    y = (np.mgrid[:SIZE, :SIZE][0] + 0.5 - SIZE / 2)[..., None] / 20
    ball = then * np.clip(0.68 - 0.27 * y, 0.3, 1.0).astype(np.float32)
    body = disc(20, 1.0)
    assert found(then * (1 - body) + body * ball, then, radius=16) < 0.05


def test_colours_alone_make_a_shadow_only_beside_a_body():
    """What is too small to be judged by itself."""
    then = ground(0.0)
    shadow = then.copy()
    shadow[60:63, 46:50] *= 0.6
    assert found(shadow, then) == 0.0
    with_body = shadow.copy()
    with_body[30:58, 40:56] = (200, 30, 30)
    light_beside = found(with_body, then)
    assert 0.0 < light_beside < 0.1  # the shadow's pixels, none of the body's
