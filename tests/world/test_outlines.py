"""Blobs, outlines and portraits of things before a background."""

import numpy as np
import pytest

from worldline.world.outlines import (
    clear_plate,
    draw_portrait,
    find_blobs,
    find_moving,
    gap_px,
    is_beyond_edge,
    moved,
    outline_at,
    spread_even,
    wall_ahead,
)


def scene(left: int | None, size: int = 40) -> np.ndarray:
    """A grey wall with a red square of 6 pixels, 16 from the top."""
    frame = np.full((size, size, 3), 120.0, np.float32)
    if left is not None:
        frame[16:22, left : left + 6] = (220, 40, 40)
    return frame


def flow_of(left: int, way: float) -> np.ndarray:
    flow = np.zeros((40, 40, 2), np.float32)
    flow[16:22, left : left + 6, 0] = way
    return flow


def test_a_blob_is_what_moves_and_is_no_background():
    before, now = scene(10), scene(12)
    moving = find_moving(now, before, flow_of(12, 2.0))
    (blob,) = find_blobs(now, moving, flow_of(12, 2.0), scene(None))
    np.testing.assert_allclose(blob.velocity, (2, 0))
    np.testing.assert_allclose(blob.place, (14.5, 18.5))
    assert blob.box == (12, 16, 18, 22)
    assert not blob.at_border
    assert find_blobs(now, moving, flow_of(12, 2.0), now) == []


def test_a_plate_leaves_out_what_moves():
    frames = [scene(left) for left in (10, 10, 10, 12, 30)]
    covered = [frame[..., 0] > 200 for frame in frames]
    np.testing.assert_array_equal(clear_plate(frames, covered), scene(None))
    always = [np.ones((40, 40), bool)] * 5
    np.testing.assert_array_equal(clear_plate(frames, always), np.median(frames, axis=0))


def test_a_portrait_tells_look_and_way():
    lefts = [4, 6, 8, 10, 12]
    frames = [scene(left) for left in lefts]
    blobs = []
    for now, before, left in zip(frames[1:], frames, lefts[1:], strict=False):
        flow = flow_of(left, 2.0)
        blobs += find_blobs(now, find_moving(now, before, flow), flow, scene(None))
    portrait = draw_portrait(frames, scene(None), range(1, 5), blobs)
    assert portrait is not None
    np.testing.assert_allclose(portrait.at(10), (26.5, 18.5), atol=1e-6)
    np.testing.assert_allclose(portrait.size, (6, 6))
    np.testing.assert_allclose(portrait.color, (220, 40, 40))
    assert (portrait.area, portrait.last) == (36, 4)
    assert draw_portrait(frames, frames[4], [4], blobs[3:]) is None


def test_outlines_are_found_near_a_place_only():
    assert outline_at(scene(10), scene(None), np.array([12.0, 18.0])) is not None
    assert outline_at(scene(10), scene(None), np.array([30.0, 18.0])) is None


def test_edges_and_even_pieces_of_the_background():
    plate = scene(None)
    plate[10:, 20:] = 60
    assert wall_ahead(plate, (13.0, 14.0, 19.0, 20.0), 1.0) == pytest.approx(20, abs=1)
    assert wall_ahead(plate, (13.0, 14.0, 19.0, 20.0), -1.0) is None
    assert is_beyond_edge(plate, (21.0, 8.0, 27.0, 14.0), 1.0)
    assert not is_beyond_edge(plate, (8.0, 8.0, 14.0, 14.0), 1.0)
    even = spread_even(plate, np.array([30.0, 30.0]))
    assert even[12, 22]
    assert not even[12, 18]


def test_boxes():
    assert gap_px((0, 0, 4, 4), (7, 8, 9, 9)) == 5
    assert gap_px((0, 0, 4, 4), (3, 3, 9, 9)) == 0
    assert moved((0, 0, 4, 4), np.array([1.0, 2.0])) == (1, 2, 5, 6)


def test_a_low_wall_is_seen_before_a_thing_and_a_high_one_is_not_low():
    plate = np.full((64, 64, 3), 120.0)
    plate[34:50, 40:48] = 60.0
    box = (28.0, 26.0, 39.0, 40.0)
    assert wall_ahead(plate, box, 1.0) == pytest.approx(40, abs=1)
    assert wall_ahead(plate, box, -1.0) is None
    assert wall_ahead(plate, box, 1.0, is_low=True) == pytest.approx(40, abs=1)
    plate[10:34, 40:48] = 60.0
    assert wall_ahead(plate, box, 1.0) is not None
    assert wall_ahead(plate, box, 1.0, is_low=True) is None
