"""Films of what cannot happen: simulated scenes in which one body breaks one law.

The physics is simulated as ever; then the way of one body is changed, and the same camera films it.
Made by `worldline.audit.tolerances` to see which breaches the laws find after the whole chain of
rendering, coding and tracking.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Float

from worldline.core import Camera, Clip, Origin, Provenance, Scene
from worldline.core.errors import InputError
from worldline.sim import Split
from worldline.sim.camera import Film, shoot
from worldline.sim.engine import Rollout, simulate
from worldline.sim.families import fall, ground
from worldline.sim.framing import Shot, frame_action
from worldline.sim.splits import seed_of
from worldline.sim.stage import Stage
from worldline.sim.truth import true_scene

__all__ = ["BREACHES", "STRAYS", "UNRECORDED", "film_breach", "film_stray"]

BREACHES = {
    "vanish": "a body vanishes",
    "teleport": "a body leaps by a third of the picture",
    "hang": "a flying body hangs in the air",
    "gain": "a body bounces higher each time",
    "grow": "a body is suddenly twice as large",
    "through": "bodies go through each other, or near by",
}
"""Name of a breach, to what happens."""

STRAYS = {
    "vanish": BREACHES["vanish"],
    "teleport": BREACHES["teleport"],
    "slow": "a body is slower by a fifth",
    "gap": "a body is missing for half a second",
}
"""What a clip does that its reference does not, to what happens; each may look lawful by itself."""

FAMILIES = {
    "vanish": (ground.Roll(), fall.Throw(), fall.Drop(), ground.Collide()),
    "teleport": (ground.Roll(), fall.Throw(), fall.Drop(), ground.Collide()),
    "hang": (fall.Throw(), fall.Drop(), fall.Bounce()),
    "gain": (fall.Bounce(),),
    "grow": (ground.Roll(), fall.Throw(), fall.Drop()),
    "through": (ground.Collide(),),
    "slow": (ground.Roll(), fall.Throw(), fall.Drop(), ground.Collide()),
    "gap": (ground.Roll(), fall.Throw(), fall.Drop(), ground.Collide()),
}
"""What happens, to the kinds of scenes in which it does, in turn."""

UNRECORDED = frozenset({"grow"})
"""Breaches that the true scene beside the film does not show: it keeps the size of before."""

GROWTH = 2.0
"""Factor of all sides of a body that grows, at once."""

GAIN = 1.25
"""Coefficient of restitution of a body that gains energy."""

TELEPORT_SHARE = 0.35
"""Way of a teleport over the width of the image."""

UNDERGROUND_M = 50.0

SLOWNESS = 0.8
"""Speed of a body that is too slow, as a share of its own."""

GAP_S = 0.5
"""For how long a body is missing that comes back."""


def film_breach(kind: str, index: int, *, seed: int, size_px: int) -> Clip:
    """A clip in which body 0 breaks a law in the middle of its action.

    Args:
        kind: name out of `BREACHES`.
        index, seed: which one; equal numbers give equal clips.
        size_px: side of the image.

    Returns:
        frames, with the truth of what is shown as the scene (contacts, and the size of what grows,
        are those of before).

    Raises:
        InputError: unknown kind.
    """
    if kind not in BREACHES:
        raise InputError(f"unknown breach {kind!r}; choose from {', '.join(BREACHES)}")
    return _film(kind, index, seed, size_px)[0]


def film_stray(kind: str, index: int, *, seed: int, size_px: int) -> tuple[Clip, Scene]:
    """A clip in which body 0 does something else than in the truth beside it.

    Args:
        kind: name out of `STRAYS`.
        index, seed, size_px: as for `film_breach`.

    Returns:
        the clip, and the scene of what should have been, by the same camera.

    Raises:
        InputError: unknown kind.
    """
    if kind not in STRAYS:
        raise InputError(f"unknown stray {kind!r}; choose from {', '.join(STRAYS)}")
    clip, stage, lawful, camera = _film(kind, index, seed, size_px)
    area_px = shoot(stage, lawful, camera).area_px
    return clip, true_scene(stage, lawful, area_px, camera, clip.provenance)


def _film(kind: str, index: int, seed: int, size_px: int) -> tuple[Clip, Stage, Rollout, Camera]:
    """What is shown, and what was simulated before anything was changed."""
    family = FAMILIES[kind][index % len(FAMILIES[kind])]
    rng = seed_of(f"{family.name} {kind}", Split.TRAIN, seed, index)
    stage = family.stage(Split.TRAIN, rng)
    lawful = simulate(stage)
    shot = Shot(size_px)
    camera = frame_action(stage, lawful, shot)
    first = _moment(lawful, camera, kind)
    if kind == "grow":
        rollout, film = lawful, _grown(stage, lawful, camera, first)
    else:
        rollout = _changed(stage, lawful, camera, kind, first)
        film = shoot(stage, rollout, camera)
    provenance = Provenance(
        origin=Origin.SIMULATED,
        source=family.name,
        producer="worldline.audit.breaches",
        seed=seed,
        details=(("breach", kind), ("breach_s", repr(float(stage.time_s[first])))),
    )
    shown = true_scene(stage, rollout, film.area_px, camera, provenance)
    clip = Clip(frames=film.frames, time_s=stage.time_s, provenance=provenance, scene=shown)
    return clip, stage, lawful, camera


def _moment(rollout: Rollout, camera: Camera, kind: str) -> int:
    """Frame of the breach: before the first touch for what flies, else while it moves in view."""
    num_frames = rollout.position_m.shape[1]
    speed = np.linalg.norm(rollout.velocity_mps[0], axis=1)
    place, _ = camera.project(rollout.position_m[:1])
    margin = 0.12 * camera.width_px
    inside = np.all((place[0] > margin) & (place[0] < camera.width_px - margin), axis=1)
    busy = inside & (speed > 0.3 * speed.max())
    frames = np.flatnonzero(busy)
    if not len(frames):
        return num_frames // 2
    share = 0.6 if kind == "hang" else 0.5
    return max(4, int(frames[int(share * (len(frames) - 1))]))


def _changed(stage: Stage, rollout: Rollout, camera: Camera, kind: str, first: int) -> Rollout:
    way = rollout.position_m[0].copy()
    if kind == "vanish":
        way[first:, 2] -= UNDERGROUND_M
    elif kind == "teleport":
        pose = camera.world_from_camera[0]
        place, depth = camera.project(way[None, first : first + 1])
        side = 1.0 if place[0, 0, 0] < camera.width_px / 2 else -1.0
        reach = TELEPORT_SHARE * camera.width_px * float(depth[0, 0]) / camera.focal_px
        way[first:] += side * reach * pose[:3, 0]
    elif kind == "gap":
        gap = (stage.time_s >= stage.time_s[first]) & (stage.time_s < stage.time_s[first] + GAP_S)
        way[gap, 2] -= UNDERGROUND_M
    elif kind == "slow":
        late_s = stage.time_s[0] + SLOWNESS * (stage.time_s - stage.time_s[0])
        way = np.stack([np.interp(late_s, stage.time_s, axis) for axis in way.T], axis=1)
    elif kind == "hang":
        way[first:] = way[first]
    elif kind == "gain":
        way[:, 2] = _bouncing_up(stage, way[:, 2], rollout.velocity_mps[0, 0, 2])
    else:
        # Everybody goes on as at first, through each other.
        moved = rollout
        for body in range(len(rollout.position_m)):
            straight = rollout.position_m[body, 0] + np.outer(
                stage.time_s - stage.time_s[0], rollout.velocity_mps[body, 0]
            )
            straight[:, 2] = rollout.position_m[body, :, 2]
            moved = _moved(moved, body, straight)
        return moved
    return _moved(rollout, 0, way)


def _bouncing_up(
    stage: Stage, height_m: Float[np.ndarray, " t"], speed_mps: float
) -> Float[np.ndarray, " t"]:
    """Heights of a body that leaves the ground faster each time than it came."""
    g, radius = stage.gravity_mps2, float(np.min(stage.bodies[0].half_m))
    out, start, level, speed = np.empty_like(height_m), 0.0, float(height_m[0]), speed_mps
    times = stage.time_s - stage.time_s[0]
    while start <= times[-1]:
        drop = max(level - radius, 0.0)
        flight = (speed + np.sqrt(speed**2 + 2 * g * drop)) / g
        own = (times >= start) & (times < start + flight)
        u = times[own] - start
        out[own] = level + speed * u - g * u**2 / 2
        start, level, speed = start + flight, radius, GAIN * (g * flight - speed)
    return out


def _moved(rollout: Rollout, body: int, way_m: Float[np.ndarray, "t 3"]) -> Rollout:
    """A rollout in which one body is elsewhere, turned as it was."""
    offset = way_m - rollout.position_m[body]
    own = np.asarray(rollout.model.geom_bodyid) == body + 1
    geoms, places = rollout.geom_position_m.copy(), rollout.position_m.copy()
    geoms[:, own] += offset[:, None]
    places[body] = way_m
    return replace(rollout, position_m=places, geom_position_m=geoms)


def _grown(stage: Stage, rollout: Rollout, camera: Camera, first: int) -> Film:
    """Body 0 is suddenly larger: frames of two films, one after the other."""
    x, y, z = (GROWTH * side for side in stage.bodies[0].half_m)
    larger = replace(stage, bodies=(replace(stage.bodies[0], half_m=(x, y, z)), *stage.bodies[1:]))
    again = simulate(larger)
    again = replace(
        rollout,
        model=again.model,
        geom_position_m=rollout.geom_position_m,
        geom_rotation=rollout.geom_rotation,
    )
    before, after = shoot(stage, rollout, camera), shoot(larger, again, camera)
    return replace(
        before,
        frames=np.concatenate([before.frames[:first], after.frames[first:]]),
        area_px=np.concatenate([before.area_px[:, :first], after.area_px[:, first:]], axis=1),
    )
