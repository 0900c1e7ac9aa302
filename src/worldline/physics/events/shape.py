"""Events of a body's shape: deform, break."""

from __future__ import annotations

import numpy as np

from worldline.core import STATIC, Event, Scene
from worldline.physics.contacts import detect_contacts, kicks_of
from worldline.physics.events.ontology import define
from worldline.physics.kinematics import Track, find_runs, motion_of

__all__ = ["find_breaks", "find_deformations"]

DEFORM_SHARE, DEFORM_BEGIN = 0.05, 0.015
"""A body deforms when a point of it moves by so much of its mean side against the rest, and from so
much on it does."""

SQUASH_SHARE = 0.2
"""In pixels a box is squashed by so much of its height, and half as much of its width."""

SQUASH_S = (0.1, 0.35)
"""In pixels the shape before and after a squash is that of so long before and after, in s."""

STEADY_SHARE = 0.08
"""In pixels, sides of a box vary by so much before and after."""

BREAK_S = 0.5
"""Pieces that come off within this time come off at once."""

HIT_S = 0.1
"""A body breaks on what it touches so soon before."""

BORN_S = 0.25
"""In pixels pieces are first seen within so long of each other, and of the end of the whole."""

MIN_PIECES = 3
"""In pixels so many pieces are seen: trackers tear one moving object into two."""

PIECE_AREA = (0.02, 0.6)
"""In pixels, area of a piece over that of the whole."""

APART_SIZES_S = 1.0
"""In pixels pieces move away from their middle at this speed, in sizes of the whole per second."""


@define(
    "deform",
    roles={"object": "what changes its shape"},
    quantities={
        "bend": "greatest way of a point against the rest of the body, over its mean side (pixels: "
        "share of its height that the box loses)",
        "recovery": "share of that which is gone at the end of the scene",
        "duration_s": "time out of shape",
    },
)
def find_deformations(scene: Scene) -> tuple[Event, ...]:
    """A body changes its shape while it stays one body.

    Metric scenes with `bend`: a point of it is 5% of its mean side or more from where rigid motion
    would have put it (the best rigid fit: Kabsch 1976), so that turning is no deformation; the
    interval is that in which it is 1.5% or more. Pixels: turning changes boxes too, so that only a
    squash is told from it: as the object hits something below, its box gets at least 20% lower and
    10% wider than 0.1 to 0.35 s before and after, when it keeps its sides within 8%.
    """
    if not motion_of(scene).is_metric:
        return _squashes(scene)
    if scene.bend is None:
        return ()
    events = []
    for track in motion_of(scene).tracks:
        bend = np.nan_to_num(scene.bend[track.row, track.frames], posinf=0.0)
        for first, last in find_runs(bend >= DEFORM_BEGIN):
            most = float(bend[first : last + 1].max())
            if most < DEFORM_SHARE:
                continue
            first = max(first - 1, 0)
            start_s, end_s = float(track.time_s[first]), float(track.time_s[last])
            quantities = {
                "bend": most,
                "recovery": float(np.clip(1.0 - bend[-1] / most, 0.0, 1.0)),
                "duration_s": end_s - start_s,
            }
            roles = {"object": track.object_id}
            events.append(Event("deform", start_s, end_s, roles, quantities))
    return tuple(events)


def _squashes(scene: Scene) -> tuple[Event, ...]:
    events = []
    for track in motion_of(scene).tracks:
        for moment, before, after in kicks_of(track):
            if not (before @ track.up < 0 and (after - before) @ track.up > 0):
                continue
            squash = _squash(track, moment)
            if squash is None:
                continue
            first, last, depth = squash
            start_s, end_s = float(track.time_s[first]), float(track.time_s[last])
            quantities = {"bend": depth, "recovery": 1.0, "duration_s": end_s - start_s}
            roles = {"object": track.object_id}
            events.append(Event("deform", start_s, end_s, roles, quantities, 0.6))
    return tuple(events)


def _squash(track: Track, moment: float) -> tuple[int, int, float] | None:
    """First and last sample and depth of a short squash around a moment."""
    near, far = SQUASH_S
    ago = moment - track.time_s
    sides = [track.size[(sign * ago >= near) & (sign * ago <= far)] for sign in (1, -1)]
    if min(len(part) for part in sides) < 3:
        return None
    usual = np.median(np.concatenate(sides), axis=0)
    if not (usual > 0).all():
        return None
    if max(float(np.abs(part / usual - 1).max()) for part in sides) > STEADY_SHARE:
        return None
    share = track.size / usual
    flat = (np.abs(ago) < near) & (share[:, 1] <= 1 - SQUASH_SHARE)
    flat &= share[:, 0] >= 1 + SQUASH_SHARE / 2
    rows = np.flatnonzero(flat)
    if not len(rows):
        return None
    return int(rows[0]), int(rows[-1]), 1.0 - float(share[rows, 1].min())


