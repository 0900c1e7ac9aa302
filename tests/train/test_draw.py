"""Batches of clips: the action beside a frame is the one that led to it."""

from dataclasses import replace

import numpy as np
import pytest
from tests.train.test_tasks import SIDE, N, T, shards

from worldline.core import InputError
from worldline.dynamics import ControlEncoder
from worldline.train import step_generator
from worldline.train.draw import draw_clips
from worldline.train.drive import measure_state


def driven():
    """Clip c takes action (c, t) after frame t."""
    taken = np.stack(np.meshgrid(np.arange(N), np.arange(T), indexing="ij"), axis=-1)
    return replace(
        shards(), actions=taken.astype(np.float32) + 1, has_actions=np.ones(N, dtype=bool)
    )


def draw(data, **options):
    return draw_clips(
        data, seed=3, step=2, batch=4, length=5, generator=step_generator(0, 2), **options
    )


def test_actions_lead_to_their_frames():
    data = driven()
    batch = draw(data, augmented=False)
    told = batch.frames[..., 0, 0, 2].numpy()  # 16 * clip + moment
    clip, moment = told // 16, told % 16
    actions = batch.controls.actions.numpy()
    later = moment > 0
    np.testing.assert_array_equal(actions[later], np.stack([clip, moment - 1], -1)[later] + 1)
    assert (actions[~later] == 0).all()
    # what led to a clip's first frame is not known, which is not the same as no action
    np.testing.assert_array_equal(batch.controls.known["actions"][..., 0], later)


def test_clips_with_actions_are_never_mirrored():
    with pytest.raises(InputError, match="cannot be mirrored"):
        draw(driven())


def test_clips_without_actions_have_no_controls():
    batch = draw(shards())
    assert batch.controls.actions is None
    assert batch.controls.text is None


ROWS = 4
MAPS = ControlEncoder.Config.of(map_names=("segmentation", "edges"))


def filmed():
    """Clips 0 to 3 have a camera that goes to the right; the others have none."""
    poses = np.tile(np.eye(4, dtype=np.float32), (N, T, 1, 1))
    poses[..., 0, 3] = np.arange(T)
    ratio = np.full(N, 1.0, np.float32)
    poses[4:], ratio[4:] = np.nan, np.nan
    return replace(shards(), world_from_camera=poses, focal_ratio=ratio)


def test_rays_are_relative_to_the_first_frame_drawn_and_mirrored_with_it():
    takes = ControlEncoder.Config(rays=True)
    seen = set()
    for step in range(4):
        options = {"seed": 3, "step": step, "batch": 4, "length": 5, "takes": takes, "rows": ROWS}
        batch = draw_clips(filmed(), generator=step_generator(0, step), **options)
        chosen = filmed().order(3, step * 4, 4)
        rays, known = batch.controls.rays.numpy(), batch.controls.known["rays"].numpy()
        assert (known == (chosen < 4)[:, None, None]).all()
        assert np.isfinite(rays).all()
        for clip in np.flatnonzero(chosen < 4):
            place = batch.camera.world_from_camera[clip, :, 0, 3].numpy()
            side = float(np.sign(np.diff(place)[0]))
            moment = np.cross(np.outer(place - place[0], [1.0, 0, 0])[:, None], rays[clip, ..., :3])
            np.testing.assert_allclose(rays[clip, ..., 3:], moment, atol=1e-5)
            seen.add(side)
    assert seen == {-1.0, 1.0}  # mirrored clips go to the left


def test_maps_are_made_of_the_pictures_as_they_are_shown():
    data = shards()
    segmentation = np.where(data.moving, 0, -1).astype(np.int8)
    segmentation[..., SIDE // 2 :] = -1  # objects on the left only
    data = replace(data, segmentation=segmentation)
    batch = draw(data, takes=MAPS, rows=ROWS)
    assert batch.controls.known["maps"].all()
    red = batch.controls.maps[..., :16].sum(-1).reshape(4, 5, ROWS, ROWS).sum(dim=(1, 2))
    plain = draw(data, takes=MAPS, rows=ROWS, augmented=False)
    assert (plain.controls.maps[..., :16].sum(-1).reshape(4, 5, ROWS, ROWS)[..., 2:] == 0).all()
    left, right = red[:, :2].sum(-1), red[:, 2:].sum(-1)
    assert ((left == 0) != (right == 0)).all()


def with_state():
    values = np.tile(np.arange(T, dtype=np.float32)[:, None], (N, 1, 2)) * [1.0, 10.0] + 5
    known = np.ones((N, T, 2), dtype=bool)
    known[:, 0, 0] = False
    return replace(
        shards(), state=values.astype(np.float32), has_state=known, state_names=("a", "b")
    )


def test_readings_are_normalised_and_never_mirrored():
    data, takes = with_state(), ControlEncoder.Config.of(state_names=("b", "a"))
    mean, std = measure_state(data, takes.state_names)
    np.testing.assert_allclose(mean, [5 + 55.0, 5 + 6.0])
    np.testing.assert_allclose(std[0], 10 * np.arange(T).std())
    batch = draw(data, takes=takes, augmented=False, state_scale=(mean, std))
    told = batch.frames[..., 0, 0, 2].numpy() % 16
    np.testing.assert_allclose(
        batch.controls.state[..., 0], (10.0 * told + 5 - mean[0]) / std[0], rtol=1e-5, atol=1e-6
    )
    known = batch.controls.known["state"].numpy()
    np.testing.assert_array_equal(known[..., 1], told > 0)
    assert known[..., 0].all()
    with pytest.raises(InputError, match="readings sides"):
        draw(data, takes=takes)


def test_clips_without_a_control_that_the_world_takes_are_refused():
    for takes, message in (
        (ControlEncoder.Config(rays=True), "camera rays, but no clip has a camera"),
        (ControlEncoder.Config.of(map_names=("depth",)), "depth maps, but none are kept"),
        (ControlEncoder.Config.of(state_names=("a",)), "readings of a, but the clips have none"),
        (ControlEncoder.Config(action_size=3), "actions of 3 numbers, but the clips have 2"),
    ):
        with pytest.raises(InputError, match=message):
            draw(driven(), takes=takes, augmented=False)
