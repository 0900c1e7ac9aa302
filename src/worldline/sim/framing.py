"""Where the camera stands: near enough to see the bodies well, far enough to see the action."""

from __future__ import annotations

import numpy as np

from worldline.core import Camera
from worldline.sim.engine import Rollout
from worldline.sim.stage import Stage

__all__ = ["frame_action", "look_at"]

MIN_HEIGHT_M = 0.15
SMALLEST_PX = 5.0
"""Width of the smallest body, on 64 pixels, that the camera goes for."""
LARGEST_PX = 20.0
"""Width of the largest body, on 64 pixels, that the camera keeps to."""


def look_at(eye: np.ndarray, target: np.ndarray, *, focal_px: float, size_px: int) -> Camera:
    """A square camera at `eye` that looks at `target`, upright."""
    forward = target - eye
    forward = forward / np.linalg.norm(forward)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    pose = np.eye(4)
    pose[:3, 0], pose[:3, 1], pose[:3, 2] = right, np.cross(forward, right), forward
    pose[:3, 3] = eye
    return Camera(focal_px, size_px, size_px, pose[None])


def frame_action(stage: Stage, rollout: Rollout, size_px: int) -> Camera:
    """Put the camera where the stage's view wants it.

    The distance is the smallest at which every body's sphere is inside the image in every frame,
    but so small that the typical body is at least `stage.min_width_px` wide (on 64 pixels) and
    the smallest `SMALLEST_PX`.
    """
    view = stage.view
    points = rollout.position_m.reshape(-1, 3)
    radii = np.repeat([body.radius_m for body in stage.bodies], rollout.position_m.shape[1])
    outward = np.array(
        [
            np.cos(view.azimuth_rad) * np.cos(view.elevation_rad),
            np.sin(view.azimuth_rad) * np.cos(view.elevation_rad),
            np.sin(view.elevation_rad),
        ]
    )
    low, high = (points - radii[:, None]).min(0), (points + radii[:, None]).max(0)
    target = (low + high) / 2
    unit = look_at(target + outward, target, focal_px=1.0, size_px=1).world_from_camera[0]
    half = 0.5 * (1 - view.margin) / view.focal_ratio  # tangent of the usable half angle
    slope = np.hypot(1.0, half)
    local = (points - target) @ unit[:3, :3]
    # a sphere is inside a side of the view if its centre is a radius inside that plane
    needed = (np.abs(local[:, :2]).max(axis=1) + radii * slope) / half - local[:, 2]
    far = needed.max()
    widths = 2 * np.array([max(body.half_m) for body in stage.bodies])
    near_enough = (
        view.focal_ratio
        * 64
        * min(np.median(widths) / stage.min_width_px, widths.min() / SMALLEST_PX)
    )
    too_near = view.focal_ratio * 64 * widths.max() / LARGEST_PX
    distance = max(min(far, near_enough), too_near)
    eye = target + outward * distance
    shift = distance * 0.5 / view.focal_ratio * view.margin
    target = target + unit[:3, 0] * view.offset[0] * shift + unit[:3, 1] * view.offset[1] * shift
    eye[2] = max(eye[2], MIN_HEIGHT_M)
    return look_at(eye, target, focal_px=view.focal_ratio * size_px, size_px=size_px)
