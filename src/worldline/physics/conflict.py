"""Measures of traffic conflict: how near two moving bodies came to a collision."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

__all__ = [
    "ClosestApproach",
    "closest_approach",
    "deceleration_to_avoid_crash",
    "encroachment_time",
    "modified_deceleration_to_avoid_crash",
    "modified_time_to_collision",
    "post_encroachment_time",
    "time_to_collision",
]

REACTION_S = 1.0
"""Time in which a driver perceives and reacts, as in SUMO's `device.ssm.mdrac.prt`."""

_MOST_SAMPLES = 512
"""Longer paths are thinned out before all their points are compared."""


@dataclass(frozen=True)
class ClosestApproach:
    """Closest approach of two points that keep their velocities.

    Attributes:
        time_s: from now; 0 when they are already moving apart.
        distance: between the two points then, in the unit of the positions.
    """

    time_s: float
    distance: float


def time_to_collision(
    position_a: Float[np.ndarray, " d"],
    velocity_a: Float[np.ndarray, " d"],
    radius_a: float,
    position_b: Float[np.ndarray, " d"],
    velocity_b: Float[np.ndarray, " d"],
    radius_b: float,
) -> float:
    """Time until two discs (or spheres) that keep their velocities touch.

    Time to collision as defined by Hayward (1972, "Near-miss determination through use of a scale
    of danger"), with bodies as discs: the smaller root of |p + v t| = r_a + r_b for relative
    position p and velocity v.

    Returns:
        seconds; 0 when they overlap already, infinity when they never touch.
    """
    p, v = position_b - position_a, velocity_b - velocity_a
    reach = radius_a + radius_b
    c = float(p @ p) - reach * reach
    if c <= 0:
        return 0.0
    a, half_b = float(v @ v), float(p @ v)
    discriminant = half_b * half_b - a * c
    if half_b >= 0 or discriminant < 0:
        return math.inf
    # c / (-b/2 + root) is the smaller root without cancellation between near-equal numbers.
    return c / (-half_b + math.sqrt(discriminant))


def modified_time_to_collision(
    position: Float[np.ndarray, " d"],
    velocity: Float[np.ndarray, " d"],
    acceleration: Float[np.ndarray, " d"],
    reach: float,
) -> float:
    """Time until two discs (or spheres) that keep their accelerations touch.

    MTTC of Ozbay, Yang, Bartin and Mudigonda (2008, "Derivation and validation of new
    simulation-based surrogate safety measure"), who solve gap = v t + a t^2 / 2 along a lane; with
    bodies as discs it is the smallest positive root of |p + v t + a t^2 / 2| = reach.

    Args:
        position, velocity, acceleration: of b relative to a.
        reach: both radii together.

    Returns:
        seconds; 0 when they overlap already, infinity when they never touch.
    """
    p, v, a = position, velocity, acceleration
    c = float(p @ p) - reach * reach
    if c <= 0:
        return 0.0
    quartic = [float(a @ a) / 4, float(v @ a), float(v @ v + p @ a), 2 * float(p @ v), c]
    if not np.all(np.isfinite(quartic)):
        return math.inf
    roots = np.roots(quartic)
    real = roots.real[(np.abs(roots.imag) <= 1e-6 * (1 + np.abs(roots))) & (roots.real > 0)]
    return float(real.min()) if len(real) else math.inf


def closest_approach(
    position_a: Float[np.ndarray, " d"],
    velocity_a: Float[np.ndarray, " d"],
    position_b: Float[np.ndarray, " d"],
    velocity_b: Float[np.ndarray, " d"],
) -> ClosestApproach:
    """When and how near two points come that keep their velocities: t = max(0, -p.v / v.v)."""
    p, v = position_b - position_a, velocity_b - velocity_a
    speed2 = float(v @ v)
    time_s = max(0.0, -float(p @ v) / speed2) if speed2 > 0 else 0.0
    return ClosestApproach(time_s, float(np.linalg.norm(p + v * time_s)))


def deceleration_to_avoid_crash(
    gap_m: float, speed_follower_mps: float, speed_leader_mps: float
) -> float:
    """Constant braking with which a follower just does not hit its leader.

    DRAC = (v_f - v_l)^2 / (2 gap), in m/s^2 (Cooper and Ferguson 1976; Almqvist, Hyden and Risser
    1991), `gap_m` from front bumper to rear bumper and the leader keeping its speed.

    Returns:
        0 when the follower is not faster; infinity when the gap is used up.
    """
    closing = speed_follower_mps - speed_leader_mps
    if closing <= 0:
        return 0.0
    return closing * closing / (2.0 * gap_m) if gap_m > 0 else math.inf


def modified_deceleration_to_avoid_crash(
    ttc_s: float, closing_mps: float, reaction_s: float = REACTION_S
) -> float:
    """The same for a driver who brakes only after a time of reaction.

    MDRAC = closing speed / (2 (TTC - reaction time)), in m/s^2 (Kuang, Qu, Weng and
    Etemad-Shahidi 2015, PLoS ONE 10(9): e0138617).

    Returns:
        0 when nothing comes nearer; infinity when there is no time to react.
    """
    if closing_mps <= 0 or math.isinf(ttc_s):
        return 0.0
    left_s = ttc_s - reaction_s
    return closing_mps / (2.0 * left_s) if left_s > 0 else math.inf


def post_encroachment_time(first_leaves_s: float, second_arrives_s: float) -> float:
    """Time between the first user leaving the conflict area and the second reaching it.

    PET as defined by Allen, Shin and Cooper (1978, "Analysis of traffic conflicts and collisions").

    Returns:
        seconds; 0 or less means that both were in the area at once.
    """
    return second_arrives_s - first_leaves_s


def encroachment_time(
    time_a_s: Float[np.ndarray, " m"],
    path_a: Float[np.ndarray, "m d"],
    time_b_s: Float[np.ndarray, " k"],
    path_b: Float[np.ndarray, "k d"],
    reach: float,
) -> float:
    """Least time between two discs being at one place, one after the other.

    The post-encroachment time of Allen, Shin and Cooper (1978) for any two paths rather than for a
    crossing with a conflict area: some place is covered by a at time s and by b at time t if their
    centres at these times are within `reach`, both radii together; this is the least |t - s|, to
    within the distance of the samples.

    Returns:
        seconds; 0 when they touch, infinity when they are never at one place.
    """
    thin_a, thin_b = (max(1, -(-len(t) // _MOST_SAMPLES)) for t in (time_a_s, time_b_s))
    time_a_s, path_a = time_a_s[::thin_a], path_a[::thin_a]
    time_b_s, path_b = time_b_s[::thin_b], path_b[::thin_b]
    apart = np.linalg.norm(path_a[:, None] - path_b[None], axis=-1)
    between = np.abs(time_a_s[:, None] - time_b_s[None])[apart <= reach]
    return float(between.min()) if len(between) else math.inf
