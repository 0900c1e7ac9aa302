"""Laws of persistence: bodies do not vanish, do not appear from nothing, and do not jump."""

from __future__ import annotations

import math

import numpy as np

from worldline.core import Scene, Verdict
from worldline.physics.contacts import box_gap
from worldline.physics.events.view import border_distance, find_occluder
from worldline.physics.kinematics import MAX_GAP_S, Track, find_runs, motion_of
from worldline.physics.laws.judging import (
    Deviation,
    excess_of,
    judge,
    tell,
    two_sided_log_p,
    untestable,
)
from worldline.physics.polynomial import fit_polynomial

__all__ = ["check_continuity", "check_permanence"]

BORDER_SHARE = 0.03
"""A box this near the border (share of the image side), now or soon, has gone out of view."""

MIN_TRACK_FRAMES, MIN_TRACK_S = 12, 0.5
"""A perceived object must have been tracked so long before its loss means anything."""

MIN_SPEED_SIZES = 0.5
"""Perceived objects slower than this (sizes per second) when they are lost may simply have stopped:
detectors of motion lose what rests."""

HANDOVER_S, HANDOVER_SIZES = 1.0, 1.5
"""A new track so soon and so near (in sizes of the lost one) carries the lost one on."""

CROWDED_S = 0.5
"""Another box near the place within this time may hide a lost object or have merged with it."""

JUMP_SPEED_SHARE = 1.5
"""A step may be this much longer than the speed before or after it explains."""

JUMP_M, JUMP_SIZE = 0.05, 0.25
"""Jump that is granted in metres, and as a share of the body's size, for truth."""

JUMP_SIZE_PERCEIVED = 1.5
"""Jump that is granted to tracked boxes, in object sizes: blobs merge, split and swap."""

STEADY_SHARE = 0.25
"""A tracked box that changes its size by more in the same step was merged or split, not moved."""


LARGEST = 3
"""So many steps of a track are always looked at."""


LEAP_FRAMES, LEAP_SAMPLES = 2, 5
"""A leap: one track ends and another begins within so many frames, each seen in so many."""

LIKE_COLOR = 0.06
"""Colours of one body differ by no more in each channel."""


def _is_perceived(scene: Scene) -> bool:
    """Whether tracks come from a detector that can miss things, rather than from the truth."""
    return bool(np.nanmax(scene.center_px_std, initial=0.0) > 0)


def check_permanence(scene: Scene, alpha: float) -> Verdict:
    """An object does not vanish in view, and does not appear in view from nothing.

    Gone out of view: its last box is within 3% of the border, or would be 0.5 s later (truth: two
    frames later). For truth, `present` decides: an object that stops being present in view has
    vanished, for certain; one that is merely not seen is behind something.

    For perceived tracks the loss must be of the object and not of the tracker: the object was
    tracked for 12 frames and 0.5 s, moved when it was lost (detectors of motion lose what rests),
    no other track carries it on within 1 s, no other box comes within one size of it or covers the
    place within 0.5 s (it may be hidden or merged), it has no gap in the second before, and no
    other track ends or begins with it (that is a cut of the film). The p-value is the chance that
    a detector with this track's rate of misses (rule of succession) misses all the frames that
    remain in which it would be in view. Appearing is not tested on perceived tracks: things are
    first noticed somewhere.
    """
    if not scene.num_objects or scene.num_frames < 2:
        return untestable("permanence", "The scene has no object or fewer than two frames.")
    perceived = _is_perceived(scene)
    found = []
    for row in range(scene.num_objects):
        found += _perceived_loss(scene, row) if perceived else _true_changes(scene, row)
    if not found:
        return untestable(
            "permanence",
            "No track is steady and moving enough for its end to mean more than a missed detection."
            if perceived
            else "No object is ever in view.",
        )
    return judge("permanence", found, alpha)


def _seen(scene: Scene, row: int) -> np.ndarray:
    return scene.visible[row] & np.all(np.isfinite(scene.center_px[row]), axis=1)


