"""Ground truth of a simulated clip as a `Scene`."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from worldline.core import STATIC, Camera, Contact, Provenance, Scene
from worldline.sim.camera import Film
from worldline.sim.engine import Rollout, Touches
from worldline.sim.stage import Body, Pattern, Shape, Stage

__all__ = ["MIN_VISIBLE_PX", "merge_contacts", "project_box", "true_scene"]

MIN_VISIBLE_PX = 4.0
"""Visible area from which a body counts as seen."""

CONTACT_GAP_S = 0.02
"""Touches of the same pair that are closer than this belong to one contact."""

IMPACT_S = 0.02
"""The impulse of a contact is the largest one that passes within this time."""

_RIM = np.linspace(0, 2 * np.pi, 96, endpoint=False)
_CORNERS = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], dtype=float)


def true_scene(
    stage: Stage, rollout: Rollout, film: Film, camera: Camera, provenance: Provenance
) -> Scene:
    """Everything the simulator knows, without events."""
    center_px, depth_m = camera.project(rollout.position_m)
    n, t = depth_m.shape
    size_px = np.full((n, t, 2), np.nan)
    for index, body in enumerate(stage.bodies):
        low, high = project_box(
            body, rollout.position_m[index], rollout.rotation_wxyz[index], camera
        )
        size_px[index] = high - low
    center_px = np.where((depth_m > 0)[..., None], center_px, np.nan)
    return Scene(
        time_s=stage.time_s,
        width_px=camera.width_px,
        height_px=camera.height_px,
        ids=np.arange(n),
        labels=tuple(str(body.shape) for body in stage.bodies),
        present=np.ones((n, t), dtype=bool),
        visible=film.area_px >= MIN_VISIBLE_PX,
        center_px=center_px,
        size_px=size_px,
        center_px_std=np.zeros((n, t, 2)),
        color_rgb=np.array([_mean_color(body) for body in stage.bodies], dtype=np.float64),
        position_m=rollout.position_m,
        rotation_wxyz=rollout.rotation_wxyz,
        velocity_mps=rollout.velocity_mps,
        angular_velocity_radps=rollout.angular_velocity_radps,
        depth_m=depth_m,
        extent_m=2 * np.array([body.half_m for body in stage.bodies], dtype=np.float64),
        mass_kg=np.array([body.mass_kg for body in stage.bodies], dtype=np.float64),
        gravity_mps2=np.array([0.0, 0.0, -stage.gravity_mps2]),
        camera=camera,
        contacts=merge_contacts(rollout.touches, rollout.step_s, camera),
        caption=stage.caption,
        provenance=provenance,
    )


def _mean_color(body: Body) -> np.ndarray:
    first, second = np.array(body.color), np.array(body.second_color)
    return first if body.pattern is Pattern.PLAIN else (first + second) / 2


def merge_contacts(touches: Touches, step_s: float, camera: Camera) -> tuple[Contact, ...]:
    """Intervals of touch, in order of start, from the first frame on."""
    found: list[Contact] = []
    pairs = sorted(set(zip(touches.a.tolist(), touches.b.tolist(), strict=True)))
    for a, b in pairs:
        rows = np.flatnonzero((touches.a == a) & (touches.b == b) & (touches.time_s >= 0))
        if not len(rows):
            continue
        breaks = np.flatnonzero(np.diff(touches.time_s[rows]) > CONTACT_GAP_S) + 1
        for part in np.split(rows, breaks):
            time_s, impulse = touches.time_s[part], touches.impulse_ns[part]
            total = np.concatenate([[0.0], np.cumsum(impulse)])
            ends = np.searchsorted(time_s, time_s + IMPACT_S)
            strongest = touches.point_m[part[int(np.argmax(impulse))]]
            point, depth = camera.project(strongest[None, None])
            x, y = point[0, 0].tolist()
            found.append(
                Contact(
                    a=a if b == STATIC else b,
                    b=STATIC if b == STATIC else a,
                    start_s=float(time_s[0]),
                    end_s=float(time_s[-1] + step_s),
                    point_px=(x, y) if depth.item() > 0 else None,
                    impulse_ns=float((total[ends] - total[:-1]).max()),
                )
            )
    return tuple(sorted(found, key=lambda c: (c.start_s, c.a, c.b)))


def project_box(
    body: Body,
    position_m: Float[np.ndarray, "t 3"],
    rotation_wxyz: Float[np.ndarray, "t 4"],
    camera: Camera,
) -> tuple[Float[np.ndarray, "t 2"], Float[np.ndarray, "t 2"]]:
    """Smallest image box around a body: its low and high corners (x, y) in pixels.

    Balls and capsules are exact (a sphere's outline is a cone), boxes too; a cylinder's rims are
    sampled at 96 points. NaN while part of the body is behind the camera.
    """
    rotation = _matrices(rotation_wxyz)
    half = np.asarray(body.half_m)
    if body.shape in (Shape.BALL, Shape.CAPSULE):
        reach = half[2] - half[0]
        ends = position_m + np.array([[[1.0]], [[-1.0]]]) * reach * rotation[:, :, 2]
        low, high = _sphere_bounds(ends, float(half[0]), camera)
        return low.min(axis=0), high.max(axis=0)
    if body.shape is Shape.BOX:
        local = _CORNERS * half
    else:
        rim = np.stack([np.cos(_RIM) * half[0], np.sin(_RIM) * half[0], 0 * _RIM + half[2]], -1)
        local = np.concatenate([rim, rim * [1, 1, -1]])
    points = position_m + np.einsum("tij,kj->kti", rotation, local)
    pixels, depth = camera.project(points)
    ahead = np.all(depth > 0, axis=0)[:, None]
    return np.where(ahead, pixels.min(axis=0), np.nan), np.where(ahead, pixels.max(axis=0), np.nan)


def _sphere_bounds(
    centers_m: Float[np.ndarray, "k t 3"], radius_m: float, camera: Camera
) -> tuple[Float[np.ndarray, "k t 2"], Float[np.ndarray, "k t 2"]]:
    pose = camera.world_from_camera[0]
    local = (centers_m - pose[:3, 3]) @ pose[:3, :3]
    z = local[..., 2:]
    # tangents of slope s from the eye: (x - s z)^2 = r^2 (1 + s^2), for x and for y
    a = z * z - radius_m**2
    xy = local[..., :2]
    root = radius_m * np.sqrt(np.maximum(xy * xy + a, 0))
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = (xy * z - root) / a, (xy * z + root) / a
    middle = np.array([camera.width_px / 2, camera.height_px / 2])
    ahead = z > radius_m
    return (
        np.where(ahead, camera.focal_px * low + middle, np.nan),
        np.where(ahead, camera.focal_px * high + middle, np.nan),
    )


def _matrices(rotation_wxyz: Float[np.ndarray, "t 4"]) -> Float[np.ndarray, "t 3 3"]:
    w, x, y, z = rotation_wxyz.T
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.moveaxis(np.array(rows), -1, 0)
