"""Laws of free motion: inertia, the form of free fall, and its size.

They hold for bodies that nothing pushes, so everything turns on saying which those are:

- In metres, a body is free between its contacts. Hinges, rods and strings are no contacts, so a
  body counts as *flying* only if part of that interval looks like free fall: downward acceleration
  of 0.25 to 1.75 g and sideways at most 0.1 g. Then the whole interval up to the next contact has
  to be one parabola. Where contacts are not recorded, only the pieces between velocity jumps are
  tested.
- In pixels only what `find_flights` accepts is free. People, cars and hands push themselves, and
  nothing in their track says when they coast, so inertia is untestable there.
- Without gravity every body is free between contacts, except those that propel themselves by name.
"""

from __future__ import annotations

import itertools
import math

import numpy as np

from worldline.core import Scene, Verdict
from worldline.physics.flight import Flight, find_flights
from worldline.physics.kinematics import Segment, Track, motion_of
from worldline.physics.laws.judging import (
    SELF_PROPELLED,
    Deviation,
    excess_of,
    judge,
    misfit_p,
    tell,
    two_sided_log_p,
    untestable,
    with_contacts_known,
)
from worldline.physics.polynomial import PolynomialFit, fit_polynomial

__all__ = ["check_gravity_form", "check_gravity_parameter", "check_inertia", "flying_rows"]

FALLING_SHARE = (0.25, 1.75)
"""Downward acceleration over g of what may be meant as free fall, however wrong its size."""

SIDEWAYS_SHARE = 0.1
"""Sideways acceleration over g that still looks like free fall."""

SURE_SHARE = 0.15
"""Standard error of the acceleration over g up to which it shows anything."""

MIN_FLYING_S, MIN_FLYING_SAMPLES = 0.1, 4
"""Less is no evidence of flight."""

FORM_M, FORM_PX = 0.004, 0.3
"""Deviation of single positions that is always granted: integrators, soft contacts, box edges."""

FORM_SHARE_PX = 0.25
"""Change of acceleration over half a flight, over the acceleration, that perspective may cause."""

PARAMETER_SHARE = 0.03
"""Deviation of g that is always granted in metres: air, and scale of the reconstruction."""

PARAMETER_SHARE_PX = 0.15
"""The same in pixels: the scale changes along the flight with perspective."""


ROUND_SHARE = 0.2
"""Boxes as wide as tall within this share are taken for round bodies, whose box shows the scale."""


def _is_flying(segment: Segment, track: Track, gravity_mps2: float) -> bool:
    fit = segment.fit
    if fit is None or segment.num_samples < MIN_FLYING_SAMPLES or segment.touching:
        return False
    if fit.end_s - fit.start_s < MIN_FLYING_S:
        return False
    error = float(np.linalg.norm(fit.acceleration_std()))
    down = -float(fit.acceleration() @ track.up)
    side = float(np.linalg.norm(fit.acceleration() + down * track.up))
    return (
        error <= SURE_SHARE * gravity_mps2
        and FALLING_SHARE[0] * gravity_mps2 <= down <= FALLING_SHARE[1] * gravity_mps2
        and side <= SIDEWAYS_SHARE * gravity_mps2 + 3.0 * error
    )


def _free_intervals(scene: Scene, track: Track) -> list[tuple[int, int]]:
    """Ranges (inclusive) of segments without contact in or between them, and without gaps."""
    apart = not with_contacts_known(scene)
    moments = [
        m for c in scene.contacts if track.object_id in (c.a, c.b) for m in (c.start_s, c.end_s)
    ]
    intervals: list[tuple[int, int]] = []
    for i, segment in enumerate(track.segments):
        if segment.touching:
            continue
        joined = False
        if intervals and intervals[-1][1] == i - 1 and not apart:
            left = float(track.time_s[track.segments[i - 1].stop - 1])
            right = float(track.time_s[segment.start])
            touched = any(left - 1e-9 <= m <= right + 1e-9 for m in moments)
            joined = not touched and right - left <= max(0.25, 3.0 * track.step_s)
        if joined:
            intervals[-1] = (intervals[-1][0], i)
        else:
            intervals.append((i, i))
    return intervals


def _range(track: Track, interval: tuple[int, int]) -> slice:
    return slice(track.segments[interval[0]].start, track.segments[interval[1]].stop)


