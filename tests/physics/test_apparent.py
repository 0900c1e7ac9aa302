"""Apparent motion against closed forms, and against the pixels that they claim to follow."""

from dataclasses import replace

import numpy as np
import pytest

from worldline.core import InputError
from worldline.physics.apparent import NOTHING, ApparentMotion, apparent_motion, light_of
from worldline.sim import make_clip


def test_points_of_a_disc_move_like_its_centre():
    clip = make_clip("disc_uniform", 0, seed=1, events=False)
    tracks = apparent_motion(clip, 5, 10)
    assert clip.scene is not None
    for body in range(clip.scene.num_objects):
        y, x = np.nonzero(tracks.owner == body)
        way = clip.scene.center_px[body, 6:16] - clip.scene.center_px[body, 5]
        np.testing.assert_allclose(
            tracks.shift_px[:, y, x], np.repeat(way[:, None], len(y), 1), atol=1e-4
        )
    assert (tracks.shift_px[:, tracks.owner == NOTHING] == 0).all()


@pytest.mark.parametrize("family", ["throw", "roll", "pendulum", "collide"])
def test_followed_pixels_are_found_on_the_same_body(family):
    """Points on a body that stay in sight land on it again, those that do not are called hidden."""
    found = total = 0
    for index in range(3):
        clip = make_clip(family, index, seed=4, events=False)
        assert clip.segmentation is not None
        tracks = apparent_motion(clip, 8, 12)
        y, x = np.nonzero(clip.segmentation[8] >= 0)
        shift = tracks.shift_px[:, y, x]
        row = np.clip(np.floor(y + 0.5 + shift[..., 1]), 0, 63).astype(int)
        column = np.clip(np.floor(x + 0.5 + shift[..., 0]), 0, 63).astype(int)
        later = np.arange(9, 21)[:, None]
        on_body = clip.segmentation[later, row, column] == tracks.owner[y, x]
        assert (on_body | ~tracks.visible[:, y, x]).all()
        inside = (x + shift[..., 0] > 2) & (x + shift[..., 0] < 62)
        inside &= (y + shift[..., 1] > 2) & (y + shift[..., 1] < 62)
        found += int((on_body & inside).sum())
        total += int(inside.sum())
    assert total > 500
    assert found / total > 0.8  # the rest: rims, and what another body hides


def test_shadows_go_where_it_is_dark():
    dark = total = 0
    for index in range(6):
        clip = make_clip("throw", index, seed=4, events=False)
        assert clip.scene is not None
        assert clip.background is not None
        tracks = apparent_motion(clip, 8, 8)
        y, x = np.nonzero(tracks.owner >= clip.scene.num_objects)
        if not len(y):
            continue
        shift = tracks.shift_px[7, y, x]
        row, column = np.floor(y + 0.5 + shift[:, 1]), np.floor(x + 0.5 + shift[:, 0])
        kept = tracks.visible[7, y, x] & (np.abs(shift).max(-1) > 2)
        row, column = row[kept].astype(int), column[kept].astype(int)
        change = clip.frames[16].astype(int)[row, column] - clip.background[0][row, column]
        dark += int((change.min(-1) < 0).sum())
        total += int(kept.sum())
    assert total > 100
    assert dark / total > 0.65  # turning is left out


def test_a_clip_tells_its_light_and_a_disc_scene_has_none():
    light = light_of(make_clip("drop", 0, seed=0, events=False))
    assert light is not None
    assert light[2] > 1
    assert light_of(make_clip("disc_uniform", 0, seed=0, events=False)) is None


def test_cells_average_their_main_owner():
    owner = np.full((4, 8), NOTHING)
    owner[0, :3], owner[1, 0] = 0, 1
    shift = np.zeros((2, 4, 8, 2), dtype=np.float32)
    shift[1, 0, :3, 0] = (1, 2, 6)
    shift[1, 1, 0] = 100
    visible = np.zeros((2, 4, 8), dtype=bool)
    visible[1, 0, :2] = True
    cells = ApparentMotion(owner, 1, shift, visible).per_cell(4)
    assert cells.shift_px.shape == (2, 1, 2, 2)
    np.testing.assert_allclose(cells.shift_px[1, 0, 0], (3, 0))
    np.testing.assert_allclose(cells.visible[:, 0, 0], (0, 2 / 3))
    np.testing.assert_allclose(cells.cover, [[3 / 16, 0]])


def test_clips_without_truth_or_future_are_refused():
    clip = make_clip("disc_uniform", 0, seed=1, events=False)
    with pytest.raises(InputError, match="segmentation"):
        apparent_motion(replace(clip, segmentation=None), 5, 10)
    with pytest.raises(InputError, match="no 16 frames after frame 20"):
        apparent_motion(clip, 20, 16)
