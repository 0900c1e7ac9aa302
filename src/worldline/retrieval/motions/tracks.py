"""Segments of a scene as plain tracks on a common time grid: what the motion embedding sees."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from worldline.core.scene import Scene

__all__ = [
    "HOP_S",
    "MAX_TRACKS",
    "NUM_STEPS",
    "STEP_S",
    "WINDOW_S",
    "Segment",
    "cut_segments",
    "pack_segment",
]

WINDOW_S, HOP_S = 4.0, 2.0
NUM_STEPS = 96
STEP_S = WINDOW_S / NUM_STEPS
MAX_TRACKS = 6
"""Most tracks of a segment; those that travel farthest in units of their size are kept."""

MIN_REACH = 0.25
MIN_FRAMES = 4


@dataclass(frozen=True, eq=False)
class Segment:
    """What moves in one window of a scene, on a grid of `NUM_STEPS` steps of `STEP_S`.

    The grid begins when the first of the tracks is first seen.

    Attributes:
        number: of the window in the video.
        track: `[N]` object ids.
        start_s, end_s: `[N]` first and last moment in which each is seen in the window.
        center_px, size_px: `[N, S, 2]` box centre and box, interpolated between visible frames, 0
            outside.
        seen: `[N, S]` between a track's first and last visible frame.
    """

    number: int
    track: Int[np.ndarray, " n"]
    start_s: Float[np.ndarray, " n"]
    end_s: Float[np.ndarray, " n"]
    center_px: Float[np.ndarray, "n s 2"]
    size_px: Float[np.ndarray, "n s 2"]
    seen: Bool[np.ndarray, "n s"]


def cut_segments(scene: Scene) -> Iterator[Segment]:
    """Windows of `WINDOW_S` every `HOP_S` from the first frame on, those in which something moves.

    A shorter scene is one window. A track counts if it is seen in `MIN_FRAMES` frames and its box
    travels `MIN_REACH` of its own size: what remains of a path below that is noise.
    """
    if scene.num_frames < 2:
        return
    begin_s = float(scene.time_s[0])
    finite = np.isfinite(scene.center_px).all(axis=2) & np.isfinite(scene.size_px).all(axis=2)
    seen = scene.visible & finite
    for number in window_numbers(scene.time_s):
        from_s = begin_s + number * HOP_S
        inside = (scene.time_s >= from_s - 1e-9) & (scene.time_s <= from_s + WINDOW_S + 1e-9)
        segment = _cut(scene, seen & inside, number)
        if segment is not None:
            yield segment


def window_numbers(time_s: Float[np.ndarray, " t"]) -> list[int]:
    """Windows that hold a frame, counted from the first frame on.

    A file may say that hours pass between two of its frames; nothing is seen in between.

    Args:
        time_s: of the frames, increasing.
    """
    since_s = time_s - time_s[0]
    last = max(0, int(np.ceil((since_s[-1] - WINDOW_S) / HOP_S - 1e-9)))
    first_in = np.ceil((since_s - WINDOW_S) / HOP_S - 1e-9).astype(np.int64)
    shared = first_in[:, None] + np.arange(round(WINDOW_S / HOP_S) + 1)
    inside = shared * HOP_S <= since_s[:, None] + 1e-9
    return np.unique(shared[inside & (shared >= 0) & (shared <= last)]).tolist()


def pack_segment(segment: Segment | None) -> tuple[np.ndarray, np.ndarray]:
    """Boxes `[N, S, 4]` and `[N, S]` whether they are seen, padded to `MAX_TRACKS`."""
    box = np.zeros((MAX_TRACKS, NUM_STEPS, 4), dtype=np.float32)
    seen = np.zeros((MAX_TRACKS, NUM_STEPS), dtype=bool)
    if segment is not None:
        count = len(segment.track)
        box[:count] = np.concatenate([segment.center_px, segment.size_px], axis=-1)
        seen[:count] = segment.seen
    return box, seen


def _cut(scene: Scene, seen: np.ndarray, number: int) -> Segment | None:
    reach = np.array([_reach(scene, row, seen[row]) for row in range(scene.num_objects)])
    order = np.argsort(-reach, kind="stable") if len(reach) else np.zeros(0, dtype=int)
    rows = sorted(int(row) for row in order[:MAX_TRACKS] if reach[row] >= MIN_REACH)
    if not rows:
        return None
    spans = [scene.time_s[seen[row]][[0, -1]] for row in rows]
    first_s = min(float(span[0]) for span in spans)
    grid_s = first_s + np.arange(NUM_STEPS) * STEP_S
    shape = (len(rows), NUM_STEPS, 2)
    center, size = np.zeros(shape), np.zeros(shape)
    on = np.zeros(shape[:2], dtype=bool)
    for place, (row, (start_s, end_s)) in enumerate(zip(rows, spans, strict=True)):
        own = seen[row]
        on[place] = (grid_s >= start_s - STEP_S / 2) & (grid_s <= end_s + STEP_S / 2)
        for axis in (0, 1):
            for values, out in ((scene.center_px, center), (scene.size_px, size)):
                path = np.interp(grid_s, scene.time_s[own], values[row, own, axis])
                out[place, :, axis] = np.where(on[place], path, 0.0)
    return Segment(
        number=number,
        track=scene.ids[rows],
        start_s=np.array([float(span[0]) for span in spans]),
        end_s=np.array([float(span[1]) for span in spans]),
        center_px=center,
        size_px=size,
        seen=on,
    )


def _reach(scene: Scene, row: int, seen: np.ndarray) -> float:
    """How far a box travels, in units of its size; 0 for what is hardly seen."""
    if seen.sum() < MIN_FRAMES:
        return 0.0
    size_px = max(float(np.sqrt(np.median(scene.size_px[row, seen].prod(axis=1)))), 1.0)
    return float(np.linalg.norm(np.ptp(scene.center_px[row, seen], axis=0))) / size_px
