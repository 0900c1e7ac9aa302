"""Free flights: the parts of a track in which nothing but gravity acts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from worldline.core import STATIC, Scene
from worldline.physics.kinematics import Motion, Segment, Track, motion_of
from worldline.physics.polynomial import PolynomialFit, fit_polynomial

__all__ = ["MAX_SCALE_STD_SHARE", "MIN_SAMPLES_SCALE", "Flight", "find_flights", "lands_on"]

GRAVITY_SHARE = 0.1
"""Metric flight: the acceleration may differ from gravity by this share, plus 3 standard errors."""

MAX_ACCELERATION_STD_SHARE = 0.3
"""Metric flight: a fit whose acceleration is known worse than this share of g shows nothing."""

MIN_SAMPLES_PX = 4
"""Pixel flight: three samples always lie on a parabola."""

MIN_BEND_STD = 8.0
"""Pixel flight: downward acceleration over its standard error."""

MIN_R_SQUARED = 0.98
"""Pixel flight: share of the vertical variance that the parabola explains."""

MIN_RANGE_PX = 6.0
"""Pixel flight: vertical range; less is lost in the jitter of boxes."""

MIN_RANGE_SIZE = 0.5
"""Pixel flight: vertical range over the box height. Walking and sitting down stay below."""

MIN_BEND_SHARE = 0.32
"""Pixel flight: a T^2 / 2 over the vertical range (1: fall from rest, 0: uniform motion)."""

MAX_SIDE_SHARE = 0.25
"""Pixel flight: horizontal over vertical acceleration, plus 3 standard errors."""

MAX_GROWTH = 1.43
"""Pixel flight: the box may grow or shrink by this factor; more means motion in depth."""

DEPTH_GROWTH, DEPTH_R_SQUARED = 0.3, 0.9
"""Pixel flight: what changes its size by this share while its height follows its size this closely
moves in depth: over level ground the height below the horizon is in proportion to the size."""

MAX_CUBIC_SHARE = 0.35
"""Pixel flight: change of the acceleration over half the flight, over the acceleration."""

BODY_M = (0.01, 5.0)
"""Pixel flight: size of a body that is credible at the scale which the flight implies."""

HEIGHT_M = (0.03, 100.0)
"""Pixel flight: vertical range that is credible at the scale which the flight implies."""

MIN_SAMPLES_SCALE = 5
"""Fewer samples give no scale: the frame rate is insufficient."""

MAX_SCALE_STD_SHARE = 0.25
"""A scale known worse than this is not reported."""

KNOWN_SCALE_SHARE = 0.4
"""Pixel flight in a scene of known scale: acceleration may differ from gravity by this share."""


@dataclass(frozen=True, eq=False)
class Flight:
    """One free flight.

    Attributes:
        track: of the flying object.
        first, last: first and last sample in flight (inclusive).
        start_s, end_s: interval; ends lie between samples where the neighbouring motion shows it.
        fit: parabola, in the track's unit.
        metres_per_unit, metres_per_unit_std: 1 and 0 for metric tracks; for pixels the scale that
            gravity implies, NaN where the frame rate is insufficient to tell.
        end_is_seen: something (a contact, a next motion) marks the end of the flight.
        before, after: neighbouring segments without a gap between, where there are any.
    """

    track: Track
    first: int
    last: int
    start_s: float
    end_s: float
    fit: PolynomialFit
    metres_per_unit: float
    metres_per_unit_std: float
    end_is_seen: bool
    before: Segment | None
    after: Segment | None

    @property
    def num_samples(self) -> int:
        """Samples in flight."""
        return self.last - self.first + 1

    @property
    def fall_acceleration(self) -> float:
        """Downward acceleration in the track's unit per s^2, positive."""
        return -float(self.fit.acceleration() @ self.track.up)

    def height(self, time_s: float) -> float:
        """Fitted position along `up`."""
        return float(self.fit.position(time_s) @ self.track.up)

    @property
    def apex_s(self) -> float:
        """Moment of greatest height within the flight."""
        climb = float(self.fit.velocity(self.start_s) @ self.track.up)
        apex = self.start_s + climb / max(self.fall_acceleration, 1e-12)
        return float(np.clip(apex, self.start_s, self.end_s))


def find_flights(scene: Scene) -> tuple[Flight, ...]:
    """All free flights of a scene, in order of object and time.

    In metres a flight is a segment without contact whose acceleration vector is gravity's. In
    pixels gravity's size is unknown but its form is not: a flight is a segment that is convincingly
    a downward parabola (significant bend, high R^2, enough frames and pixels, no sideways
    acceleration, no change of size, no height that follows the size, no drifting acceleration) and
    whose implied scale, metres per pixel = g / a, makes neither a giant nor a crumb of the object.
    The camera is taken to stand still and upright. Every threshold is a constant of this module.
    Computed once for each scene object.
    """
    found = _FLIGHTS.get(scene)
    if found is None:
        found = _FLIGHTS[scene] = _find_flights(scene)
    return found


