"""A camera that casts one ray per sample (`Caster`): no OpenGL, no graphics driver.

A fixed camera sees the same scenery in every frame, so the scenery is cast, textured and lit once
per clip. Per frame, only samples inside the cone around a moving geom are cast again, and only
scenery inside the cone of its shadow is tested against the light. Samples of all frames are shaded
in one pass.

Each pixel has four colour samples on a rotated grid, so that an edge that moves by a quarter of a
pixel changes the image, and one sample in its middle for depth and identity.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int, UInt8

from worldline.core import Camera
from worldline.sim.caster import BODIES_ONLY, FAR_M, SCENERY_ONLY, Caster
from worldline.sim.cover import cover_geoms
from worldline.sim.engine import Rollout
from worldline.sim.model import num_geoms
from worldline.sim.stage import Pattern, Stage
from worldline.sim.surface import FOG_M, body_albedo, floor_albedo, sky_color

__all__ = ["Film", "shoot"]

OFFSETS_PX = ((0.125, 0.625), (0.375, 0.125), (0.625, 0.875), (0.875, 0.375), (0.5, 0.5))
"""Sample positions in a pixel (x, y): four for colour, the last one for depth and identity."""

NUM_COLOR = 4
_SHADOW_BIAS = 1e-4


@dataclass(frozen=True)
class Film:
    """What the camera saw.

    Attributes:
        frames: `[T, H, W, 3]` RGB.
        background: `[T or 1, H, W, 3]` the same view without bodies and their shadows.
        depth_m: `[T, H, W]` along the optical axis at pixel centres, infinite where nothing is hit.
        segmentation: `[T, H, W]` object id at pixel centres, -1 for everything else.
        area_px: `[N, T]` visible area of each object in pixels.
    """

    frames: UInt8[np.ndarray, "t h w 3"]
    background: UInt8[np.ndarray, "b h w 3"]
    depth_m: Float[np.ndarray, "t h w"]
    segmentation: Int[np.ndarray, "t h w"]
    area_px: Float[np.ndarray, "n t"]


@dataclass(frozen=True)
class _Plate:
    """The scenery: per sample, sample-major, what the camera sees without bodies.

    S is 5 x pixels, C the first 4 x pixels of them, those for colour.

    Attributes:
        rays: `[S, 3]` unit directions; axial: `[S]` their share along the optical axis.
        reach_m: `[S]` distance to the scenery, `FAR_M` for the sky.
        color: `[C, 3]` lit colour; direct: `[C, 3]` what of it a shadow takes away.
        from_light: `[C, 3]` unit direction from the light; light_m: `[C]` distance from it.
    """

    rays: np.ndarray
    axial: np.ndarray
    reach_m: np.ndarray
    color: np.ndarray
    direct: np.ndarray
    from_light: np.ndarray
    light_m: np.ndarray


def shoot(stage: Stage, rollout: Rollout, camera: Camera) -> Film:
    """Render every frame of a rollout.

    Args:
        stage: what was simulated.
        rollout: its states.
        camera: intrinsics and pose, one or one per frame; if it moves, the scenery is cast anew in
            every frame, which takes several times as long.
    """
    poses = camera.world_from_camera
    if len(poses) == 1:
        return _shoot_fixed(stage, rollout, camera)
    films = []
    for t, pose in enumerate(poses):
        there = replace(camera, world_from_camera=pose[None])
        films.append(_shoot_fixed(stage, rollout.at(t), there))
    return Film(
        frames=np.concatenate([film.frames for film in films]),
        background=np.concatenate([film.background for film in films]),
        depth_m=np.concatenate([film.depth_m for film in films]),
        segmentation=np.concatenate([film.segmentation for film in films]),
        area_px=np.concatenate([film.area_px for film in films], axis=1),
    )


def _shoot_fixed(stage: Stage, rollout: Rollout, camera: Camera) -> Film:
    caster = Caster(stage, rollout)
    eye = np.ascontiguousarray(camera.world_from_camera[0, :3, 3])
    plate = _cast_plate(stage, caster, camera, eye)
    centers, radii = cover_geoms(stage, rollout)
    hits = _cast_bodies(stage, caster, plate, eye, centers, radii)
    return _develop(stage, caster, camera, plate, hits, centers, radii)


def _sample_rays(camera: Camera) -> np.ndarray:
    middle = np.array([camera.width_px / 2, camera.height_px / 2])
    x, y = np.meshgrid(np.arange(camera.width_px), np.arange(camera.height_px))
    corner = np.stack([x, y], axis=-1).reshape(-1, 2)
    plane = (corner[None] + np.array(OFFSETS_PX)[:, None] - middle) / camera.focal_px
    local = np.concatenate([plane, np.ones((*plane.shape[:2], 1))], axis=-1).reshape(-1, 3)
    return local @ camera.world_from_camera[0, :3, :3].T


def _cast_plate(stage: Stage, caster: Caster, camera: Camera, eye: np.ndarray) -> _Plate:
    rays = _sample_rays(camera)
    axial = 1 / np.linalg.norm(rays, axis=-1)
    rays *= axial[:, None]
    caster.pose(0)
    geom, reach, normal = caster.cast(eye, rays, SCENERY_ONLY, normals=True)
    assert normal is not None
    reach = np.where(geom >= 0, reach, FAR_M)
    colored = len(rays) // len(OFFSETS_PX) * NUM_COLOR
    geom, normal, near = geom[:colored], normal[:colored], reach[:colored]
    ground = geom >= 0
    points = eye + rays[:colored] * np.where(ground, near, 1.0)[:, None]
    albedo = np.zeros((colored, 3), np.float32)
    floor = np.flatnonzero(geom == 0)
    albedo[floor] = floor_albedo(stage.floor, *points[floor, :2].astype(np.float32).T)
    for index, prop in enumerate(stage.props):
        albedo[geom == index + 1] = prop.color
    light = np.asarray(stage.light.position_m, dtype=np.float64)
    from_light = points - light
    light_m = np.sqrt(np.einsum("pi,pi->p", from_light, from_light))
    from_light /= light_m[:, None]
    facing = np.where(ground, -np.einsum("pi,pi->p", normal, from_light), 0.0)
    lit = ground & (facing > 0)
    if stage.props:
        _, shade, _ = caster.cast(light, from_light[lit], SCENERY_ONLY, normals=False)
        lit[lit] = ~((shade >= 0) & (shade < light_m[lit] * (1 - _SHADOW_BIAS)))
    direct = albedo * (stage.light.strength * facing * lit).astype(np.float32)[:, None]
    color = albedo * np.float32(stage.light.ambient) + direct
    clear = np.where(ground, np.exp(-((near.astype(np.float32) / FOG_M) ** 2)), 0)[:, None]
    color *= clear
    color += sky_color(stage.sky, np.where(ground, 0, rays[:colored, 2]).astype(np.float32)) * (
        1 - clear
    )
    direct *= clear
    return _Plate(rays, axial, reach, color, direct, from_light, light_m)


def _cone_pairs(
    directions: np.ndarray, origin: np.ndarray, centers: np.ndarray, radii: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Which directions fall into the cone around any sphere, per frame.

    Args:
        directions: `[S, 3]` unit vectors from `origin`.
        centers: `[T, G, 3]`; radii: `[G]`.

    Returns:
        frame and sample of each pair, in order of frame.
    """
    offset = centers - origin
    distance = np.linalg.norm(offset, axis=-1)
    # a little wide, so that rounding never decides what is drawn
    sine = np.clip(radii / np.maximum(distance, 1e-6) * 1.001 + 1e-4, 0, 1)
    cosine = np.where(distance > radii, np.sqrt(1 - sine * sine), -1.0).astype(np.float32)
    axes = (offset / np.maximum(distance, 1e-6)[..., None]).astype(np.float32)
    inside = np.zeros((len(centers), len(directions)), dtype=bool)
    transposed = np.ascontiguousarray(directions.astype(np.float32).T)
    for geom in range(centers.shape[1]):
        inside |= axes[:, geom] @ transposed > cosine[:, geom, None]
    frame, sample = np.divmod(np.flatnonzero(inside), len(directions))
    return frame, sample


