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
    "post_encroachment_time",
    "time_to_collision",
]


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


def post_encroachment_time(first_leaves_s: float, second_arrives_s: float) -> float:
    """Time between the first user leaving the conflict area and the second reaching it.

    PET as defined by Allen, Shin and Cooper (1978, "Analysis of traffic conflicts and collisions").

    Returns:
        seconds; 0 or less means that both were in the area at once.
    """
    return second_arrives_s - first_leaves_s
