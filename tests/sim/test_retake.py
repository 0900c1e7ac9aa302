import numpy as np
import pytest

from worldline.core import InputError
from worldline.sim import CameraChange, Split, draw_retake, glimpse, in_the_look_of, make_clip
from worldline.sim.engine import simulate
from worldline.sim.families import FAMILIES
from worldline.sim.framing import Shot
from worldline.sim.splits import seed_of
from worldline.sim.studio import film_stage


def shoot(family, index=1, restage=None):
    clip = make_clip(family, index, seed=4, size_px=48, events=False, restage=restage)
    assert clip.scene is not None
    return clip, clip.scene


@pytest.mark.parametrize("family", ["drop", "occlude", "traffic", "soft"])
def test_a_retake_shows_the_same_physics_in_another_look_from_elsewhere(family):
    first, truth = shoot(family)
    again, seen = shoot(family, restage=draw_retake(np.random.default_rng(3), CameraChange()))
    np.testing.assert_array_equal(seen.position_m, truth.position_m)
    np.testing.assert_array_equal(seen.rotation_wxyz, truth.rotation_wxyz)
    assert [(c.a, c.b, c.start_s) for c in seen.contacts] == [
        (c.a, c.b, c.start_s) for c in truth.contacts
    ]
    assert np.abs(seen.color_rgb - truth.color_rgb).max() > 0.05
    assert np.abs(again.background.astype(int) - first.background).mean() > 5
    there, here = seen.camera.world_from_camera[0], truth.camera.world_from_camera[0]
    turn = np.arccos(np.clip(there[:3, 2] @ here[:3, 2], -1, 1))
    assert 0.01 < turn < 0.6


def test_without_a_change_the_camera_stays():
    _, truth = shoot("collide")
    _, seen = shoot("collide", restage=draw_retake(np.random.default_rng(0)))
    np.testing.assert_array_equal(seen.camera.world_from_camera, truth.camera.world_from_camera)


def test_other_physics_can_wear_the_look_of_a_clip():
    stages = []

    def note(stage, _):
        stages.append(stage)
        return stage

    first, truth = shoot("bounce", restage=note)
    plain, other = shoot("bounce", index=2)
    dressed, seen = shoot("bounce", index=2, restage=in_the_look_of(stages[0]))
    np.testing.assert_array_equal(seen.position_m, other.position_m)
    assert seen.position_m.shape != truth.position_m.shape or not np.allclose(
        seen.position_m, truth.position_m
    )
    np.testing.assert_array_equal(seen.color_rgb[0], truth.color_rgb[0])

    def far(clip):
        return np.abs(clip.background.astype(int) - first.background).mean()

    assert far(dressed) < 0.5 * far(plain)


def test_flat_families_cannot_be_filmed_again():
    with pytest.raises(InputError, match="no camera"):
        make_clip("disc_bounce", 0, seed=0, restage=draw_retake(np.random.default_rng(0)))


@pytest.mark.parametrize("family", ["drop", "occlude", "stack"])
def test_a_glimpse_agrees_with_the_clip(family):
    stage = FAMILIES[family].stage(Split.TRAIN, seed_of(family, Split.TRAIN, 5, 2))
    rollout, shot = simulate(stage), Shot(64)
    truth = film_stage(stage, shot, rollout).scene
    seen = glimpse(stage, rollout, shot)
    np.testing.assert_array_equal(seen.center_px, truth.center_px)
    np.testing.assert_array_equal(seen.size_px, truth.size_px)
    assert (seen.visible == truth.visible).mean() > 0.9
