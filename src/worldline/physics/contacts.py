"""Which bodies touch when: recorded contacts, or contacts read from boxes in the image."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
from weakref import WeakKeyDictionary

import numpy as np
from jaxtyping import Float

from worldline.core import STATIC, Contact, Scene
from worldline.physics.chances import Traits
from worldline.physics.contact_chances import (
    BODIES,
    GROUND,
    Jump,
    bundled_contact_chances,
    traits_of_jump,
    traits_of_touch,
)
from worldline.physics.kinematics import Track, carry_motion, find_runs, motion_of

__all__ = [
    "Claim",
    "Pair",
    "box_gap",
    "detect_contacts",
    "find_claims",
    "find_pairs",
    "kicks_of",
    "with_contacts",
]

TOUCH_PX = 1.5
"""Boxes with a smaller gap count as touching: each edge is known to about a pixel."""

TOUCH_SIZE = 0.05
"""The same as a share of the smaller object's size."""

MISSED_STEP = 0.6
"""Share of the way within one frame step that may be missing to a touch between two frames."""

MIN_KICK_STD = 6.0
"""A velocity jump counts from so many standard errors."""

MIN_KICK_SAMPLES = 4
"""Velocity before and after a jump is taken from pieces of at least so many samples."""

MIN_KICK_SIZES = 1.0
"""A velocity jump counts from so many object sizes per second, and so much of the speed."""

MIN_KICK_SHARE = 0.3
"""See `MIN_KICK_SIZES`."""

LIKELY = 0.5
"""Where boxes touch and no velocity jumps, a contact must be as likely as this to be told."""

CHATTER_S = 0.1
"""Contacts of one pair closer in time are one contact."""


@dataclass(frozen=True, eq=False)
class Pair:
    """Two tracks at the frames where both are known.

    Attributes:
        a, b: tracks.
        index_a, index_b: `[M]` samples of each track.
        time_s: `[M]`.
    """

    a: Track
    b: Track
    index_a: np.ndarray
    index_b: np.ndarray
    time_s: np.ndarray


@dataclass(frozen=True, eq=False)
class Claim:
    """What looks like a contact.

    Attributes:
        kind: `contact_chances.BODIES` or `contact_chances.GROUND`.
        contact: the contact, if it is one; its confidence means nothing yet.
        traits: what speaks for and against it.
    """

    kind: str
    contact: Contact
    traits: Traits

    @property
    def has_jump(self) -> bool:
        """Whether a velocity jumps."""
        return self.traits.get("num_jumps", 1.0) > 0


_PAIRS: WeakKeyDictionary[Scene, list[Pair]] = WeakKeyDictionary()
_CONTACTS: WeakKeyDictionary[Scene, tuple[Contact, ...]] = WeakKeyDictionary()


def find_pairs(scene: Scene) -> list[Pair]:
    """All pairs of tracks with at least two common frames, computed once for each scene object."""
    found = _PAIRS.get(scene)
    if found is None:
        found = _PAIRS[scene] = _find_pairs(scene)
    return found


def _find_pairs(scene: Scene) -> list[Pair]:
    tracks = motion_of(scene).tracks
    pairs = []
    # Frames are in order and none comes twice, so a table by frame finds what is common.
    row = np.full(scene.num_frames, -1)
    for i, a in enumerate(tracks):
        row[a.frames] = np.arange(a.num_samples)
        for b in tracks[i + 1 :]:
            if b.frames[0] > a.frames[-1] or b.frames[-1] < a.frames[0]:
                continue
            index_a = row[b.frames]
            index_b = np.flatnonzero(index_a >= 0)
            if len(index_b) >= 2:
                index_a = index_a[index_b]
                pairs.append(Pair(a, b, index_a, index_b, a.time_s[index_a]))
        row[a.frames] = -1
    return pairs