_FLIGHTS: WeakKeyDictionary[Scene, tuple[Flight, ...]] = WeakKeyDictionary()


def _find_flights(scene: Scene) -> tuple[Flight, ...]:
    motion = motion_of(scene)
    if motion.gravity_mps2 <= 0:
        return ()
    flights = []
    for track in motion.tracks:
        for first, last in _joined_candidates(track):
            flight = _make_flight(scene, motion, track, first, last)
            if flight is not None:
                flights.append(flight)
    return tuple(flights)


def _joined_candidates(track: Track) -> list[tuple[int, int]]:
    """Ranges of segments (inclusive) that continue one another as one parabola."""
    ranges: list[tuple[int, int]] = []
    for i, segment in enumerate(track.segments):
        if segment.fit is None or segment.touching:
            continue
        if ranges and ranges[-1][1] == i - 1 and _continues(track, i - 1):
            ranges[-1] = (ranges[-1][0], i)
        else:
            ranges.append((i, i))
    return ranges


def _continues(track: Track, i: int) -> bool:
    left, right = track.segments[i], track.segments[i + 1]
    if left.fit is None or right.fit is None or _gap_between(track, left, right):
        return False
    moment = float((track.time_s[left.stop - 1] + track.time_s[right.start]) / 2)
    jump = left.fit.velocity(moment) - right.fit.velocity(moment)
    error = np.hypot(left.fit.derivative_std(moment, 1), right.fit.derivative_std(moment, 1))
    bend_l, bend_r = left.fit.acceleration() @ track.up, right.fit.acceleration() @ track.up
    bend_std = math.hypot(
        float(left.fit.acceleration_std() @ np.abs(track.up)),
        float(right.fit.acceleration_std() @ np.abs(track.up)),
    )
    span = float(track.time_s[right.stop - 1] - track.time_s[left.start])
    allowed = 3.0 * error + 0.1 * span * max(abs(bend_l), abs(bend_r))
    return bool(
        bend_l < 0
        and bend_r < 0
        and np.all(np.abs(jump) <= allowed)
        and abs(bend_l - bend_r) <= 3.0 * bend_std + 0.2 * abs(bend_l)
    )


def _gap_between(track: Track, left: Segment, right: Segment) -> bool:
    return bool(
        track.time_s[right.start] - track.time_s[left.stop - 1] > max(3.0 * track.step_s, 1e-9)
    )


def _make_flight(
    scene: Scene, motion: Motion, track: Track, left: int, right: int
) -> Flight | None:
    first, last = track.segments[left].start, track.segments[right].stop - 1
    fit = track.segments[left].fit
    inside = slice(first, last + 1)
    if left != right:
        fit = fit_polynomial(
            track.time_s[inside], track.position[inside], degree=2, std=track.std[inside]
        )
    assert fit is not None
    if motion.is_metric:
        if not _is_metric_flight(fit, track, motion.gravity_mps2):
            return None
        scale, scale_std = 1.0, 0.0
    else:
        found = _pixel_scale(scene, motion.gravity_mps2, track, inside, fit)
        if found is None:
            return None
        scale, scale_std = found
    before = track.segments[left - 1] if left > 0 else None
    after = track.segments[right + 1] if right + 1 < len(track.segments) else None
    if before is not None and _gap_between(track, before, track.segments[left]):
        before = None
    if after is not None and _gap_between(track, track.segments[right], after):
        after = None
    start_s, end_s = float(track.time_s[first]), float(track.time_s[last])
    if before is not None:
        start_s = _meeting(scene, track, fit, before, before.stop - 1, first)
    if after is not None:
        end_s = _meeting(scene, track, fit, after, after.start, last)
    return Flight(
        track, first, last, start_s, end_s, fit, scale, scale_std, after is not None, before, after
    )


def _is_metric_flight(fit: PolynomialFit, track: Track, gravity_mps2: float) -> bool:
    error = fit.acceleration_std()
    if float(np.linalg.norm(error)) > MAX_ACCELERATION_STD_SHARE * gravity_mps2:
        return False
    off = fit.acceleration() + gravity_mps2 * track.up
    allowed = GRAVITY_SHARE * gravity_mps2 + 3.0 * float(np.linalg.norm(error))
    return bool(np.linalg.norm(off) <= allowed)


