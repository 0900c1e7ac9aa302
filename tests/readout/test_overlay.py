from __future__ import annotations

import numpy as np
import pytest

from worldline.core import Provenance, Scene
from worldline.readout import draw_world_lines, line_color


def scene_of(visible: bool = True, std: float = 0.0) -> Scene:
    t = 10
    center = np.stack([40 + 20.0 * np.arange(t), np.full(t, 100.0)], axis=1)[None]
    return Scene(
        time_s=np.arange(t) * 0.1,
        width_px=320,
        height_px=200,
        ids=np.array([4]),
        labels=("object",),
        present=np.ones((1, t), bool),
        visible=np.full((1, t), visible),
        center_px=center,
        size_px=np.full((1, t, 2), 40.0),
        center_px_std=np.full((1, t, 2), std),
    )


BLACK = np.zeros((200, 320, 3), np.uint8)


def test_the_box_lies_around_the_object():
    out = draw_world_lines(BLACK, scene_of(), 5)
    color = line_color(4)
    for y, x in ((80, 150), (119, 150), (110, 120), (110, 159)):
        assert tuple(out[y, x]) == color
    assert not out[85:95, 125:155].any()  # nothing inside, above the path
    assert not BLACK.any()  # the input is left alone


def test_the_path_so_far_fades():
    out = draw_world_lines(BLACK, scene_of(), 9).astype(int)
    newer, older = out[100, 190].sum(), out[100, 60].sum()
    assert newer > older > 0
    assert not draw_world_lines(BLACK, scene_of(), 3)[100, 150:].any()  # the future is not drawn


def test_hidden_objects_are_dashed():
    whole = draw_world_lines(BLACK, scene_of(), 0)
    dashed = draw_world_lines(BLACK, scene_of(visible=False), 0)
    edge = np.s_[119, 20:60]
    assert 0.2 < np.mean(dashed[edge].any(axis=1)) < 0.8 * np.mean(whole[edge].any(axis=1))


def test_uncertainty_is_an_ellipse_of_two_deviations():
    plain = draw_world_lines(BLACK, scene_of(), 0)
    out = draw_world_lines(BLACK, scene_of(std=8.0), 0)
    assert out[100, 40 + 16].any()
    assert not plain[100, 40 + 16].any()


def test_a_frame_of_another_size_is_drawn_to_scale():
    out = draw_world_lines(np.zeros((400, 640, 3), np.uint8), scene_of(), 5)
    assert tuple(out[239, 300]) == line_color(4)
    assert tuple(out[220, 319]) == line_color(4)


def test_absent_and_empty():
    empty = Scene.empty(np.array([0.0, 0.1]), 320, 200, Provenance())
    assert not draw_world_lines(BLACK, empty, 1).any()
    for t in (-1, 2):
        with pytest.raises(IndexError):
            draw_world_lines(BLACK, empty, t)


def test_neighbouring_ids_have_different_colours():
    colors = np.array([line_color(k) for k in range(12)], dtype=float)
    apart = np.linalg.norm(colors[:, None] - colors[None], axis=2)
    assert apart[~np.eye(12, dtype=bool)].min() > 15
    assert np.linalg.norm(np.diff(colors, axis=0), axis=1).min() > 80
