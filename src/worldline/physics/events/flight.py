"""Events of free flight and of going up: fall, throw, rise, bounce."""

from __future__ import annotations

import itertools
import math

import numpy as np

from worldline.core import STATIC, Event, Scene
from worldline.physics.edges import line_rates, share_along
from worldline.physics.events.ontology import define
from worldline.physics.flight import (
    MAX_SCALE_STD_SHARE,
    MIN_SAMPLES_SCALE,
    Flight,
    find_flights,
    lands_on,
)
from worldline.physics.kinematics import (
    Segment,
    Track,
    find_runs,
    motion_of,
    smooth_velocity,
)
from worldline.physics.polynomial import PolynomialFit

__all__ = ["find_bounces", "find_falls", "find_rises", "find_throws"]

MIN_FALL_M = 0.1
"""Falls through less are hops and settling."""

MIN_RISE_PX, MIN_RISE_SIZE = 6.0, 0.5
"""Falls and rises in pixels span at least so much, and this share of the object's height."""

MIN_THROW_SPEED_MPS = 1.0
"""Horizontal launch speed from which a level flight counts as thrown rather than dropped."""

MAX_DIP = 0.1
"""A level launch points down by at most this slope."""

MIN_BOUNCE_SPEED_MPS = 0.3
"""Slower impacts are settling."""

MIN_BOUNCE_SPEED_SIZES = 1.0
"""The same in pixel scenes, in object sizes per second."""

MIN_RESTITUTION = 0.1
"""Below this an impact is a landing, not a bounce."""

MAX_RESTITUTION = 1.5
"""Above this something pushed."""

EDGE_SHARE = 0.4
"""In pixels, each edge of the box comes in at this share of the speed or more."""

EDGE_BACK_SHARE = 0.15
"""In pixels, no edge still goes on at this share of the speed after a bounce."""


def _confidence(flight: Flight) -> float:
    """1 for truth; in pixels, how much the parabola explains and how sure its bend is.

    A score for ranking, not a calibrated probability.
    """
    if flight.track.is_metric:
        return 1.0
    up = np.abs(flight.track.up)
    doubt = float(flight.fit.acceleration_std() @ up) / flight.fall_acceleration
    return float(np.clip(flight.fit.r_squared[1] * (1.0 - doubt), 0.0, 0.99))


