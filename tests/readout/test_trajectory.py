from __future__ import annotations

import numpy as np
import pytest

from worldline.readout.tracker import Track
from worldline.readout.trajectory import is_moving, join_fragments, measurement_std, trace


def track_of(
    centers: np.ndarray,
    size: float = 10.0,
    frames: list[int] | None = None,
    unsteady: bool = False,
) -> Track:
    frames = frames or list(range(len(centers)))
    return Track(
        frames=frames,
        boxes=[np.concatenate([c - size / 2, c + size / 2]) for c in centers],
        filter_std_px=[1.0] * len(centers),
        colors=[np.array([0.5, 0.4, 0.3])] * len(centers),
        split=[False] * len(centers),
        shifts=[np.zeros(2)] * len(centers),
        unsteady=[unsteady] * len(centers),
    )


def line(count: int, step: float) -> np.ndarray:
    return np.stack([20 + step * np.arange(count), np.full(count, 30.0)], axis=1)


def moved(path: np.ndarray, x: float, y: float) -> np.ndarray:
    return path + np.array([x, y])


def moving(track: Track) -> bool:
    return is_moving(track, min_frames=4, min_travel_px=2.0, min_travel=0.25)


def test_what_goes_somewhere_moves():
    assert moving(track_of(line(10, 1.0)))
    assert not moving(track_of(line(10, 0.1)))  # 0.9 px
    assert not moving(track_of(line(3, 5.0)))  # too few frames


def test_growing_in_place_is_no_motion():
    track = track_of(line(12, 0.0))
    track.boxes = [box + np.array([0, 0, k, 0.0]) for k, box in enumerate(track.boxes)]
    assert not moving(track)


def test_moving_with_the_picture_is_no_motion():
    track = track_of(line(10, 3.0))
    track.shifts = [np.array([3.0 * k, 0.0]) for k in range(10)]
    assert not moving(track)


def test_jumping_about_is_no_motion():
    rng = np.random.default_rng(0)
    assert not moving(track_of(rng.uniform(0, 60, (20, 2))))


def test_a_track_with_more_gaps_than_sightings_is_dropped():
    assert not moving(track_of(line(5, 4.0), frames=[0, 5, 10, 15, 20]))


def test_under_a_moving_camera_more_is_asked():
    def judge(path: np.ndarray) -> tuple[bool, bool]:
        return moving(track_of(path)), moving(track_of(path, unsteady=True))

    assert judge(line(20, 1.0)) == (True, True)
    assert judge(line(20, 0.5)) == (True, False)  # less than its size and a half
    swaying = line(40, 0.0) + 9 * np.sin(np.arange(40) / 2)[:, None] * [1.0, 0.0]
    assert judge(swaying) == (True, False)
    halting = track_of(line(10, 4.0), frames=[*range(0, 16, 2), 17, 18], unsteady=True)
    assert not moving(halting)


@pytest.mark.parametrize("std", [0.2, 1.0, 4.0])
def test_noise_is_measured_on_curved_paths(std):
    rng = np.random.default_rng(5)
    t = np.arange(400.0)
    smooth = np.stack([2 * t, 0.01 * t**2], axis=1)
    noisy = smooth + rng.normal(0, std, smooth.shape)
    np.testing.assert_allclose(measurement_std(range(400), noisy, 0.0), std, rtol=0.15)


def test_a_bounce_is_not_noise():
    t = np.arange(40.0)
    path = np.stack([t, np.abs(t - 20) * 3], axis=1)
    np.testing.assert_allclose(measurement_std(range(40), path, 0.25), 0.25)


def test_gaps_are_filled_with_growing_uncertainty():
    centers = line(16, 2.0)
    keep = [0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15]
    path = trace(track_of(centers[keep], frames=keep), floor_px=0.25)
    np.testing.assert_allclose(path.center_px, centers)
    assert path.visible.tolist() == [k in keep for k in range(16)]
    std = path.center_px_std[:, 0]
    assert std[6] < std[7]  # the middle of a gap is least certain
    assert std[7:9].min() > std[9] > std[10]
    np.testing.assert_allclose(std[[0, 15]], 0.25)


def test_split_boxes_are_less_certain():
    track = track_of(line(12, 2.0))
    track.split[5] = True
    std = trace(track, floor_px=0.25).center_px_std[:, 0]
    assert std[5] == pytest.approx(3 * std[4])


def test_fragments_of_one_body_are_joined():
    head, legs = line(15, 3.0), moved(line(15, 3.0), 0.5, 11.0)
    (joined,) = join_fragments([track_of(head), track_of(legs)])
    np.testing.assert_allclose(joined.boxes[0], [15, 25, 25.5, 46])
    assert joined.frames == list(range(15))


def test_bodies_that_pass_or_part_stay_apart():
    a, b = line(15, 3.0), moved(line(15, -3.0), 30.0, 8.0)
    assert len(join_fragments([track_of(a), track_of(b)])) == 2
    together = moved(line(15, 3.0), 10.5, 0.0)
    together[8:] += np.arange(7)[:, None] * [3.0, 0.0]
    assert len(join_fragments([track_of(a), track_of(together)])) == 2
