import json
from dataclasses import replace

import numpy as np
import pytest
from tests.discs import disc_clips

from worldline.core import STATIC, Camera, Contact, InputError
from worldline.core.readings import Readings
from worldline.data.shards import Shards, Tracking, write_shards
from worldline.physics.apparent import apparent_motion


def test_what_goes_in_comes_out(tmp_path):
    clips = list(disc_clips(3))
    shards = write_shards(tmp_path, clips, num_clips=3, recipe={"a": 1})
    for i, clip in enumerate(clips):
        np.testing.assert_array_equal(shards.frames[i], clip.frames)
        np.testing.assert_array_equal(shards.moving[i], clip.segmentation >= 0)
        np.testing.assert_allclose(
            shards.center_px[i, :, :2], clip.scene.center_px.transpose(1, 0, 2), rtol=1e-5
        )
    assert not shards.visible[:, :, 2:].any()
    assert np.isnan(shards.depth_m).all()
    assert shards.records[0]["step_s"] == pytest.approx(0.05)


def test_finished_shards_are_reused_only_by_their_recipe(tmp_path):
    write_shards(tmp_path, disc_clips(2), num_clips=2, recipe={"a": 1})
    again = write_shards(tmp_path, iter(()), num_clips=2, recipe={"a": 1})
    assert again.num_clips == 2
    with pytest.raises(InputError, match="another recipe"):
        write_shards(tmp_path, disc_clips(2), num_clips=2, recipe={"a": 2})


def test_unfinished_and_newer_shards_are_refused(tmp_path):
    with pytest.raises(InputError, match="not written to the end"):
        Shards.open(tmp_path)
    with pytest.raises(InputError, match="3 clips came, 4 were announced"):
        write_shards(tmp_path, disc_clips(3), num_clips=4, recipe={})
    with pytest.raises(InputError, match="not written to the end"):
        Shards.open(tmp_path)
    write_shards(tmp_path, disc_clips(4), num_clips=4, recipe={})
    index = tmp_path / "index.json"
    index.write_text(json.dumps({**json.loads(index.read_text()), "version": 99}))
    with pytest.raises(InputError, match="version 99"):
        Shards.open(tmp_path)


def test_clips_of_other_length_are_named(tmp_path):
    mixed = [*disc_clips(1), *disc_clips(1, num_frames=8)]
    with pytest.raises(InputError, match="clip 1"):
        write_shards(tmp_path, mixed, num_clips=2, recipe={})


def test_reading_order_covers_everything_and_depends_on_position_alone(tmp_path):
    shards = write_shards(tmp_path, disc_clips(5), num_clips=5, recipe={})
    order = shards.order(seed=1, position=0, count=15)
    for epoch in range(3):
        assert sorted(order[5 * epoch : 5 * epoch + 5]) == [0, 1, 2, 3, 4]
    np.testing.assert_array_equal(shards.order(1, 7, 6), order[7:13])
    assert (shards.order(2, 0, 15) != order).any()


def test_apparent_motion_is_kept_beside_the_frames(tmp_path):
    clips = list(disc_clips(2, num_frames=14))
    tracking = Tracking(context=3, horizon=8, cell_px=8)
    shards = write_shards(tmp_path, clips, num_clips=2, recipe={}, tracking=tracking)
    assert shards.tracks is not None
    assert shards.tracks.shape == (2, 4, 8, 8, 8, 4)
    assert shards.first_start == 2
    truth = apparent_motion(clips[1], 3, 8).per_cell(8)
    np.testing.assert_allclose(shards.tracks[1, 1, ..., :2], truth.shift_px, atol=0.02)
    np.testing.assert_allclose(shards.tracks[1, 1, ..., 2], truth.visible, atol=1e-3)
    np.testing.assert_allclose(shards.tracks[1, 1, 5, ..., 3], truth.cover, atol=1e-3)
    with pytest.raises(InputError, match="another recipe"):
        write_shards(tmp_path, clips, num_clips=2, recipe={})


def test_actions_are_kept_with_a_mask_for_clips_that_have_none(tmp_path):
    with_actions, without = disc_clips(2)
    actions = np.arange(2.0 * with_actions.num_frames).reshape(-1, 2)
    clips = [replace(with_actions, actions=actions), without]
    shards = write_shards(tmp_path, clips, num_clips=2, recipe={})
    assert shards.actions.dtype == np.float32
    np.testing.assert_array_equal(shards.actions[0], actions)
    np.testing.assert_array_equal(shards.actions[1], 0)
    assert shards.has_actions.tolist() == [True, False]
    assert [record["caption"] for record in shards.records] == [clip.caption for clip in clips]