@define(
    "fall",
    roles={
        "object": "what falls",
        "support": "what it lands on, if a contact shows it (-1: static)",
    },
    quantities={
        "height_m": "height fallen",
        "height_px": "height fallen in the image (pixel scenes)",
        "duration_s": "time from the highest point to the end of the fall",
        "acceleration_px_s2": "downward acceleration in the image (pixel scenes)",
        "acceleration_mps2": "downward acceleration (metric scenes)",
        "metres_per_px": "image scale that gravity implies (pixel scenes)",
        "impact_speed_mps": "downward speed at the end",
        "num_frames": "frames of the fall",
        "needed_fps": "insufficient frame rate: there is no height in metres, and would be at this "
        "many frames per second (pixel scenes)",
    },
    version=3,
)
def find_falls(scene: Scene) -> tuple[Event, ...]:
    """The descending part of a free flight (see `worldline.physics.flight.find_flights`).

    Metric scenes: the drop is at least 0.1 m. Pixel scenes: at least 6 px and half the object's
    height over at least 4 frames. No scale is needed: y = y0 + v0 t + a t^2 / 2 with a = g, so the
    scale is g / a metres per pixel and the height is g times (drop / a), Galilei's law. With fewer
    than 5 frames, or a scale known worse than 25%, the frame rate is insufficient: there is no
    `height_m`, and `needed_fps` says at how many frames per second there would be. Standard errors
    (`height_m_std`) follow from the fit by the delta method, and from the frame interval where the
    end is not seen.
    """
    events = []
    gravity = motion_of(scene).gravity_mps2
    for flight in find_flights(scene):
        track, start_s = flight.track, flight.apex_s
        drop = flight.height(start_s) - flight.height(flight.end_s)
        frames = int(np.sum(track.time_s[flight.first : flight.last + 1] >= start_s - 1e-9))
        if drop < _least_way(track, MIN_FALL_M) or frames < (2 if track.is_metric else 4):
            continue
        speed = -float(flight.fit.velocity(flight.end_s) @ track.up)
        # Without a visible end the last frame is all we know: the end is uniform within one step.
        # At the end of the scene it is the height fallen so far that is measured, and it is exact.
        is_over = flight.end_is_seen or track.frames[flight.last] == scene.num_frames - 1
        end_std = 0.0 if is_over else speed * track.step_s / math.sqrt(12)
        quantities = {"duration_s": flight.end_s - start_s, "num_frames": float(frames)}
        if track.is_metric:
            drop_std = math.hypot(flight.fit.change_std(start_s, flight.end_s, track.up), end_std)
            quantities |= {
                "height_m": drop,
                "height_m_std": drop_std,
                "acceleration_mps2": flight.fall_acceleration,
                "impact_speed_mps": speed,
            }
        else:
            scale = flight.metres_per_unit
            up_std = flight.fit.acceleration_std() @ np.abs(track.up)
            quantities |= {
                "height_px": drop,
                "acceleration_px_s2": flight.fall_acceleration,
                "acceleration_px_s2_std": float(up_std),
            }
            if math.isfinite(scale):
                ratio_std = flight.fit.change_per_acceleration(start_s, flight.end_s, track.up)[1]
                quantities |= {
                    "height_m": drop * scale,
                    "height_m_std": math.hypot(gravity * ratio_std, end_std * scale),
                    "metres_per_px": scale,
                    "metres_per_px_std": flight.metres_per_unit_std,
                    "impact_speed_mps": speed * scale,
                }
            elif track.step_s > 0:
                quantities["needed_fps"] = _needed_fps(flight)
        roles = {"object": track.object_id}
        support = lands_on(scene, flight)
        if support is not None:
            roles["support"] = support
        events.append(Event("fall", start_s, flight.end_s, roles, quantities, _confidence(flight)))
    return tuple(events)


def _needed_fps(flight: Flight) -> float:
    """Frame rate at which the flight would have the samples, and the standard error, for a scale.

    The error of the acceleration falls with the root of the number of samples.
    """
    samples = int(flight.fit.inliers.sum())
    doubt = float(flight.fit.acceleration_std()[1]) / flight.fall_acceleration
    times = max(MIN_SAMPLES_SCALE / samples, (doubt / MAX_SCALE_STD_SHARE) ** 2, 1.0)
    return times / flight.track.step_s


def _least_way(track: Track, least_m: float) -> float:
    if track.is_metric:
        return least_m
    return max(MIN_RISE_PX, MIN_RISE_SIZE * float(np.median(track.size[:, 1])))


