"""What the spotter sees of a video: windows of tracks, each step of each with a look at it.

Nothing is told in pixels: lengths are in sides of the picture or of the object, times in seconds.
Shape legend: N tracks, S steps, K event types, C crop side, G grid side.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, Int, Int8, UInt8

from worldline.core.scene import STATIC, Scene
from worldline.retrieval.spotting.keep import STEP_S, Kept

__all__ = [
    "CROP",
    "FIELD",
    "GAPS",
    "MAX_TRACKS",
    "NUM_MOTION",
    "NUM_STEPS",
    "NUM_SWATCHES",
    "RIGHTWARD",
    "TINT",
    "Tokens",
    "look_again",
]

NUM_STEPS, HOP_STEPS = 64, 32
"""Steps of a window, and from one window to the next."""

MAX_TRACKS = 8
"""Most tracks of a window; those seen longest and travelling farthest are taken."""

CROP, FLOW, FIELD, TINT = 16, 8, 16, 4
"""Sides of the picture round a track, of the flow in it, of the whole picture, and of a swatch."""

NUM_SWATCHES = 6
"""Of a track's own colours, evenly over its time."""

NUM_MOTION = 24
"""Numbers that tell of a track's motion in a step."""

RIGHTWARD, GAPS = [0, 4, 6, 8, 10], (12, 14)
"""Those of them that point to the right, and the gaps to the left and right border."""

FIELD_PARTS = 4
"""Of the whole picture: grey, change against its median over the window, flow to right and down."""

_ROUND = 1.5  # side of the crop in longer sides of the box
_LEAST_CROP_PX = 10.0
_FLOW_UNIT = 24.0  # of 127, in sizes a second


@dataclass(frozen=True, eq=False)
class Tokens:
    """One window.

    Attributes:
        grid_s: `[S]` times of the steps.
        tracks: `[N]` object ids.
        seen: `[N, S]` between a track's first and last visible frame.
        motion: `[N, S, 24]` place, box, velocity, acceleration and the like.
        found: `[N, S, 2K]` whether the definitions say that the track takes part in an event of
            each type then, in its first role, and in another.
        crop: `[N, S, 2, C, C, 3]` the picture round the box, and there a step later.
        flow: `[N, S, F, F, 2]` motion inside against that of the box, 127 is 24 sizes a second.
        field: `[S, 4, G, G]` the whole picture, see `FIELD_PARTS`.
        swatch: `[N, 6, 4, 4, 3]` colours inside the box at some moments.
    """

    grid_s: Float[np.ndarray, " s"]
    tracks: Int[np.ndarray, " n"]
    seen: Bool[np.ndarray, "n s"]
    motion: Float[np.ndarray, "n s m"]
    found: Bool[np.ndarray, "n s k2"]
    crop: UInt8[np.ndarray, "n s 2 c c 3"]
    flow: Int8[np.ndarray, "n s f f 2"]
    field: Int8[np.ndarray, "s p g g"]
    swatch: UInt8[np.ndarray, "n w q q 3"]


def look_again(scene: Scene, kept: Kept, types: Sequence[str]) -> Iterator[Tokens]:
    """The windows of a video, every `HOP_STEPS` steps, over its whole length.

    Args:
        scene: in pixels, with the events that definitions found.
        kept: small frames of the same video.
        types: event types, in the order of the columns of `found`.
    """
    total = len(kept.time_s)
    if total < 2:
        return
    starts = range(0, max(1, total - NUM_STEPS + HOP_STEPS), HOP_STEPS)
    for start in starts:
        index = np.arange(start, min(start + NUM_STEPS, total))
        yield _window(scene, kept, index, types)


def _window(scene: Scene, kept: Kept, index: np.ndarray, types: Sequence[str]) -> Tokens:
    grid_s = kept.time_s[index]
    frames = [kept.frame(int(i)) for i in index]
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames]
    flows = _flows(grey)
    rows, seen, box = _paths(scene, grid_s)
    height, width = frames[0].shape[:2]
    zoom = width / scene.width_px
    motion = _motion(scene, rows, seen, box, grid_s)
    crops = np.zeros((len(rows), len(index), 2, CROP, CROP, 3), np.uint8)
    inner = np.zeros((len(rows), len(index), FLOW, FLOW, 2), np.int8)
    for n in range(len(rows)):
        side_px = _side(box[n], seen[n]) * zoom
        for s in np.flatnonzero(seen[n]):
            later = min(s + 1, len(index) - 1)
            step_s = max(grid_s[later] - grid_s[s], 1e-3)
            middle, size = box[n, s, :2] * zoom, box[n, s, 2:] * zoom
            reach = max(_ROUND * float(size.max()), _LEAST_CROP_PX)
            for k, frame in enumerate((frames[s], frames[later])):
                crops[n, s, k] = _cut(frame, middle, reach, CROP)
            if later > s:
                own = (box[n, later, :2] - box[n, s, :2]) * zoom if seen[n, later] else 0.0
                moved = (_cut(flows[s], middle, reach, FLOW) - own) / side_px / step_s
                inner[n, s] = np.clip(np.rint(moved / _FLOW_UNIT * 127), -127, 127)
    return Tokens(
        grid_s=grid_s,
        tracks=scene.ids[rows],
        seen=seen,
        motion=motion,
        found=_found(scene, rows, grid_s, types),
        crop=crops,
        flow=inner,
        field=_field(grey, flows, grid_s, max(height, width)),
        swatch=_swatches(crops[:, :, 0], seen),
    )


