from __future__ import annotations

import cv2
import numpy as np
import pytest

from worldline.readout.camera_motion import CameraRegistration


def texture(height: int = 240, width: int = 320, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(20, 235, (height // 8, width // 8)).astype(np.float32)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)


def view_of(image: np.ndarray, transform: np.ndarray) -> np.ndarray:
    """The picture after the camera has moved by `transform` (current from reference)."""
    size = image.shape[1], image.shape[0]
    moved = cv2.warpPerspective(image, transform, size, borderMode=cv2.BORDER_REFLECT)
    return np.clip(moved, 0, 255).astype(np.uint8)


def corner_error(found: np.ndarray, truth: np.ndarray) -> float:
    points = np.array([[[40.0, 30.0], [280, 30], [280, 210], [40, 210]]])
    apart = cv2.perspectiveTransform(points, found) - cv2.perspectiveTransform(points, truth)
    return float(np.linalg.norm(apart, axis=2).max())


@pytest.mark.parametrize(
    "transform",
    [
        [[1, 0, 7.5], [0, 1, -4.25], [0, 0, 1]],
        [[0.99, -0.05, 6], [0.05, 0.99, -5], [0, 0, 1]],
        [[1.04, 0, -6], [0, 1.04, -5], [0, 0, 1]],
        [[1.01, 0.01, 3], [0, 1.0, 2], [1e-4, 5e-5, 1]],
    ],
)
def test_known_motion_is_recovered(transform):
    truth = np.array(transform, dtype=np.float64)
    camera = CameraRegistration()
    camera.set_reference(view_of(texture(), np.eye(3)))
    view = camera.register(view_of(texture(), truth))
    assert view.moved
    assert not view.lost
    assert corner_error(view.current_from_reference, truth) < 0.4


def test_registration_does_not_drift():
    camera = CameraRegistration()
    camera.set_reference(view_of(texture(), np.eye(3)))
    for k in range(40):
        truth = np.array([[1, 0, 3 * np.sin(k)], [0, 1, 2 * np.cos(1.3 * k)], [0, 0, 1.0]])
        view = camera.register(view_of(texture(), truth))
    assert corner_error(view.current_from_reference, truth) < 0.4


def test_noise_is_no_motion():
    rng = np.random.default_rng(1)
    still = texture()
    camera = CameraRegistration()
    camera.set_reference(still.astype(np.uint8))
    for _ in range(5):
        noisy = np.clip(still + rng.normal(0, 8, still.shape), 0, 255).astype(np.uint8)
        view = camera.register(noisy)
        np.testing.assert_array_equal(view.current_from_reference, np.eye(3))
        assert not view.moved


@pytest.mark.parametrize("shift_px", [0.4, 0.7, 1.5, 3.0, 6.0, 12.0, 25.0])
@pytest.mark.parametrize("seed", range(4))
def test_a_pan_is_not_taken_for_rest_at_a_glance(shift_px, seed):
    pan = np.array([[1, 0, shift_px], [0, 1, -shift_px / 2], [0, 0, 1]])
    camera = CameraRegistration()
    camera.set_reference(view_of(texture(seed=seed), np.eye(3)))
    assert camera.register(view_of(texture(seed=seed), pan)).moved


def test_who_stands_still_is_not_searched_for(monkeypatch):
    def search(*_: object, **__: object) -> None:
        raise AssertionError("a glance should have been enough")

    rng = np.random.default_rng(3)
    still = texture()
    camera = CameraRegistration()
    camera.set_reference(still.astype(np.uint8))
    monkeypatch.setattr(cv2, "calcOpticalFlowPyrLK", search)
    brighter = np.clip(1.1 * still + 6 + rng.normal(0, 3, still.shape), 0, 255)
    assert not camera.register(brighter.astype(np.uint8)).moved


def test_noise_without_any_scene_is_no_motion():
    rng = np.random.default_rng(2)
    camera = CameraRegistration()
    for _ in range(6):
        view = camera.register(np.clip(rng.normal(128, 10, (120, 160)), 0, 255).astype(np.uint8))
        assert not view.moved
        assert not view.lost


def test_a_large_patterned_object_is_not_the_camera():
    """A box full of corners moves before a nearly plain room."""
    room = texture(seed=3) * 0.15 + 100
    box = texture(120, 150, seed=4)
    camera = CameraRegistration()
    for k in range(8):
        image = room.copy()
        image[60:180, 40 + 5 * k : 190 + 5 * k] = box
        view = camera.register(image.astype(np.uint8))
        assert not view.moved


def test_a_plain_picture_stays_where_it_is():
    camera = CameraRegistration()
    for level in (100, 120, 90):
        view = camera.register(np.full((60, 80), level, np.uint8))
        np.testing.assert_array_equal(view.current_from_reference, np.eye(3))


def test_a_corner_on_the_edge_alone_is_no_scene():
    picture = np.full((96, 128), 40, np.uint8)
    picture[0, 0] = 255  # too near to the edge to be followed, and there is nothing else
    view = CameraRegistration().register(picture)
    np.testing.assert_array_equal(view.current_from_reference, np.eye(3))