def _bends(scene: Scene, row: int) -> bool:
    """Whether a body is soft: sheets hang by their edges, and no contact says so."""
    return scene.bend is not None and bool(np.nanmax(scene.bend[row], initial=0.0) > 0)


def _flying_intervals(scene: Scene) -> list[tuple[Track, tuple[int, int]]]:
    motion = motion_of(scene)
    return [
        (track, interval)
        for track in motion.tracks
        if track.label not in SELF_PROPELLED and not _bends(scene, track.row)
        for interval in _free_intervals(scene, track)
        if any(
            _is_flying(track.segments[i], track, motion.gravity_mps2)
            for i in range(interval[0], interval[1] + 1)
        )
    ]


def flying_rows(scene: Scene) -> set[int]:
    """Rows of the bodies that fly freely at some time of a metric scene."""
    return {track.row for track, _ in _flying_intervals(scene)}


def _misfit(
    track: Track, interval: tuple[int, int], degrees: list[tuple[np.ndarray, int]], law: str
) -> Deviation | None:
    """Test that the position along each direction is a polynomial of its degree."""
    part = _range(track, interval)
    time_s = track.time_s[part]
    granted = FORM_M if track.is_metric else FORM_PX
    # An estimated deviation is itself uncertain: widen it by one of its own standard errors.
    widen = 1.0 if track.is_std_given else 1.0 + 1.0 / math.sqrt(track.num_samples)
    chi2, dof, worst, moment, largest = 0.0, 0, 0.0, float(time_s[0]), 0.0
    for direction, degree in degrees:
        if len(time_s) < degree + 2:
            return None
        std = np.sqrt((widen * track.std[part]) ** 2 @ direction**2 + granted**2)
        values = track.position[part] @ direction
        own, own_dof, own_moment = misfit_p(time_s, values, std, degree)
        fit = np.polynomial.Polynomial.fit(time_s, values, degree)
        chi2, dof = chi2 + own, dof + own_dof
        if own > worst:
            worst, moment = own, own_moment
            largest = float(np.max(np.abs(values - fit(time_s))))
    first, last = interval
    if last > first:
        # The jump that splits the interval tells the moment better than the largest residual.
        cuts = [float(track.time_s[track.segments[i].start]) for i in range(first + 1, last + 1)]
        moment = min(cuts, key=lambda cut: abs(cut - moment))
    unit = "m" if track.is_metric else "px"
    shape = "straight line" if law == "inertia" else "parabola"
    from scipy import stats  # takes long to load, and searches need no law

    return Deviation(
        float(stats.chi2.logsf(chi2, dof)),
        moment,
        (track.object_id,),
        f"object {track.object_id} leaves its {shape} by up to {tell(largest)} {unit} between "
        f"{time_s[0]:.2f} and {time_s[-1]:.2f} s, chi2 = {tell(chi2)} for {dof} degrees of freedom",
        {"largest_deviation_" + unit: largest, "chi2": chi2, "dof": float(dof)},
    )


def _sideways(track: Track) -> list[np.ndarray]:
    """Unit vectors across `up`."""
    return list(np.linalg.svd(track.up[None, :])[2][1:])


def check_inertia(scene: Scene, alpha: float) -> Verdict:
    """A body that nothing pushes keeps its velocity (Newton's first law).

    With gravity: the horizontal velocity of flying bodies is constant from contact to contact.
    Without gravity: the whole velocity of every body is. Chi-square of the straight line against
    the noise of the track and 4 mm (0.3 px) granted.
    """
    motion = motion_of(scene)
    tests: list[Deviation | None] = []
    if motion.gravity_mps2 <= 0:
        for track in motion.tracks:
            if track.label in SELF_PROPELLED:
                continue
            axes = [(axis, 1) for axis in np.eye(track.position.shape[1])]
            tests += [
                _misfit(track, i, axes, "inertia")
                for i in _free_intervals(scene, track)
                if _range(track, i).stop - _range(track, i).start >= MIN_FLYING_SAMPLES
            ]
    elif motion.is_metric:
        for track, interval in _flying_intervals(scene):
            axes = [(axis, 1) for axis in _sideways(track)]
            tests.append(_misfit(track, interval, axes, "inertia"))
    else:
        return untestable(
            "inertia",
            "In pixels nothing shows which bodies coast: things that push themselves and friction "
            "cannot be told from a broken law.",
        )
    found = [t for t in tests if t is not None]
    if not found:
        return untestable("inertia", "No body moves free of contact for at least four frames.")
    return judge("inertia", found, alpha)


