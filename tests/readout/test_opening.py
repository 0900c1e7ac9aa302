from __future__ import annotations

import cv2
import numpy as np
import pytest

from worldline.readout.camera_motion import CameraRegistration
from worldline.readout.opening import learn_background, middle_of


@pytest.mark.parametrize("num", range(1, 18))
def test_the_middle_is_the_median(num):
    rng = np.random.default_rng(num)
    pictures = [rng.integers(0, 256, (5, 6, 3)).astype(np.uint8) for _ in range(num)]
    expected = np.median(np.stack(pictures), axis=0)
    np.testing.assert_allclose(middle_of(pictures), expected, atol=0 if num % 2 else 0.5)


def scene(size: int = 120, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(60, 190, (size // 6, size // 6, 3))
    return cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC).clip(0, 255)


def learn(images: list[np.ndarray]) -> np.ndarray:
    whole = [image.astype(np.uint8) for image in images]
    grays = [cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in whole]
    return learn_background(whole, grays, CameraRegistration(), 14.0, 3.0).picture


def test_what_rests_for_most_of_the_start_is_not_background():
    wall = scene()
    images = []
    for k in range(40):
        image = wall.copy()
        cv2.circle(image, (40 + 6 * max(0, k - 26), 60), 12, (250.0, 20.0, 20.0), cv2.FILLED)
        images.append(image)
    assert np.abs(learn(images).astype(float) - wall).mean() < 1.5


def test_what_the_camera_hides_does_not_count():
    """A wide wall passes by: the background is that of the first view, as far as it is seen."""
    wide = scene(240)
    images = [wide[60:180, 10 + k : 130 + k] for k in range(20)]
    found = learn(images).astype(float)
    assert np.abs(found - images[0]).mean() < 3.0


def test_light_that_changes_leaves_one_background():
    wall = scene()
    images = [np.clip(wall * (1 + 0.2 * np.sin(1.7 * k)), 0, 255) for k in range(30)]
    found = learn(images).astype(float)
    gain = np.median(found / wall)
    assert np.abs(found / gain - wall).mean() < 2.0
