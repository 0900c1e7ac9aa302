"""What twins are made with: miracles in a rollout, and films that share one camera.

A miracle is worked on the simulator's states, or by a hand that reaches into the simulation; both
members are then filmed anew, so that shadows, hiding and perspective are those of what happened.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from worldline.core.camera import Camera
from worldline.core.clip import Clip
from worldline.core.provenance import Origin, Provenance
from worldline.sim.engine import Push, Rollout, Touches, drive, simulate
from worldline.sim.framing import Shot, frame_action
from worldline.sim.shapes import rotation_matrices
from worldline.sim.stage import Stage
from worldline.sim.studio import film_rollout

__all__ = [
    "Take",
    "Twin",
    "cut",
    "film",
    "finish",
    "first_touch",
    "hide",
    "influence",
    "move_on",
    "place_camera",
    "shift",
    "way_apart_px",
]

_BELOW_M = -60.0
"""Where what is not there lies: far below the floor, which lets no light or sight through."""


@dataclass(frozen=True, eq=False)
class Twin:
    """Two clips that are the same up to a moment, after which one of them cannot happen.

    Attributes:
        variant: what kind of miracle it is.
        possible, impossible: the two.
        moment: number of the first frame that differs in what happened, seen or not.
    """

    variant: str
    possible: Clip
    impossible: Clip
    moment: int


@dataclass(frozen=True, eq=False)
class Take:
    """A stage and what happens on it."""

    stage: Stage
    rollout: Rollout
    absent: Sequence[tuple[int, int, int]] = ()
    """Bodies that are not there: number, first frame, and the frame in which they are back."""


def hide(take: Take, body: int, first: int = 0, until: int | None = None) -> Take:
    """A body is not there from frame `first` up to, not including, `until`."""
    rollout = take.rollout
    end = rollout.position_m.shape[1] if until is None else until
    position, geoms = rollout.position_m.copy(), rollout.geom_position_m.copy()
    position[body, first:end, 2] = _BELOW_M
    for geom in _geoms_of(rollout, body):
        geoms[first:end, geom, 2] = _BELOW_M
    gone = replace(rollout, position_m=position, geom_position_m=geoms)
    return Take(take.stage, gone, (*take.absent, (body, first, end)))


def shift(rollout: Rollout, body: int, first: int, way_m: Float[np.ndarray, " 3"]) -> Rollout:
    """A body is elsewhere from frame `first` on, and moves there as it would have here."""
    position, geoms = rollout.position_m.copy(), rollout.geom_position_m.copy()
    position[body, first:] += way_m
    for geom in _geoms_of(rollout, body):
        geoms[first:, geom] += way_m
    return replace(rollout, position_m=position, geom_position_m=geoms)


def move_on(
    stage: Stage,
    rollout: Rollout,
    body: int,
    first: int,
    velocity_mps: Float[np.ndarray, " 3"],
    *,
    acceleration_mps2: Float[np.ndarray, " 3"] | None = None,
    is_still: bool = False,
) -> Rollout:
    """From frame `first` on a body moves as nothing touched it.

    Args:
        stage: of the rollout.
        rollout: of which bodies of one geom can be moved.
        body: its number.
        first: the first frame that changes; the state is taken from the frame before.
        velocity_mps: from there on.
        acceleration_mps2: none unless given.
        is_still: it does not turn any more either.
    """
    before = first - 1
    ahead_s = stage.time_s[first:] - stage.time_s[before]
    pull = np.zeros(3) if acceleration_mps2 is None else acceleration_mps2
    position = rollout.position_m.copy()
    velocity = rollout.velocity_mps.copy()
    spin = rollout.angular_velocity_radps.copy()
    turn = rollout.rotation_wxyz.copy()
    place = position[body, before]
    position[body, first:] = (
        place + velocity_mps * ahead_s[:, None] + 0.5 * pull * ahead_s[:, None] ** 2
    )
    velocity[body, first:] = velocity_mps + pull * ahead_s[:, None]
    spin[body, first:] = 0.0 if is_still else spin[body, before]
    now = Rotation.from_quat(np.roll(turn[body, before], -1))
    ways = Rotation.from_rotvec(ahead_s[:, None] * spin[body, first:]) * now
    turn[body, first:] = np.roll(ways.as_quat(), 1, axis=1)
    geoms, matrices = rollout.geom_position_m.copy(), rollout.geom_rotation.copy()
    (geom,) = _geoms_of(rollout, body)
    geoms[first:, geom] = position[body, first:]
    matrices[first:, geom] = rotation_matrices(turn[body, first:]).reshape(-1, 9)
    return replace(
        rollout,
        position_m=position,
        velocity_mps=velocity,
        angular_velocity_radps=spin,
        rotation_wxyz=turn,
        geom_position_m=geoms,
        geom_rotation=matrices,
        touches=_without(rollout.touches, body, float(stage.time_s[before])),
    )


def influence(
    stage: Stage,
    body: int,
    first: int,
    *,
    lift_mps2: float = 0.0,
    velocity_mps: Callable[[np.ndarray], np.ndarray] | None = None,
    is_held: bool = False,
    push: Push | None = None,
) -> Rollout:
    """Simulate with a hand that reaches in, so that frame `first` is the first one to differ.

    Args:
        stage: to simulate.
        body: that is touched by the miracle.
        first: frame.
        lift_mps2: acceleration upward that is added to all others from then on.
        velocity_mps: what its velocity becomes, of what it is; once, and with it the body's turning
            goes along where it has any.
        is_held: it stops and stays where it is.
        push: what drives the scene in any case.
    """
    start_s = float(stage.time_s[first - 1])
    done = False

    def reach_in(model: Any, data: Any, moment_s: float) -> None:
        nonlocal done
        if push is not None:
            push(model, data, moment_s)
        if moment_s < start_s - 1e-9:
            return
        own = stage.bodies[body]
        up = lift_mps2 + (stage.gravity_mps2 if is_held else 0.0)
        data.xfrc_applied[body + 1, 2] = own.mass_kg * up
        if is_held:
            drive(model, data, body, np.zeros(6))
        elif velocity_mps is not None and not done:
            at = int(model.jnt_dofadr[model.body_jntadr[body + 1]])
            old = np.array(data.qvel[at : at + 3])
            new = velocity_mps(old)
            share = np.linalg.norm(new) / max(float(np.linalg.norm(old)), 1e-9)
            spin = np.array(data.qvel[at + 3 : at + 6])
            drive(model, data, body, np.concatenate([new, spin * min(share, 1.0)]))
        done = True

    return simulate(stage, reach_in)


def first_touch(rollout: Rollout, a: int, b: int = -1) -> float | None:
    """When two bodies first touch, in seconds, with b = -1 for what never moves; None if never."""
    touches = rollout.touches
    rows = (touches.a == max(a, b)) & (touches.b == min(a, b)) & (touches.time_s >= 0)
    return float(touches.time_s[rows][0]) if rows.any() else None


def place_camera(stage: Stage, rollouts: Sequence[Rollout], size_px: int) -> Camera:
    """A camera that has in view what happens in the first rollout, and in the others nearly."""
    num = rollouts[0].position_m.shape[1] * 3 // 4
    places = [other.position_m[:, :num:2].reshape(-1, 3) for other in rollouts[1:]]
    marks = [tuple(map(float, place)) for part in places for place in part]
    watched = replace(stage, landmarks_m=(*stage.landmarks_m, *marks))
    return frame_action(watched, rollouts[0], Shot(size_px))


def film(take: Take, camera: Camera) -> Clip:
    """The clip of a take."""
    clip = film_rollout(take.stage, take.rollout, camera)
    assert clip.scene is not None
    present = clip.scene.present.copy()
    for body, first, until in take.absent:
        present[body, first:until] = False
    scene = replace(clip.scene, present=present, visible=clip.scene.visible & present)
    return replace(clip, scene=scene)


def cut(before: Clip, after: Clip, first: int) -> Clip:
    """A clip's frames up to `first`, and from there on those of another one on the same set.

    Everything else, the truth too, is spliced likewise.
    """
    assert before.scene is not None
    assert after.scene is not None
    assert before.depth_m is not None
    assert after.depth_m is not None
    assert before.segmentation is not None
    assert after.segmentation is not None
    assert before.scene.camera is not None

    def join(one: np.ndarray, other: np.ndarray, axis: int) -> np.ndarray:
        parts = (
            np.take(one, range(first), axis),
            np.take(other, range(first, other.shape[axis]), axis),
        )
        return np.concatenate(parts, axis=axis)

    a, b = before.scene, after.scene
    moving = {}
    for name in (
        "present", "visible", "center_px", "size_px", "center_px_std", "position_m",
        "rotation_wxyz", "velocity_mps", "angular_velocity_radps", "depth_m",
    ):  # fmt: skip
        moving[name] = join(getattr(a, name), getattr(b, name), 1)
    moment_s = float(before.time_s[first])
    contacts = [c for c in a.contacts if c.start_s < moment_s]
    contacts += [c for c in b.contacts if c.start_s >= moment_s]
    return replace(
        before,
        frames=join(before.frames, after.frames, 0),
        depth_m=join(before.depth_m, after.depth_m, 0),
        segmentation=join(before.segmentation, after.segmentation, 0),
        scene=replace(a, **moving, contacts=tuple(contacts)),
    )


def way_apart_px(a: Clip, b: Clip, body: int, first: int, num: int = 8) -> float:
    """How far apart a body is in two clips, at the most, while both show it: pixels.

    Args:
        a, b: clips.
        body: number.
        first: frame from which on is compared.
        num: frames that are.
    """
    assert a.scene is not None
    assert b.scene is not None
    part = slice(first, first + num)
    both = a.scene.visible[body, part] & b.scene.visible[body, part]
    way = np.linalg.norm(a.scene.center_px[body, part] - b.scene.center_px[body, part], axis=1)
    return float(np.max(way[both], initial=0.0))


def finish(twin: Twin, source: str, seed: int) -> Twin:
    """With provenance and events."""

    def sign(clip: Clip, what: str) -> Clip:
        details = dict(clip.provenance.details) | {"variant": twin.variant, "member": what}
        provenance = Provenance(
            origin=Origin.SIMULATED,
            source=source,
            producer="worldline.audit.suites",
            seed=seed,
            details=tuple(sorted(details.items())),
        )
        assert clip.scene is not None
        scene = replace(clip.scene, provenance=provenance)
        return replace(clip, provenance=provenance, scene=scene, state=None)

    return replace(
        twin,
        possible=sign(twin.possible, "possible"),
        impossible=sign(twin.impossible, "impossible"),
    )


def _geoms_of(rollout: Rollout, body: int) -> range:
    model: Any = rollout.model
    first = int(model.body_geomadr[body + 1])
    return range(first, first + int(model.body_geomnum[body + 1]))


def _without(touches: Touches, body: int, since_s: float) -> Touches:
    kept = (touches.time_s < since_s) | ((touches.a != body) & (touches.b != body))
    return Touches(
        touches.time_s[kept],
        touches.a[kept],
        touches.b[kept],
        touches.impulse_ns[kept],
        touches.point_m[kept],
    )
