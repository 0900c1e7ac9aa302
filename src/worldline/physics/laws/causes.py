"""Laws of causes: what nothing holds falls, and nothing moves before it is touched."""

from __future__ import annotations

import itertools
import math

import numpy as np

from worldline.core import STATIC, Contact, Scene, Verdict
from worldline.physics.contacts import box_gap, detect_contacts, find_pairs, kicks_of
from worldline.physics.flight import Flight, find_flights
from worldline.physics.kinematics import Segment, Track, find_runs, motion_of
from worldline.physics.laws.free import flying_rows
from worldline.physics.laws.judging import (
    DRIVEN,
    Deviation,
    excess_of,
    judge,
    one_sided_log_p,
    tell,
    two_sided_log_p,
    untestable,
    with_contacts_known,
)

__all__ = ["check_causality", "check_support"]

HELD_SHARE = 0.5
"""What touches nothing has to accelerate downwards by at least this share of g."""

MIN_HANG_S, MIN_HANG_SAMPLES = 0.15, 4
"""A shorter stretch shows no acceleration."""

REST_SIZES = 0.3
"""A body slower than so many of its sizes per second is at rest."""

LEAST_DROP = 0.5
"""The body has been so much lower (in sizes) straight below the place where it rests."""

BEFORE_S = 0.5
"""An effect is looked for within this time before the touch."""

LATE_STEPS = 1.5
"""Velocity may change so many frames before a touch is seen: times are known to a frame."""

APART_SIZES = 0.5
"""In pixels the boxes are so far apart, in sizes of the smaller, when the effect happens."""

TOUCH_SIZE, TOUCH_PX = 0.05, 1.5
"""Boxes with a smaller gap touch."""

JUMP_MPS, JUMP_SIZES = 0.1, 1.0
"""Jump of velocity that is granted: contact models; jitter of boxes, in sizes per second."""


REST_MPS = 0.1
"""Metres: a body slower than this rests. What moves on the static world may meet a wall of it, and
the record of touches does not tell the two."""

Kick = tuple[float, np.ndarray, np.ndarray]
"""Moment of a jump, and the velocities before and after it."""


def check_support(scene: Scene, alpha: float) -> Verdict:
    """What touches nothing is not held: it accelerates downwards.

    Metres with recorded contacts: each stretch of at least 0.15 s in which a body touches nothing
    has a downward acceleration of at least half of g. Only bodies that fly freely at some time of
    the scene are tested, since hinges, rods and strings are no contacts. Pixels: a body that
    flies and then rests (below 0.3 sizes per second) where something below has to hold it; that
    nothing does is known where its own way leads straight below, or where it stops without coming
    down. Student's t of the fit.

    Source: Newton, second law.
    """
    motion = motion_of(scene)
    if motion.gravity_mps2 <= 0:
        return untestable("support", "The scene has no gravity.")
    if not motion.is_metric:
        found = [test for flight in find_flights(scene) if (test := _rest_in_air(flight))]
        reason = "No body comes to rest after a flight where the picture shows what is below it."
    elif with_contacts_known(scene):
        flying = flying_rows(scene)
        found = [
            _hold(track, segment, motion.gravity_mps2)
            for track in motion.tracks
            if track.row in flying
            for segment in track.segments
            if _is_long(segment, track) and not segment.touching
        ]
        reason = "No body that is known to be loose touches nothing for long enough."
    else:
        return untestable("support", "The scene does not say what touches what.")
    if not found:
        return untestable("support", reason)
    return judge("support", found, alpha)


def _is_long(segment: Segment, track: Track) -> bool:
    if segment.fit is None or segment.num_samples < MIN_HANG_SAMPLES:
        return False
    return segment.fit.end_s - segment.fit.start_s >= MIN_HANG_S


