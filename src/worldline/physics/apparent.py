"""How all that is seen in a frame moves over the image: exact, from a simulated clip's truth.

A body moves as a flat picture of itself: with the image of its centre, larger or smaller with its
distance, and turned as far as it turns about the line of sight. Other turns are left out on
purpose: they bring surface into view that no carrying of pixels can show, and points that follow
them would crowd at the body's rim. A shadow has no matter, but it moves too: the point of the body
that casts it moves, and the ray from the light through that point meets the surface elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from worldline.core.clip import Clip
from worldline.core.errors import InputError
from worldline.core.scene import Scene

__all__ = ["NOTHING", "ApparentMotion", "CellMeans", "apparent_motion", "light_of"]

NOTHING = -1
"""Owner of a pixel on which neither a body nor the shadow of one is seen."""

_MIN_SHADE = 4
"""Levels of 255 by which a shadow darkens a pixel at least."""
_SAME_DEPTH = 0.02
"""Relative difference of depth up to which a pixel shows the scenery itself."""
_MIN_BODY_PX = 2
"""From so many pixels of a body on, a cell counts as the body's, not as a shadow's."""


@dataclass(frozen=True, eq=False)
class ApparentMotion:
    """Displacements over the H frames after one frame, per pixel.

    Attributes:
        owner: `[h, w]` what is seen at the pixel: body i as i, the shadow of body i as N + i for N
            bodies, `NOTHING` elsewhere.
        num_bodies: N.
        shift_px: `[H, h, w, 2]` displacement (x, y) since the frame; zero where nothing is.
        visible: `[H, h, w]` the new place is inside the image and its owner is seen there.
    """

    owner: Int[np.ndarray, "h w"]
    num_bodies: int
    shift_px: Float[np.ndarray, "n h w 2"]
    visible: Bool[np.ndarray, "n h w"]

    def per_cell(self, side: int) -> CellMeans:
        """Average over square cells, each for the owner that fills most of it.

        Shadows count only in cells with next to nothing of a body.

        Args:
            side: of a cell in pixels; divides width and height.
        """
        height, width = self.owner.shape
        rows, columns = height // side, width // side
        y, x = np.nonzero(self.owner != NOTHING)
        cell = y // side * columns + x // side
        area = np.zeros((rows * columns, 2 * max(self.num_bodies, 1)), dtype=int)
        np.add.at(area, (cell, self.owner[y, x]), 1)
        area[area[:, : self.num_bodies].sum(1) >= _MIN_BODY_PX, self.num_bodies :] = 0
        count = area.max(axis=1)
        chosen = (self.owner[y, x] == area.argmax(axis=1)[cell]) & (count[cell] > 0)
        y, x, cell = y[chosen], x[chosen], cell[chosen]
        values = np.concatenate(
            [self.shift_px[:, y, x], self.visible[:, y, x, None].astype(np.float32)], axis=-1
        ).swapaxes(0, 1)
        total = np.zeros((rows * columns, *values.shape[1:]), dtype=np.float32)
        np.add.at(total, cell, values)
        mean = (total / np.maximum(count, 1)[:, None, None]).reshape(rows, columns, -1, 3)
        return CellMeans(
            shift_px=mean[..., :2].transpose(2, 0, 1, 3),
            visible=mean[..., 2].transpose(2, 0, 1),
            cover=(count / side**2).reshape(rows, columns).astype(np.float32),
        )


@dataclass(frozen=True, eq=False)
class CellMeans:
    """`ApparentMotion` averaged over square cells.

    Attributes:
        shift_px: `[H, r, c, 2]` mean displacement (x, y) of the owner's pixels in the cell.
        visible: `[H, r, c]` share of them that is still seen.
        cover: `[r, c]` share of the cell that the owner fills; 0 where nothing can move.
    """

    shift_px: Float[np.ndarray, "n r c 2"]
    visible: Float[np.ndarray, "n r c"]
    cover: Float[np.ndarray, "r c"]


def light_of(clip: Clip) -> Float[np.ndarray, " 3"] | None:
    """Position of a simulated clip's point light in metres; None if it has none."""
    text = dict(clip.provenance.details).get("light_m")
    return None if text is None else np.array([float(part) for part in text.split()])