def check_gravity_form(scene: Scene, alpha: float) -> Verdict:
    """A flying body follows a parabola: no third derivative, no horizontal acceleration.

    Metres: chi-square of one parabola (vertical) and straight lines (horizontal) over the whole
    time between contacts, so hanging in the air and turning in flight fail. Pixels: on each flight
    the acceleration may change by 25% over half the flight, and point 25% sideways, as perspective
    makes it; beyond that Student's t of the fit decides.
    """
    motion = motion_of(scene)
    if motion.gravity_mps2 <= 0:
        return untestable("gravity_form", "The scene has no gravity.")
    if motion.is_metric:
        tests = []
        for track, interval in _flying_intervals(scene):
            axes = [(track.up, 2), *((axis, 1) for axis in _sideways(track))]
            tests.append(_misfit(track, interval, axes, "gravity_form"))
    else:
        tests = [_pixel_form(flight) for flight in find_flights(scene)]
    found = [t for t in tests if t is not None]
    if not found:
        return untestable("gravity_form", "No body is seen in free flight for long enough.")
    return judge("gravity_form", found, alpha)


def _pixel_form(flight: Flight) -> Deviation | None:
    track, part = flight.track, slice(flight.first, flight.last + 1)
    if flight.num_samples < 6:
        return None
    cubic = fit_polynomial(track.time_s[part], track.position[part], degree=3, std=track.std[part])
    half_s = (cubic.end_s - cubic.start_s) / 2
    down = flight.fall_acceleration
    drift = float(cubic.derivative(cubic.origin_s, 3)[1]) * half_s / down
    drift_std = float(cubic.derivative_std(cubic.origin_s, 3)[1]) * half_s / down
    side = float(flight.fit.acceleration()[0]) / down
    side_std = float(flight.fit.acceleration_std()[0]) / down
    log_p_drift = two_sided_log_p(drift, drift_std, tolerance=FORM_SHARE_PX, dof=cubic.dof)
    log_p_side = two_sided_log_p(side, side_std, tolerance=FORM_SHARE_PX, dof=flight.fit.dof)
    return Deviation(
        min(0.0, math.log(2.0) + min(log_p_drift, log_p_side)),
        flight.fit.origin_s,
        (track.object_id,),
        f"acceleration of object {track.object_id} changes by {drift:+.0%} over half its flight "
        f"and points {side:+.0%} sideways",
        {"drift_share": drift, "drift_share_std": drift_std, "sideways_share": side},
        max(
            excess_of(abs(drift), drift_std, tolerance=FORM_SHARE_PX),
            excess_of(abs(side), side_std, tolerance=FORM_SHARE_PX),
        ),
    )


def check_gravity_parameter(scene: Scene, alpha: float) -> Verdict:
    """A flying body accelerates by g, whatever it is made of.

    Metres: each flying piece has the scene's g (9.80665 m/s^2 where the scene has none), within 3%
    and Student's t of the fit. Pixels: with a known scale likewise, within 15%; else the
    acceleration over the box size is the same in all flights of one object, within 15%, and
    (with depth) acceleration times depth is the same for all objects.
    """
    motion = motion_of(scene)
    if motion.gravity_mps2 <= 0:
        return untestable("gravity_parameter", "The scene has no gravity.")
    if motion.is_metric:
        found = _metric_parameters(scene, motion.gravity_mps2)
    elif scene.metres_per_px is not None:
        found = _scaled_parameters(scene, motion.gravity_mps2)
    else:
        found = _compared_parameters(scene)
    if not found:
        reason = "No body is seen in free flight for long enough."
        if not motion.is_metric and find_flights(scene):
            reason = "Without a scale, one flight of one object has nothing to be compared with."
        return untestable("gravity_parameter", reason)
    return judge("gravity_parameter", found, alpha)