def _flows(grey: list[np.ndarray]) -> list[np.ndarray]:
    """Motion from each frame to the next in pixels, without the camera's; none from the last."""
    engine = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
    engine.setFinestScale(0)  # coarser ones smear what moves over what is round it
    found = []
    for now, then in itertools.pairwise(grey):
        if min(now.shape) < 16:
            found.append(np.zeros((*now.shape, 2), np.float32))
            continue
        flow = engine.calc(now, then, np.zeros((*now.shape, 2), np.float32))
        found.append(flow - np.median(flow, axis=(0, 1)).astype(np.float32))
    return [*found, np.zeros((*grey[-1].shape, 2), np.float32)]


def _paths(scene: Scene, grid_s: np.ndarray) -> tuple[list[int], np.ndarray, np.ndarray]:
    """Rows of the tracks, `[N, S]` where they are seen, and boxes `[N, S, 4]` (x, y, w, h) px."""
    half = STEP_S / 2
    known = scene.visible & np.isfinite(scene.center_px).all(axis=2)
    known &= np.isfinite(scene.size_px).all(axis=2)
    inside = (scene.time_s >= grid_s[0] - half) & (scene.time_s <= grid_s[-1] + half)
    weight = []
    for row in range(scene.num_objects):
        own = known[row] & inside
        if own.sum() < 3:
            weight.append(0.0)
            continue
        side = max(float(np.sqrt(np.median(scene.size_px[row, own].prod(axis=1)))), 1.0)
        reach = float(np.linalg.norm(np.ptp(scene.center_px[row, own], axis=0))) / side
        weight.append(own.sum() * (0.2 + min(reach, 4.0)))
    order = sorted(range(scene.num_objects), key=lambda row: -weight[row])[:MAX_TRACKS]
    rows = sorted(row for row in order if weight[row] > 0)
    seen = np.zeros((len(rows), len(grid_s)), bool)
    box = np.zeros((len(rows), len(grid_s), 4))
    for n, row in enumerate(rows):
        time_s = scene.time_s[known[row]]
        seen[n] = (grid_s >= time_s[0] - half) & (grid_s <= time_s[-1] + half)
        for axis in (0, 1):
            for values, out in ((scene.center_px, axis), (scene.size_px, axis + 2)):
                box[n, :, out] = np.interp(grid_s, time_s, values[row, known[row], axis])
    return rows, seen, box


def _side(box: np.ndarray, seen: np.ndarray) -> float:
    return max(float(np.sqrt(np.median(box[seen, 2:].prod(axis=1)))), 1.0) if seen.any() else 1.0


