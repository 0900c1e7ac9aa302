"""Where each visible point of a frame goes: exact point tracks from a simulated clip's truth.

Points on bodies move rigidly with them (Kubric's point tracks, Greff et al. 2022, section 3.2, are
made the same way). A shadow has no matter, but it moves too: the point of the body that casts it
moves, and the ray from the light through that point meets the surface elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from worldline.core.clip import Clip
from worldline.core.errors import InputError
from worldline.core.scene import Scene

__all__ = ["NOTHING", "CellTracks", "PointTracks", "light_of", "track_points"]

NOTHING = -1
"""Owner of a pixel on which neither a body nor the shadow of one is seen."""

_MIN_SHADE = 4
"""Levels of 255 by which a shadow darkens a pixel at least."""
_SAME_DEPTH = 0.02
"""Relative difference of depth up to which a pixel shows the scenery itself."""


@dataclass(frozen=True, eq=False)
class PointTracks:
    """Tracks of the points seen in one frame over the H frames after it, per pixel.

    Attributes:
        owner: `[h, w]` what is seen at the pixel: body i as i, the shadow of body i as N + i for N
            bodies, `NOTHING` elsewhere.
        shift_px: `[H, h, w, 2]` displacement (x, y) since the frame; zero where nothing is.
        visible: `[H, h, w]` the point is inside the image and its owner is seen there.
    """

    owner: Int[np.ndarray, "h w"]
    shift_px: Float[np.ndarray, "n h w 2"]
    visible: Bool[np.ndarray, "n h w"]

    def per_cell(self, side: int) -> CellTracks:
        """Average over square cells, each for the owner that fills most of it.

        Args:
            side: of a cell in pixels; divides width and height.
        """
        height, width = self.owner.shape
        rows, columns = height // side, width // side
        y, x = np.nonzero(self.owner != NOTHING)
        cell = y // side * columns + x // side
        num_owners = int(self.owner.max(initial=0)) + 1
        area = np.zeros((rows * columns, num_owners), dtype=int)
        np.add.at(area, (cell, self.owner[y, x]), 1)
        chosen = self.owner[y, x] == area.argmax(axis=1)[cell]
        y, x, cell = y[chosen], x[chosen], cell[chosen]
        values = np.concatenate(
            [self.shift_px[:, y, x], self.visible[:, y, x, None].astype(np.float32)], axis=-1
        )
        total = np.zeros((rows * columns, *values.swapaxes(0, 1).shape[1:]), dtype=np.float32)
        np.add.at(total, cell, values.swapaxes(0, 1))
        count = area.max(axis=1)
        mean = (total / np.maximum(count, 1)[:, None, None]).reshape(rows, columns, -1, 3)
        return CellTracks(
            shift_px=mean[..., :2].transpose(2, 0, 1, 3),
            visible=mean[..., 2].transpose(2, 0, 1),
            cover=(count / side**2).reshape(rows, columns).astype(np.float32),
        )


@dataclass(frozen=True, eq=False)
class CellTracks:
    """`PointTracks` averaged over square cells.

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


def track_points(clip: Clip, frame: int, horizon: int) -> PointTracks:
    """Follow everything that is seen in a frame and can move.

    Args:
        clip: simulated clip with scene, segmentation and background, and a camera that stands
            still (or none, for flat scenes).
        frame: number of the frame.
        horizon: frames to follow it for.

    Raises:
        InputError: the truth that this needs is missing, or the clip is too short.
    """
    scene, seen = clip.scene, clip.segmentation
    if scene is None or seen is None or clip.background is None:
        raise InputError("point tracks need a clip with scene, segmentation and background")
    if not 0 <= frame < clip.num_frames - horizon:
        raise InputError(f"no {horizon} frames after frame {frame} of {clip.num_frames}")
    moments = np.arange(frame, frame + horizon + 1)
    owner = np.array(seen[frame], dtype=np.int64)
    if scene.camera is None:
        y, x = np.nonzero(owner >= 0)
        shift = scene.center_px[owner[y, x]][:, moments]
    else:
        points = _lift(clip, frame)
        owner = _name_unlabelled(clip, frame, points, owner)
        y, x = np.nonzero(owner >= 0)
        places = _follow(clip, scene, points[y, x], owner[y, x], moments)
        shift, depth_m = scene.camera.project(places)
        shift = np.where(depth_m[..., None] > 0, shift, np.nan)
    shift = shift[:, 1:] - shift[:, :1]
    known = np.asarray(np.isfinite(shift).all(-1))
    shift = np.where(known[..., None], shift, 0.0)
    height, width = owner.shape
    column = np.floor(x[:, None] + 0.5 + shift[..., 0]).astype(int)
    row = np.floor(y[:, None] + 0.5 + shift[..., 1]).astype(int)
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height) & known
    there = seen[moments[None, 1:], row.clip(0, height - 1), column.clip(0, width - 1)]
    # a label must be found again; what has none is seen as long as no body covers it
    label = np.asarray(seen[frame])[y, x][:, None]
    same = np.where(label < 0, there < 0, there == label)
    shift_px = np.zeros((horizon, height, width, 2), dtype=np.float32)
    shift_px[:, y, x] = shift.swapaxes(0, 1)
    visible = np.zeros((horizon, height, width), dtype=bool)
    visible[:, y, x] = (inside & same).T
    return PointTracks(owner, shift_px, visible)