def test_without_actions_their_width_is_zero(tmp_path):
    shards = write_shards(tmp_path, disc_clips(3), num_clips=3, recipe={})
    assert shards.actions.shape == (3, shards.frames.shape[1], 0)
    assert not shards.has_actions.any()
    assert shards.world_from_camera is None
    assert shards.records[0]["focal_px"] is None


def test_actions_of_two_widths_are_refused(tmp_path):
    first, second = disc_clips(2)
    narrow = replace(first, actions=np.zeros((first.num_frames, 1)))
    wide = replace(second, actions=np.zeros((second.num_frames, 2)))
    with pytest.raises(InputError, match="1 in clip 0, 2 in clip 1"):
        write_shards(tmp_path, [narrow, wide], num_clips=2, recipe={})


def test_poses_are_kept_as_soon_as_one_camera_moves(tmp_path):
    clips = list(disc_clips(3))
    count = clips[0].num_frames
    path = np.tile(np.eye(4), (count, 1, 1))
    path[:, 0, 3] = np.arange(count)
    views = [Camera(70.0, 32, 32, path), Camera(80.0, 32, 32, path[1:2]), None]
    seen = [
        replace(clip, scene=replace(clip.scene, camera=view))
        for clip, view in zip(clips, views, strict=True)
    ]
    shards = write_shards(tmp_path, seen, num_clips=3, recipe={})
    assert shards.world_from_camera is not None
    np.testing.assert_array_equal(shards.world_from_camera[0], path)
    np.testing.assert_array_equal(shards.world_from_camera[1, -1], path[1])
    assert np.isnan(shards.world_from_camera[2]).all()
    assert [record["focal_px"] for record in shards.records] == [70.0, 80.0, None]


def test_shards_of_the_version_before_are_refused(tmp_path):
    write_shards(tmp_path, disc_clips(1), num_clips=1, recipe={})
    index = tmp_path / "index.json"
    index.write_text(json.dumps({**json.loads(index.read_text()), "version": 2}))
    with pytest.raises(InputError, match="version 2, expected 3"):
        Shards.open(tmp_path)


def test_maps_are_kept_for_those_who_ask(tmp_path):
    one, other = disc_clips(2)
    depth = np.where(one.segmentation >= 0, 3.0, np.inf)
    depth[0, 0, 0] = 1e6  # beyond what half precision holds
    clips = [replace(one, depth_m=depth), other]
    maps = ("depth", "edges", "segmentation")
    shards = write_shards(tmp_path, clips, num_clips=2, recipe={}, maps=maps)
    np.testing.assert_array_equal(shards.segmentation[1], other.segmentation)
    assert shards.depth_map_m[0].min() == 3.0
    assert np.isinf(shards.depth_map_m[0, 0, 0, 0])
    assert np.isnan(shards.depth_map_m[1]).all()
    with pytest.raises(InputError, match="another recipe"):
        write_shards(tmp_path, clips, num_clips=2, recipe={})
    assert write_shards(tmp_path / "b", clips, num_clips=2, recipe={}).segmentation is None


def test_readings_of_different_sensors_stand_side_by_side(tmp_path):
    first, second, third = disc_clips(3)
    t = first.num_frames
    known = np.ones((t, 1), dtype=bool)
    known[0] = False
    clips = [
        replace(first, state=Readings(("angle",), np.full((t, 1), 2.0), known)),
        replace(second, state=Readings(("force", "angle"), np.ones((t, 2)), np.ones((t, 2), bool))),
        third,
    ]
    shards = write_shards(tmp_path, clips, num_clips=3, recipe={})
    assert shards.state_names == ("angle", "force")
    np.testing.assert_array_equal(shards.has_state[0, :2], [[False, False], [True, False]])
    assert shards.has_state[1].all()
    assert not shards.has_state[2].any()
    assert shards.state[0, 1, 0] == 2.0


def test_touches_are_kept_frame_by_frame(tmp_path):
    (clip,) = disc_clips(1)
    contacts = (Contact(1, 0, 0.21, 0.22), Contact(0, STATIC, 0.5, 0.6))
    held = replace(clip, scene=replace(clip.scene, contacts=contacts))
    shards = write_shards(tmp_path, [held], num_clips=1, recipe={})
    pair, ground = shards.touching[0, :, 0, 1], shards.touching[0, :, 0, -1]
    assert np.flatnonzero(pair).tolist() == [4]
    assert np.flatnonzero(ground).tolist() == [10, 11, 12]
    np.testing.assert_array_equal(shards.touching[0, :, 1, 0], pair)
    assert not shards.touching[0, :, 1, -1].any()
    assert shards.has_touching.all()