@dataclass(frozen=True)
class _Hits:
    """Samples at which a body is in front: frame, sample, geom (see `Caster.cast`), distance and
    normal of each."""

    frame: np.ndarray
    sample: np.ndarray
    geom: np.ndarray
    reach_m: np.ndarray
    normal: np.ndarray


def _cast_bodies(
    stage: Stage,
    caster: Caster,
    plate: _Plate,
    eye: np.ndarray,
    centers: np.ndarray,
    radii: np.ndarray,
) -> _Hits:
    frame, sample = _cone_pairs(plate.rays, eye, centers, radii)
    rays = plate.rays[sample]
    starts = np.searchsorted(frame, np.arange(len(centers) + 1))
    geom, reach = np.empty(len(frame), np.int32), np.empty(len(frame))
    normal = np.empty((len(frame), 3))
    for t in range(len(centers)):
        part = slice(starts[t], starts[t + 1])
        if starts[t] == starts[t + 1]:
            continue
        caster.pose(t)
        geom[part], reach[part], found = caster.cast(eye, rays[part], BODIES_ONLY, normals=True)
        normal[part] = found
    front = (geom >= 0) & (reach < plate.reach_m[sample])
    return _Hits(frame[front], sample[front], geom[front], reach[front], normal[front])


def _lit(
    caster: Caster, light: np.ndarray, frame: np.ndarray, ray: np.ndarray, light_m: np.ndarray
) -> np.ndarray:
    """Whether light reaches points at `light + ray * light_m`; `frame` is sorted."""
    reach = np.empty(len(frame))
    starts = np.searchsorted(frame, np.arange(len(caster.rollout.geom_position_m) + 1))
    for t in range(len(starts) - 1):
        part = slice(starts[t], starts[t + 1])
        if starts[t] < starts[t + 1]:
            caster.pose(t)
            reach[part] = caster.cast(light, ray[part], None, normals=False)[1]
    return ~((reach >= 0) & (reach < light_m * (1 - _SHADOW_BIAS)))