def _lift(clip: Clip, frame: int) -> Float[np.ndarray, "h w 3"]:
    """World position of what each pixel shows; meaningless at infinite depth."""
    assert clip.scene is not None
    assert clip.scene.camera is not None
    camera = clip.scene.camera
    if clip.depth_m is None:
        raise InputError("point tracks of a scene with a camera need its depth")
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
        owner[shaded] = scene.num_objects + _casters(scene, frame, points[shaded], light)[0]
    return owner


def _casters(
    scene: Scene, frame: int, points: Float[np.ndarray, "p 3"], light: Float[np.ndarray, " 3"]
) -> tuple[Int[np.ndarray, " p"], Float[np.ndarray, "p 3"]]:
    """Body whose shadow falls on each point, and the place in it nearest to the light's ray."""
    assert scene.position_m is not None
    assert scene.extent_m is not None
    ray = points - light
    length = np.linalg.norm(ray, axis=-1, keepdims=True)
    ray = ray / length
    offset = scene.position_m[:, frame] - light  # [N, 3]
    along = np.clip(ray @ offset.T, 0, length)  # [P, N]
    nearest = light + ray[:, None] * along[..., None]
    miss = np.linalg.norm(nearest - scene.position_m[None, :, frame], axis=-1)
    body = (miss / scene.extent_m.max(-1)[None]).argmin(axis=1)
    return body, nearest[np.arange(len(points)), body]


def _follow(
    clip: Clip,
    scene: Scene,
    points: Float[np.ndarray, "p 3"],
    owner: Int[np.ndarray, " p"],
    moments: Int[np.ndarray, " m"],
) -> Float[np.ndarray, "p m 3"]:
    """World positions of points at the moments, the first of which is now."""
    n = scene.num_objects
    is_shadow = owner >= n
    carried = points.copy()
    body = owner % max(n, 1)
    light = light_of(clip)
    if light is not None and is_shadow.any():
        body[is_shadow], carried[is_shadow] = _casters(
            scene, int(moments[0]), points[is_shadow], light
        )
    assert scene.position_m is not None
    assert scene.rotation_wxyz is not None
    turn = _matrices(scene.rotation_wxyz[:, moments])  # [N, M, 3, 3]
    place = scene.position_m[:, moments]
    local = np.einsum("pji,pj->pi", turn[body, 0], carried - place[body, 0])
    moved = np.einsum("pmij,pj->pmi", turn[body], local) + place[body]
    if light is not None and is_shadow.any():
        ray = moved[is_shadow] - light
        with np.errstate(divide="ignore", invalid="ignore"):
            reach = (points[is_shadow, None, 2] - light[2]) / ray[..., 2]
        reach = np.where(ray[..., 2] < 0, reach, np.nan)
        moved[is_shadow] = light + ray * reach[..., None]
    return moved


def _matrices(rotation_wxyz: Float[np.ndarray, "n m 4"]) -> Float[np.ndarray, "n m 3 3"]:
    w, x, y, z = np.moveaxis(rotation_wxyz, -1, 0)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.moveaxis(np.array(rows), (0, 1), (-2, -1))
