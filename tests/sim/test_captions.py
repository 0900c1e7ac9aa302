"""Captions are true: what they name is there, and what they say happens."""

from __future__ import annotations

import re

import numpy as np
import pytest

from worldline.core import STATIC, Scene
from worldline.sim import make_clips
from worldline.sim.appearance import HUES

NAMES_ALL = ("drop", "throw", "bounce", "collide", "slide", "stack", "topple", "push", "pendulum")
NAMES_ALL += ("disc_uniform", "disc_parabola", "disc_collision", "ramp", "unstable_stack")


def scenes(family: str, count: int = 3) -> list[Scene]:
    clips = list(make_clips([family], num_clips=count, seed=11, size_px=16, events=False))
    for clip in clips:
        assert clip.scene is not None
        assert clip.caption == clip.scene.caption
    return [clip.scene for clip in clips if clip.scene is not None]


def touching(scene: Scene) -> set[frozenset[int]]:
    return {frozenset((c.a, c.b)) for c in scene.contacts if STATIC not in (c.a, c.b)}


@pytest.mark.parametrize("family", NAMES_ALL)
def test_every_body_is_named_by_a_colour_of_its_own_and_its_shape(family: str):
    for scene in scenes(family, 2):
        named = re.findall(rf"\b({'|'.join(HUES)}) (\w+)", scene.caption)
        assert sorted(word for _, word in named) == sorted(scene.labels), scene.caption
        colors = [color for color, _ in named]
        assert len(set(colors)) == len(colors)


@pytest.mark.parametrize("family", ["drop", "bounce"])
def test_what_falls_to_the_floor_comes_down_and_touches_it(family: str):
    for scene in scenes(family):
        assert scene.position_m is not None
        height = scene.position_m[..., 2]
        assert (height[:, 0] - height.min(axis=1) > 0.3).all()
        down = {c.a for c in scene.contacts if c.b == STATIC}
        assert down >= set(scene.ids.tolist())


@pytest.mark.parametrize("family", ["collide", "disc_collision"])
def test_all_that_collide_touch_another(family: str):
    for scene in scenes(family):
        assert set().union(*touching(scene)) == set(scene.ids.tolist())


def test_a_pusher_pushes_what_the_caption_says_and_passes_the_rest():
    passed = 0
    for scene in scenes("push", 3):
        assert scene.position_m is not None
        before, _, past = scene.caption.partition(", past ")
        moved_m = np.linalg.norm(scene.position_m[:, -1] - scene.position_m[:, 0], axis=1)
        count = len(re.findall(rf"\b(?:{'|'.join(HUES)}) \w+", past))
        assert sum(moved_m[1:] < 0.02) == count, scene.caption
        assert (" and pushes " in before) == (count < scene.num_objects - 1)
        passed += count
    assert passed > 0


@pytest.mark.parametrize("family", ["disc_uniform", "disc_parabola"])
def test_left_is_left(family: str):
    for scene in scenes(family):
        assert scene.position_m is not None
        way = "right" if scene.center_px[0, 8, 0] > scene.center_px[0, 0, 0] else "left"
        assert f"to the {way}" in scene.caption


def test_numbers_of_dominoes_and_balls_are_true():
    for scene in scenes("dominoes", 1):
        assert f"A row of {scene.num_objects} dominoes" in scene.caption
    for scene in scenes("billiards", 1):
        count = scene.num_objects - 1
        assert f"at {count} other ball{'s' * (count > 1)}" in scene.caption