@define(
    "break",
    roles={"object": "what breaks", "against": "what it hit, if a contact shows it (-1: static)"},
    quantities={
        "num_pieces": "pieces that there are in the end",
        "duration_s": "from the last whole frame to the last piece",
    },
)
def find_breaks(scene: Scene) -> tuple[Event, ...]:
    """One body becomes several pieces.

    Metric scenes with `num_parts`: an object of one part becomes one of two or more; further pieces
    within 0.5 s belong to the same break. `against` is what it touched in the 0.1 s before. Pixels:
    the object is last seen, or loses 40% of its box's area, and within 0.25 s three pieces or more
    (what is left of it counts) are seen for the first time in its box, grown by half, each with
    2 to 60% of its area; they live for 0.3 s and move away from their middle at one size of the
    whole per second.
    """
    if not motion_of(scene).is_metric:
        return _shatterings(scene)
    if scene.num_parts is None:
        return ()
    events = []
    for track in motion_of(scene).tracks:
        parts = scene.num_parts[track.row, track.frames]
        more = np.flatnonzero((parts[1:] > parts[:-1]) & (parts[:-1] >= 1)) + 1
        while len(more):
            first = int(more[0])
            soon = more[track.time_s[more] <= track.time_s[first] + BREAK_S]
            last, more = int(soon[-1]), more[len(soon) :]
            start_s, end_s = float(track.time_s[first - 1]), float(track.time_s[last])
            quantities = {"num_pieces": float(parts[last]), "duration_s": end_s - start_s}
            roles = {"object": track.object_id}
            hit = _hit_by(scene, track.object_id, start_s, float(track.time_s[first]))
            if hit is not None:
                roles["against"] = hit
            events.append(Event("break", start_s, end_s, roles, quantities))
    return tuple(events)


def _hit_by(scene: Scene, object_id: int, start_s: float, end_s: float) -> int | None:
    for contact in reversed(detect_contacts(scene)):
        own = object_id in (contact.a, contact.b)
        if own and contact.start_s <= end_s and contact.end_s >= start_s - HIT_S:
            other = contact.b if contact.a == object_id else contact.a
            return STATIC if other < 0 else other
    return None


def _shatterings(scene: Scene) -> tuple[Event, ...]:
    events = []
    tracks = [t for t in motion_of(scene).tracks if t.num_samples >= 4]
    for whole in tracks:
        found = _ending(scene, whole)
        if found is None:
            continue
        last, remains = found
        end_s, center, size = float(whole.time_s[last]), whole.position[last], whole.size[last]
        pieces = [t for t in tracks if t is not whole and _is_piece(t, end_s, center, size)]
        number = len(pieces) + remains
        if number < MIN_PIECES or not _fly_apart(pieces, float(np.sqrt(np.prod(size)))):
            continue
        last_s = max(float(t.time_s[0]) for t in pieces)
        quantities = {"num_pieces": float(number), "duration_s": max(last_s - end_s, 0.0)}
        roles = {"object": whole.object_id}
        events.append(Event("break", end_s, max(last_s, end_s), roles, quantities, 0.5))
    return tuple(events)


def _ending(scene: Scene, whole: Track) -> tuple[int, int] | None:
    """Last sample as a whole, and 1 if the track goes on with a piece."""
    area = np.prod(whole.size, axis=1)
    usual = float(np.median(area[: max(len(area) // 2, 3)]))
    small = np.flatnonzero(area < 0.6 * usual)
    if whole.frames[-1] < scene.num_frames - 1 and not len(small):
        return len(area) - 1, 0
    if len(small) and small[0] >= 3 and (area[small[0] :] < 0.6 * usual).mean() > 0.9:
        return int(small[0]) - 1, 1
    return None


def _is_piece(track: Track, end_s: float, center: np.ndarray, size: np.ndarray) -> bool:
    born = abs(float(track.time_s[0]) - end_s) <= BORN_S
    lives = float(track.time_s[-1] - track.time_s[0]) >= 0.3
    share = float(np.prod(track.size[0])) / max(float(np.prod(size)), 1e-9)
    inside = bool(np.all(np.abs(track.position[0] - center) <= 0.75 * size))
    return born and lives and inside and PIECE_AREA[0] <= share <= PIECE_AREA[1]


def _fly_apart(pieces: list[Track], size: float) -> bool:
    """Whether the pieces move away from their middle, over the first 0.3 s of each."""
    starts, ends = [], []
    for track in pieces:
        soon = int(np.searchsorted(track.time_s, track.time_s[0] + 0.3))
        starts.append(track.position[0])
        ends.append(track.position[min(soon, track.num_samples - 1)])
    gains = [np.linalg.norm(np.array(x) - np.mean(x, axis=0), axis=1) for x in (starts, ends)]
    return bool(np.median(gains[1] - gains[0]) >= 0.3 * APART_SIZES_S * size)