def _develop(
    stage: Stage,
    caster: Caster,
    camera: Camera,
    plate: _Plate,
    hits: _Hits,
    centers: np.ndarray,
    radii: np.ndarray,
) -> Film:
    num_frames, num_pixels = len(centers), camera.width_px * camera.height_px
    light = np.asarray(stage.light.position_m, dtype=np.float64)
    num_samples = len(plate.rays)
    colored = hits.sample < NUM_COLOR * num_pixels
    frame, sample, geom = hits.frame[colored], hits.sample[colored], hits.geom[colored]
    eye = camera.world_from_camera[0, :3, 3]
    points = eye + plate.rays[sample] * hits.reach_m[colored, None]
    ray = points - light
    light_m = np.linalg.norm(ray, axis=-1)
    ray /= light_m[:, None]
    facing = -np.einsum("pi,pi->p", hits.normal[colored], ray)
    # scenery that a body may put into shadow, where no body stands in front of it
    able = np.flatnonzero(plate.direct.any(axis=1))
    shade_frame, shade_sample = _cone_pairs(plate.from_light[able], light, centers, radii)
    shade_sample = able[shade_sample]
    covered = np.isin(
        shade_frame * num_samples + shade_sample, frame * num_samples + sample, kind="table"
    )
    shade_frame, shade_sample = shade_frame[~covered], shade_sample[~covered]
    bright = np.flatnonzero(facing > 0)
    asked_frame = np.concatenate([frame[bright], shade_frame])
    order = np.argsort(asked_frame, kind="stable")
    rays = np.concatenate([ray[bright], plate.from_light[shade_sample]])[order]
    distances = np.concatenate([light_m[bright], plate.light_m[shade_sample]])[order]
    lit = np.empty(len(order), dtype=bool)
    lit[order] = _lit(caster, light, asked_frame[order], rays, distances)

    albedo = _albedo(stage, caster, frame, geom, points)
    glow = np.full(len(frame), stage.light.ambient, np.float32)
    glow[bright] += stage.light.strength * facing[bright] * lit[: len(bright)]
    dark = ~lit[len(bright) :]
    shade_frame, shade_sample = shade_frame[dark], shade_sample[dark]

    change = np.concatenate(
        [albedo * glow[:, None] - plate.color[sample], -plate.direct[shade_sample]]
    )
    place = np.concatenate(
        [
            frame * num_pixels + sample % num_pixels,
            shade_frame * num_pixels + shade_sample % num_pixels,
        ]
    )
    plain = plate.color.reshape(NUM_COLOR, num_pixels, 3).mean(axis=0)
    frames = np.tile(_to_bytes(plain), (num_frames, 1))
    size = num_frames * num_pixels
    touched = np.flatnonzero(np.bincount(place, minlength=size))
    sums = [np.bincount(place, change[:, c], size)[touched] for c in range(3)]
    frames[touched] = _to_bytes(plain[touched % num_pixels] + np.stack(sums, -1) / NUM_COLOR)
    shape = (camera.height_px, camera.width_px)

    owner = owners_of(stage, caster)
    solid, num_objects = owner[geom] >= 0, int(stage.objects.max()) + 1
    place = (owner[geom] * num_frames + frame)[solid]
    area = np.bincount(place, minlength=num_objects * num_frames)
    depth, identity = _geometry(owner, plate, hits, num_frames, num_pixels)
    return Film(
        frames=frames.reshape(num_frames, *shape, 3),
        background=_to_bytes(plain).reshape(1, *shape, 3),
        depth_m=depth.reshape(num_frames, *shape),
        segmentation=identity.reshape(num_frames, *shape),
        area_px=area.reshape(num_objects, num_frames) / NUM_COLOR,
    )


