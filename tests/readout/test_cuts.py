from __future__ import annotations

import cv2
import numpy as np
import pytest

from worldline.readout import find_cuts


def shot(seed: int, count: int, tint: tuple[float, float, float]) -> list[np.ndarray]:
    """A patterned wall in one tint with a square that moves over it."""
    rng = np.random.default_rng(seed)
    wall = cv2.resize(rng.uniform(40, 220, (9, 12, 1)), (128, 96), interpolation=cv2.INTER_CUBIC)
    frames = []
    for k in range(count):
        image = np.clip(wall[..., None] * np.array(tint) + rng.normal(0, 3, (96, 128, 3)), 0, 255)
        image[30:50, 10 + 2 * k : 30 + 2 * k] = 255
        frames.append(image.astype(np.uint8))
    return frames


WARM, COLD = (1.0, 0.7, 0.4), (0.4, 0.7, 1.0)


def cuts_of(frames: list[np.ndarray]) -> list[float]:
    return list(find_cuts((0.04 * k, frame) for k, frame in enumerate(frames)))


def test_cuts_are_found_at_the_first_frame_of_the_new_shot():
    frames = shot(1, 20, WARM) + shot(2, 15, COLD) + shot(3, 20, WARM)
    assert cuts_of(frames) == pytest.approx([20 * 0.04, 35 * 0.04])


def test_a_shot_of_one_frame_is_a_shot():
    frames = shot(1, 10, WARM) + shot(2, 1, COLD) + shot(3, 10, WARM)
    assert cuts_of(frames) == pytest.approx([0.4, 0.44])


def test_one_shot_has_no_cuts():
    assert cuts_of(shot(1, 40, WARM)) == []


def test_a_flash_is_no_cut():
    frames = shot(1, 20, WARM)
    frames[10] = np.clip(frames[10].astype(int) + 90, 0, 255).astype(np.uint8)
    assert cuts_of(frames) == []


def test_flicker_is_no_cut():
    frames = [
        np.clip(f * (1 + 0.3 * np.sin(2 * k)), 0, 255).astype(np.uint8)
        for k, f in enumerate(shot(1, 30, WARM))
    ]
    assert cuts_of(frames) == []


def test_a_fast_large_object_is_no_cut():
    frames = []
    for k in range(12):
        image = np.full((64, 64, 3), 150, np.uint8)
        cv2.circle(image, ((k * 23) % 64, 32), 14, (200, 40, 40), cv2.FILLED)
        frames.append(image)
    assert cuts_of(frames) == []


def test_a_fast_pan_is_no_cut():
    wide = shot(1, 1, WARM)[0]
    wide = np.concatenate([wide, wide[:, ::-1], wide], axis=1)
    assert cuts_of([wide[:, 12 * k : 12 * k + 128] for k in range(20)]) == []


def test_nothing_has_no_cuts():
    assert cuts_of([]) == []
    assert cuts_of([np.zeros((1, 1, 3), np.uint8)] * 3) == []
