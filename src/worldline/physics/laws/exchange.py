"""Laws of impacts: momentum is handed over, and nothing parts faster than it met."""

from __future__ import annotations

import itertools
import math

import numpy as np

from worldline.core import STATIC, Scene, Verdict
from worldline.physics.kinematics import Track, motion_of
from worldline.physics.laws.free import flying_rows
from worldline.physics.laws.impacts import Impact, find_impacts, runs_of
from worldline.physics.laws.judging import (
    DRIVEN,
    ROUND,
    Deviation,
    excess_of,
    judge,
    one_sided_log_p,
    tell,
    two_sided_log_p,
    untestable,
)

__all__ = ["check_momentum", "check_restitution"]

SHARE, CARRIED_SHARE = 0.05, 0.3
"""Share of the momentum handed over that may get lost; more where friction with the ground acts
during the impact, since the bodies press each other against it."""

SHARE_PX = 0.35
"""The same for directions in pixels: perspective and turning boxes bend them."""

FLOOR_MPS = 0.03
"""Change of the common velocity that is always granted in metres: soft contacts, integrators."""

LEAST_SIZES = 1.0
"""Slower meetings, in object sizes per second, are lost in the jitter of boxes."""

LEAST_MPS = 0.3
"""Slower meetings say little: soft contacts give way and push back."""

GAIN_SHARE, GAIN_SHARE_PX = 0.05, 0.15
"""Gain of speed that is always granted: contact models; perspective, and times between frames."""

SAME_SHARE = 0.35
"""Bounces of one body may differ by this share: harder materials at lower speeds, other spots."""

ALIKE = math.cos(math.radians(20.0))
"""Bounces whose pushes point within 20 degrees of each other are off the same surface."""


def check_momentum(scene: Scene, alpha: float) -> Verdict:
    """Bodies that touch only each other keep the sum of their momenta.

    Tested over each impact of two bodies that nothing else touches meanwhile, except a ground on
    which they rest or roll. Metres with masses: the sum of m v before and after, axis by axis
    (above a ground: across gravity), against the standard errors of the velocities. Granted: 5% of
    the momentum that was handed over (above a ground 30%) and 0.03 m/s of the common velocity.
    Without masses, as in pixels: the two changes of velocity point opposite ways, whatever the
    masses are: for the best ratio of masses between 0 and infinity, what is left of their weighted
    sum beyond 35% of them is held against its standard error. Left out are bodies that push
    themselves or are driven, by label, that bend or are in parts, or that hang.

    Source: Newton, third law.
    """
    found = []
    for impact in find_impacts(scene):
        if impact.two is None or not _is_free(scene, impact):
            continue
        by_mass = motion_of(scene).is_metric and scene.mass_kg is not None
        found.append(_sum_change(scene, impact) if by_mass else _opposition(impact))
    found = [test for test in found if test is not None]
    if not found:
        return untestable(
            "momentum", "No two bodies are seen to hit each other with nothing else touching them."
        )
    return judge("momentum", found, alpha)


def _is_free(scene: Scene, impact: Impact) -> bool:
    """Whether nothing but the touch can have pushed the bodies of an impact, as far as is known."""
    ends = [impact.one] if impact.two is None else [impact.one, impact.two]
    return all(_is_loose(scene, end.track) for end in ends)


def _is_loose(scene: Scene, track: Track) -> bool:
    soft = scene.bend is not None and np.nanmax(scene.bend[track.row], initial=0.0) > 0
    parts = scene.num_parts is not None and scene.num_parts[track.row].max() > 1
    if track.label in DRIVEN or soft or parts:
        return False
    if not track.is_metric or motion_of(scene).gravity_mps2 <= 0:
        return True
    # Hinges, rods and strings are no touches: what neither lies on anything nor falls hangs on one.
    lies = any(STATIC in (c.a, c.b) and track.object_id in (c.a, c.b) for c in scene.contacts)
    return lies or track.row in flying_rows(scene)