def apparent_motion(clip: Clip, frame: int, horizon: int) -> ApparentMotion:
    """Follow everything that is seen in a frame and can move.

    Args:
        clip: simulated clip with scene, segmentation and background, and a camera that stands
            still (or none, for flat scenes).
        frame: number of the frame.
        horizon: frames to follow it for.

    Raises:
        InputError: the truth that this needs is missing, the camera moves, or the clip is too
            short.
    """
    scene, seen = clip.scene, clip.segmentation
    if scene is None or seen is None or clip.background is None:
        raise InputError("apparent motion needs a clip with scene, segmentation and background")
    if scene.camera is not None and len(scene.camera.world_from_camera) > 1:
        raise InputError("apparent motion needs a camera that stands still; this clip's moves")
    if not 0 <= frame < clip.num_frames - horizon:
        raise InputError(f"no {horizon} frames after frame {frame} of {clip.num_frames}")
    num_bodies = scene.num_objects
    later = np.arange(frame + 1, frame + horizon + 1)
    owner = np.array(seen[frame], dtype=np.int64)
    points = None if scene.camera is None else _lift(clip, frame)
    if points is not None:
        owner = _name_unlabelled(clip, frame, points, owner)
    y, x = np.nonzero(owner != NOTHING)
    owners = owner[y, x]
    shift = np.full((len(x), horizon, 2), np.nan)
    is_body = owners < num_bodies
    place = np.stack([x, y], axis=-1) + 0.5
    for body in np.unique(owners[is_body]).tolist():
        rows = owners == body
        offset = place[rows] - scene.center_px[body, frame]
        turn = _turns(scene, body, frame, later) - np.eye(2)
        moved = scene.center_px[body, later] - scene.center_px[body, frame]
        shift[rows] = moved + np.einsum("hij,pj->phi", turn, offset)
    light = light_of(clip)
    if light is not None and points is not None and not is_body.all():
        shift[~is_body] = _shadow_shifts(
            scene, light, points[y, x][~is_body], owners[~is_body] - num_bodies, frame, later
        )
    known = np.asarray(np.isfinite(shift).all(-1))
    shift = np.where(known[..., None], shift, 0.0)
    height, width = owner.shape
    column = np.floor(x[:, None] + 0.5 + shift[..., 0]).astype(int)
    row = np.floor(y[:, None] + 0.5 + shift[..., 1]).astype(int)
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height) & known
    there = seen[later[None], row.clip(0, height - 1), column.clip(0, width - 1)]
    # a label must be found again; what has none is seen as long as no body covers it
    label = np.asarray(seen[frame])[y, x][:, None]
    same = np.where(label < 0, there < 0, there == label)
    shift_px = np.zeros((horizon, height, width, 2), dtype=np.float32)
    shift_px[:, y, x] = shift.swapaxes(0, 1)
    visible = np.zeros((horizon, height, width), dtype=bool)
    visible[:, y, x] = (inside & same).T
    return ApparentMotion(owner, num_bodies, shift_px, visible)


def _turns(
    scene: Scene, body: int, frame: int, later: Int[np.ndarray, " n"]
) -> Float[np.ndarray, "n 2 2"]:
    """Change of a body's picture since a frame: turn about the line of sight, and size.

    The turn is the twist of the swing-twist decomposition of the rotation (Dobrowolski 2015,
    arXiv 1506.05481) about the direction from the eye to the body.
    """
    camera = scene.camera
    if camera is None or scene.rotation_wxyz is None or scene.position_m is None:
        return np.tile(np.eye(2), (len(later), 1, 1))
    assert scene.depth_m is not None
    pose = camera.world_from_camera[0]
    sight = scene.position_m[body, frame] - pose[:3, 3]
    sight = sight / np.linalg.norm(sight)
    w0, *v0 = scene.rotation_wxyz[body, frame]
    now, before = scene.rotation_wxyz[body, later], np.array(v0)
    # later rotation times the inverse of the present one, as quaternions
    w = now[:, 0] * w0 + now[:, 1:] @ before
    v = now[:, 1:] * w0 - now[:, :1] * before - np.cross(now[:, 1:], before)
    angle = 2 * np.arctan2(v @ sight, w)
    with np.errstate(divide="ignore", invalid="ignore"):
        size = scene.depth_m[body, frame] / scene.depth_m[body, later]
    size = np.where(scene.depth_m[body, later] > 0, size, np.nan)
    cos, sin = size * np.cos(angle), size * np.sin(angle)
    return np.stack([np.stack([cos, -sin], -1), np.stack([sin, cos], -1)], axis=-2)


