"""How far a clip that was tracked in pixels departs from a reference: numbers for films to judge.

A tracker of motion misses what hardly moves, takes bodies that touch for one, and sees shadows. So
only those moments of the reference are asked about at which a body is plain to see, moves, and is
alone (`clear`), and any track that is near counts, whatever its id. What a tracker still gets wrong
is measured on lawful films (`audit.joint`); nothing here is a probability.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from jaxtyping import Bool

from worldline.audit.alignment import Tracks, longest_run, sample_both
from worldline.core.scene import Scene
from worldline.core.wording import counted

__all__ = [
    "PACE_FRAMES",
    "Departure",
    "Sight",
    "clear_frames",
    "measure_departures",
    "tell_sight",
]

PACE_FRAMES = 3
_PACE = 2.0
"""A body moves at a moment if it goes this many coarse pixels from three frames before to three
frames after."""

_APART = 2.0
"""Coarse pixels between the boxes of bodies that a tracker can tell apart."""

_CENTER_TOLERANCE = 0.1
"""Share of a body's size by which two ways of measuring may place its middle differently."""

_STANDS = 1e-6
"""Of a pose's numbers: by less they differ by rounding alone."""

_HELD_FRAMES = 4
"""Frames in a row for which a body has to be elsewhere: a single wrong box is none."""


class Sight(StrEnum):
    """How many tracks there are beside the moving bodies of the reference.

    Where there are as many, a tracker errs far less than where there are more or fewer, so these
    are judged apart (Mondrian conformal prediction: Vovk, Gammerman and Shafer 2005, section 4.5).
    Clips of a moving camera, in which everything moves, are one kind however many tracks there are.
    """

    NOTHING = "nothing"
    FEWER = "fewer"
    ALIKE = "alike"
    MORE = "more"
    MOVING = "moving camera"


@dataclass(frozen=True)
class Departure:
    """The largest departure of one kind.

    Attributes:
        excess: how large: frames, or multiples of what is granted and two standard errors.
        moment_s: when it begins, for a position where it is largest; None where there is none.
        objects: ids of the reference.
        text: a sentence without its end.
    """

    excess: float
    moment_s: float | None
    objects: tuple[int, ...]
    text: str


def tell_sight(scene: Scene, reference: Scene) -> Sight:
    """Whether a scene has as many tracks as the reference has bodies that move.

    A camera moves where the reference has its poses and they differ; where it has none it is taken
    to stand.

    Raises:
        InputError: as `measure_departures`.
    """
    poses = None if reference.camera is None else reference.camera.world_from_camera
    if poses is not None and np.abs(poses - poses[:1]).max() > _STANDS:
        return Sight.MOVING
    ours, theirs, _, coarse_px = sample_both(scene, reference)
    tracks = int(ours.visible.any(1).sum())
    bodies = int((theirs.travel_px() >= coarse_px).sum())
    if not tracks:
        return Sight.NOTHING
    return (Sight.FEWER, Sight.ALIKE, Sight.MORE)[1 + int(np.sign(tracks - bodies))]


def measure_departures(scene: Scene, reference: Scene) -> dict[str, Departure]:
    """Departures by law: `reference_permanence`, `reference_position`, `reference_count`.

    Permanence: the longest run of clear frames of a body in which no track's middle is within one
    size of it. Position: the distance to the nearest track over a pixel, a tenth of the size and
    two standard errors, held for four clear frames. Count: the longest run of frames with more
    tracks than visible bodies, or fewer than bodies that move or are tracked.

    Returns:
        one for each law that can be tested; frames are those of the coarser clock.

    Raises:
        InputError: the two do not overlap in time, or their pictures have different shapes.
    """
    ours, theirs, time_s, coarse_px = sample_both(scene, reference)
    clear = clear_frames(theirs, (reference.width_px, reference.height_px), coarse_px)
    found = {
        "reference_permanence": _missing(ours, theirs, clear, reference.ids, time_s, coarse_px),
        "reference_position": _elsewhere(ours, theirs, clear, reference.ids, time_s, coarse_px),
        "reference_count": _miscounted(ours, theirs, time_s, coarse_px),
    }
    return {law: departure for law, departure in found.items() if departure is not None}


