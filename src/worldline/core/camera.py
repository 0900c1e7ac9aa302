"""Pinhole camera: intrinsics in pixels and one pose per frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float

__all__ = ["Camera", "mirror_poses", "plucker_rays"]

_RIGID = 1e-3
"""How far a rotation may be from orthonormal, for rounding in files."""


@dataclass(frozen=True, eq=False)
class Camera:
    """Pinhole camera without distortion.

    Camera axes: x right, y down, z forward (OpenCV's). Pixel centres lie at whole numbers plus 0.5,
    so that (width_px / 2, height_px / 2) is the middle of the image.

    Attributes:
        focal_px: focal length in pixels (square pixels).
        width_px, height_px: image size; the principal point is its middle.
        world_from_camera: `[T, 4, 4]` rigid transforms, one per frame (T = 1: fixed camera). Of a
            camera that was read from pictures, the world's axes are those of the first frame.
        turn_std_rad, place_std_m: `[T]` standard deviations of turn and place, relative to the
            first frame, of a camera that was read from pictures; None for truth.
        focal_std_px: of its focal length, likewise.
    """

    focal_px: float
    width_px: int
    height_px: int
    world_from_camera: Float[np.ndarray, "t 4 4"]
    turn_std_rad: Float[np.ndarray, " t"] | None = None
    place_std_m: Float[np.ndarray, " t"] | None = None
    focal_std_px: float | None = None

    @property
    def is_exact(self) -> bool:
        """It is known, not read from pictures."""
        return self.focal_std_px is None

    def __post_init__(self) -> None:
        poses = self.world_from_camera
        if poses.ndim != 3 or poses.shape[1:] != (4, 4) or not len(poses):
            raise ValueError(f"camera poses are {poses.shape}, expected [T, 4, 4]")
        bad = ~np.isfinite(poses).all(axis=(1, 2))
        if bad.any():
            raise ValueError(f"camera pose {bad.argmax()} is not finite (NaN or infinite)")
        turn = poses[:, :3, :3]
        off = np.abs(turn @ turn.swapaxes(1, 2) - np.eye(3)).max(axis=(1, 2))
        bad = (off > _RIGID) | (np.linalg.det(turn) < 0)
        if bad.any() or np.abs(poses[:, 3] - [0, 0, 0, 1]).max() > _RIGID:
            raise ValueError(f"camera pose {bad.argmax()} is not a rigid transform")
        if not (np.isfinite(self.focal_px) and self.focal_px > 0):
            raise ValueError(f"camera focal length is {self.focal_px} px, expected more than 0")

    def poses(self, num_frames: int) -> Float[np.ndarray, "t 4 4"]:
        """One pose per frame; a fixed camera has the same one in all."""
        return np.broadcast_to(self.world_from_camera, (num_frames, 4, 4))

    def at(self, frames: Any) -> Camera:
        """The camera of some frames, by slice or numbers; a fixed one stays what it is."""
        if len(self.world_from_camera) == 1:
            return self
        names = ("world_from_camera", "turn_std_rad", "place_std_m")
        arrays = {name: getattr(self, name) for name in names}
        return replace(self, **{k: v[frames] for k, v in arrays.items() if v is not None})

    def cropped(self, crop_px: tuple[int, int, int, int], size_px: int) -> Camera:
        """The camera of a square of the image, enlarged or shrunk to `size_px`.

        Args:
            crop_px: (x, y, w, h) of a square with the image's own middle.
            size_px: side of the result.

        Raises:
            ValueError: the square has another middle, where this camera has no principal point.
        """
        x, y, w, h = crop_px
        if abs(2 * x + w - self.width_px) > 1 or abs(2 * y + h - self.height_px) > 1 or w != h:
            raise ValueError(f"the part {crop_px} is not a square about the middle of the image")
        return Camera(self.focal_px * size_px / w, size_px, size_px, self.world_from_camera)

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
        record: dict[str, Any] = {
            "focal_px": self.focal_px,
            "width_px": self.width_px,
            "height_px": self.height_px,
            "world_from_camera": self.world_from_camera.tolist(),
        }
        for name in ("turn_std_rad", "place_std_m"):
            array = getattr(self, name)
            if array is not None:
                record[name] = array.tolist()
        return record if self.is_exact else {**record, "focal_std_px": self.focal_std_px}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Camera:
        """Inverse of `to_json`."""
        return cls(
            float(record["focal_px"]),
            int(record["width_px"]),
            int(record["height_px"]),
            np.asarray(record["world_from_camera"], dtype=np.float64),
            **{
                name: np.asarray(record[name], dtype=np.float64)
                for name in ("turn_std_rad", "place_std_m")
                if name in record
            },
            focal_std_px=record.get("focal_std_px"),
        )


def plucker_rays(
    world_from_camera: Float[np.ndarray, "*b t 4 4"],
    focal_ratio: Float[np.ndarray, "*b"] | float,
    rows: int,
) -> Float[np.ndarray, "*b t n 6"]:
    """Lines of sight through the centres of a square image's rows x rows cells.

    Each line is (d, o x d): its unit direction, and its moment about the origin with o the camera's
    place in metres. Both are in the axes of the first frame's camera, so that nothing depends on
    where a world's origin is. Plücker coordinates as in light field networks (Sitzmann et al. 2021,
    arXiv 2106.02634, section 3.1), as a map per frame that drives video models as in CameraCtrl (He
    et al. 2024, arXiv 2404.02101, section 3.2).

    Args:
        world_from_camera: poses of clips' frames.
        focal_ratio: focal length over image width, per clip.
        rows: cells per side; N is their square.
    """
    first = np.linalg.inv(world_from_camera[..., :1, :, :].astype(np.float64))
    pose = first @ world_from_camera
    ratio = np.asarray(focal_ratio, dtype=np.float64)[..., None]
    at = (np.arange(rows) + 0.5) / rows - 0.5
    x, y = (side.ravel() for side in np.meshgrid(at, at))
    local = np.stack(np.broadcast_arrays(x / ratio, y / ratio, 1.0), axis=-1)
    local = local / np.linalg.norm(local, axis=-1, keepdims=True)
    direction = np.einsum("...tij,...nj->...tni", pose[..., :3, :3], local)
    moment = np.cross(pose[..., None, :3, 3], direction)
    return np.concatenate([direction, moment], axis=-1).astype(np.float32)


def mirror_poses(poses: Float[np.ndarray, "*b t 4 4"]) -> Float[np.ndarray, "*b t 4 4"]:
    """Poses of the camera in whose mirrored (left to right) images a mirrored world is seen."""
    flip = np.diag([-1.0, 1.0, 1.0, 1.0]).astype(poses.dtype)
    return flip @ poses @ flip
