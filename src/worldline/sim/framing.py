"""Where the camera stands: near enough to see the bodies well, far enough to see the action."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from worldline.core import Camera
from worldline.sim.engine import Rollout
from worldline.sim.stage import Stage

__all__ = ["CameraPath", "Restage", "Shot", "draw_path", "frame_action", "look_at"]

Restage = Callable[[Stage, Rollout], Stage]
"""Another look and view for a stage that was simulated: bodies' shapes and states stay."""

MIN_HEIGHT_M = 0.15
SMALLEST_PX = 5.0
"""Width of the smallest body, on 64 pixels, that the camera goes for."""


@dataclass(frozen=True)
class CameraPath:
    """How the camera travels during a clip, half of it before and half after its usual place.

    Attributes:
        orbit_rad: angle that it goes round the action, about the vertical.
        pan: way that the middle of its view wanders to the right, over the image's half width.
    """

    orbit_rad: float
    pan: float


@dataclass(frozen=True)
class Shot:
    """How a clip is filmed.

    Attributes:
        size_px: side of the square image.
        path: of the camera; None if it stands still.
        restage: what to change about look and view once the physics has happened.
    """

    size_px: int
    path: CameraPath | None = None
    restage: Restage | None = None


def draw_path(rng: np.random.Generator) -> CameraPath:
    """A slow orbit, or a slow pan."""
    way = float(rng.choice((-1.0, 1.0)))
    if rng.random() < 0.6:
        return CameraPath(orbit_rad=way * float(rng.uniform(0.3, 0.9)), pan=0.0)
    return CameraPath(orbit_rad=0.0, pan=way * float(rng.uniform(0.3, 0.7)))


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


def frame_action(stage: Stage, rollout: Rollout, shot: Shot) -> Camera:
    """Put the camera where the stage's view wants it.

    The distance is the smallest at which every body's sphere and every landmark is inside the
    image in every frame, but so small that the typical body is at least `stage.min_width_px` wide
    (on 64 pixels) and the smallest `SMALLEST_PX`. A camera that travels is there in the middle of
    the clip.
    """
    view = stage.view
    marks = np.array(stage.landmarks_m, dtype=np.float64).reshape(-1, 3)
    points = np.concatenate([rollout.position_m.reshape(-1, 3), marks])
    radii = np.repeat([thing.radius_m for thing in stage.things], rollout.position_m.shape[1])
    radii = np.concatenate([radii, np.zeros(len(marks))])
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
    widths = _object_widths(stage)
    near_enough = (
        view.focal_ratio
        * 64
        * min(np.median(widths) / stage.min_width_px, widths.min() / SMALLEST_PX)
    )
    too_near = view.focal_ratio * 64 * widths.max() / stage.max_width_px
    distance = max(min(far, near_enough), too_near)
    eye = target + outward * distance
    shift = distance * 0.5 / view.focal_ratio * view.margin
    target = target + unit[:3, 0] * view.offset[0] * shift + unit[:3, 1] * view.offset[1] * shift
    eye[2] = max(eye[2], MIN_HEIGHT_M)
    focal_px = view.focal_ratio * shot.size_px
    still = look_at(eye, target, focal_px=focal_px, size_px=shot.size_px)
    return still if shot.path is None else _travel(still, target, shot.path, len(stage.time_s))


def _object_widths(stage: Stage) -> np.ndarray:
    """Width of each object; a cluster is as wide as its bodies lie apart at first."""
    widths = []
    for number in range(int(stage.objects.max()) + 1):
        bodies = [stage.things[i] for i in np.flatnonzero(stage.objects == number)]
        spread = np.ptp([body.position_m for body in bodies], axis=0).max()
        widths.append(spread + 2 * max(max(body.half_m) for body in bodies))
    return np.array(widths)


def _travel(still: Camera, target: np.ndarray, path: CameraPath, num_frames: int) -> Camera:
    pose = still.world_from_camera[0]
    eye, right = pose[:3, 3], pose[:3, 0]
    half_m = float(np.linalg.norm(target - eye)) * 0.5 * still.width_px / still.focal_px
    poses = []
    for share in np.linspace(-0.5, 0.5, num_frames):
        cos, sin = np.cos(share * path.orbit_rad), np.sin(share * path.orbit_rad)
        turn = np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])
        there = target + turn @ (eye - target)
        aim = target + right * share * path.pan * half_m
        moved = look_at(there, aim, focal_px=still.focal_px, size_px=still.width_px)
        poses.append(moved.world_from_camera[0])
    return replace(still, world_from_camera=np.stack(poses))
