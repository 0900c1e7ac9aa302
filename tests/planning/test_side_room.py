"""The room that drills with a ball share: what is added moves as it is told."""

from __future__ import annotations

import mujoco
import numpy as np
import pytest

from worldline.planning.drill import Shift
from worldline.planning.side_room import BALL_M, BOTTOM_M, GRAVITY, SideRoom


def data_of(shift: Shift | None = None) -> tuple[mujoco.MjModel, mujoco.MjData]:  # type: ignore[name-defined]
    room = SideRoom(shift or Shift())
    room.vessel("cup", 0.15, 0.1, 1.0)
    room.ball()
    room.drive("cup_x", 200.0)
    model = room.spec.compile()
    return model, mujoco.MjData(model)  # type: ignore[attr-defined]


def test_a_ball_falls_freely():
    model, data = data_of()
    data.qpos[:] = [1.5, 0.5, 1.4, 0]
    mujoco.mj_step(model, data, 50)  # type: ignore[attr-defined]
    assert data.qpos[2] == pytest.approx(1.4 - 0.5 * GRAVITY * 0.5**2, abs=0.02)
    assert data.qpos[1] == pytest.approx(0.5)


def test_a_ball_comes_to_rest_on_the_bottom_of_a_vessel():
    model, data = data_of()
    data.qpos[:] = [1.0, 1.02, 0.4, 0]
    mujoco.mj_step(model, data, 300)  # type: ignore[attr-defined]
    assert data.qpos[2] == pytest.approx(BOTTOM_M + BALL_M, abs=0.01)
    assert abs(data.qpos[1] - data.qpos[0]) < 0.15


def test_a_driven_vessel_keeps_its_speed():
    model, data = data_of()
    data.qpos[:] = [0.5, 1.7, BALL_M, 0]
    data.ctrl[:] = 0.4
    mujoco.mj_step(model, data, 100)  # type: ignore[attr-defined]
    assert data.qpos[0] == pytest.approx(0.9, abs=0.02)


def test_a_shift_changes_mass_and_friction():
    (usual, _), (heavy, _) = data_of(), data_of(Shift(mass=4.0, friction=0.5))
    ball = usual.body("ball").id
    assert heavy.body_mass[ball] == pytest.approx(4 * usual.body_mass[ball])
    np.testing.assert_allclose(heavy.geom_friction[:, 0], 0.5 * usual.geom_friction[:, 0])


def test_no_ball_leaves_a_closed_room_at_its_near_end():
    room = SideRoom(Shift(), closed=True)
    room.ball()
    model = room.spec.compile()
    data = mujoco.MjData(model)  # type: ignore[attr-defined]
    data.qpos[:2], data.qvel[0] = [0.5, BALL_M], -1.0
    mujoco.mj_step(model, data, 400)  # type: ignore[attr-defined]
    assert -0.05 < data.qpos[0] < 0.5