def _sum_change(scene: Scene, impact: Impact) -> Deviation | None:
    assert scene.mass_kg is not None and impact.two is not None  # noqa: PT018
    ends = [impact.one, impact.two]
    mass = np.array([scene.mass_kg[end.track.row] for end in ends])
    if not np.all(np.isfinite(mass) & (mass > 0)):
        return None
    jumps = mass[:, None] * np.stack([end.jump for end in ends])
    std = np.linalg.norm(mass[:, None] * np.stack([end.jump_std for end in ends]), axis=0)
    fall_s = impact.contact.end_s - impact.contact.start_s
    change = jumps.sum(axis=0)
    up = impact.one.track.up
    if impact.is_carried:
        change = change - up * (change @ up)
    else:
        change = change + mass.sum() * motion_of(scene).gravity_mps2 * fall_s * up
    handed = float(np.linalg.norm(jumps, axis=1).max())
    granted = (CARRIED_SHARE if impact.is_carried else SHARE) * handed + FLOOR_MPS * mass.sum()
    axis = int(np.argmax(np.abs(change)))
    log_p = two_sided_log_p(float(change[axis]), float(std[axis]), tolerance=granted)
    size = float(np.linalg.norm(change))
    i, j = impact.ids
    return Deviation(
        min(0.0, log_p + math.log(len(change))),
        impact.contact.start_s,
        (i, j),
        f"the momentum of objects {i} and {j} together changes by {tell(size)} kg m/s as they hit "
        f"each other, where {tell(handed)} kg m/s are handed over",
        {"change_kgmps": size, "handed_over_kgmps": handed},
    )


def _opposition(impact: Impact) -> Deviation | None:
    """Test that two changes of velocity are opposite in direction."""
    assert impact.two is not None
    one, two = impact.one, impact.two
    speed = max(float(np.linalg.norm(end.jump)) for end in (one, two))
    scale = min(one.track.scale, two.track.scale)
    least = LEAST_MPS if one.track.is_metric else LEAST_SIZES * scale
    if speed < least:
        return None
    sizes = [float(np.linalg.norm(end.jump)) for end in (one, two)]
    log_p, excess = -math.inf, math.inf
    # Weights of the two bodies: all ratios of masses, from one alone to the other alone.
    for angle in np.linspace(0.0, math.pi / 2, 91).tolist():
        a, b = math.cos(angle), math.sin(angle)
        rest = float(np.linalg.norm(a * one.jump + b * two.jump))
        std = float(np.linalg.norm(np.hypot(a * one.jump_std, b * two.jump_std)))
        granted = SHARE_PX * (a * sizes[0] + b * sizes[1])
        log_p = max(log_p, two_sided_log_p(rest, std, tolerance=granted))
        excess = min(excess, excess_of(rest, std, tolerance=granted))
    cosine = -float(one.jump @ two.jump) / max(sizes[0] * sizes[1], 1e-12)
    turn = math.degrees(math.acos(min(1.0, max(-1.0, cosine))))
    i, j = impact.ids
    return Deviation(
        log_p,
        impact.contact.start_s,
        (i, j),
        f"the changes of velocity of objects {i} and {j} as they hit each other are {turn:.0f} "
        "degrees off from opposite, whatever their masses",
        {"off_opposite_deg": turn},
        excess,
    )


def check_restitution(scene: Scene, alpha: float) -> Verdict:
    """Bodies do not part faster than they met, and one body bounces alike each time.

    The coefficient of restitution is the speed of parting over that of meeting, both along the
    change of velocity (for two bodies: of their difference), which is the normal of a smooth
    contact. It never exceeds 1. Metres: for balls and discs by label, since others turn spin into
    bounce; where angular velocities are known, the spin that a ball may lose, sqrt(2/5) r w, counts
    as speed of meeting. Pixels: for all bodies. Granted: 5% (pixels: 15%) and the standard errors
    of the velocities; bounces slower than 0.3 m/s (one object size per second) are left out.
    Bounces of one body off the same surface (pushes within 20 degrees) have equal coefficients
    within 35%. Left out are bodies that push themselves or are driven, by label, that bend or are
    in parts, or that hang.

    Source: Newton's law of impact.
    """
    found = []
    for impacts in runs_of(find_impacts(scene)).values():
        kept = [e for e in (_bounce(scene, i) for i in impacts if _is_free(scene, i)) if e]
        found += [_gain(*bounce) for bounce in kept]
        if impacts[0].two is None:
            found += [_difference(a, b) for a, b in itertools.pairwise(kept) if _alike(a, b)]
    if not found:
        return untestable(
            "restitution",
            "No bounce is seen whose speeds before and after can be measured.",
        )
    return judge("restitution", found, alpha)


