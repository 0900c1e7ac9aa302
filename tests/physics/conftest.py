from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from worldline.core import Origin, Provenance, Scene

SceneMaker = Callable[..., Scene]


@pytest.fixture
def pixel_scene() -> SceneMaker:
    """Scene from `[N, T, 2]` centres; NaN means unseen."""

    def make(
        center: Any, time_s: Any, *, size: Any = (20.0, 20.0), std: float = 0.0, **fields: Any
    ) -> Scene:
        center = np.array(center, dtype=np.float64)
        n, t = center.shape[:2]
        visible = np.all(np.isfinite(center), axis=2)
        values: dict[str, Any] = {
            "time_s": np.array(time_s, dtype=np.float64),
            "width_px": 640,
            "height_px": 480,
            "ids": np.arange(n),
            "labels": ("object",) * n,
            "present": np.ones((n, t), dtype=bool),
            "visible": visible,
            "center_px": center,
            "size_px": np.broadcast_to(np.asarray(size, dtype=np.float64), (n, t, 2)).copy(),
            "center_px_std": np.full((n, t, 2), std),
        }
        return Scene(**(values | fields))

    return make


@pytest.fixture
def metric_scene() -> SceneMaker:
    """Simulated truth from `[N, T, 3]` positions: balls of radius 0.2 m, all in view."""

    def make(position: Any, time_s: Any, *, radius: float = 0.2, **fields: Any) -> Scene:
        position = np.array(position, dtype=np.float64)
        n, t = position.shape[:2]
        center = np.stack([320 + 20 * position[..., 0], 400 - 40 * position[..., 2]], axis=-1)
        values: dict[str, Any] = {
            "time_s": np.array(time_s, dtype=np.float64),
            "width_px": 640,
            "height_px": 480,
            "ids": np.arange(n),
            "labels": ("ball",) * n,
            "present": np.ones((n, t), dtype=bool),
            "visible": np.ones((n, t), dtype=bool),
            "center_px": center,
            "size_px": np.full((n, t, 2), 16.0),
            "center_px_std": np.zeros((n, t, 2)),
            "position_m": position,
            "extent_m": np.full((n, 3), 2 * radius),
            "gravity_mps2": np.array([0.0, 0.0, -9.81]),
            "provenance": Provenance(origin=Origin.SIMULATED, source="test"),
        }
        return Scene(**(values | fields))

    return make
