"""What the spotter is shown: windows, crops, motion and what definitions found."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from worldline.retrieval.spotting.tokens import (
    CROP,
    HOP_STEPS,
    MAX_TRACKS,
    NUM_MOTION,
    NUM_STEPS,
    look_again,
)

TYPES = ("rise", "fall", "roll")


def test_one_window_of_a_short_video(drawn):
    scene, kept = drawn(50)
    (tokens,) = look_again(scene, kept, TYPES)
    steps = len(kept.time_s)
    assert tokens.tracks.tolist() == [1]
    assert tokens.motion.shape == (1, steps, NUM_MOTION)
    assert tokens.crop.shape == (1, steps, 2, CROP, CROP, 3)
    assert tokens.seen.all()
    assert np.isfinite(tokens.motion).all()


def test_windows_cover_a_long_video_and_overlap(drawn):
    scene, kept = drawn(25 * 14, speed_px_s=5.0)
    windows = list(look_again(scene, kept, TYPES))
    starts = [int(np.searchsorted(kept.time_s, w.grid_s[0])) for w in windows]
    assert starts == list(range(0, HOP_STEPS * len(windows), HOP_STEPS))
    assert max(len(w.grid_s) for w in windows) == NUM_STEPS
    assert windows[-1].grid_s[-1] == kept.time_s[-1]


def test_crops_follow_the_body_and_the_second_looks_a_step_later(drawn):
    scene, kept = drawn(50)
    (tokens,) = look_again(scene, kept, TYPES)
    middle = tokens.crop[0, :-1, :, CROP // 2 - 3 : CROP // 2 + 3]
    blue, red = middle[..., 2].mean(axis=(0, 2)), middle[..., 0].mean(axis=(0, 2))
    assert (blue[0, 3:7] > 150).all()  # its left half is blue, its right half red
    assert (red[0, 9:13] > 150).all()
    # by then it has gone on to the right: more blue in the right half than before
    assert blue[1, 7:10].mean() > blue[0, 7:10].mean() + 10


def test_speed_is_told_in_own_sizes_and_flow_against_it(drawn):
    scene, kept = drawn(50, speed_px_s=24.0)
    (tokens,) = look_again(scene, kept, TYPES)
    assert tokens.motion[0, 5:-5, 4] * 4 == pytest.approx(24.0 / 12.0, abs=0.05)
    assert tokens.motion[0, 5:-5, 5] == pytest.approx(0.0, abs=1e-6)
    inside = tokens.flow[0, 5:-5, 3:5, 3:5, 0].mean() * 24 / 127
    around = tokens.flow[0, 5:-5, [0, -1], :, 0].mean() * 24 / 127
    assert abs(inside) < 0.5  # the body moves with itself,
    assert around == pytest.approx(-2.0, abs=0.7)  # and the ground against it


def test_what_definitions_found_stands_in_its_column_and_time(drawn):
    scene, kept = drawn(50)
    (tokens,) = look_again(scene, kept, TYPES)
    assert tokens.found[0, :, 1].any()
    assert not np.delete(tokens.found, 1, axis=2).any()
    during = tokens.grid_s[tokens.found[0, :, 1]]
    assert 0.3 <= during.min() <= 0.45
    assert 0.75 <= during.max() <= 0.9


def test_a_type_that_the_spotter_does_not_know_is_passed_over(drawn):
    scene, kept = drawn(50)
    (tokens,) = look_again(scene, kept, ("rise",))
    assert not tokens.found.any()


def test_the_most_moving_tracks_are_taken(drawn):
    scene, kept = drawn(50, num=3)
    many = replace(
        scene,
        ids=np.arange(12),
        labels=("object",) * 12,
        **{
            name: np.concatenate([getattr(scene, name)] * 4)
            for name in ("present", "visible", "center_px", "size_px", "center_px_std", "color_rgb")
        },
        events=(),
    )
    still = many.center_px.copy()
    still[3:7] = still[3:7, :1]
    (tokens,) = look_again(replace(many, center_px=still), kept, TYPES)
    assert tokens.tracks.tolist() == [0, 1, 2, 7, 8, 9, 10, 11]
    assert len(tokens.tracks) == MAX_TRACKS


def test_a_scene_without_tracks_still_shows_the_picture(drawn):
    scene, kept = drawn(50, num=1)
    empty = replace(
        scene,
        ids=scene.ids[:0],
        labels=(),
        present=scene.present[:0],
        visible=scene.visible[:0],
        center_px=scene.center_px[:0],
        size_px=scene.size_px[:0],
        center_px_std=scene.center_px_std[:0],
        color_rgb=np.zeros((0, 3)),
        events=(),
    )
    (tokens,) = look_again(empty, kept, TYPES)
    assert tokens.tracks.shape == (0,)
    assert np.abs(tokens.field[:, 1]).max() > 0


def test_a_single_frame_has_no_window(drawn):
    scene, kept = drawn(1)
    assert list(look_again(scene, kept, TYPES)) == []
