"""The live camera: what it sees lies where it is, in its own colour, and casts a shadow."""

# MuJoCo's compiled modules come without type stubs
# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

import mujoco
import numpy as np

from worldline.sim.lens import Lens


def filmed(x: float, *, light: tuple[float, float, float] = (0.0, 0.0, 5.0)) -> np.ndarray:
    spec = mujoco.MjSpec()
    kinds = mujoco.mjtGeom
    spec.worldbody.add_geom(type=kinds.mjGEOM_PLANE, size=[5, 5, 0.1], rgba=[0.5, 0.5, 0.5, 1])
    body = spec.worldbody.add_body(name="ball", pos=[x, 0, 0.3])
    body.add_geom(type=kinds.mjGEOM_SPHERE, size=[0.3, 0, 0], rgba=[0, 0, 1, 1], mass=1)
    model = spec.compile()
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    lens = Lens(
        model, size_px=32, eye_m=(0, -0.1, 6), target_m=(0, 0, 0), view_rad=0.7, light_m=light
    )
    return lens.take(data)


def blue(picture: np.ndarray) -> np.ndarray:
    return (picture[..., 2] > 80) & (picture[..., 0] < 40)


def test_a_ball_is_seen_where_it_is():
    for x in (-1.0, 0.0, 1.0):
        picture = filmed(x)
        assert picture.shape == (32, 32, 3)
        _, columns = np.nonzero(blue(picture))
        # 6 m away 0.7 rad are 4.4 m in 32 px
        assert abs(columns.mean() + 0.5 - (16 + x * 7.7)) < 0.8
        assert 4 < len(columns) < 30


def test_what_stands_in_the_light_casts_a_shadow():
    picture = filmed(0.0, light=(-5.0, 0.0, 2.0)).astype(int)
    assert picture[16, 22, 0] < 0.8 * picture[16, 8, 0]