def _swatches(crops: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Inner halves of crops `[N, S, C, C, 3]`, made small."""
    edge = CROP // 4
    made = np.zeros((len(crops), NUM_SWATCHES, TINT, TINT, 3), np.uint8)
    for n in range(len(crops)):
        own = np.flatnonzero(seen[n])
        for k, s in enumerate(own[np.linspace(0, len(own) - 1, NUM_SWATCHES).round().astype(int)]):
            inner = crops[n, s, edge:-edge, edge:-edge]
            made[n, k] = cv2.resize(inner, (TINT, TINT), interpolation=cv2.INTER_AREA)
    return made


def _motion(
    scene: Scene, rows: list[int], seen: np.ndarray, box: np.ndarray, grid_s: np.ndarray
) -> np.ndarray:
    visible, error = _sight(scene, rows, grid_s)
    longer = max(scene.width_px, scene.height_px)
    motion = np.zeros((*seen.shape, NUM_MOTION), np.float32)
    for n in range(len(seen)):
        own = np.flatnonzero(seen[n])
        if len(own) < 2:
            continue
        at, side = box[n, own], _side(box[n], seen[n])
        time_s = grid_s[own]
        speed = np.gradient(at[:, :2], time_s, axis=0)
        change = np.gradient(speed, time_s, axis=0)
        log = np.log(np.maximum(at[:, 2:], 1.0) / longer)
        low, high = at[:, :2] - at[:, 2:] / 2, at[:, :2] + at[:, 2:] / 2
        edge = np.concatenate([low, (scene.width_px, scene.height_px) - high], axis=1) / side
        early = np.interp(grid_s[own] - 0.2, time_s, np.arange(len(own))).round().astype(int)
        late = np.interp(grid_s[own] + 0.2, time_s, np.arange(len(own))).round().astype(int)
        motion[n, own] = np.concatenate(
            [
                (at[:, :2] - (scene.width_px / 2, scene.height_px / 2)) / longer * 2,
                log + 2.0,
                np.clip(speed / side, -20, 20) / 4,
                np.clip(speed / longer, -4, 4),
                np.clip((at[late, :2] - at[early, :2]) / side, -8, 8),
                np.clip(change / side, -100, 100) / 20,
                np.clip(edge, -1, 2),
                np.clip(np.gradient(log, time_s, axis=0), -4, 4),
                np.minimum(time_s - time_s[0], 2.0)[:, None],
                np.minimum(time_s[-1] - time_s, 2.0)[:, None],
                np.full((len(own), 1), np.log(side / longer) + 2.0),
                np.full((len(own), 1), len(seen) / 4),
                visible[n, own, None],
                np.clip(error[n, own, None] / side, 0, 1),
            ],
            axis=1,
        )
    return motion


def _sight(scene: Scene, rows: list[int], grid_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`[N, S]` share of the frames round each step that show a track, and its error in px."""
    near = np.abs(scene.time_s[:, None] - grid_s) <= 0.75 * STEP_S
    near[np.abs(scene.time_s[:, None] - grid_s).argmin(axis=0), np.arange(len(grid_s))] = True
    share = scene.visible[rows].astype(float) @ near / near.sum(axis=0)
    index = np.abs(scene.time_s[:, None] - grid_s).argmin(axis=0)
    return share, np.nan_to_num(scene.center_px_std[rows][:, index].max(axis=2), nan=0.0)


def _found(scene: Scene, rows: list[int], grid_s: np.ndarray, types: Sequence[str]) -> np.ndarray:
    place = {int(scene.ids[row]): n for n, row in enumerate(rows)}
    columns = {name: i for i, name in enumerate(types)}
    found = np.zeros((len(rows), len(grid_s), 2 * len(types)), bool)
    for event in scene.events:
        during = (grid_s >= event.start_s - STEP_S) & (grid_s <= event.end_s + STEP_S)
        for number, track in enumerate(event.roles.values()):
            if track != STATIC and track in place and event.type in columns:
                column = columns[event.type] + (len(types) if number else 0)
                found[place[track], during, column] = True
    return found


def _cut(picture: np.ndarray, middle: np.ndarray, reach: float, side: int) -> np.ndarray:
    """A square of a picture, scaled to `side`; beyond the border the border goes on."""
    zoom = side / reach
    matrix = np.array(
        [[zoom, 0, side / 2 - zoom * middle[0]], [0, zoom, side / 2 - zoom * middle[1]]]
    )
    matrix[:, 2] += 0.5 * zoom - 0.5  # middles of pixels
    if zoom < 0.5:  # average over what one sample would jump over
        k = int(np.ceil(0.5 / zoom))
        x, y = (middle - reach / 2 - k).astype(int)
        x, y = max(x, 0), max(y, 0)
        part = picture[y : y + int(reach) + 3 * k, x : x + int(reach) + 3 * k]
        if part.size:
            part = cv2.blur(part, (k, k))
            matrix[:, 2] += zoom * np.array([x, y])
            picture = part
    return cv2.warpAffine(
        picture, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )


def _field(
    grey: list[np.ndarray], flows: list[np.ndarray], grid_s: np.ndarray, longer: int
) -> np.ndarray:
    size = FIELD, FIELD
    small = np.array([cv2.resize(g, size, interpolation=cv2.INTER_AREA) for g in grey], np.float32)
    change = np.clip(small - np.median(small, axis=0), -127, 127)
    step_s = np.diff(grid_s, append=grid_s[-1] + STEP_S)
    way = np.array([cv2.resize(f, size, interpolation=cv2.INTER_AREA) for f in flows], np.float32)
    way = np.clip(way / longer / np.maximum(step_s, 1e-3)[:, None, None, None] * 63, -127, 127)
    parts = [small / 2, change, way[..., 0], way[..., 1]]
    return np.rint(np.stack(parts, axis=1)).astype(np.int8)