def _metric_parameters(scene: Scene, gravity_mps2: float) -> list[Deviation]:
    found = []
    for track, interval in _flying_intervals(scene):
        for i in range(interval[0], interval[1] + 1):
            segment = track.segments[i]
            if segment.fit is None or not _is_flying(segment, track, gravity_mps2):
                continue
            down, std = _down(segment.fit, track)
            log_p = two_sided_log_p(
                down - gravity_mps2,
                std,
                tolerance=PARAMETER_SHARE * gravity_mps2,
                dof=None if track.is_std_given else segment.fit.dof,
            )
            found.append(
                Deviation(
                    log_p,
                    segment.fit.origin_s,
                    (track.object_id,),
                    f"object {track.object_id} falls with {tell(down)} ± {tell(std, 2)} m/s^2 "
                    f"where g is {tell(gravity_mps2)}",
                    {"acceleration_mps2": down, "acceleration_mps2_std": std},
                )
            )
    return found


def _down(fit: PolynomialFit, track: Track) -> tuple[float, float]:
    variance = float(fit.acceleration_std() ** 2 @ track.up**2)
    return -float(fit.acceleration() @ track.up), math.sqrt(variance)


def _scaled_parameters(scene: Scene, gravity_mps2: float) -> list[Deviation]:
    assert scene.metres_per_px is not None
    found = []
    for flight in find_flights(scene):
        down, std = _down(flight.fit, flight.track)
        own = down * scene.metres_per_px
        own_std = math.hypot(std * scene.metres_per_px, down * (scene.metres_per_px_std or 0.0))
        log_p = two_sided_log_p(
            own - gravity_mps2, own_std, tolerance=PARAMETER_SHARE_PX * gravity_mps2
        )
        text = (
            f"object {flight.track.object_id} falls with {tell(own)} ± {tell(own_std, 2)} m/s^2 "
            f"where g is {tell(gravity_mps2)}"
        )
        quantities = {"acceleration_mps2": own, "acceleration_mps2_std": own_std}
        excess = excess_of(
            abs(own - gravity_mps2), own_std, tolerance=PARAMETER_SHARE_PX * gravity_mps2
        )
        who = (flight.track.object_id,)
        found.append(Deviation(log_p, flight.fit.origin_s, who, text, quantities, excess))
    return found


def _compared_parameters(scene: Scene) -> list[Deviation]:
    """Pairs of flights that must show one and the same g, each measured in its own scale."""
    found = []
    for one, two in itertools.combinations(find_flights(scene), 2):
        same = one.track is two.track
        first, second = _rate(scene, one, by_size=same), _rate(scene, two, by_size=same)
        if first is None or second is None:
            continue
        (a, a_std), (b, b_std) = first, second
        logarithm = math.log(a / b)
        std = math.hypot(a_std / a, b_std / b)
        log_p = two_sided_log_p(logarithm, std, tolerance=math.log1p(PARAMETER_SHARE_PX))
        i, j = one.track.object_id, two.track.object_id
        objects = (i,) if same else (i, j)
        who = f"two flights of object {i}" if same else f"flights of objects {i} and {j}"
        text = f"{who} have accelerations in the ratio {tell(a / b)} ± {tell(a / b * std, 2)}"
        excess = excess_of(abs(logarithm), std, tolerance=math.log1p(PARAMETER_SHARE_PX))
        ratio = {"ratio": a / b, "ratio_std": a / b * std}
        found.append(Deviation(log_p, two.fit.origin_s, objects, text, ratio, excess))
    return found


def _rate(scene: Scene, flight: Flight, *, by_size: bool) -> tuple[float, float] | None:
    """Acceleration freed of perspective: over the box size, or times the depth."""
    track, part = flight.track, slice(flight.first, flight.last + 1)
    down, std = _down(flight.fit, track)
    if scene.depth_m is not None:
        depth = float(np.median(scene.depth_m[track.row, track.frames[part]]))
        return (down * depth, std * depth) if math.isfinite(depth) else None
    if not by_size:
        return None
    side = np.sqrt(np.prod(track.size[part], axis=1))
    size = float(np.median(side))
    aspect = float(np.median(track.size[part, 0] / track.size[part, 1]))
    if abs(math.log(aspect)) > math.log1p(ROUND_SHARE):
        return None  # a long body turns in flight, so that its box is no measure of its scale
    size_std = float(np.std(side)) / math.sqrt(len(side)) + 0.5
    return down / size, down / size * math.hypot(std / down, size_std / size)