@define(
    "throw",
    roles={"object": "what is thrown"},
    quantities={
        "speed_mps": "launch speed (also in pixel scenes when gravity gives the scale)",
        "launch_angle_rad": "above the horizontal",
        "rise_m": "from launch to the highest point",
        "range_m": "horizontal way in flight",
        "duration_s": "time in flight",
    },
    version=2,
)
def find_throws(scene: Scene) -> tuple[Event, ...]:
    """A free flight launched upwards or fast sideways by something other than a bounce.

    Launched: it climbs at least 0.1 m (pixels: 6 px and half the object's height), or it starts
    level at 1 m/s or more sideways. A flight that begins as the object comes down, or leaves the
    static world, is a bounce or a fall off an edge: neither is a throw.
    """
    events = []
    for flight in find_flights(scene):
        track, scale = flight.track, flight.metres_per_unit
        velocity = flight.fit.velocity(flight.start_s)
        climb = float(velocity @ track.up)
        side = float(np.linalg.norm(velocity - climb * track.up))
        rise = flight.height(flight.apex_s) - flight.height(flight.start_s)
        thrown_up = rise >= _least_way(track, MIN_FALL_M)
        level = climb >= -MAX_DIP * side
        metric_side = side * scale if math.isfinite(scale) else 0.0
        drop = flight.height(flight.apex_s) - flight.height(flight.end_s)
        long_enough = max(rise, drop) >= _least_way(track, MIN_FALL_M)
        if not (thrown_up or (level and metric_side >= MIN_THROW_SPEED_MPS and long_enough)):
            continue
        if _came_down_before(flight) or _leaves_static(scene, flight):
            continue
        quantities = {
            "launch_angle_rad": math.atan2(climb, side),
            "duration_s": flight.end_s - flight.start_s,
        }
        if math.isfinite(scale):
            quantities |= {
                "speed_mps": math.hypot(climb, side) * scale,
                "rise_m": rise * scale,
                "range_m": side * (flight.end_s - flight.start_s) * scale,
            }
        roles = {"object": track.object_id}
        events.append(
            Event("throw", flight.start_s, flight.end_s, roles, quantities, _confidence(flight))
        )
    return tuple(events)


def _leaves_static(scene: Scene, flight: Flight) -> bool:
    slack = max(1.5 * flight.track.step_s, 1e-6)
    return any(
        contact.b == STATIC
        and contact.a == flight.track.object_id
        and contact.start_s < flight.start_s
        and abs(contact.end_s - flight.start_s) <= slack
        for contact in scene.contacts
    )


def _came_down_before(flight: Flight) -> bool:
    before = flight.before
    if before is None or before.fit is None:
        return False
    moment = float(flight.track.time_s[before.stop - 1])
    speed = float(before.fit.velocity(moment) @ flight.track.up)
    return speed < -3.0 * float(before.fit.derivative_std(moment, 1) @ np.abs(flight.track.up))


@define(
    "rise",
    roles={"object": "what rises"},
    quantities={
        "height_m": "height gained (metric scenes)",
        "height_px": "height gained in the image (pixel scenes)",
        "duration_s": "time of the climb",
    },
)
def find_rises(scene: Scene) -> tuple[Event, ...]:
    """An unbroken climb of at least 0.1 m (pixels: 6 px and half the object's height).

    Climbing: the smoothed upward velocity is positive by more than twice its standard error. In
    pixels, up in the image counts as up, so something that moves away over level ground rises too.
    """
    events = []
    for track in motion_of(scene).tracks:
        velocity, std = smooth_velocity(track)
        known = np.all(np.isfinite(std), axis=1)
        error = np.where(known[:, None], std, 0.0) @ np.abs(track.up)
        climbing = known & (velocity @ track.up > 2.0 * error)
        for first, last in find_runs(climbing):
            gain = float(track.height[last] - track.height[first])
            if gain < _least_way(track, MIN_FALL_M):
                continue
            start_s, end_s = float(track.time_s[first]), float(track.time_s[last])
            name = "height_m" if track.is_metric else "height_px"
            quantities = {name: gain, "duration_s": end_s - start_s}
            events.append(Event("rise", start_s, end_s, {"object": track.object_id}, quantities))
    return tuple(events)


