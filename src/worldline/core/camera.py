"""Pinhole camera: intrinsics in pixels and one pose per frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

__all__ = ["Camera"]


@dataclass(frozen=True, eq=False)
class Camera:
    """Pinhole camera without distortion.

    Camera axes: x right, y down, z forward (OpenCV's). Pixel centres lie at whole numbers plus 0.5,
    so that (width_px / 2, height_px / 2) is the middle of the image.

    Attributes:
        focal_px: focal length in pixels (square pixels).
        width_px, height_px: image size; the principal point is its middle.
        world_from_camera: `[T, 4, 4]` rigid transforms, one per frame (T = 1: fixed camera).
    """

    focal_px: float
    width_px: int
    height_px: int
    world_from_camera: Float[np.ndarray, "t 4 4"]

    def project(
        self, points_m: Float[np.ndarray, "n t 3"]
    ) -> tuple[Float[np.ndarray, "n t 2"], Float[np.ndarray, "n t"]]:
        """Project world points, one per object and frame.

        Returns:
            pixels `[N, T, 2]` (x, y) and depth `[N, T]` in metres along the optical axis. Points
            behind the camera have a depth <= 0 and pixels that mean nothing.
        """
        rotation, origin = self.world_from_camera[:, :3, :3], self.world_from_camera[:, :3, 3]
        local = np.einsum("tji,ntj->nti", rotation, points_m - origin[None])
        depth_m = local[..., 2]
        safe = np.where(np.abs(depth_m) < 1e-9, 1e-9, depth_m)
        middle = np.array([self.width_px / 2, self.height_px / 2])
        return self.focal_px * local[..., :2] / safe[..., None] + middle, depth_m

    def rays(self, frame: int = 0) -> Float[np.ndarray, "h w 3"]:
        """Unit ray directions in the world frame, one per pixel centre.

        Raises:
            IndexError: a moving camera has no such frame; a fixed one has them all.
        """
        x = (np.arange(self.width_px) + 0.5 - self.width_px / 2) / self.focal_px
        y = (np.arange(self.height_px) + 0.5 - self.height_px / 2) / self.focal_px
        grid = np.stack(np.broadcast_arrays(x[None, :], y[:, None], 1.0), axis=-1)
        grid = grid / np.linalg.norm(grid, axis=-1, keepdims=True)
        pose = self.world_from_camera[frame if len(self.world_from_camera) > 1 else 0]
        return grid @ pose[:3, :3].T

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary for JSON."""
        return {
            "focal_px": self.focal_px,
            "width_px": self.width_px,
            "height_px": self.height_px,
            "world_from_camera": self.world_from_camera.tolist(),
        }

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Camera:
        """Inverse of `to_json`."""
        return cls(
            float(record["focal_px"]),
            int(record["width_px"]),
            int(record["height_px"]),
            np.asarray(record["world_from_camera"], dtype=np.float64),
        )
