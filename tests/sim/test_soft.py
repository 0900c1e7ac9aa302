from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from worldline.sim.engine import simulate
from worldline.sim.soft import (
    ball_grid,
    block_grid,
    edges_of,
    elastic_energy_j,
    faces_of,
    placed_m,
    rigid_motion,
    sheet_grid,
    vertex_mass_kg,
    volumes_m3,
)
from worldline.sim.stage import Shape, Soft


def soft_of(grid, **options) -> Soft:
    fixed = {
        "mass_kg": options.pop("mass_kg", 2.0),
        "color": (1.0, 0, 0),
        "color_name": "red",
        "label": "soft",
    }
    place = options.pop("position_m", (0.0, 0.0, 1.0))
    return Soft(Shape.BOX, *grid, position_m=place, **fixed, **options)  # type: ignore[arg-type]


def test_a_block_is_filled_and_a_ball_nearly():
    vertices, cells = block_grid((0.2, 0.3, 0.5), 3)
    volumes = volumes_m3(vertices, cells)
    assert len(cells) == 6 * 27
    assert (volumes > 0).all()
    assert volumes.sum() == pytest.approx(8 * 0.2 * 0.3 * 0.5)
    vertices, cells = ball_grid(0.5)
    volumes = volumes_m3(vertices, cells)
    assert (vertices.shape, cells.shape) == ((55, 3), (160, 4))
    assert volumes.min() > 0.5 * volumes.mean()
    assert 0.85 < volumes.sum() / (4 / 3 * np.pi * 0.5**3) < 0.9
    assert np.linalg.norm(vertices, axis=1).max() == pytest.approx(0.5)


@pytest.mark.parametrize("grid", [ball_grid(0.4), block_grid((0.3, 0.3, 0.2), 2)])
def test_the_skin_of_a_solid_is_closed_and_faces_outward(grid):
    soft = soft_of(grid)
    faces = faces_of(soft)
    edges = edges_of(faces)
    assert len(np.unique(faces)) - len(edges) + len(faces) == 2  # Euler
    a, b, c = np.moveaxis(soft.rest_m[faces], 1, 0)
    assert (np.einsum("fi,fi->f", np.cross(b - a, c - a), a + b + c) > 0).all()


def test_mass_is_spread_by_area():
    sheet = soft_of(sheet_grid(2.0, 4))
    mass = vertex_mass_kg(sheet).reshape(5, 5)
    assert mass.sum() == pytest.approx(2.0)
    assert mass[2, 2] == pytest.approx(2.0 / 16)
    assert mass[2, 0] == pytest.approx(1.0 / 16)


def test_elastic_energy_is_that_of_small_strains():
    soft = soft_of(block_grid((0.5, 0.5, 0.5), 2), young_pa=1e5, poisson=0.25)
    turned = Rotation.from_euler("xyz", [0.3, 1.0, -0.4]).apply(soft.rest_m)
    pulled = soft.rest_m * [1.001, 1 - 0.00025, 1 - 0.00025]
    energy = elastic_energy_j(soft, np.stack([soft.rest_m, turned, pulled]))
    np.testing.assert_allclose(energy[:2], 0, atol=1e-12)
    # Young's modulus: half the stress times the strain, when the sides give way by Poisson's ratio
    assert energy[2] == pytest.approx(1e5 * 0.001**2 / 2, rel=0.01)


def test_rigid_motion_of_what_moves_rigidly():
    soft = soft_of(ball_grid(0.4))
    turn = Rotation.from_rotvec([0.2, -0.5, 1.1])
    spin, drift = np.array([1.0, 2.0, -0.5]), np.array([0.3, 0.0, -1.0])
    offset = turn.apply(soft.rest_m)
    places, speeds = offset + np.array([1.0, 2.0, 3.0]), drift + np.cross(spin, offset)
    position, velocity, rotation, angular = rigid_motion(soft, places[None], speeds[None])
    np.testing.assert_allclose(position[0], [1, 2, 3], atol=1e-9)
    np.testing.assert_allclose(velocity[0], drift, atol=1e-9)
    np.testing.assert_allclose(rotation[0], turn.as_matrix(), atol=1e-9)
    np.testing.assert_allclose(angular[0], spin, atol=1e-9)


def test_a_soft_body_falls_freely_then_touches_the_floor(stage_of):
    soft = soft_of(block_grid((0.2, 0.2, 0.2), 2), mass_kg=10.0, damping_s=0.001, young_pa=5e4)
    rollout = simulate(stage_of(softs=(soft,), num_frames=30))
    time_s = np.arange(10) * 0.02
    np.testing.assert_allclose(rollout.position_m[0, :10, 2], 1 - 4.905 * time_s**2, atol=0.01)
    assert set(rollout.touches.b) == {-1}
    assert set(rollout.touches.a) == {0}
    assert rollout.touches.time_s.min() == pytest.approx(np.sqrt(0.8 / 4.905), abs=0.01)
    height = np.ptp(rollout.vertex_m[0][..., 2], axis=1)
    assert height.min() < 0.97 * height[0]
    # what MuJoCo's forces take from the motion, the strain has stored: energy never grows
    assert (rollout.energy_j - np.minimum.accumulate(rollout.energy_j)).max() < 0.1


def test_pinned_vertices_stay_and_edges_keep_their_length(stage_of):
    sheet = soft_of(sheet_grid(1.0, 4), pinned=(0, 4), position_m=(0.0, 0.0, 2.0))
    rollout = simulate(stage_of(softs=(sheet,), num_frames=25, max_step_s=0.002))
    places = rollout.vertex_m[0]
    np.testing.assert_allclose(places[:, [0, 4]] - placed_m(sheet)[[0, 4]], 0, atol=1e-12)
    assert places[-1, :, 2].min() < 1.5
    first, second = edges_of(sheet.elements).T
    length = np.linalg.norm(places[:, first] - places[:, second], axis=-1)
    np.testing.assert_allclose(length / length[0], 1, atol=0.05)