def owners_of(stage: Stage, caster: Caster) -> np.ndarray:
    """Object id of each geom and then of each soft face; -1 for scenery and a pendulum's rod."""
    first = len(stage.bodies)
    owner = np.append(np.full(caster.model.ngeom, -1), stage.objects[first + caster.soft_of_face])
    for index, body in enumerate(stage.bodies):
        first = caster.model.body_geomadr[index + 1]
        owner[first : first + num_geoms(body)] = stage.objects[index]
    return owner


ROD_COLOR = np.array([0.25, 0.25, 0.25], np.float32)


def _albedo(
    stage: Stage, caster: Caster, frame: np.ndarray, geom: np.ndarray, points: np.ndarray
) -> np.ndarray:
    albedo = np.broadcast_to(ROD_COLOR, (len(geom), 3)).copy()
    rollout = caster.rollout
    for index, body in enumerate(stage.bodies):
        first = caster.model.body_geomadr[index + 1]
        rows = np.flatnonzero((geom >= first) & (geom < first + num_geoms(body)))
        if body.pattern is Pattern.PLAIN:
            albedo[rows] = body.color
            continue
        offset = points[rows] - rollout.geom_position_m[frame[rows], first]
        rotation = rollout.geom_rotation[frame[rows], first].reshape(-1, 3, 3)
        local = np.einsum("pij,pi->pj", rotation, offset).astype(np.float32)
        albedo[rows] = body_albedo(body, local)
    for index, soft in enumerate(stage.softs):
        rows = np.flatnonzero(caster.is_of_soft(index, geom))
        local = caster.rest_points(frame[rows], geom[rows], points[rows])
        albedo[rows] = body_albedo(soft, local.astype(np.float32))
    return albedo


def _geometry(
    owner: np.ndarray, plate: _Plate, hits: _Hits, num_frames: int, num_pixels: int
) -> tuple[np.ndarray, np.ndarray]:
    start = NUM_COLOR * num_pixels
    scenery = np.where(
        plate.reach_m[start:] < FAR_M, plate.reach_m[start:] * plate.axial[start:], np.inf
    )
    depth = np.tile(scenery.astype(np.float32), (num_frames, 1))
    identity = np.full((num_frames, num_pixels), -1, np.int16)
    rows = np.flatnonzero(hits.sample >= start)
    frame, sample, geom = hits.frame[rows], hits.sample[rows], hits.geom[rows]
    depth[frame, sample - start] = hits.reach_m[rows] * plate.axial[sample]
    identity[frame, sample - start] = owner[geom]
    return depth, identity


def _to_bytes(image: np.ndarray) -> np.ndarray:
    return (np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8)