def box_gap(
    center_a: Float[np.ndarray, "#m 2"],
    size_a: Float[np.ndarray, "#m 2"],
    center_b: Float[np.ndarray, "#m 2"],
    size_b: Float[np.ndarray, "#m 2"],
) -> Float[np.ndarray, " _"]:
    """Distance between two boxes in pixels; negative (the smaller overlap) where they overlap."""
    apart = np.abs(center_a - center_b) - (size_a + size_b) / 2
    outside = np.linalg.norm(np.maximum(apart, 0.0), axis=1)
    return np.where(np.all(apart < 0, axis=1), apart.max(axis=1), outside)


def detect_contacts(scene: Scene) -> tuple[Contact, ...]:
    """Recorded contacts of a scene, or, for a scene in pixels without any, contacts seen in boxes.

    Contacts without finite times, or that end before they start, are left out.

    In pixels, boxes that touch may merely pass in front of each other, so a contact also needs a
    jump in the velocity of at least one of the two within two frames of the first touch (6 standard
    errors, one object size per second and 30% of the speed). A jump that nothing else explains and
    that pushes the object up, or stops its way down, is a contact with the static world. Confidence
    0.6 to 0.9; a scene of one frame has none. Contacts of a pair closer than 0.1 s are joined.
    Computed once for each scene object.
    """
    found = _CONTACTS.get(scene)
    if found is None:
        found = _CONTACTS[scene] = _detect_contacts(scene)
    return found


def with_contacts(scene: Scene) -> Scene:
    """The scene with the contacts that `detect_contacts` sees in it."""
    contacts = detect_contacts(scene)
    seen = replace(scene, contacts=contacts)
    carry_motion(scene, seen, {end for contact in contacts for end in (contact.a, contact.b)})
    if not contacts:
        _CONTACTS[seen] = ()
    return seen


def _detect_contacts(scene: Scene) -> tuple[Contact, ...]:
    if scene.contacts or scene.position_m is not None:
        return _join(scene.contacts)
    chances = bundled_contact_chances()
    found = []
    for claim in find_claims(scene):
        chance = chances.of(claim.kind, claim.traits)
        if claim.has_jump or chance >= LIKELY:
            found.append(replace(claim.contact, confidence=chance))
    return _join(tuple(found))


def find_claims(scene: Scene) -> list[Claim]:
    """What may be a contact in a scene in pixels, whatever contacts the scene itself names: boxes
    that touch, and jumps upwards that no touch explains."""
    jumps_by_track = {track: _jumps_of(track) for track in motion_of(scene).tracks}
    found, explained = [], set()
    for pair in find_pairs(scene):
        gap = box_gap(
            pair.a.position[pair.index_a],
            pair.a.size[pair.index_a],
            pair.b.position[pair.index_b],
            pair.b.size[pair.index_b],
        )
        smaller = min(pair.a.scale, pair.b.scale)
        # The touch itself mostly falls between two frames: what is still closed by then counts.
        between = pair.a.position[pair.index_a] - pair.b.position[pair.index_b]
        step = np.linalg.norm(np.diff(between, axis=0), axis=1)
        closing = MISSED_STEP * np.maximum(np.append(step, 0.0), np.append(0.0, step))
        reach = max(TOUCH_PX, TOUCH_SIZE * smaller) + np.minimum(closing, 0.5 * smaller)
        for first, last in find_runs(gap <= reach):
            begin_s, end_s = float(pair.time_s[first]), float(pair.time_s[last])
            near_a, near_b = (
                [
                    jump
                    for jump in jumps_by_track[track]
                    if abs(jump.moment_s - begin_s) <= 2.5 * track.step_s
                ]
                for track in (pair.a, pair.b)
            )
            explained.update(near_a, near_b)
            place = pair.a.position[pair.index_a[first]], pair.b.position[pair.index_b[first]]
            middle = (place[0] + place[1]) / 2
            a, b = sorted((pair.a.object_id, pair.b.object_id))
            point = (float(middle[0]), float(middle[1]))
            traits = traits_of_touch(
                (pair.a, pair.b),
                (pair.index_a, pair.index_b),
                gap,
                (first, last),
                (near_a, near_b),
            )
            found.append(Claim(BODIES, Contact(a, b, begin_s, end_s, point), traits))
    for track, jumps in jumps_by_track.items():
        for jump in jumps:
            upward = float(jump.change @ track.up)
            came_down = float(jump.before @ track.up) < 0
            if jump in explained or not came_down or upward < 0.7 * np.linalg.norm(jump.change):
                continue
            i = int(np.argmin(np.abs(track.time_s - jump.moment_s)))
            foot = track.position[i] - track.up * track.size[i, 1] / 2
            point = (float(foot[0]), float(foot[1]))
            contact = Contact(track.object_id, STATIC, jump.moment_s, jump.moment_s, point)
            traits = traits_of_jump(track, i, jump, _nearest(scene, track, i))
            found.append(Claim(GROUND, contact, traits))
    return found


