"""Tracks that are light, beside tracks that are none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest

from worldline.physics.chances import MOST
from worldline.readout.lit_tracks import (
    LIGHT,
    LIKELY,
    bundled_light_chances,
    traits_of_track,
    without_light,
)
from worldline.readout.shade import Shade, measure_shade
from worldline.readout.tracker import Track

SIDE = 28
MASK = cv2.circle(np.zeros((SIDE, SIDE), np.uint8), (14, 14), 12, 1, cv2.FILLED)


def ground(frame: int, texture: float) -> np.ndarray:
    """Where the track is in this frame."""
    coarse = np.random.default_rng(5).normal(0, texture, (30, 8, 1)).astype(np.float32)
    whole = np.float32((150, 142, 130)) + cv2.resize(coarse, (SIDE, 240))[..., None]
    return whole[5 * frame : 5 * frame + SIDE]


def shadow(then: np.ndarray) -> np.ndarray:
    return then * 0.4


def blue_shadow(then: np.ndarray) -> np.ndarray:
    return then * np.float32((0.42, 0.48, 0.55))


def lamp(then: np.ndarray) -> np.ndarray:
    return then * 1.5


def ball(then: np.ndarray) -> np.ndarray:
    """Of the ground's colour, lit from above."""
    slope = np.linspace(0.7, 0.2, SIDE, dtype=np.float32)[:, None, None]
    return np.float32((150, 142, 130)) * slope + 0 * then


def red_ball(then: np.ndarray) -> np.ndarray:
    slope = np.linspace(1.2, 0.5, SIDE, dtype=np.float32)[:, None, None]
    return np.float32((170, 30, 30)) * slope + 0 * then


def red_disc(then: np.ndarray) -> np.ndarray:
    return np.float32((170, 30, 30)) + 0 * then


def track(
    look: Callable[[np.ndarray], np.ndarray], *, texture: float = 6.0, first: int = 0
) -> Track:
    rng, shades = np.random.default_rng(9), list[Shade | None]()
    for frame in range(20):
        then = ground(frame, texture)
        now = look(then) + rng.normal(0, 0.7, then.shape)
        now, then = (np.clip(np.rint(p), 0, 255).astype(np.uint8) for p in (now, then))
        shades.append(measure_shade(MASK, now, then) if frame % 2 == 0 else None)
    boxes = [np.array([0.0, 5 * k, SIDE, 5 * k + SIDE]) for k in range(20)]
    return Track(frames=list(range(first, first + 20)), boxes=boxes, shades=shades)


def chance(one: Track) -> float:
    traits = traits_of_track(one)
    return 0.0 if traits is None else bundled_light_chances().of(LIGHT, traits)


@pytest.mark.parametrize("texture", [0.0, 6.0])
@pytest.mark.parametrize("look", [shadow, lamp])
def test_what_keeps_the_ground_under_one_factor_is_light(look, texture):
    assert chance(track(look, texture=texture)) >= LIKELY


def test_light_that_shows_itself_needs_nothing_that_casts_it():
    clear = track(lambda then: then * np.float32((0.4, 0.5, 0.6)), texture=10.0)
    clear.shades = [s and replace(s, through=9, hidden=1) for s in clear.shades]
    pool = track(lamp)
    pool.shades = [s and replace(s, soft=0.3) for s in pool.shades]
    assert without_light([clear], [True]) == []
    rests = replace(clear, boxes=clear.boxes[:1] * 20)  # as what the background holds already
    assert without_light([rests], [True]) == [rests]
    assert without_light([pool], [True]) == []
    hidden = track(red_ball)
    hidden.shades = [s and replace(s, through=1, hidden=9) for s in hidden.shades]
    assert without_light([hidden], [True]) == [hidden]


def test_what_is_shaded_is_no_shadow_whatever_the_chances_say(monkeypatch):
    monkeypatch.setattr("worldline.readout.lit_tracks.LIKELY", 0.0)
    body, grey, dark = track(red_ball), track(ball), track(shadow)
    assert without_light([body, grey, dark], [True, True, True]) == [body, grey]


def test_a_coloured_shadow_is_told_by_the_texture_that_it_keeps():
    assert chance(track(blue_shadow, texture=10.0)) >= LIKELY


@pytest.mark.parametrize("texture", [0.0, 6.0])
@pytest.mark.parametrize("look", [ball, red_ball, red_disc])
def test_bodies_are_no_light(look, texture):
    assert chance(track(look, texture=texture)) < 0.5


def test_a_shadow_beside_a_body_is_left_out():
    body, dark = track(red_ball), track(shadow)
    assert without_light([body, dark], [True, True]) == [body]


def test_where_nothing_casts_a_shadow_there_is_none():
    dark, body, flat = track(shadow), track(red_ball), track(red_disc)
    assert without_light([dark], [True]) == [dark]
    assert without_light([body, dark], [False, True]) == [body, dark]  # the body rests
    assert without_light([flat, dark], [True, True]) == [flat, dark]  # drawn without light
    late = track(shadow, first=40)
    assert without_light([body, late], [True, True]) == [body, late]


def test_one_factor_of_unlike_ground_needs_nothing_that_casts_it():
    dark = track(shadow, texture=0.0)
    dark.shades = [s and replace(s, follows=6.0) for s in dark.shades]
    assert without_light([dark], [True]) == []


def test_what_was_hardly_measured_is_kept():
    body, dark = track(red_ball), track(shadow)
    dark.shades = [*dark.shades[:1], *[None] * 19]
    assert traits_of_track(dark) is None
    assert without_light([body, dark], [True, True]) == [body, dark]


def test_a_body_for_half_of_the_time_is_no_light():
    mixed, body = track(shadow), track(red_ball)
    mixed.shades = [*mixed.shades[:10], *body.shades[10:]]
    assert chance(mixed) < LIKELY < MOST
    grey = track(ball)
    mixed.shades = [*track(shadow).shades[:10], *grey.shades[10:]]
    assert chance(mixed) < LIKELY
