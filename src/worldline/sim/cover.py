"""Spheres that hold what moves, so that the camera knows where to look."""

# MuJoCo's compiled modules come without type stubs
# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

import mujoco
import numpy as np
from jaxtyping import Float

from worldline.sim.engine import Rollout
from worldline.sim.soft import faces_of
from worldline.sim.stage import Soft, Stage

__all__ = ["cover_geoms"]


_PARTS = 3
"""Along each side of a soft body, so that its spheres do not hold much air."""


def cover_geoms(
    stage: Stage,
    rollout: Rollout,
) -> tuple[Float[np.ndarray, "t k 3"], Float[np.ndarray, " k"]]:
    """Spheres that hold the moving geoms, several in a row for a long one, and soft bodies.

    Returns:
        centres `[T, K, 3]` and radii `[K]`.
    """
    model = rollout.model
    centers, radii = [], []
    for geom in np.flatnonzero(model.geom_bodyid > 0):
        a, b, c = model.geom_size[geom]
        kind = mujoco.mjtGeom(int(model.geom_type[geom]))
        long = 0.0
        wide = a
        if kind in (mujoco.mjtGeom.mjGEOM_CAPSULE, mujoco.mjtGeom.mjGEOM_CYLINDER):
            long = b
        elif kind == mujoco.mjtGeom.mjGEOM_BOX:
            wide, long = float(np.hypot(a, b)), c
        count = int(np.clip(np.ceil(0.5 * long / wide), 1, 8))
        step = long / count
        round_ends = kind == mujoco.mjtGeom.mjGEOM_CAPSULE
        radius = wide + step if round_ends else float(np.hypot(wide, step))
        axis = rollout.geom_rotation[:, geom, 2::3]
        for index in range(count):
            centers.append(
                rollout.geom_position_m[:, geom] + axis * (step * (2 * index + 1) - long)
            )
            radii.append(radius)
    for soft, vertices in zip(stage.softs, rollout.vertex_m, strict=True):
        for patch in _patches(soft):
            center = vertices[:, patch].mean(axis=1)
            centers.append(center)
            radii.append(float(np.linalg.norm(vertices[:, patch] - center[:, None], axis=-1).max()))
    return np.stack(centers, axis=1), np.array(radii)


def _patches(soft: Soft) -> list[np.ndarray]:
    """Vertices of neighbouring faces; every face is whole in one of the patches."""
    faces = faces_of(soft)
    middle = soft.rest_m[faces].mean(axis=1) / np.array(soft.half_m)
    cell = np.clip((middle + 1) / 2 * _PARTS, 0, _PARTS - 1).astype(np.int64)
    _, patch = np.unique(cell, axis=0, return_inverse=True)
    return [np.unique(faces[patch.ravel() == number]) for number in range(patch.max() + 1)]
