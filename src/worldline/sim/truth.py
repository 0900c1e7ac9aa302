"""Ground truth of a simulated clip as a `Scene`."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from worldline.core import STATIC, Camera, Contact, Provenance, Scene
from worldline.sim.engine import Rollout, Touches
from worldline.sim.shapes import Shapes, rotation_matrices
from worldline.sim.stage import Body, Pattern, Shape, Soft, Stage

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
    stage: Stage,
    rollout: Rollout,
    area_px: Float[np.ndarray, "n t"],
    camera: Camera,
    provenance: Provenance,
) -> Scene:
    """Everything the simulator knows, without events.

    Args:
        stage: what was simulated.
        rollout: its states.
        area_px: visible area of each object in pixels.
        camera: that sees it.
        provenance: of the scene.
    """
    bodies = [np.flatnonzero(stage.objects == i) for i in range(int(stage.objects.max()) + 1)]
    heads = [stage.things[own[0]] for own in bodies]
    mass_kg = np.array([thing.mass_kg for thing in stage.things], dtype=np.float64)
    position_m = _means(rollout.position_m, mass_kg, bodies)
    shapes = Shapes.of(stage, rollout, bodies)
    center_px, depth_m = camera.project(position_m)
    n, t = depth_m.shape
    size_px = np.full((n, t, 2), np.nan)
    for index, own in enumerate(bodies):
        boxes = [_image_box(stage, rollout, camera, i) for i in own.tolist()]
        low, high = np.array(boxes).swapaxes(0, 1)
        size_px[index] = high.max(axis=0) - low.min(axis=0)
    center_px = np.where((depth_m > 0)[..., None], center_px, np.nan)
    together = np.array([len(own) > 1 for own in bodies])
    first = np.array([own[0] for own in bodies])
    rotation = rollout.rotation_wxyz[first].copy()
    spin = rollout.angular_velocity_radps[first].copy()
    loose = together & (shapes.num_parts[:, 0] > 1)
    rotation[loose], spin[loose] = (1.0, 0.0, 0.0, 0.0), 0.0
    return Scene(
        time_s=stage.time_s,
        width_px=camera.width_px,
        height_px=camera.height_px,
        ids=np.arange(n),
        labels=tuple(body.cluster or body.word for body in heads),
        present=np.ones((n, t), dtype=bool),
        visible=area_px >= MIN_VISIBLE_PX,
        center_px=center_px,
        size_px=size_px,
        center_px_std=np.zeros((n, t, 2)),
        color_rgb=np.array([_mean_color(body) for body in heads], dtype=np.float64),
        position_m=position_m,
        rotation_wxyz=rotation,
        velocity_mps=_means(rollout.velocity_mps, mass_kg, bodies),
        angular_velocity_radps=spin,
        depth_m=depth_m,
        extent_m=shapes.extent_m,
        bend=shapes.bend if stage.softs else None,
        num_parts=shapes.num_parts if together.any() else None,
        mass_kg=np.array([mass_kg[own].sum() for own in bodies]),
        gravity_mps2=np.array([0.0, 0.0, -stage.gravity_mps2]),
        camera=camera,
        contacts=merge_contacts(
            _between_objects(rollout.touches, stage.objects), rollout.step_s, camera, stage.time_s
        ),
        caption=stage.caption,
        provenance=provenance,
    )


def _means(
    values: Float[np.ndarray, "b t 3"], mass_kg: Float[np.ndarray, " b"], bodies: list[np.ndarray]
) -> Float[np.ndarray, "n t 3"]:
    """Of each object, weighted by mass."""
    parts = []
    for own in bodies:
        share = mass_kg[own] / mass_kg[own].sum()
        parts.append(values[own[0]] if len(own) == 1 else np.tensordot(share, values[own], 1))
    return np.stack(parts)


def _between_objects(touches: Touches, objects: Int[np.ndarray, " b"]) -> Touches:
    """Touches of bodies as touches of objects; those within a cluster are left out."""
    if len(np.unique(objects)) == len(objects):
        return touches
    number = np.append(objects, STATIC)
    first, second = number[touches.a], number[touches.b]
    a, b = np.maximum(first, second), np.minimum(first, second)
    kept = a != b
    return Touches(
        touches.time_s[kept], a[kept], b[kept], touches.impulse_ns[kept], touches.point_m[kept]
    )


def _mean_color(body: Body | Soft) -> np.ndarray:
    first, second = np.array(body.color), np.array(body.second_color)
    return first if body.pattern is Pattern.PLAIN else (first + second) / 2


def merge_contacts(
    touches: Touches, step_s: float, camera: Camera, time_s: Float[np.ndarray, " t"]
) -> tuple[Contact, ...]:
    """Intervals of touch, in order of start, from the first frame on.

    Args:
        touches: forces at physics steps.
        step_s: physics step.
        camera: fixed, or with a pose for each of the frame times `time_s`.
    """
    found: list[Contact] = []
    pairs = sorted(set(zip(touches.a.tolist(), touches.b.tolist(), strict=True)))
    for a, b in pairs:
        rows = np.flatnonzero((touches.a == a) & (touches.b == b) & (touches.time_s >= 0))
        if not len(rows):
            continue
        breaks = np.flatnonzero(np.diff(touches.time_s[rows]) > CONTACT_GAP_S) + 1
        for part in np.split(rows, breaks):
            moment_s, impulse = touches.time_s[part], touches.impulse_ns[part]
            total = np.concatenate([[0.0], np.cumsum(impulse)])
            ends = np.searchsorted(moment_s, moment_s + IMPACT_S)
            strongest = int(np.argmax(impulse))
            num_poses = len(camera.world_from_camera)
            place = np.broadcast_to(touches.point_m[part[strongest]], (1, num_poses, 3))
            point, depth = camera.project(place)
            frame = int(np.abs(time_s - moment_s[strongest]).argmin()) if num_poses > 1 else 0
            x, y = point[0, frame].tolist()
            found.append(
                Contact(
                    a=a if b == STATIC else b,
                    b=STATIC if b == STATIC else a,
                    start_s=float(moment_s[0]),
                    end_s=float(moment_s[-1] + step_s),
                    point_px=(x, y) if depth[0, frame] > 0 else None,
                    impulse_ns=float((total[ends] - total[:-1]).max()),
                )
            )
    return tuple(sorted(found, key=lambda c: (c.start_s, c.a, c.b)))


def _image_box(
    stage: Stage, rollout: Rollout, camera: Camera, index: int
) -> tuple[Float[np.ndarray, "t 2"], Float[np.ndarray, "t 2"]]:
    """`project_box` of a thing; of a soft one from its vertices, which is exact."""
    thing = stage.things[index]
    if isinstance(thing, Soft):
        vertices = rollout.vertex_m[index - len(stage.bodies)]
        return _point_bounds(vertices.swapaxes(0, 1), camera)
    return project_box(thing, rollout.position_m[index], rollout.rotation_wxyz[index], camera)


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
    rotation = rotation_matrices(rotation_wxyz)
    half = np.asarray(body.half_m)
    if body.shape in (Shape.BALL, Shape.CAPSULE):
        reach = half[2] - half[0]
        ends = position_m + np.array([[[1.0]], [[-1.0]]]) * reach * rotation[:, :, 2]
        low, high = _sphere_bounds(ends, float(half[0]), camera)
        return low.min(axis=0), high.max(axis=0)
    if body.shape in (Shape.BOX, Shape.BIN):
        local = _CORNERS * half
    else:
        rim = np.stack([np.cos(_RIM) * half[0], np.sin(_RIM) * half[0], 0 * _RIM + half[2]], -1)
        local = np.concatenate([rim, rim * [1, 1, -1]])
    return _point_bounds(position_m + np.einsum("tij,kj->kti", rotation, local), camera)


def _point_bounds(
    points_m: Float[np.ndarray, "k t 3"], camera: Camera
) -> tuple[Float[np.ndarray, "t 2"], Float[np.ndarray, "t 2"]]:
    pixels, depth = camera.project(points_m)
    ahead = np.all(depth > 0, axis=0)[:, None]
    return np.where(ahead, pixels.min(axis=0), np.nan), np.where(ahead, pixels.max(axis=0), np.nan)


def _sphere_bounds(
    centers_m: Float[np.ndarray, "k t 3"], radius_m: float, camera: Camera
) -> tuple[Float[np.ndarray, "k t 2"], Float[np.ndarray, "k t 2"]]:
    poses = camera.world_from_camera
    local = ((centers_m - poses[:, :3, 3])[..., None, :] @ poses[:, :3, :3])[..., 0, :]
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