def _hold(track: Track, segment: Segment, gravity: float) -> Deviation:
    """Test that a stretch accelerates downwards; `gravity` is in the track's unit."""
    assert segment.fit is not None
    down = -float(segment.fit.acceleration() @ track.up)
    std = float(np.linalg.norm(segment.fit.acceleration_std() * track.up))
    dof = None if track.is_std_given else segment.fit.dof
    own, unit = track.object_id, "m/s^2" if track.is_metric else "px/s^2"
    return Deviation(
        one_sided_log_p(HELD_SHARE * gravity - down, std, dof=dof),
        segment.fit.start_s,
        (own,),
        f"object {own} touches nothing from {segment.fit.start_s:.2f} to {segment.fit.end_s:.2f} s "
        f"and accelerates downwards by {tell(down)} {unit}, where free fall has {tell(gravity)}",
        {"acceleration_" + ("mps2" if track.is_metric else "pxps2"): down},
        excess_of(gravity - down, std, tolerance=(1.0 - HELD_SHARE) * gravity),
    )


def _rest_in_air(flight: Flight) -> Deviation | None:
    track, after = flight.track, flight.after
    if track.label in DRIVEN or after is None or not _is_long(after, track):
        return None
    assert after.fit is not None
    middle = (after.fit.start_s + after.fit.end_s) / 2
    if float(np.linalg.norm(after.fit.velocity(middle))) > REST_SIZES * track.scale:
        return None
    place = after.fit.position(middle)
    arrival = float(flight.fit.velocity(flight.end_s) @ track.up)
    way = track.position[flight.first : flight.last + 1]
    side, height = np.median(track.size, axis=0)
    beneath = np.abs(way[:, 0] - place[0]) <= side / 2
    lower = (place - way) @ track.up >= LEAST_DROP * height
    # What lands comes down on it, and has not been where the thing is that it lands on.
    if arrival < 0 and not np.any(beneath & lower):
        return None
    return _hold(track, after, flight.fall_acceleration)


def check_causality(scene: Scene, alpha: float) -> Verdict:
    """A body does not change its velocity before anything touches it.

    For each body that another one comes to touch: jumps of its velocity (between pieces of its
    track, six standard errors and 30% of the speed) in the 0.5 s before, while nothing touches it
    or begins or stops to touch it. Metres: by recorded contacts, up to 1.5 frames before the touch;
    while it moves along the static world, nothing is claimed, for that may have walls.
    Pixels: touches are boxes that meet, an effect counts while they are half a size apart or more,
    and the other body has to be on its way. The p-value is that of the jump, of which 0.1 m/s (one
    size per second) are granted. Bodies that push themselves, by label, are left out.
    """
    motion = motion_of(scene)
    if motion.is_metric and not with_contacts_known(scene):
        return untestable("causality", "The scene does not say what touches what.")
    found = _early_jumps(scene) if motion.is_metric else _early_jumps_px(scene)
    if not found:
        return untestable("causality", "No body is followed until another one touches it.")
    return judge("causality", found, alpha)


def _early_jumps(scene: Scene) -> list[Deviation]:
    found = []
    motion = motion_of(scene)
    for track in motion.tracks:
        if track.label in DRIVEN:
            continue
        own = [c for c in scene.contacts if track.object_id in (c.a, c.b)]
        jumps = kicks_of(track)
        for contact in own:
            followed = np.sum(track.time_s < contact.start_s - LATE_STEPS * track.step_s)
            if STATIC in (contact.a, contact.b) or followed < 2 * MIN_HANG_SAMPLES:
                continue
            early = [
                kick
                for kick in jumps
                if _is_before(kick[0], contact.start_s, track)
                and _is_alone(kick, own)
                and not any(_is_explained(kick[0], c, track) for c in own)
            ]
            found.append(_jump(track, contact.start_s, _other(contact, track), early))
    return found


def _other(contact: Contact, track: Track) -> int:
    return contact.b if contact.a == track.object_id else contact.a


def _is_before(moment_s: float, touch_s: float, track: Track) -> bool:
    return touch_s - BEFORE_S <= moment_s <= touch_s - LATE_STEPS * track.step_s


def _is_alone(kick: Kick, own: list[Contact]) -> bool:
    """Whether no wall can have caused a jump: the body rested, or touched nothing static."""
    if float(np.linalg.norm(kick[1])) < REST_MPS:
        return True
    return not any(STATIC in (c.a, c.b) and c.start_s <= kick[0] <= c.end_s for c in own)