def _true_changes(scene: Scene, row: int) -> list[Deviation]:
    seen = _seen(scene, row)
    if not seen.any():
        return []
    object_id = int(scene.ids[row])
    for first, last in find_runs(scene.present[row] & seen):
        for edge, inner, beyond, verb in (
            (last, max(first, last - 3), last + 1, "vanishes"),
            (first, min(last, first + 3), first - 1, "appears from nothing"),
        ):
            if not 0 <= beyond < scene.num_frames or scene.present[row, beyond]:
                continue
            # The truth follows a body up to the border: it may only be a step short of it.
            step_s = 2.0 * abs(float(scene.time_s[beyond] - scene.time_s[edge]))
            if border_distance(scene, row, edge, inner, ahead_s=step_s) <= BORDER_SHARE:
                continue
            moment = float(scene.time_s[beyond])
            x, y = scene.center_px[row, edge]
            text = f"object {object_id} {verb} in view at ({x:.0f}, {y:.0f}) px, {moment:.2f} s"
            return [Deviation(-math.inf, moment, (object_id,), text)]
    moment = float(scene.time_s[np.flatnonzero(seen)[-1]])
    return [Deviation(0.0, moment, (object_id,), f"object {object_id} is never lost in view")]


def _perceived_loss(scene: Scene, row: int) -> list[Deviation]:
    frames = np.flatnonzero(_seen(scene, row))
    if len(frames) < MIN_TRACK_FRAMES:
        return []
    first, last = int(frames[0]), int(frames[-1])
    object_id, moment = int(scene.ids[row]), float(scene.time_s[last])
    kept = Deviation(
        0.0, moment, (object_id,), f"object {object_id} is never lost in view", excess=0.0
    )
    if moment - float(scene.time_s[first]) < MIN_TRACK_S:
        return []
    if last == scene.num_frames - 1:
        return [kept]
    inner = int(frames[max(0, len(frames) - 6)])
    if border_distance(scene, row, last, inner) <= BORDER_SHARE:
        return [kept]
    if find_occluder(scene, row, last) is not None:
        return [kept]
    if _is_crowded(scene, row, last):
        return []
    center, size = scene.center_px[row], scene.size_px[row]
    side = float(np.sqrt(np.prod(size[last])))
    span = moment - float(scene.time_s[inner])
    velocity = (center[last] - center[inner]) / max(span, 1e-9)
    lately = (scene.time_s >= moment - 1.0) & (np.arange(scene.num_frames) <= last)
    lately &= np.arange(scene.num_frames) >= first
    missed_lately = int(np.sum(lately & ~_seen(scene, row)))
    if np.linalg.norm(velocity) < MIN_SPEED_SIZES * side or missed_lately:
        return []
    for other in range(scene.num_objects):
        if other == row:
            continue
        own = np.flatnonzero(_seen(scene, other))
        if not len(own):
            continue
        ends_too = abs(int(own[-1]) - last) <= 2 and own[-1] < scene.num_frames - 1
        begins = float(scene.time_s[own[0]])
        if ends_too or abs(int(own[0]) - last) <= 2:
            return []
        if moment < begins <= moment + HANDOVER_S:
            expected = center[last] + velocity * (begins - moment)
            away = min(
                float(np.linalg.norm(scene.center_px[other, own[0]] - place))
                for place in (center[last], expected)
            )
            if away <= HANDOVER_SIZES * max(side, float(scene.size_px[other, own[0]].max())):
                return [kept]
    tracked = last - first + 1
    rate = (tracked - len(frames) + 1) / (tracked + 2)
    # How long it would still have been in view at its velocity.
    ahead = scene.time_s[last + 1 :] - moment
    place = center[last] + velocity * ahead[:, None]
    border = np.array([scene.width_px, scene.height_px]) - size[last] / 2
    inside = np.all((place > size[last] / 2) & (place < border), axis=1)
    stay = int(np.argmin(inside)) if not inside.all() else len(inside)
    log_p = max(stay, 1) * math.log(rate)
    text = f"object {object_id} is lost in view at {moment:.2f} s and not seen for {stay} frames"
    return [
        Deviation(
            log_p,
            moment,
            (object_id,),
            text,
            {"num_frames": float(stay), "miss_rate": rate},
            -log_p / math.log(100.0),
        )
    ]


