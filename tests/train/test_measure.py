import numpy as np
import pytest

from worldline.core import Clip
from worldline.train.measure import distance_bits, measure


def clip(frames: np.ndarray) -> Clip:
    return Clip(frames=frames, time_s=np.arange(len(frames)) / 10)


def block_clip(num_frames: int = 4) -> Clip:
    """A white block of 8 x 8 that moves by its own width each frame, on grey, 64 x 64."""
    frames = np.full((num_frames, 64, 64, 3), 51, np.uint8)
    for k in range(num_frames):
        frames[k, 8:16, 8 * k : 8 * k + 8] = 255
    return clip(frames)


def test_numbers_of_a_moving_block():
    looked = measure(block_clip())
    share = 64 / 4096
    assert looked.motion == pytest.approx(2 * share)
    assert looked.change == pytest.approx(2 * share)
    assert looked.brightness == pytest.approx(0.2 * (1 - share) + share, abs=1e-3)
    assert looked.light == pytest.approx(0.2)
    assert looked.thumbnails.shape == (3, 32, 32)


def test_slow_motion_counts_by_where_it_leads():
    frames = np.full((20, 64, 64, 3), 100, np.uint8)
    frames += np.arange(20, dtype=np.uint8)[:, None, None, None]
    looked = measure(clip(frames))
    assert looked.motion == 0.0
    assert looked.change == 1.0


def test_a_single_frame_does_not_move():
    looked = measure(block_clip(1))
    assert (looked.motion, looked.change) == (0.0, 0.0)


def test_the_hash_survives_noise_and_size_but_not_another_picture():
    generator = np.random.default_rng(0)
    cells = generator.integers(0, 240, (8, 9), dtype=np.uint8)
    large = cells.repeat(16, axis=0).repeat(16, axis=1)[None, ..., None].repeat(3, axis=-1)
    small = large[:, ::4, ::4]
    noisy = large + generator.integers(0, 3, large.shape, dtype=np.uint8)
    first = measure(clip(large)).hashes
    assert 20 < np.bitwise_count(first[0]) < 44
    np.testing.assert_array_equal(distance_bits(first, measure(clip(small)).hashes), 0)
    assert distance_bits(first, measure(clip(noisy)).hashes).max() <= 2
    assert distance_bits(first, measure(clip(large[:, :, ::-1])).hashes).min() > 20
    flat = measure(clip(np.full((1, 64, 64, 3), 90, np.uint8)))
    assert not flat.hashes.any()