def _lift(clip: Clip, frame: int) -> Float[np.ndarray, "h w 3"]:
    """World position of what each pixel shows; meaningless at infinite depth."""
    assert clip.scene is not None
    assert clip.scene.camera is not None
    camera = clip.scene.camera
    if clip.depth_m is None:
        raise InputError("apparent motion of a scene with a camera needs its depth")
    rays = camera.rays(frame)
    pose = camera.world_from_camera[frame if len(camera.world_from_camera) > 1 else 0]
    depth = np.where(np.isfinite(clip.depth_m[frame]), clip.depth_m[frame], 0.0)
    return pose[:3, 3] + rays * (depth / (rays @ pose[:3, 2]))[..., None]


def _name_unlabelled(
    clip: Clip,
    frame: int,
    points: Float[np.ndarray, "h w 3"],
    owner: Int[np.ndarray, "h w"],
) -> Int[np.ndarray, "h w"]:
    """Give shadows, and parts that have no label of their own (a rod), to their bodies."""
    scene, light = clip.scene, light_of(clip)
    assert scene is not None
    assert scene.position_m is not None
    assert clip.depth_m is not None
    assert clip.background is not None
    plate = clip.background[frame if len(clip.background) > 1 else 0].astype(np.int16)
    depth_m = clip.depth_m[frame]
    scenery_m = clip.depth_m.max(axis=0)
    bare = (owner < 0) & np.isfinite(depth_m)
    with np.errstate(invalid="ignore"):
        attached = bare & (depth_m < scenery_m * (1 - _SAME_DEPTH))
    darker = (clip.frames[frame].astype(np.int16) - plate).min(-1) <= -_MIN_SHADE
    shaded = bare & ~attached & darker
    owner = owner.copy()
    if attached.any():
        away = points[attached][:, None] - scene.position_m[None, :, frame]
        owner[attached] = np.linalg.norm(away, axis=-1).argmin(axis=1)
    if light is not None and shaded.any():
        owner[shaded] = scene.num_objects + _casters(scene, frame, points[shaded], light)
    return owner


def _casters(
    scene: Scene, frame: int, points: Float[np.ndarray, "p 3"], light: Float[np.ndarray, " 3"]
) -> Int[np.ndarray, " p"]:
    """Body whose shadow falls on each point: the one that the ray from the light comes nearest."""
    assert scene.position_m is not None
    assert scene.extent_m is not None
    nearest = _nearest_on_rays(points, light, scene.position_m[:, frame])
    miss = np.linalg.norm(nearest - scene.position_m[None, :, frame], axis=-1)
    return (miss / scene.extent_m.max(-1)[None]).argmin(axis=1)


def _nearest_on_rays(
    points: Float[np.ndarray, "p 3"], light: Float[np.ndarray, " 3"], targets: np.ndarray
) -> Float[np.ndarray, "p n 3"]:
    """Point on the way from the light to each of P points that is nearest to each of N targets."""
    ray = points - light
    length = np.linalg.norm(ray, axis=-1, keepdims=True)
    ray = ray / length
    along = np.clip(ray @ (targets - light).T, 0, length)
    return light + ray[:, None] * along[..., None]


def _shadow_shifts(
    scene: Scene,
    light: Float[np.ndarray, " 3"],
    points: Float[np.ndarray, "p 3"],
    body: Int[np.ndarray, " p"],
    frame: int,
    later: Int[np.ndarray, " n"],
) -> Float[np.ndarray, "p n 2"]:
    """Displacement on the image of shadow points, for surfaces that are level."""
    assert scene.position_m is not None
    assert scene.camera is not None
    place = scene.position_m
    casting = _nearest_on_rays(points, light, place[:, frame])[np.arange(len(points)), body]
    moved = casting[:, None] + place[body][:, later] - place[body, frame][:, None]
    ray = moved - light
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = (points[:, None, 2] - light[2]) / ray[..., 2]
    fallen = light + ray * np.where(ray[..., 2] < 0, reach, np.nan)[..., None]
    pixels, depth_m = scene.camera.project(np.concatenate([points[:, None], fallen], axis=1))
    pixels = np.where(depth_m[..., None] > 0, pixels, np.nan)
    return pixels[:, 1:] - pixels[:, :1]