def _is_crowded(scene: Scene, row: int, last: int) -> bool:
    """Whether another box comes within one size of where an object was lost, within 0.5 s."""
    center, size = scene.center_px[row, last : last + 1], scene.size_px[row, last : last + 1]
    side = float(np.sqrt(np.prod(size)))
    until = int(np.searchsorted(scene.time_s, scene.time_s[last] + CROWDED_S, side="right"))
    for other in range(scene.num_objects):
        if other == row:
            continue
        frames = last + np.flatnonzero(_seen(scene, other)[last:until])
        gap = box_gap(center, size, scene.center_px[other, frames], scene.size_px[other, frames])
        if np.any(gap <= side):
            return True
    return False


def check_continuity(scene: Scene, alpha: float) -> Verdict:
    """A body does not get from one place to another without passing between.

    Each step between consecutive frames is held against the speeds just before and just after it
    (lines through four samples on each side, the step left out). Granted: 1.5 times that way, and
    5 cm and a quarter of the body's size (perceived boxes: 1.5 sizes, steady in size). Normal
    p-value of the excess against the noise of both ends, Bonferroni over the steps of a track.

    A tracker loses what leaps and takes it for something new. So a perceived track that ends in
    view and another one of like size (25%) and colour (0.06 per channel) that begins in view within
    two frames are one body that leapt, if no third track ends or begins just then (as in a cut of
    the film); the way between is held against the same tolerance.
    """
    perceived = _is_perceived(scene)
    found = []
    for track in motion_of(scene).tracks:
        if track.num_samples >= 4:
            found.append(_largest_jump(track, perceived=perceived and not track.is_metric))
    if perceived and scene.position_m is None:
        found += _leaps(scene)
    if not found:
        return untestable("continuity", "No object is seen in four frames.")
    return judge("continuity", found, alpha)


def _largest_jump(track: Track, *, perceived: bool) -> Deviation:
    t, x = track.time_s, track.position
    k = len(t)
    side = np.sqrt(np.prod(track.size, axis=1)) if not track.is_metric else np.ones(k)
    if perceived:
        granted = JUMP_SIZE_PERCEIVED * track.scale
    else:
        granted = JUMP_SIZE * track.scale + (JUMP_M if track.is_metric else 1.0)
    best_log_p, best, best_excess, unexplained = math.inf, 0, 0.0, 0.0
    way, speed = np.linalg.norm(np.diff(x, axis=0), axis=1), 0.0
    gap = np.diff(t) > max(MAX_GAP_S, 3.0 * track.step_s)
    # The largest steps are looked at even if they are granted: films say what is usual.
    candidates = ~gap & ((way > granted) | (way >= np.sort(way)[-min(LARGEST, len(way))]))
    for i in np.flatnonzero(candidates).tolist():
        if perceived and abs(np.log(side[i + 1] / side[i])) > np.log1p(STEADY_SHARE):
            continue
        left, right = slice(max(0, i - 3), i + 1), slice(i + 1, min(k, i + 5))
        speed = max(_line_speed(t[part], x[part], track.std[part]) for part in (left, right))
        beyond = max(float(way[i]) - JUMP_SPEED_SHARE * speed * float(t[i + 1] - t[i]), 0.0)
        std = float(np.linalg.norm(np.hypot(track.std[i], track.std[i + 1])))
        log_p = two_sided_log_p(beyond, std, tolerance=granted)
        log_p = min(0.0, log_p + math.log(k - 1))
        excess = excess_of(beyond, std, tolerance=granted)
        if (log_p, -excess) < (best_log_p, -best_excess):
            best_log_p, best, best_excess, unexplained = log_p, i, excess, beyond
    unit = "m" if track.is_metric else "px"
    if best_log_p > 0.0 or best_excess == 0.0:
        best, best_log_p = int(np.argmax(way)), 0.0
    more = f"{tell(unexplained)} {unit} more than" if unexplained > 0 else "as"
    text = (
        f"object {track.object_id} moves on by {tell(float(way[best]))} {unit} within "
        f"{t[best + 1] - t[best]:.3f} s, {more} its speed before "
        "and after explains"
    )
    quantities = {f"step_{unit}": float(way[best])}
    moment, who = float(t[best + 1]), (track.object_id,)
    return Deviation(best_log_p, moment, who, text, quantities, best_excess)