def _pixel_scale(
    scene: Scene, gravity_mps2: float, track: Track, inside: slice, fit: PolynomialFit
) -> tuple[float, float] | None:
    """Metres per pixel and its standard error (NaN: too few frames); None if this is no flight."""
    t, position, size = track.time_s[inside], track.position[inside], track.size[inside]
    samples = int(fit.inliers.sum())
    bend, bend_std = fit.acceleration(), fit.acceleration_std()
    down = float(bend[1])
    extent = float(np.ptp(position[fit.inliers, 1]))
    span = float(t[-1] - t[0])
    if samples < MIN_SAMPLES_PX or down <= 0 or down < MIN_BEND_STD * bend_std[1]:
        return None
    if fit.r_squared[1] < MIN_R_SQUARED:
        return None
    if extent < max(MIN_RANGE_PX, MIN_RANGE_SIZE * float(np.median(size[:, 1]))):
        return None
    if down * span**2 / 2 < MIN_BEND_SHARE * extent:
        return None
    if abs(bend[0]) > MAX_SIDE_SHARE * down + 3.0 * bend_std[0]:
        return None
    third = max(samples // 3, 1)
    side = np.sqrt(np.prod(size, axis=1))
    growth = float(np.median(side[-third:]) / max(float(np.median(side[:third])), 1e-9))
    if not 1 / MAX_GROWTH <= growth <= MAX_GROWTH:
        return None
    if _moves_in_depth(t, position[:, 1], side):
        return None
    if samples >= 6:
        cubic = fit_polynomial(t, position, degree=3, std=track.std[inside])
        drift = abs(float(cubic.derivative(cubic.origin_s, 3)[1])) * span / 2
        drift_std = float(cubic.derivative_std(cubic.origin_s, 3)[1]) * span / 2
        if drift - 3.0 * drift_std > MAX_CUBIC_SHARE * down:
            return None
    scale, scale_std = gravity_mps2 / down, gravity_mps2 * float(bend_std[1]) / down**2
    if scene.metres_per_px is not None:
        if abs(scene.metres_per_px / scale - 1) > KNOWN_SCALE_SHARE + 3.0 * scale_std / scale:
            return None
        return scene.metres_per_px, scene.metres_per_px_std or 0.0
    credible = BODY_M[0] <= scale * float(np.median(side)) <= BODY_M[1]
    if not credible or not HEIGHT_M[0] <= scale * extent <= HEIGHT_M[1]:
        return None
    if samples < MIN_SAMPLES_SCALE or scale_std > MAX_SCALE_STD_SHARE * scale:
        return math.nan, math.nan
    return scale, scale_std


def _moves_in_depth(time_s: np.ndarray, y: np.ndarray, side: np.ndarray) -> bool:
    """Whether the height in the image is a matter of how far away the thing is."""
    centred = time_s - time_s.mean()
    rate = float(centred @ np.log(np.maximum(side, 1e-9))) / float(centred @ centred)
    if abs(rate) * float(np.ptp(time_s)) < DEPTH_GROWTH:
        return False
    return float(np.corrcoef(side, y)[0, 1]) >= math.sqrt(DEPTH_R_SQUARED)


def _meeting(
    scene: Scene, track: Track, fit: PolynomialFit, other: Segment, outer: int, inner: int
) -> float:
    """Moment between an inner sample of the flight and the sample next to it outside it.

    A recorded contact between the two that is not rounded to a frame wins; else where the heights
    of the two motions agree; else the time of the inner sample.
    """
    inner_s, outer_s = float(track.time_s[inner]), float(track.time_s[outer])
    low, high = min(inner_s, outer_s), max(inner_s, outer_s)
    for contact in scene.contacts:
        if track.object_id in (contact.a, contact.b):
            moment = contact.start_s if outer_s > inner_s else contact.end_s
            if low + 1e-6 < moment < high - 1e-6:
                return moment
    if other.touching:
        # Resting or sliding on something: the flight meets the height seen there.
        level = float(track.height[outer])
        gap = [float(fit.position(s) @ track.up) - level for s in (inner_s, outer_s)]
    elif other.fit is not None:
        gap = [
            float((fit.position(s) - other.fit.position(s)) @ track.up) for s in (inner_s, outer_s)
        ]
    else:
        return inner_s
    if gap[0] * gap[1] < 0:
        return inner_s + (outer_s - inner_s) * gap[0] / (gap[0] - gap[1])
    return inner_s if abs(gap[0]) <= abs(gap[1]) else outer_s


def lands_on(scene: Scene, flight: Flight) -> int | None:
    """Id of what a flight ends on (`STATIC` for the static world), if a contact shows it."""
    slack = max(1.5 * flight.track.step_s, 1e-6)
    for contact in scene.contacts:
        if flight.track.object_id not in (contact.a, contact.b):
            continue
        if abs(contact.start_s - flight.end_s) <= slack:
            other = contact.b if contact.a == flight.track.object_id else contact.a
            return STATIC if other == STATIC else other
    return None
