"""A world that looks on while a video is read."""

from __future__ import annotations

import numpy as np
import pytest

from worldline.core import Clip, Provenance
from worldline.readout import PixelReadout
from worldline.sim import Split, make_clip
from worldline.world import World
from worldline.world.onlooker import Onlooker


@pytest.fixture(scope="module")
def small() -> World:
    return World.from_pretrained("small")


def watch(world: World, clip: Clip) -> Onlooker:
    onlooker = Onlooker(world)
    passed = list(onlooker.watch(zip(clip.time_s.tolist(), clip.frames, strict=True)))
    assert [time_s for time_s, _ in passed] == clip.time_s.tolist()
    np.testing.assert_array_equal([frame for _, frame in passed], clip.frames)
    return onlooker


def test_it_sees_what_the_world_perceives_in_pixels_of_the_full_size(small):
    clip = make_clip("collide", 3, seed=5, split=Split.HELD_OUT, size_px=96)
    told = watch(small, clip).tell((192, 192))
    assert told.scene is not None
    assert clip.scene is not None
    assert told.scene.num_objects >= 2
    assert told.scene.num_frames == clip.num_frames
    truth = 2 * clip.scene.center_px
    for row in range(told.scene.num_objects):
        seen = told.scene.visible[row]
        away = np.linalg.norm(told.scene.center_px[row, seen] - truth[:, seen], axis=-1)
        assert np.nanmin(np.nanmedian(away, axis=1)) < 12
    assert told.trust > 0.8


def test_a_rolling_body_that_motion_misses_is_added(small):
    clip = make_clip("roll", 30, seed=77, split=Split.HELD_OUT)
    frames = zip(clip.time_s.tolist(), clip.frames, strict=True)
    scene = PixelReadout.Config().build().read(frames, provenance=clip.provenance)
    fused, told = watch(small, clip).add_to(scene)
    assert told.trust >= 0.8
    assert fused.num_objects > scene.num_objects
    np.testing.assert_array_equal(fused.ids[: scene.num_objects], scene.ids)


def test_noise_is_not_trusted_and_adds_nothing(small):
    noise = np.random.default_rng(0).integers(0, 256, (16, 64, 64, 3), dtype=np.uint8)
    clip = Clip(frames=noise, time_s=np.arange(16) / 15, provenance=Provenance())
    frames = zip(clip.time_s.tolist(), clip.frames, strict=True)
    scene = PixelReadout.Config().build().read(frames, provenance=clip.provenance)
    fused, told = watch(small, clip).add_to(scene)
    assert told.trust < 0.5
    assert fused is scene


@pytest.mark.parametrize(("num", "fps", "why"), [(12, 2, "slower than"), (5, 15, "too few")])
def test_what_the_world_cannot_follow_is_said(small, num, fps, why):
    frames = np.zeros((num, 64, 64, 3), dtype=np.uint8)
    clip = Clip(frames=frames, time_s=np.arange(num) / fps, provenance=Provenance())
    told = watch(small, clip).tell((64, 64))
    assert told.trust == 0
    assert why in told.reason
