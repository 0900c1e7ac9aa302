from __future__ import annotations

import numpy as np
import pytest

from worldline.audit.perceptual import Eyes, gmsd
from worldline.core import Clip, InputError


@pytest.fixture(scope="module")
def eyes() -> Eyes:
    return Eyes.open()


def test_gmsd_of_equal_frames_is_zero_and_of_a_brighter_one_too(crossing: Clip) -> None:
    frames = crossing.frames[:2]
    assert (gmsd(frames, frames) == 0).all()
    dim = (frames // 2 + 20).astype(np.uint8)
    brighter = (dim + 9).astype(np.uint8)  # gradients stay as they are
    np.testing.assert_allclose(gmsd(brighter, dim), 0, atol=1e-12)


def test_gmsd_of_one_edge_by_hand() -> None:
    truth = np.zeros((1, 8, 8, 3), dtype=np.uint8)
    truth[:, :, 4:] = 90
    blank = np.zeros_like(truth)
    # halved to 4 x 4, the edge has a gradient of 90 in the two columns beside it and none elsewhere
    edge = 170 / (90**2 + 170)
    alike = np.array([1.0, edge, edge, 1.0])
    np.testing.assert_allclose(gmsd(blank, truth), alike.std(), rtol=1e-6)


def test_deep_distance_is_zero_for_equal_pictures_and_symmetric(eyes: Eyes, crossing: Clip) -> None:
    a, b = crossing.frames[:2], crossing.frames[10:12]
    assert eyes.distance(a, a) == pytest.approx([0, 0])
    assert eyes.distance(a, b) == pytest.approx(eyes.distance(b, a))
    assert eyes.distance(a, b).min() > 0


def test_a_clips_vector_tells_standing_from_moving(eyes: Eyes, crossing: Clip) -> None:
    moving = eyes.describe(crossing.frames)
    standing = eyes.describe(np.repeat(crossing.frames[:1], 8, axis=0))
    half = len(moving) // 2
    assert np.abs(standing[half:]).max() < 1e-6
    assert moving[half:].mean() > 0


def test_bad_input(eyes: Eyes, crossing: Clip) -> None:
    with pytest.raises(InputError, match="same number"):
        gmsd(crossing.frames[:2], crossing.frames[:3])
    with pytest.raises(InputError, match="same number"):
        eyes.distance(crossing.frames[:2], crossing.frames[:3])
    with pytest.raises(InputError, match="at least 2"):
        eyes.describe(crossing.frames[:1])