def _line_speed(time_s: np.ndarray, position: np.ndarray, std: np.ndarray) -> float:
    """Speed of the straight line through some samples, two standard errors up."""
    if len(time_s) < 2:
        return 0.0
    fit = fit_polynomial(time_s, position, degree=1, std=std, robust=False)
    error = fit.derivative_std(fit.origin_s, 1)
    return float(np.linalg.norm(fit.velocity(fit.origin_s)) + 2.0 * np.linalg.norm(error))


def _leaps(scene: Scene) -> list[Deviation]:
    """Tracks that end in view, each with the only one that begins in view just then."""
    if scene.color_rgb is None:
        return []
    spans = [np.flatnonzero(_seen(scene, row)) for row in range(scene.num_objects)]
    ends = {row: int(own[-1]) for row, own in enumerate(spans) if len(own)}
    starts = {row: int(own[0]) for row, own in enumerate(spans) if len(own)}
    found = []
    for one, last in ends.items():
        first = [row for row, start in starts.items() if abs(start - last) <= LEAP_FRAMES and start]
        lost = [row for row, end in ends.items() if abs(end - last) <= LEAP_FRAMES]
        if len(spans[one]) < LEAP_SAMPLES or last >= scene.num_frames - 1 or len(lost) > 1:
            continue
        if len(first) != 1 or starts[first[0]] <= last or len(spans[first[0]]) < LEAP_SAMPLES:
            continue
        two, begin = first[0], starts[first[0]]
        inner = int(spans[one][-LEAP_SAMPLES])
        if border_distance(scene, one, last, inner) <= BORDER_SHARE:
            continue
        if border_distance(scene, two, begin, begin) <= BORDER_SHARE:
            continue
        sides = [
            float(np.median(np.sqrt(np.prod(scene.size_px[row, frames], axis=1))))
            for row, frames in ((one, spans[one][-4:]), (two, spans[two][:4]))
        ]
        shade = np.abs(scene.color_rgb[one] - scene.color_rgb[two])
        alike = abs(np.log(sides[1] / sides[0])) <= np.log1p(STEADY_SHARE)
        if not alike or not np.all(shade <= LIKE_COLOR):
            continue
        span = float(scene.time_s[begin] - scene.time_s[last])
        before = float(scene.time_s[last] - scene.time_s[inner])
        velocity = (scene.center_px[one, last] - scene.center_px[one, inner]) / max(before, 1e-9)
        expected = scene.center_px[one, last] + velocity * span
        way = float(np.linalg.norm(scene.center_px[two, begin] - expected))
        granted = JUMP_SIZE_PERCEIVED * max(sides)
        stated = scene.center_px_std[[one, two], [last, begin]]
        std = float(np.sqrt(np.nansum(stated**2)))
        moment, ids = float(scene.time_s[begin]), (int(scene.ids[one]), int(scene.ids[two]))
        found.append(
            Deviation(
                two_sided_log_p(way, std, tolerance=granted),
                moment,
                ids,
                f"object {ids[0]} is lost in view and one like it, object {ids[1]}, is found "
                f"{tell(way)} px away {span:.3f} s later",
                {"step_px": way},
                excess_of(way, std, tolerance=granted),
            )
        )
    return found