def clear_frames(
    theirs: Tracks, side_px: tuple[int, int], coarse_px: float
) -> Bool[np.ndarray, "n t"]:
    """Frames in which a body is whole in the picture, moves, and is apart from all others."""
    n, t = theirs.visible.shape
    clear = theirs.plain(side_px, coarse_px)
    frames = np.arange(t)
    before, after = (frames - PACE_FRAMES).clip(0), (frames + PACE_FRAMES).clip(max=t - 1)
    way = theirs.center_px[:, after] - theirs.center_px[:, before]
    clear &= np.nan_to_num(np.linalg.norm(way, axis=-1)) >= _PACE * coarse_px
    for a in range(n):
        for b in range(n):
            reach = (theirs.size_px[a] + theirs.size_px[b]) / 2
            gap = (np.abs(theirs.center_px[a] - theirs.center_px[b]) - reach).max(-1)
            if a != b:
                clear[a] &= ~(theirs.visible[b] & (gap < _APART * coarse_px))
    return clear


def _missing(
    ours: Tracks,
    theirs: Tracks,
    clear: Bool[np.ndarray, "n t"],
    ids: np.ndarray,
    time_s: np.ndarray,
    coarse_px: float,
) -> Departure | None:
    runs = []
    for row in np.flatnonzero(clear.any(1)).tolist():
        frames = clear[row]
        room = theirs.size_px[row] / 2 + theirs.size_px[row].max(-1, keepdims=True) / 2 + coarse_px
        offset = np.abs(ours.center_px - theirs.center_px[row])
        near = (ours.visible & (offset < room).all(-1)).any(0)
        length, start = longest_run(~near[frames])
        runs.append((length, float(time_s[frames][start]), int(ids[row]), int(frames.sum())))
    if not runs:
        return None
    length, moment_s, object_id, asked = max(runs, key=lambda run: run[0])
    text = (
        f"Nothing is near object {object_id} in {counted(length, 'frame')} in a row of the {asked} "
        f"in which the reference shows it move, plain and alone, from {moment_s:.2f} s"
        if length
        else "Something is near each object of the reference whenever it moves, plain and alone"
    )
    return Departure(
        float(length), moment_s if length else None, (object_id,) if length else (), text
    )


def _elsewhere(
    ours: Tracks,
    theirs: Tracks,
    clear: Bool[np.ndarray, "n t"],
    ids: np.ndarray,
    time_s: np.ndarray,
    coarse_px: float,
) -> Departure | None:
    if not len(ours.visible):
        return None
    frames = np.arange(len(time_s))
    held = []
    for row in range(len(ids)):
        offset = np.linalg.norm(ours.center_px - theirs.center_px[row], axis=-1)
        distance_px = np.where(ours.visible, offset, np.inf)
        nearest = distance_px.argmin(0)
        distance_px = distance_px[nearest, frames]
        std_px = np.hypot(ours.std_px[nearest, frames], theirs.std_px[row])
        granted_px = coarse_px + _CENTER_TOLERANCE * theirs.size_px[row].mean(-1) + 2 * std_px
        asked = clear[row] & np.isfinite(distance_px)
        excess = distance_px[asked] / granted_px[asked]
        for k in range(len(excess) - _HELD_FRAMES + 1):
            own = excess[k : k + _HELD_FRAMES]
            at = int(np.flatnonzero(asked)[k + int(own.argmin())])
            held.append((float(own.min()), at, row, float(distance_px[at]), float(granted_px[at])))
    if not held:
        return None
    excess, at, row, distance_px, granted_px = max(held, key=lambda h: h[0])
    return Departure(
        excess,
        float(time_s[at]),
        (int(ids[row]),),
        f"What is nearest to object {int(ids[row])} is {distance_px:.1f} px from where the "
        f"reference has it at {time_s[at]:.2f} s, for {_HELD_FRAMES} frames in a row; "
        f"{granted_px:.1f} px are granted",
    )


def _miscounted(
    ours: Tracks, theirs: Tracks, time_s: np.ndarray, coarse_px: float
) -> Departure | None:
    shown = ours.visible.sum(0)
    expected = theirs.visible.sum(0)
    moving = theirs.travel_px() >= coarse_px
    least = theirs.visible[moving].sum(0)
    if not moving.any() and not shown.any():
        return None
    runs = [(*longest_run(shown > expected), "more"), (*longest_run(shown < least), "fewer")]
    length, start, word = max(runs, key=lambda run: run[0])
    if not length:
        return Departure(0.0, None, (), "The scene shows as many objects as the reference")
    return Departure(
        float(length),
        float(time_s[start]),
        (),
        f"The scene shows {counted(int(shown[start]), 'object')} and the reference "
        f"{int(expected[start])} at {time_s[start]:.2f} s; it shows {word} than the reference for "
        f"{counted(length, 'frame')} in a row",
    )
