"""The law of energy: without anything that gives some, it never grows."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np

from worldline.core import STATIC, Scene, Verdict
from worldline.physics.contacts import detect_contacts
from worldline.physics.flight import Flight, find_flights
from worldline.physics.kinematics import Track, motion_of
from worldline.physics.laws.judging import (
    DRIVEN,
    ROUND,
    Deviation,
    excess_of,
    judge,
    one_sided_log_p,
    tell,
    untestable,
    with_contacts_known,
)
from worldline.physics.polynomial import fit_polynomial

__all__ = ["check_energy"]

TURNED = frozenset({"cylinder", "wheel"})
"""Labels of bodies turned about their own third axis."""

SHARE = 0.05
"""Gain that is granted, as a share of the largest change of energy in the scene."""

FLOOR_JPKG = 0.05
"""Gain that is granted per kilogram: soft contacts push back what they took up."""

SPIN_SHARE = 0.3
"""Error of the energy of turning of a body that is no ball, cylinder or box."""

SHARE_PX = 0.15
"""Gain of height that is granted in pixels, as a share of the height fallen: perspective."""

MIN_MOMENTS = 4
"""Fewer moments of known energy show no rise."""

AROUND = 2
"""Velocities come from so many samples on each side."""

HELD_S = 0.1
"""What touches the static world for longer though no gravity presses it on is held or driven."""


def check_energy(scene: Scene, alpha: float) -> Verdict:
    """What nothing gives energy to never has more of it than before; loss is allowed.

    Metres, with masses, sizes and recorded contacts: bodies that ever touch each other are one
    system. Its energy, the sum of m v^2 / 2, m g h and the energy of turning, is taken at all
    moments at which five samples without a begin or end of touch, or a bounce off a wall, show all
    velocities; positions give them, angular velocities have to be known where the system touches
    anything. The largest rise over the least value before, against the standard errors and the
    number of moments; granted 5% of the largest change and 0.05 J per kg. Pixels: flights of one
    body between which only the static world touches it; v^2 / (2 g) + h in pixels, g being that of
    the flights themselves, may rise by 15% of the height moved through. Untestable are systems with
    a part that can give energy: by label what pushes itself or others, what bends, what is in
    several parts, and, without gravity, what keeps touching the static world.

    Source: conservation of energy, Helmholtz 1847.
    """
    motion = motion_of(scene)
    if motion.is_metric:
        found = _systems(scene)
        reason = "No body or system is known well enough: masses, velocities, and what touches it."
    else:
        found = _levels(scene)
        reason = "No body is seen in two flights between which only the ground touches it."
    if not found:
        return untestable("energy", reason)
    return judge("energy", found, alpha)


def _systems(scene: Scene) -> list[Deviation]:
    if scene.mass_kg is None or not with_contacts_known(scene):
        return []
    tracks = {track.object_id: track for track in motion_of(scene).tracks}
    group = {object_id: object_id for object_id in scene.ids.tolist()}
    touched = set()
    for contact in scene.contacts:
        touched |= {contact.a, contact.b}
        if STATIC not in (contact.a, contact.b):
            old, new = group[contact.b], group[contact.a]
            group = {i: new if mark == old else mark for i, mark in group.items()}
    found = []
    for mark in sorted(set(group.values())):
        members = [i for i, own in group.items() if own == mark]
        if any(i not in tracks or not _is_known(scene, tracks[i], i in touched) for i in members):
            continue
        test = _growth(scene, [tracks[i] for i in members], bool(touched & set(members)))
        if test is not None:
            found.append(test)
    return found


def _is_known(scene: Scene, track: Track, is_touched: bool) -> bool:
    assert scene.mass_kg is not None
    row = track.row
    bends = scene.bend is not None and np.nanmax(scene.bend[row], initial=0.0) > 0
    parts = scene.num_parts is not None and scene.num_parts[row].max() > 1
    turns = scene.angular_velocity_radps is not None and scene.extent_m is not None
    mass = float(scene.mass_kg[row])
    known = math.isfinite(mass) and mass > 0 and (turns or not is_touched)
    held = motion_of(scene).gravity_mps2 <= 0 and any(
        track.object_id in (c.a, c.b) and STATIC in (c.a, c.b) and c.end_s - c.start_s > HELD_S
        for c in scene.contacts
    )
    return known and track.label not in DRIVEN and not (bends or parts or held)


def _growth(scene: Scene, tracks: list[Track], is_touched: bool) -> Deviation | None:
    """Largest rise of the energy of a system over what it had before."""
    assert scene.mass_kg is not None
    frames = scene.num_frames
    energy, variance, known = np.zeros(frames), np.zeros(frames), np.ones(frames, dtype=bool)
    doubt, mass = np.zeros(frames), 0.0
    for track in tracks:
        own = _energy_per_mass(scene, track)
        m = float(scene.mass_kg[track.row])
        mass += m
        energy += m * own.value
        variance += (m * own.std) ** 2
        known &= own.known
        if is_touched:
            turning, error = _turning(scene, track)
            energy += m * turning
            doubt += m * error
            known &= np.isfinite(turning)
    at = np.flatnonzero(known)
    if len(at) < MIN_MOMENTS:
        return None
    e = energy[at]
    before = np.concatenate(
        [[0], np.array([int(np.argmin(e[: k + 1])) for k in range(len(e) - 1)])]
    )
    rise = e - e[before]
    granted = SHARE * float(np.ptp(e)) + FLOOR_JPKG * mass
    granted = granted + np.abs(doubt[at] - doubt[at][before])
    std = np.sqrt(variance[at] + variance[at][before])
    log_p = np.array(
        [one_sided_log_p(float(x), float(s)) for x, s in zip(rise - granted, std, strict=True)]
    )
    worst = int(np.argmin(log_p)) if log_p.min() < 0 else int(np.argmax(rise))
    ids = tuple(track.object_id for track in tracks)
    who = f"object {ids[0]}" if len(ids) == 1 else f"objects {', '.join(map(str, ids))} together"
    return Deviation(
        min(0.0, float(log_p[worst]) + math.log(len(at))),
        float(scene.time_s[at[worst]]),
        ids,
        f"the energy of {who} rises by at most {tell(rise[worst])} J where it changes by "
        f"{tell(np.ptp(e))} J in all",
        {"gain_j": float(rise[worst]), "change_j": float(np.ptp(e))},
    )


@dataclass(frozen=True, eq=False)
class _Energy:
    """Of one body at each frame: value, standard error, and where they are known."""

    value: np.ndarray
    std: np.ndarray
    known: np.ndarray


def _energy_per_mass(scene: Scene, track: Track) -> _Energy:
    """Motion and height, per kilogram."""
    gravity = motion_of(scene).gravity_mps2
    value, std = np.zeros(scene.num_frames), np.zeros(scene.num_frames)
    known = np.zeros(scene.num_frames, dtype=bool)
    edges = [
        e for c in scene.contacts if track.object_id in (c.a, c.b) for e in (c.start_s, c.end_s)
    ]
    # What moves along the static world may meet a wall of it, which begins no new touch.
    resting = [c for c in scene.contacts if track.object_id in (c.a, c.b) and STATIC in (c.a, c.b)]
    starts = [float(track.time_s[s.start]) - 1e-9 for s in track.segments]
    walls = [t for t in starts if any(c.start_s <= t <= c.end_s for c in resting)]
    for k in range(AROUND, track.num_samples - AROUND):
        part = slice(k - AROUND, k + AROUND + 1)
        times, frame = track.time_s[part], int(track.frames[k])
        if times[-1] - times[0] > 3.0 * AROUND * track.step_s:
            continue
        if any(times[0] < edge < times[-1] for edge in edges):
            continue
        if any(times[0] < cut < times[-1] for cut in walls):
            continue
        # The curve through all five: swinging and rolling bodies move on no parabola.
        fit = fit_polynomial(
            times, track.position[part], degree=2 * AROUND, std=track.std[part], robust=False
        )
        velocity, error = fit.velocity(times[AROUND]), fit.derivative_std(times[AROUND], 1)
        value[frame] = float(velocity @ velocity) / 2 + gravity * float(track.height[k])
        height_std = float(np.linalg.norm(track.std[k] * track.up))
        std[frame] = math.hypot(float(np.linalg.norm(velocity * error)), gravity * height_std)
        known[frame] = True
    return _Energy(value, std, known)


def _turning(scene: Scene, track: Track) -> tuple[np.ndarray, np.ndarray]:
    """Energy of turning per kilogram at each frame, and what is not known of it."""
    assert scene.angular_velocity_radps is not None and scene.extent_m is not None  # noqa: PT018
    spin, half = scene.angular_velocity_radps[track.row], scene.extent_m[track.row] / 2
    if track.label in ROUND:
        # A disc spins about the line of sight with r^2 / 2; the larger of the two is safe.
        share = 0.5 if track.label in ("disc", "disk", "puck") else 0.4
        energy = share * float(half.max()) ** 2 * np.sum(spin**2, axis=1) / 2
        return energy, np.zeros(len(energy))
    if scene.rotation_wxyz is None:
        return np.full(len(spin), np.nan), np.zeros(len(spin))
    w, u = scene.rotation_wxyz[track.row, :, :1], -scene.rotation_wxyz[track.row, :, 1:]
    across = 2 * np.cross(u, spin)
    own = spin + w * across + np.cross(u, across)
    x, y, z = half**2
    moment = np.array([y + z, x + z, x + y]) / 3
    if track.label in TURNED:
        moment = np.array([x / 4 + z / 3, x / 4 + z / 3, x / 2])
    energy = own**2 @ moment / 2
    is_plain = track.label in TURNED or track.label in ("box", "cube", "block", "plank", "domino")
    return energy, (0.0 if is_plain else SPIN_SHARE) * energy


def _levels(scene: Scene) -> list[Deviation]:
    """Pixels: each flight of a body against the next, unless another body touches it between."""
    contacts = detect_contacts(scene)
    found = []
    flights = [f for f in find_flights(scene) if f.track.label not in DRIVEN]
    for one, two in itertools.pairwise(flights):
        if one.track is not two.track:
            continue
        own = one.track.object_id
        between = [
            c
            for c in contacts
            if own in (c.a, c.b) and c.start_s <= two.start_s and c.end_s >= one.end_s
        ]
        if between and all(STATIC in (c.a, c.b) for c in between):
            found.append(_level_rise(one, two))
    return found


def _level_rise(one: Flight, two: Flight) -> Deviation:
    gravity = (one.fall_acceleration + two.fall_acceleration) / 2
    levels, errors = [], []
    for flight in (one, two):
        t = flight.fit.origin_s
        velocity, std = flight.fit.velocity(t), flight.fit.derivative_std(t, 1)
        levels.append(flight.height(t) + float(velocity @ velocity) / (2 * gravity))
        errors.append(float(np.linalg.norm(velocity * std)) / gravity)
    ways = [np.ptp(f.track.height[f.first : f.last + 1]) for f in (one, two)]
    granted = SHARE_PX * float(max(ways)) + 1.0
    rise = levels[1] - levels[0]
    own = one.track.object_id
    return Deviation(
        one_sided_log_p(rise - granted, math.hypot(*errors)),
        two.start_s,
        (own,),
        f"the height that object {own} could rise to changes by {tell(rise, signed=True)} px from "
        f"one flight to the next, of {tell(max(ways))} px that it moves through",
        {"gain_px": rise},
        excess_of(rise, math.hypot(*errors), tolerance=granted),
    )
