"""The ray-cast camera for a model that is stepped live: a picture of what is there now.

As `worldline.sim.camera` it casts four rays per pixel (`mj_multiRay`), shades by normal and colour,
and asks the light with a second cast. It knows no stage and no clip: it takes a compiled model,
whose geoms say their own colours, and can be asked at every step.
"""

# MuJoCo's compiled modules come without type stubs
# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

import mujoco
import numpy as np
from jaxtyping import Float, UInt8

from worldline.sim.camera import NUM_COLOR, OFFSETS_PX
from worldline.sim.caster import FAR_M

__all__ = ["Lens"]

_AMBIENT, _BIAS = 0.45, 1e-3
_SKY = np.array([0.10, 0.11, 0.14])


class Lens:
    """A camera that stands still.

    Args:
        model: what is seen; colours are those of its geoms, sites and joints are not drawn.
        size_px: side of the pictures.
        eye_m, target_m: where it stands and what it looks at; not straight above each other.
        view_rad: angle that it sees from side to side.
        light_m: where the only light is.
    """

    def __init__(
        self,
        model: mujoco.MjModel,
        *,
        size_px: int,
        eye_m: tuple[float, float, float],
        target_m: tuple[float, float, float],
        view_rad: float,
        light_m: tuple[float, float, float],
    ) -> None:
        self.size_px, self._model = size_px, model
        self._eye, self._light = np.array(eye_m), np.array(light_m)
        ahead = np.array(target_m) - self._eye
        ahead /= np.linalg.norm(ahead)
        right = np.cross(ahead, (0.0, 0.0, 1.0))
        right /= np.linalg.norm(right)
        down = np.cross(ahead, right)
        focal_px = size_px / 2 / np.tan(view_rad / 2)
        x, y = np.meshgrid(np.arange(size_px), np.arange(size_px))
        corner = np.stack([x, y], axis=-1).reshape(-1, 2)
        offsets = np.array(OFFSETS_PX[:NUM_COLOR])
        plane = (corner[:, None] + offsets - size_px / 2).reshape(-1, 2) / focal_px
        rays = plane @ np.stack([right, down]) + ahead
        self._rays = np.ascontiguousarray(rays / np.linalg.norm(rays, axis=-1, keepdims=True))
        self._color = model.geom_rgba[:, :3].astype(np.float64)

    def take(self, data: mujoco.MjData) -> UInt8[np.ndarray, "s s 3"]:
        """The picture, once positions are known (`mj_kinematics` or more)."""
        geom, reach, normal = self._cast(data, self._eye, self._rays, normals=True)
        assert normal is not None
        color = np.tile(_SKY, (len(geom), 1))
        hit = np.flatnonzero(geom >= 0)
        points = self._eye + self._rays[hit] * reach[hit, None]
        ray = points - self._light
        far = np.linalg.norm(ray, axis=-1)
        ray /= far[:, None]
        facing = np.clip(-np.einsum("pi,pi->p", normal[hit], ray), 0, 1)
        _, shade, _ = self._cast(data, self._light, ray, normals=False)
        lit = (shade < 0) | (shade > far * (1 - _BIAS) - _BIAS)
        glow = _AMBIENT + (1 - _AMBIENT) * facing * lit
        color[hit] = self._color[geom[hit]] * glow[:, None]
        mean = color.reshape(-1, NUM_COLOR, 3).mean(axis=1)
        picture = (np.clip(mean, 0, 1) * 255 + 0.5).astype(np.uint8)
        return picture.reshape(self.size_px, self.size_px, 3)

    def _cast(
        self, data: mujoco.MjData, origin: np.ndarray, rays: np.ndarray, *, normals: bool
    ) -> tuple[np.ndarray, Float[np.ndarray, " r"], Float[np.ndarray, "r 3"] | None]:
        """Geom (-1 for none), distance and normal of what each ray meets first."""
        n = len(rays)
        geom, reach = np.empty(n, np.int32), np.empty(n)
        normal = np.empty(3 * n) if normals else None
        mujoco.mj_multiRay(
            self._model, data, origin, np.ascontiguousarray(rays).reshape(-1), None, True, -1,
            geom, reach, normal, n, FAR_M,
        )  # fmt: skip
        return geom, reach, None if normal is None else normal.reshape(n, 3)
