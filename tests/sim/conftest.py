"""Small stages for the simulator's tests."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from worldline.sim.stage import Body, Floor, Light, Shape, Sky, Stage, View

WHITE = (1.0, 1.0, 1.0)


@pytest.fixture
def stage_of() -> Callable[..., Stage]:
    """A function that builds a stage around bodies."""

    def build(*bodies: Body, step_s: float = 0.02, num_frames: int = 40, **options) -> Stage:
        return Stage(
            bodies=bodies,
            floor=Floor(WHITE, WHITE),
            sky=Sky(WHITE, WHITE),
            light=Light((0.0, 0.0, 20.0), 0.4, 0.6),
            view=View(0.0, 0.3, 1.0),
            time_s=np.arange(num_frames) * step_s,
            **options,
        )

    return build


@pytest.fixture
def ball() -> Callable[..., Body]:
    """A function that builds a red ball of 2 kg."""

    def build(position_m=(0.0, 0.0, 3.0), radius_m: float = 0.3, **options) -> Body:
        half = (radius_m, radius_m, radius_m)
        return Body(Shape.BALL, half, position_m, 2.0, (1.0, 0.0, 0.0), "red", **options)

    return build
