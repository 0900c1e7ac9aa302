from __future__ import annotations

import cv2
import numpy as np
import pytest

from worldline.readout.background import UNIT
from worldline.readout.regions import (
    clean_mask,
    find_cores,
    find_regions,
    join_regions,
    outline_ratio,
    split_region,
)

IDENTITY = np.eye(3)


def disc_mask(*centers: tuple[int, int], radius: int = 10, size: int = 80) -> np.ndarray:
    mask = np.zeros((size, size), np.uint8)
    for center in centers:
        cv2.circle(mask, center, radius, 1, cv2.FILLED)
    return mask


def picture(size: int = 80, level: int = 128) -> np.ndarray:
    return np.full((size, size, 3), level, np.uint8)


def test_clean_mask_drops_specks_and_fills_holes():
    strength = np.zeros((60, 60), np.uint8)
    strength[10:40, 10:40] = 3 * UNIT
    strength[20:24, 20:24] = 0  # a hole
    strength[50, 50] = 255  # a speck
    mask = clean_mask(strength, np.zeros((60, 60), np.uint8), 20.0)
    expected = np.zeros((60, 60), bool)
    expected[10:40, 10:40] = True
    assert np.count_nonzero(mask != expected) <= 4  # corners may be rounded off
    assert mask[20:24, 20:24].all()
    assert not mask[50, 50]


def test_clean_mask_leaves_shadows_out_beside_objects():
    strength = np.zeros((60, 60), np.uint8)
    strength[10:30, 10:30] = 3 * UNIT
    strength[30:36, 10:40] = 3 * UNIT
    shadow = np.zeros((60, 60), np.uint8)
    shadow[30:36, 10:40] = 1
    mask = clean_mask(strength, shadow, 20.0)
    assert mask[20, 20]
    assert not mask[33:].any()


def test_regions_are_measured_in_pixels_of_the_frame():
    image = picture()
    image[disc_mask((30, 40)) > 0] = (255, 0, 51)
    (region,) = find_regions(disc_mask((30, 40)), image, 10.0, np.diag([2.0, 2.0, 1.0]))
    np.testing.assert_allclose(region.box, [40, 60, 82, 102])
    np.testing.assert_allclose(region.color, [1.0, 0.0, 0.2], atol=1e-6)
    assert region.area_px == pytest.approx(4 * disc_mask((30, 40)).sum())


def test_small_regions_are_dropped():
    assert find_regions(disc_mask((30, 40), radius=2), picture(), 50.0, IDENTITY) == []


def test_cores_tell_touching_discs_apart():
    assert len(list(find_cores(disc_mask((30, 40)), 8))) == 1
    assert len(list(find_cores(disc_mask((30, 40), (50, 40)), 8))) == 2


def test_regions_of_no_interest_have_no_cores():
    mask = disc_mask((15, 40), (65, 40), radius=8)
    (core,) = find_cores(mask, 8, skip=lambda window: window[1].start < 30)
    assert core.window[1].start > 30


def test_the_picture_that_holds_the_outline_holds_the_object():
    with_it, without = picture(), picture()
    with_it[disc_mask((30, 40)) > 0] = (30, 200, 30)
    (region,) = find_regions(disc_mask((30, 40)), with_it, 10.0, IDENTITY)
    assert outline_ratio(region, with_it, without) > 3
    assert outline_ratio(region, without, with_it) < 0.3
    assert outline_ratio(region, with_it, with_it) == pytest.approx(1.0)


def test_a_shared_region_is_split_by_place_and_colour():
    image = picture()
    left, right = disc_mask((30, 40)), disc_mask((46, 40))
    image[left > 0] = (220, 30, 30)
    image[right > left] = (30, 30, 220)
    (both,) = find_regions(left | right, image, 10.0, IDENTITY)
    boxes = np.array([[20.0, 30, 41, 51], [36.0, 30, 57, 51]])
    colors = np.array([[220, 30, 30], [30, 30, 220]]) / 255.0
    first, second = split_region(both, boxes, colors)
    assert first is not None
    assert second is not None
    np.testing.assert_allclose(first.box, [20, 30, 41, 51], atol=1)
    assert second.box[2] == pytest.approx(57, abs=1)
    assert first.split
    assert second.split
    np.testing.assert_allclose(first.color, colors[0], atol=0.05)
    np.testing.assert_allclose(second.color, colors[1], atol=0.05)


def test_who_gets_nothing_is_not_seen():
    image = picture()
    image[disc_mask((30, 40)) > 0] = (220, 30, 30)
    (region,) = find_regions(disc_mask((30, 40)), image, 10.0, IDENTITY)
    boxes = np.array([[20.0, 30, 41, 51], [22.0, 32, 43, 53]])
    colors = np.array([[220, 30, 30], [30, 30, 220]]) / 255.0
    first, second = split_region(region, boxes, colors)
    assert first is not None
    assert second is None


def test_pieces_are_joined_to_the_box_around_them():
    mask = disc_mask((20, 20), (50, 60))
    a, b = find_regions(mask, picture(), 10.0, IDENTITY)
    joined = join_regions([a, b])
    np.testing.assert_allclose(joined.box, [10, 10, 61, 71])
    assert joined.area_px == a.area_px + b.area_px
    assert join_regions([a]) is a
