"""Impacts: what a short touch does to the velocities of those that touch."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from worldline.core import STATIC, Contact, Scene
from worldline.physics.contacts import detect_contacts
from worldline.physics.kinematics import Segment, Track, motion_of

__all__ = ["Change", "Impact", "find_impacts"]

BRIEF_S, BRIEF_STEPS = 0.1, 3.0
"""A touch of at most so long, or so many frames, is an impact; what lasts longer is a push."""

MIN_SAMPLES, MIN_SAMPLES_PX = 3, 4
"""Velocities before and after come from pieces of at least so many samples."""

REACH_STEPS = 2.5
"""A piece has to reach so near to the touch, in frames."""


@dataclass(frozen=True, eq=False)
class Change:
    """Velocity of one body as a touch begins and as it ends.

    Attributes:
        track: of the body.
        left, right: pieces of it before and after.
        before, after: `[D]` in units per second.
        before_std, after_std: `[D]` standard errors.
    """

    track: Track
    left: Segment
    right: Segment
    before: Float[np.ndarray, " d"]
    after: Float[np.ndarray, " d"]
    before_std: Float[np.ndarray, " d"]
    after_std: Float[np.ndarray, " d"]

    @property
    def jump(self) -> Float[np.ndarray, " d"]:
        """Change of velocity."""
        return self.after - self.before

    @property
    def jump_std(self) -> Float[np.ndarray, " d"]:
        """Standard error of `jump`."""
        return np.hypot(self.before_std, self.after_std)


@dataclass(frozen=True, eq=False)
class Impact:
    """A short touch between which and the neighbouring pieces nothing else touches the two.

    Attributes:
        contact: the touch.
        one: the first body.
        two: the second body; None for the static world.
        is_carried: one of them rests or rolls on the static world all the while.
    """

    contact: Contact
    one: Change
    two: Change | None
    is_carried: bool

    @property
    def ids(self) -> tuple[int, ...]:
        """Object ids of the bodies."""
        first = (self.one.track.object_id,)
        return first if self.two is None else (*first, self.two.track.object_id)


def find_impacts(scene: Scene) -> tuple[Impact, ...]:
    """Impacts whose velocities before and after can be read.

    A contact (`detect_contacts`, confidence 0.5 or more) of at most 0.1 s or three frames. Before
    and after it each body has a piece of its track of at least three samples (pixels, and along the
    static world: four) that ends or begins within 2.5 frames; parabolas through these pieces give
    the velocities. Left out are impacts during which anything else touches one of the two, or
    stops to.
    """
    contacts = [c for c in detect_contacts(scene) if c.confidence >= 0.5]
    found = []
    for contact in contacts:
        first, second = _change(scene, contact.a, contact), _change(scene, contact.b, contact)
        if contact.a == STATIC or (contact.b != STATIC and second is None) or first is None:
            continue
        ends = [first] if second is None else [first, second]
        beside = [
            _beside(contact, other, change)
            for change in ends
            for other in contacts
            if other is not contact and change.track.object_id in (other.a, other.b)
        ]
        if None not in beside:
            found.append(Impact(contact, first, second, any(beside)))
    return tuple(found)


def _change(scene: Scene, object_id: int, contact: Contact) -> Change | None:
    track = motion_of(scene).of(object_id)
    if track is None:
        return None
    if contact.end_s - contact.start_s > max(BRIEF_S, BRIEF_STEPS * track.step_s):
        return None
    left = right = None
    least = MIN_SAMPLES if track.is_metric else MIN_SAMPLES_PX
    for segment in track.segments:
        fit = segment.fit
        # Along the static world a bounce off a wall may hide where no sample is to spare.
        if fit is None or segment.num_samples < max(least, 4 * segment.touching):
            continue
        if fit.end_s <= contact.start_s:
            left = segment
        elif right is None and fit.start_s >= contact.end_s:
            right = segment
    if left is None or right is None or left.fit is None or right.fit is None:
        return None
    reach = REACH_STEPS * track.step_s
    if contact.start_s - left.fit.end_s > reach or right.fit.start_s - contact.end_s > reach:
        return None
    start_s, end_s = contact.start_s, contact.end_s
    if contact.b == STATIC and not track.is_metric:
        start_s = end_s = _meeting(left, right, track)
    return Change(
        track,
        left,
        right,
        left.fit.velocity(start_s),
        right.fit.velocity(end_s),
        left.fit.derivative_std(start_s, 1),
        right.fit.derivative_std(end_s, 1),
    )


def _meeting(left: Segment, right: Segment, track: Track) -> float:
    """When a bounce that the frames do not show happened: where the two ways come nearest."""
    assert left.fit is not None and right.fit is not None  # noqa: PT018
    times = np.linspace(left.fit.end_s, right.fit.start_s, 41)
    apart = [
        abs(float((left.fit.position(t) - right.fit.position(t)) @ track.up))
        for t in times.tolist()
    ]
    return float(times[int(np.argmin(apart))])


def _beside(contact: Contact, other: Contact, change: Change) -> bool | None:
    """Whether another contact lasts all through an impact; None when it meddles with it."""
    assert change.left.fit is not None and change.right.fit is not None  # noqa: PT018
    start_s, end_s = change.left.fit.end_s, change.right.fit.start_s
    if other.end_s < start_s or other.start_s > end_s:
        return False
    covers = other.start_s <= start_s and other.end_s >= end_s
    if covers and STATIC in (other.a, other.b):
        return True
    same = {other.a, other.b} == {contact.a, contact.b}
    return False if same and other == contact else None


def runs_of(impacts: tuple[Impact, ...]) -> dict[tuple[int, ...], list[Impact]]:
    """Impacts of the same bodies together, in order of time."""
    ordered = sorted(impacts, key=lambda i: (i.ids, i.contact.start_s))
    return {ids: list(group) for ids, group in itertools.groupby(ordered, key=lambda i: i.ids)}