def _nearest(scene: Scene, track: Track, at: int) -> float:
    """Distance to the nearest other box at a sample of a track; infinite if there is none."""
    own, frame = track.position[at], int(track.frames[at])
    gaps = [
        float(box_gap(own[None], track.size[at][None], o.position[k][None], o.size[k][None])[0])
        for o in motion_of(scene).tracks
        if o is not track and (k := int(np.searchsorted(o.frames, frame))) < o.num_samples
        if o.frames[k] == frame
    ]
    return min(gaps, default=math.inf)


def kicks_of(track: Track) -> list[tuple[float, np.ndarray, np.ndarray]]:
    """Moments at which the velocity jumps, with the velocities before and after."""
    return [(jump.moment_s, jump.before, jump.after) for jump in _jumps_of(track)]


def _jumps_of(track: Track) -> list[Jump]:
    jumps = []
    fitted = [s for s in track.segments if s.num_samples >= MIN_KICK_SAMPLES]
    for left, right in itertools.pairwise(fitted):
        assert left.fit is not None and right.fit is not None  # noqa: PT018
        if right.fit.start_s - left.fit.end_s > 3.0 * track.step_s:
            continue
        moment = (left.fit.end_s + right.fit.start_s) / 2
        before, after = left.fit.velocity(moment), right.fit.velocity(moment)
        error = np.hypot(left.fit.derivative_std(moment, 1), right.fit.derivative_std(moment, 1))
        std = float(np.linalg.norm(error))
        speed = max(float(np.linalg.norm(before)), float(np.linalg.norm(after)))
        least = max(
            MIN_KICK_STD * std,
            MIN_KICK_SIZES * track.scale if not track.is_metric else 0.1,
            MIN_KICK_SHARE * speed,
        )
        if float(np.linalg.norm(after - before)) > least:
            jumps.append(Jump(moment, before, after, std))
    return jumps


def _join(contacts: tuple[Contact, ...]) -> tuple[Contact, ...]:
    joined: list[Contact] = []
    latest: dict[tuple[int, int], int] = {}
    timed = [c for c in contacts if -math.inf < c.start_s <= c.end_s < math.inf]
    for contact in sorted(timed, key=lambda c: (c.start_s, c.a, c.b)):
        pair = (min(contact.a, contact.b), max(contact.a, contact.b))
        i = latest.get(pair)
        if i is not None and contact.start_s - joined[i].end_s <= CHATTER_S:
            old = joined[i]
            impulses = [x for x in (old.impulse_ns, contact.impulse_ns) if x is not None]
            joined[i] = Contact(
                old.a,
                old.b,
                old.start_s,
                max(old.end_s, contact.end_s),
                old.point_px,
                max(impulses) if impulses else None,
                max(old.confidence, contact.confidence),
            )
        else:
            latest[pair] = len(joined)
            joined.append(contact)
    return tuple(joined)