Bounce = tuple[Impact, np.ndarray, float, float, float, float]
"""Impact, its direction, speed of meeting and of parting, and their standard errors."""


def _bounce(scene: Scene, impact: Impact) -> Bounce | None:
    one, two = impact.one, impact.two
    ends = [one] if two is None else [one, two]
    is_metric = one.track.is_metric
    if is_metric and any(end.track.label not in ROUND for end in ends):
        return None
    if two is None and impact.is_carried:
        return None
    before, after = one.before, one.after
    before_std, after_std = one.before_std, one.after_std
    if two is not None:
        before, after = before - two.before, after - two.after
        before_std = np.hypot(before_std, two.before_std)
        after_std = np.hypot(after_std, two.after_std)
    push = after - before
    length = float(np.linalg.norm(push))
    meeting = -float(before @ push) / max(length, 1e-12)
    parting = float(after @ push) / max(length, 1e-12)
    scale = min(end.track.scale for end in ends)
    if meeting < (LEAST_MPS if is_metric else LEAST_SIZES * scale):
        return None
    direction = push / length
    if is_metric and scene.angular_velocity_radps is not None:
        spin = sum(_spin(scene, impact, end.track.row) ** 2 for end in ends)
        if parting > meeting:
            meeting = math.sqrt(meeting**2 + spin)
    errors = [float(np.linalg.norm(std * direction)) for std in (before_std, after_std)]
    return impact, direction, meeting, parting, errors[0], errors[1]


def _spin(scene: Scene, impact: Impact, row: int) -> float:
    """Speed that a ball could gain if all its spin became motion."""
    assert scene.angular_velocity_radps is not None
    frame = int(np.searchsorted(scene.time_s, impact.contact.start_s)) - 1
    spin = float(np.linalg.norm(scene.angular_velocity_radps[row, max(frame, 0)]))
    radius = 0.0 if scene.extent_m is None else float(scene.extent_m[row].max()) / 2
    return math.sqrt(0.4) * radius * spin if math.isfinite(radius * spin) else 0.0


def _gain(
    impact: Impact,
    direction: np.ndarray,
    meeting: float,
    parting: float,
    meeting_std: float,
    parting_std: float,
) -> Deviation:
    is_metric = impact.one.track.is_metric
    share = GAIN_SHARE if is_metric else GAIN_SHARE_PX
    std = math.hypot((1.0 + share) * meeting_std, parting_std)
    log_p = one_sided_log_p(parting - (1.0 + share) * meeting, std)
    unit = "m/s" if is_metric else "px/s"
    who = f"object {impact.ids[0]} meets the ground or a wall"
    if impact.two is not None:
        who = "objects {} and {} meet".format(*impact.ids)
    return Deviation(
        log_p,
        impact.contact.start_s,
        impact.ids,
        f"{who} with {tell(meeting)} and part{'s' * (impact.two is None)} with {tell(parting)} "
        f"{unit}, "
        f"a coefficient of {parting / meeting:.2f}",
        {"coefficient": parting / meeting},
        excess_of(parting, std, tolerance=(1.0 + share) * meeting),
    )


def _alike(a: Bounce, b: Bounce) -> bool:
    return float(a[1] @ b[1]) >= ALIKE and min(a[3], b[3]) > 0


def _difference(a: Bounce, b: Bounce) -> Deviation:
    """Test that two bounces of one body have the same coefficient."""
    logs = [math.log(bounce[3] / bounce[2]) for bounce in (a, b)]
    shares = [
        e / v for _, _, meet, part, *std in (a, b) for e, v in zip(std, (meet, part), strict=True)
    ]
    change, std = abs(logs[1] - logs[0]), float(np.linalg.norm(shares))
    log_p = two_sided_log_p(change, std, tolerance=math.log1p(SAME_SHARE))
    first, second = (math.exp(value) for value in logs)
    return Deviation(
        log_p,
        b[0].contact.start_s,
        b[0].ids,
        f"object {b[0].ids[0]} bounces with a coefficient of {first:.2f} at "
        f"{a[0].contact.start_s:.2f} s and of {second:.2f} at {b[0].contact.start_s:.2f} s",
        {"coefficient": second, "coefficient_before": first},
        excess_of(change, std, tolerance=math.log1p(SAME_SHARE)),
    )