@define(
    "bounce",
    roles={"object": "what bounces", "support": "what it bounces off (-1: static or unknown)"},
    quantities={
        "restitution": "speed after over speed before, along the change of velocity",
        "speed_before_mps": "speed into the surface (metric scenes)",
        "speed_after_mps": "speed out of the surface (metric scenes)",
        "speed_before_px_s": "the same in pixel scenes",
        "speed_after_px_s": "the same in pixel scenes",
    },
    version=2,
)
def find_bounces(scene: Scene) -> tuple[Event, ...]:
    """A short contact that turns the velocity back along its normal.

    The normal is the direction of the change of velocity between the motion before and after (exact
    without friction). The object comes in at 0.3 m/s or more (pixels: one object size per second),
    leaves at 0.1 to 1.5 times that speed (more is a push), and is in touch for at most 0.1 s or two
    frames. A body that another moving body turns back is in a collision instead and left out here.
    In pixels both edges of the box must come in and turn back: a box that another thing covers, or
    that takes in an arm, moves its middle alone.
    """
    events = []
    for track in motion_of(scene).tracks:
        least = MIN_BOUNCE_SPEED_MPS if track.is_metric else MIN_BOUNCE_SPEED_SIZES * track.scale
        for before, after in _neighbours(track):
            left, right = track.segments[before], track.segments[after]
            assert left.fit is not None and right.fit is not None  # noqa: PT018
            start_s, end_s = float(left.fit.end_s), float(right.fit.start_s)
            middle = _touch_time(left.fit, right.fit, start_s, end_s)
            incoming, outgoing = left.fit.velocity(middle), right.fit.velocity(middle)
            change = outgoing - incoming
            size = float(np.linalg.norm(change))
            error = np.hypot(
                left.fit.derivative_std(middle, 1), right.fit.derivative_std(middle, 1)
            )
            if size <= 5.0 * float(np.linalg.norm(error)) or size == 0:
                continue
            normal = change / size
            into, out = -float(incoming @ normal), float(outgoing @ normal)
            if into < least or not MIN_RESTITUTION <= out / into <= MAX_RESTITUTION:
                continue
            if not track.is_metric and not _turns_whole(track, left, right, normal, into):
                continue
            support = _bounces_off(scene, track.object_id, start_s, end_s, track.step_s)
            if support is None:
                continue
            unit = "mps" if track.is_metric else "px_s"
            quantities = {
                "restitution": out / into,
                f"speed_before_{unit}": into,
                f"speed_after_{unit}": out,
            }
            roles = {"object": track.object_id, "support": support}
            confidence = 1.0 if track.is_metric else 0.8
            events.append(Event("bounce", middle, middle, roles, quantities, confidence))
    return tuple(events)


def _turns_whole(
    track: Track, left: Segment, right: Segment, normal: np.ndarray, into: float
) -> bool:
    """Whether both edges of a box come in against the normal and neither goes on afterwards."""
    before = line_rates(track, left.start, left.stop, at_end=True)
    after = line_rates(track, right.start, right.stop, at_end=False)
    return (
        share_along(-normal, *before) >= EDGE_SHARE * into
        and share_along(normal, *after) >= -EDGE_BACK_SHARE * into
    )


def _touch_time(left: PolynomialFit, right: PolynomialFit, start_s: float, end_s: float) -> float:
    """Moment between two motions at which they come nearest to each other."""
    moments = np.linspace(start_s, end_s, 33)
    apart = [float(np.linalg.norm(left.position(t) - right.position(t))) for t in moments]
    return float(moments[int(np.argmin(apart))])


def _neighbours(track: Track) -> list[tuple[int, int]]:
    """Pairs of fitted segments with at most a short contact between them."""
    pairs = []
    fitted = [i for i, s in enumerate(track.segments) if s.fit is not None and not s.touching]
    for i, j in itertools.pairwise(fitted):
        left, right = track.segments[i], track.segments[j]
        apart_s = track.time_s[right.start] - track.time_s[left.stop - 1]
        if apart_s <= max(0.1, 3.0 * track.step_s) + 1e-9:
            pairs.append((i, j))
    return pairs


def _bounces_off(
    scene: Scene, object_id: int, start_s: float, end_s: float, step_s: float
) -> int | None:
    """The static world or a body at rest; None when a moving body is what was touched."""
    near = [
        c
        for c in scene.contacts
        if object_id in (c.a, c.b) and c.start_s <= end_s + step_s and c.end_s >= start_s - step_s
    ]
    if not near:
        # Where contacts are recorded, a turn without one is no bounce.
        return None if scene.contacts and scene.position_m is not None else STATIC
    others = [c.b if c.a == object_id else c.a for c in near]
    return STATIC if STATIC in others else None
