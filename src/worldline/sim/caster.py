"""Rays against everything in a scene: MuJoCo's for rigid geoms, our own for soft bodies' faces.

MuJoCo casts many rays in one call (`mj_multiRay`), but those pass through flexible bodies, and
`mj_rayFlex` takes one ray per call.
"""

# MuJoCo's compiled modules come without type stubs
# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

import mujoco
import numpy as np
from jaxtyping import Float, Int

from worldline.sim.engine import Rollout
from worldline.sim.soft import faces_of
from worldline.sim.stage import Stage

__all__ = ["BODIES_ONLY", "FAR_M", "SCENERY_ONLY", "Caster", "first_faces"]

FAR_M = 1e6
BODIES_ONLY = np.array([0, 1, 0, 0, 0, 0], dtype=np.uint8)
SCENERY_ONLY = np.array([1, 0, 0, 0, 0, 0], dtype=np.uint8)


class Caster:
    """Casts rays into one frame of a rollout after the other.

    Attributes:
        soft_of_face: `[F]` which of the stage's soft bodies each face belongs to.
    """

    def __init__(self, stage: Stage, rollout: Rollout) -> None:
        self.model = rollout.model
        self.rollout = rollout
        self.data = mujoco.MjData(self.model)
        mujoco.mj_kinematics(self.model, self.data)
        self._bodies = np.arange(len(stage.bodies))
        faces = [faces_of(soft) for soft in stage.softs]
        counts = [len(part) for part in faces]
        self.soft_of_face = np.repeat(np.arange(len(faces)), counts)
        firsts = np.cumsum([0, *(len(soft.rest_m) for soft in stage.softs)])[:-1]
        none = np.zeros((0, 3), dtype=np.int64)
        self._faces = np.concatenate([none, *(f + i for f, i in zip(faces, firsts, strict=True))])
        self._vertices = np.concatenate(
            [np.zeros((len(rollout.geom_position_m), 0, 3)), *rollout.vertex_m], axis=1
        )
        self._rest = np.concatenate([np.zeros((0, 3)), *(soft.rest_m for soft in stage.softs)])
        self._frame = 0

    def pose(self, frame: int) -> None:
        """Go to a frame."""
        self._frame = frame
        self.data.geom_xpos[:] = self.rollout.geom_position_m[frame]
        self.data.geom_xmat[:] = self.rollout.geom_rotation[frame]
        # MuJoCo passes over bodies whose sphere, about the centre of mass, is off the ray
        moved = 1 + len(self._bodies)
        self.data.xipos[1:moved] = self.rollout.position_m[self._bodies, frame]

    def cast(
        self, origin: np.ndarray, rays: np.ndarray, group: np.ndarray | None, normals: bool
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """What rays from one point meet first.

        Args:
            origin: `[3]`.
            rays: `[R, 3]` unit directions.
            group: `BODIES_ONLY`, `SCENERY_ONLY` or None for everything.
            normals: whether they are wanted.

        Returns:
            number `[R]` of the geom, or of the face counted on from the geoms, -1 for none;
            distance `[R]`, negative for none; unit normals `[R, 3]`, of a soft body smoothed over
            its faces and turned to where the ray comes from.
        """
        n = len(rays)
        geom, reach = np.empty(n, np.int32), np.empty(n)
        normal = np.empty(3 * n) if normals else None
        mujoco.mj_multiRay(
            self.model, self.data, origin, rays.reshape(-1), group, True, -1,
            geom, reach, normal, n, FAR_M,
        )  # fmt: skip
        turned = None if normal is None else normal.reshape(n, 3)
        if len(self._faces) and group is not SCENERY_ONLY:
            self._cast_faces(origin, rays, geom, reach, turned)
        return geom, reach, turned

    def _cast_faces(
        self,
        origin: np.ndarray,
        rays: np.ndarray,
        geom: np.ndarray,
        reach: np.ndarray,
        normal: np.ndarray | None,
    ) -> None:
        """Put faces that are nearer than what was met so far into the answer."""
        vertices = self._vertices[self._frame]
        ray, face, far, weight = first_faces(vertices[self._faces] - origin, rays)
        nearer = (reach[ray] < 0) | (far < reach[ray])
        ray, face = ray[nearer], face[nearer]
        geom[ray], reach[ray] = self.model.ngeom + face, far[nearer]
        if normal is not None:
            smooth = self._vertex_normals(vertices)[self._faces[face]]
            mixed = np.einsum("rk,rki->ri", weight[nearer], smooth)
            mixed /= np.maximum(np.linalg.norm(mixed, axis=1), 1e-12)[:, None]
            behind = np.einsum("ri,ri->r", mixed, rays[ray]) > 0
            mixed[behind] *= -1
            normal[ray] = mixed

    def _vertex_normals(self, vertices: np.ndarray) -> np.ndarray:
        """Means of the normals of the faces around each vertex, weighted by their areas."""
        a, b, c = (vertices[corner] for corner in self._faces.T)
        area = np.cross(b - a, c - a)
        corners = self._faces.ravel()
        spread = np.repeat(area, 3, axis=0)
        return np.stack(
            [np.bincount(corners, spread[:, i], len(vertices)) for i in range(3)], axis=-1
        )

    def is_of_soft(self, soft: int, geom: np.ndarray) -> np.ndarray:
        """Which of the numbers that `cast` gave are faces of a soft body."""
        own = np.append(np.full(self.model.ngeom, -1), self.soft_of_face)
        return own[geom] == soft

    def rest_points(
        self, frame: np.ndarray, geom: np.ndarray, points: np.ndarray
    ) -> Float[np.ndarray, "p 3"]:
        """Where points on soft faces would be with the body at rest, in its own frame.

        Args:
            frame, geom: `[P]` frame and number, as from `cast`.
            points: `[P, 3]`.
        """
        corners = self._faces[geom - self.model.ngeom]
        a, b, c = np.moveaxis(self._vertices[frame[:, None], corners], 1, 0)
        across = np.cross(b - a, c - a)
        size = np.maximum(np.einsum("pi,pi->p", across, across), 1e-18)
        second = np.einsum("pi,pi->p", np.cross(points - a, c - a), across) / size
        third = np.einsum("pi,pi->p", np.cross(b - a, points - a), across) / size
        weight = np.stack([1 - second - third, second, third], axis=-1)
        return np.einsum("pk,pki->pi", weight, self._rest[corners])


def first_faces(
    corners: Float[np.ndarray, "f 3 3"], rays: Float[np.ndarray, "r 3"]
) -> tuple[
    Int[np.ndarray, " h"],
    Int[np.ndarray, " h"],
    Float[np.ndarray, " h"],
    Float[np.ndarray, "h 3"],
]:
    """The nearest triangle that each ray from the origin meets, from either side.

    A ray meets a triangle (a, b, c) where it has the same side of the three planes through the
    origin and an edge: with u = d.(b x c), v = d.(c x a), w = d.(a x b) of one sign, at the
    distance a.(b x c) / (u + v + w). Two triangles with a common edge share its plane, so no ray
    slips between them (Moeller and Trumbore, Journal of Graphics Tools 2, 1997, from one origin).

    Args:
        corners: triangles, relative to where the rays start.
        rays: unit directions.

    Returns:
        the rays that meet one, the triangle, the distance, and the three corners' shares in the
        place.
    """
    middle = corners.mean(axis=1)
    radius = np.linalg.norm(corners - middle[:, None], axis=-1).max(axis=1)
    distance = np.linalg.norm(middle, axis=1)
    sine = np.clip(radius / np.maximum(distance, 1e-9) * 1.001 + 1e-4, 0, 1)
    cosine = np.where(distance > radius, np.sqrt(1 - sine * sine), -1.0).astype(np.float32)
    axes = (middle / np.maximum(distance, 1e-9)[:, None]).astype(np.float32)
    ray, face = np.divmod(
        np.flatnonzero(rays.astype(np.float32) @ axes.T > cosine), max(len(corners), 1)
    )
    a, b, c = np.moveaxis(corners, 1, 0)
    planes = np.cross(b, c), np.cross(c, a), np.cross(a, b)
    along = rays[ray]
    u, v, w = (np.einsum("pi,pi->p", plane[face], along) for plane in planes)
    inside = np.flatnonzero(((u >= 0) & (v >= 0) & (w >= 0)) | ((u <= 0) & (v <= 0) & (w <= 0)))
    ray, face = ray[inside], face[inside]
    share = np.stack([u[inside], v[inside], w[inside]], axis=-1)
    total = share.sum(axis=1)
    height = np.einsum("fi,fi->f", a, planes[0])[face]
    with np.errstate(divide="ignore", invalid="ignore"):
        far = height / total
    hit = np.isfinite(far) & (far > 0)
    ray, face, far, share = ray[hit], face[hit], far[hit], share[hit] / total[hit, None]
    order = np.lexsort((far, ray))
    ray, first = np.unique(ray[order], return_index=True)
    kept = order[first]
    return ray, face[kept], far[kept], share[kept]
