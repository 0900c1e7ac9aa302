"""The event of two bodies that nearly collide: near_miss, with the usual conflict measures."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from worldline.core import Contact, Event, Scene
from worldline.physics.conflict import (
    closest_approach,
    deceleration_to_avoid_crash,
    encroachment_time,
    modified_deceleration_to_avoid_crash,
    modified_time_to_collision,
    time_to_collision,
)
from worldline.physics.contacts import Pair, box_gap, detect_contacts, find_pairs
from worldline.physics.edges import common_velocity
from worldline.physics.events.ontology import define
from worldline.physics.footprint import disc_radius
from worldline.physics.kinematics import Track
from worldline.physics.profiles import ConflictProfile

__all__ = ["NEAR_MISS", "NearMissRule", "find_near_misses"]

BENT_S = 0.25
"""Accelerations are those of parabolas through the samples so much earlier and later."""

PLACE_S = 6.0
"""Post-encroachment times are looked for so long before and after the closest approach."""


@dataclass(frozen=True)
class NearMissRule:
    """Thresholds of a near miss.

    Attributes:
        ttc_s: time to collision that is critical. 1.5 s marks serious conflicts in road traffic
            (van der Horst 1990; Sayed and Zein 1999).
        gap_radii: largest gap at the closest approach, in mean radii of the two bodies, if they
            were on a collision course.
        passing_gap_radii: the same if they were not.
        closing_mps: least closing speed, metric scenes.
        closing_sizes_s: least closing speed in pixel scenes, in mean object sizes per second.
        size_ratio: in pixels, boxes that differ more in size, in general or at the closest
            approach, are taken to be at different depths.
        shape_ratio: in pixels, a box whose width over height changes by more than this factor from
            the first critical moment on is not one thing, but what passes it by as well.
        num_frames_px: in pixels, so many frames must be critical, since velocities are noisy.
        contact_s: no contact so soon before or after.
    """

    ttc_s: float = 1.5
    gap_radii: float = 1.5
    passing_gap_radii: float = 0.5
    closing_mps: float = 0.5
    closing_sizes_s: float = 0.75
    size_ratio: float = 1.5
    shape_ratio: float = 2.0
    num_frames_px: int = 3
    contact_s: float = 1.0


NEAR_MISS = NearMissRule()

ANY_APPROACH = NearMissRule(ttc_s=3.0, gap_radii=math.inf, passing_gap_radii=math.inf)
"""What a named profile chooses from: every approach at speed, however far away it ends."""


@define(
    "near_miss",
    roles={"a": "one body", "b": "the other"},
    quantities={
        "ttc_s": "smallest time to collision of the discs at constant velocity",
        "mttc_s": "the same at constant acceleration (metric scenes)",
        "pet_s": "post-encroachment time: least time between the two being at one place",
        "drac_mps2": "greatest deceleration that would just have avoided the crash (known scale)",
        "mdrac_mps2": "the same after 1 s of reaction (infinite values are left out)",
        "distance_m": "smallest gap between the discs (metric scenes)",
        "distance_px": "smallest gap between the boxes (pixel scenes)",
        "closest_approach_s": "when the gap is smallest",
        "closing_speed_mps": "greatest closing speed while critical (metric scenes)",
        "closing_speed_px_s": "the same in pixel scenes",
    },
    version=3,
)
def find_near_misses(scene: Scene, profile: ConflictProfile | None = None) -> tuple[Event, ...]:
    """Two bodies are about to collide, and then do not touch.

    At some moment they close in at 0.5 m/s or more (pixels: 0.75 sizes per second) and, if both
    kept their velocities, discs around them would touch within 1.5 s, or pass at less than half a
    mean radius (Hayward 1972 for the time to collision, in disc form; thresholds in
    `NearMissRule`); later the gap really gets below 1.5 mean radii (0.5 without a collision
    course), and no contact occurs in the second before or after. The interval runs from the first
    critical moment, at most 3 s before, to the closest approach.

    Measures are the worst of the critical moments: TTC; MTTC (Ozbay et al. 2008), on the
    collision course; DRAC = closing speed^2 / (2 gap) (Almqvist et al. 1991); MDRAC (Kuang et al.
    2015); and the PET of Allen et al. (1978) for discs, over 6 s to each side, absent where the two
    are never at one place. `worldline.physics.profiles` names limits on them: ssam, sumo, serious.

    In pixels the gap is that between boxes, and velocities are those that both edges of a box have
    in common: a box that takes in another thing comes near to nothing. Three frames must be
    critical, and the boxes must part again. Things taken to be at different depths (sizes differ by
    a factor of 1.5, in general or at the closest approach) are left out, and so are boxes whose
    width over height changes by a factor of 2 meanwhile. Two bodies never on a collision course
    have no `ttc_s`.
    """
    events = []
    contacts = detect_contacts(scene)
    rule = NEAR_MISS if profile is None else ANY_APPROACH
    for pair in find_pairs(scene):
        found = _near_miss(scene, pair, contacts, rule)
        if found is not None and (profile is None or profile.holds(found.quantities)):
            events.append(found)
    return tuple(events)


@dataclass
class _Worst:
    """The most critical measures so far, and the first critical sample."""

    first: int | None = None
    count: int = 0
    closing: float = 0.0
    ttc: float = math.inf
    mttc: float = math.inf
    drac: float = 0.0
    mdrac: float = 0.0

    def quantities(self, metres: float | None) -> dict[str, float]:
        """By name; `metres` is the size of the unit of length."""
        found = {"ttc_s": self.ttc, "mttc_s": self.mttc}
        if metres is not None:
            found |= {"drac_mps2": self.drac * metres, "mdrac_mps2": self.mdrac * metres}
        return {name: x for name, x in found.items() if math.isfinite(x) and x > 0}


def _near_miss(
    scene: Scene, pair: Pair, contacts: tuple[Contact, ...], rule: NearMissRule
) -> Event | None:
    a, b = pair.a, pair.b
    place_a, place_b = a.position[pair.index_a], b.position[pair.index_b]
    radius_a, radius_b = disc_radius(a), disc_radius(b)
    if not radius_a > 0 or not radius_b > 0:
        return None
    mean_radius, reach = (radius_a + radius_b) / 2, radius_a + radius_b
    margin, passing = rule.gap_radii * mean_radius, rule.passing_gap_radii * mean_radius
    discs = np.linalg.norm(place_a - place_b, axis=1) - reach
    if a.is_metric:
        gap, least = discs, rule.closing_mps
    else:
        if max(radius_a, radius_b) > rule.size_ratio * min(radius_a, radius_b):
            return None
        gap = box_gap(place_a, a.size[pair.index_a], place_b, b.size[pair.index_b])
        if not _parts_again(gap):
            return None
        least = rule.closing_sizes_s * 2 * mean_radius
    nearest = int(np.argmin(gap))
    if not 0 < gap[nearest] <= margin:
        return None
    if not a.is_metric and _size_ratio(pair, nearest) > rule.size_ratio:
        return None
    moment = float(pair.time_s[nearest])
    for contact in contacts:
        ids = {contact.a, contact.b}
        slack = rule.contact_s
        touching = contact.start_s - slack <= moment <= contact.end_s + slack
        if ids == {a.object_id, b.object_id} and touching:
            return None
    velocity_a = common_velocity(a)[pair.index_a]
    velocity_b = common_velocity(b)[pair.index_b]
    worst = _Worst()
    for i in range(nearest + 1):
        if moment - pair.time_s[i] > 2.0 * rule.ttc_s:
            continue
        way = place_b[i] - place_a[i]
        closing = -float((velocity_b[i] - velocity_a[i]) @ way) / float(np.linalg.norm(way))
        if closing < least:
            continue
        args = (place_a[i], velocity_a[i], radius_a, place_b[i], velocity_b[i], radius_b)
        own = time_to_collision(*args)
        course = closest_approach(place_a[i], velocity_a[i], place_b[i], velocity_b[i])
        near = course.distance - reach <= passing and course.time_s <= rule.ttc_s
        if own > rule.ttc_s and not near:
            continue
        worst.first = i if worst.first is None else worst.first
        worst.count += 1
        worst.closing = max(worst.closing, closing)
        if own <= rule.ttc_s:
            worst.ttc = min(worst.ttc, own)
            worst.drac = max(worst.drac, _finite(deceleration_to_avoid_crash(discs[i], closing, 0)))
            again = modified_deceleration_to_avoid_crash(own, closing)
            worst.mdrac = max(worst.mdrac, _finite(again))
            if a.is_metric:
                bend = _acceleration(b, int(pair.index_b[i]))
                bend -= _acceleration(a, int(pair.index_a[i]))
                speed = velocity_b[i] - velocity_a[i]
                worst.mttc = min(worst.mttc, modified_time_to_collision(way, speed, bend, reach))
    if worst.first is None or gap[nearest] > (margin if math.isfinite(worst.ttc) else passing):
        return None
    if not a.is_metric and (
        worst.count < rule.num_frames_px
        or _shape_change(pair, worst.first, nearest) > rule.shape_ratio
    ):
        return None
    unit = "m" if a.is_metric else "px"
    quantities = {f"distance_{unit}": float(gap[nearest]), "closest_approach_s": moment}
    quantities["closing_speed_mps" if a.is_metric else "closing_speed_px_s"] = worst.closing
    quantities |= worst.quantities(1.0 if a.is_metric else scene.metres_per_px)
    pet = _encroachment(a, b, moment, reach)
    if math.isfinite(pet):
        quantities["pet_s"] = pet
    roles = {"a": a.object_id, "b": b.object_id}
    confidence = 1.0 if a.is_metric else 0.6
    start_s = float(pair.time_s[worst.first])
    return Event("near_miss", start_s, moment, roles, quantities, confidence)


def _size_ratio(pair: Pair, sample: int) -> float:
    """How many times one box is larger than the other, by the roots of their areas."""
    side_a = math.sqrt(float(np.prod(pair.a.size[pair.index_a[sample]])))
    side_b = math.sqrt(float(np.prod(pair.b.size[pair.index_b[sample]])))
    return max(side_a, side_b) / max(min(side_a, side_b), 1e-9)


def _shape_change(pair: Pair, first: int, last: int) -> float:
    """By which factor width over height changes over some samples, the greater of the two boxes."""
    greatest = 1.0
    for track, index in ((pair.a, pair.index_a), (pair.b, pair.index_b)):
        size = np.maximum(track.size[index[first : last + 1]], 1e-9)
        shape = size[:, 0] / size[:, 1]
        greatest = max(greatest, float(shape.max() / shape.min()))
    return greatest


def _finite(value: float) -> float:
    """The value, or 0 where it is infinite: no braking of any strength would have helped."""
    return value if math.isfinite(value) else 0.0


def _acceleration(track: Track, sample: int) -> np.ndarray:
    """From the parabola through the samples around one; 0 where there are too few."""
    near = np.flatnonzero(np.abs(track.time_s - track.time_s[sample]) <= BENT_S)
    if len(near) < 4:
        return np.zeros(track.position.shape[1])
    return 2 * np.polyfit(track.time_s[near] - track.time_s[sample], track.position[near], 2)[0]


def _encroachment(a: Track, b: Track, moment: float, reach: float) -> float:
    """Post-encroachment time around a moment."""
    near_a, near_b = (np.abs(t.time_s - moment) <= PLACE_S for t in (a, b))
    return encroachment_time(
        a.time_s[near_a], a.position[near_a], b.time_s[near_b], b.position[near_b], reach
    )


def _parts_again(gap: np.ndarray) -> bool:
    """Whether the smallest gap lies inside the common time, so that it is known to be smallest."""
    i = int(np.argmin(gap))
    return bool(i < len(gap) - 2 and gap[-1] > gap[i] + 1.0)
