"""Sensor maps on the latent grid, against averages done by hand."""

import numpy as np
import pytest

from worldline.core import InputError
from worldline.core.sensors import MAPS, map_groups
from worldline.data.maps import crop_map, draw_maps

ROWS, SIDE = 4, 32
SHAPE = (2, 3, SIDE, SIDE)


def draw(names, depth_m=None, segmentation=None, frames=None):
    frames = np.zeros((*SHAPE, 3), np.uint8) if frames is None else frames
    return draw_maps(names, frames=frames, depth_m=depth_m, segmentation=segmentation, rows=ROWS)


def test_each_part_of_a_cell_holds_its_own_average():
    segmentation = np.full(SHAPE, -1)
    segmentation[1, 2, 9, 19:21] = 0  # object 0 is red
    maps, known = draw(("segmentation",), segmentation=segmentation)
    assert maps.shape == (2, 3, 16, 48)
    assert known.all()
    cell = maps[1, 2].reshape(4, 4, 3, 4, 4)  # row, column, colour, part's row and column
    assert cell.sum() == pytest.approx(2 / 4)  # two pixels of parts of 2x2
    # pixel (19, 9) lies in cell (2, 1), there in part (1, 0); pixel 20 in part (2, 0)
    assert cell[1, 2, 0, 0, 1] == pytest.approx(0.25)
    assert cell[1, 2, 0, 0, 2] == pytest.approx(0.25)


def test_depth_is_nearness_relative_to_the_first_frame():
    depth = np.full(SHAPE, 4.0)
    depth[:, 0, :8, :8] = 2.0
    depth[0, 1] = np.inf
    maps, known = draw(("depth",), depth_m=depth)
    assert maps[0, 0, 0].tolist() == [1.0] * 16
    assert maps[0, 0, 1].tolist() == [0.5] * 16
    assert (maps[0, 1] == 0).all()
    assert known.all()
    depth[1, 2, 5, 5] = np.nan
    assert draw(("depth",), depth_m=depth)[1][..., 0].tolist() == [[True] * 3, [True, True, False]]


def test_edges_lie_where_the_picture_changes():
    frames = np.zeros((*SHAPE, 3), np.uint8)
    frames[:, :, :, 16:] = 255
    maps, known = draw(("edges",), frames=frames)
    assert known.all()
    by_column = maps.reshape(2, 3, 4, 4, 16).sum(axis=(0, 1, 2, 4))
    assert by_column[0] == by_column[3] == 0
    assert by_column.sum() > 0


def test_what_is_absent_is_said_to_be_and_others_keep_their_place():
    segmentation = np.zeros(SHAPE, int)
    maps, known = draw(("depth", "segmentation"), segmentation=segmentation)
    assert known.all(axis=(0, 1)).tolist() == [False, True]
    assert (maps[..., :16] == 0).all()
    assert (maps[..., 16:32] == 1).all()


def test_mirrored_truth_makes_mirrored_maps():
    segmentation = np.full(SHAPE, -1)
    segmentation[..., 3:9, 4:20] = 1
    one = draw(("segmentation",), segmentation=segmentation)[0]
    other = draw(("segmentation",), segmentation=segmentation[..., ::-1])[0]
    shape = (2, 3, 4, 4, 3, 4, 4)
    np.testing.assert_array_equal(other.reshape(shape), one.reshape(shape)[..., ::-1, :, :, ::-1])


def test_wrong_sizes_and_names_are_refused():
    with pytest.raises(InputError, match="multiple of 16"):
        draw(("edges",), frames=np.zeros((1, 1, 24, 24, 3), np.uint8))
    with pytest.raises(ValueError, match="give some of depth, edges, segmentation"):
        map_groups(("heat",))
    assert map_groups(tuple(MAPS)) == (16, 16, 48)


def test_a_part_of_a_map_is_taken_by_nearest_pixel():
    values = np.arange(48.0).reshape(1, 6, 8)
    np.testing.assert_array_equal(crop_map(values, (1, 0, 6, 6), 3)[0], values[0, 1::2, 2:8:2])