def _is_explained(moment_s: float, contact: Contact, track: Track) -> bool:
    """Whether a contact begins, ends or, unless it is with the static world, lasts at a moment."""
    slack = LATE_STEPS * track.step_s
    lasts = contact.start_s - slack <= moment_s <= contact.end_s + slack
    if STATIC not in (contact.a, contact.b):
        return lasts
    return min(abs(contact.start_s - moment_s), abs(contact.end_s - moment_s)) <= slack


def _jump(track: Track, touch_s: float, other: int, early: list[Kick]) -> Deviation:
    own = track.object_id
    if not early:
        text = f"object {own} keeps its way until object {other} touches it at {touch_s:.2f} s"
        return Deviation(0.0, touch_s, (own, other), text, excess=0.0)
    moment, before, after = max(early, key=lambda k: float(np.linalg.norm(k[2] - k[1])))
    size = float(np.linalg.norm(after - before))
    granted = JUMP_MPS if track.is_metric else JUMP_SIZES * track.scale
    unit, std = "m/s" if track.is_metric else "px/s", _jump_std(track, moment)
    return Deviation(
        two_sided_log_p(size, std, tolerance=granted),
        moment,
        (own, other),
        f"the velocity of object {own} jumps by {tell(size)} {unit} at {moment:.2f} s, "
        f"{touch_s - moment:.2f} s before object {other} touches it",
        {"early_s": touch_s - moment},
        excess_of(size, std, tolerance=granted),
    )


def _jump_std(track: Track, moment_s: float) -> float:
    """Standard error of the jump of velocity at a moment."""
    for left, right in itertools.pairwise(s for s in track.segments if s.fit is not None):
        assert left.fit is not None and right.fit is not None  # noqa: PT018
        if left.fit.end_s <= moment_s <= right.fit.start_s:
            errors = [f.derivative_std(moment_s, 1) for f in (left.fit, right.fit)]
            return math.hypot(*(float(np.linalg.norm(e)) for e in errors))
    return math.inf


def _early_jumps_px(scene: Scene) -> list[Deviation]:
    found = []
    contacts = detect_contacts(scene)
    for pair in find_pairs(scene):
        a, b = pair.a, pair.b
        smaller = min(a.scale, b.scale)
        gap = box_gap(
            a.position[pair.index_a],
            a.size[pair.index_a],
            b.position[pair.index_b],
            b.size[pair.index_b],
        )
        for first, _ in find_runs(gap <= max(TOUCH_PX, TOUCH_SIZE * smaller)):
            touch_s = float(pair.time_s[first])
            if first < 2 * MIN_HANG_SAMPLES:
                continue
            for track, other in ((a, b), (b, a)):
                if track.label in DRIVEN:
                    continue
                own = [c for c in contacts if track.object_id in (c.a, c.b)]
                early = [
                    kick
                    for kick in kicks_of(track)
                    if _is_before(kick[0], touch_s, track)
                    and gap[int(np.argmin(np.abs(pair.time_s - kick[0])))] >= APART_SIZES * smaller
                    and not any(_is_explained(kick[0], c, track) for c in own)
                    and _is_pushed(kick, track, other)
                ]
                found.append(_jump(track, touch_s, other.object_id, early))
    return found


def _is_pushed(kick: Kick, track: Track, other: Track) -> bool:
    """Whether a jump of velocity points away from another body that is on its way."""
    moment, before, after = kick
    i, j = (int(np.argmin(np.abs(t.time_s - moment))) for t in (track, other))
    away = track.position[i] - other.position[j]
    away = away / max(float(np.linalg.norm(away)), 1e-9)
    k = max(j - 3, 0)
    span = max(float(other.time_s[j] - other.time_s[k]), 1e-9)
    coming = float((other.position[j] - other.position[k]) @ away) / span
    return float((after - before) @ away) > 0 and coming > JUMP_SIZES * other.scale
