"""Scenes of a body or two on given paths."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from worldline.core import Provenance, Scene


def build(*paths: np.ndarray, size_px: float = 12.0, step_s: float = 1 / 25) -> Scene:
    """Bodies whose box centres follow paths `[T, 2]`."""
    center = np.stack(paths).astype(float)
    n, t = center.shape[:2]
    return Scene(
        time_s=np.arange(t) * step_s,
        width_px=320,
        height_px=240,
        ids=np.arange(n) + 3,
        labels=("object",) * n,
        present=np.ones((n, t), dtype=bool),
        visible=np.ones((n, t), dtype=bool),
        center_px=center,
        size_px=np.full((n, t, 2), float(size_px)),
        center_px_std=np.zeros((n, t, 2)),
        color_rgb=np.full((n, 3), 0.5),
        provenance=Provenance(),
    )


@pytest.fixture
def scene_of() -> Callable[..., Scene]:
    return build


@pytest.fixture
def paths() -> dict[str, np.ndarray]:
    """Motions by name, 1.6 s at 25 frames/s."""
    t = np.arange(40) / 25
    half = 0.8
    bounce = np.where(t < half, 200 * t**2, 128 - 150 * (t - half) + 200 * (t - half) ** 2)
    return {
        "fall": np.stack([100 + 0 * t, 20 + 80 * t**2], axis=1),
        "rise": np.stack([100 + 0 * t, 220 - 80 * t**2], axis=1),
        "slow": np.stack([40 + 30 * t, 120 + 0 * t], axis=1),
        "bounce": np.stack([100 + 20 * t, 20 + bounce], axis=1),
        "stop": np.stack([100 + 20 * t, 20 + np.where(t < half, 200 * t**2, 128)], axis=1),
        "swing": np.stack([150 + 60 * np.cos(4 * t), 60 + 20 * np.sin(4 * t) ** 2], axis=1),
    }
