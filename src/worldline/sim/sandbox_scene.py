"""Scenes of the sandbox: what is where in it as a `Scene`, and a `Scene` set up and filmed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType

import numpy as np
from jaxtyping import Float

from worldline.core.clip import Clip
from worldline.core.errors import InputError
from worldline.core.provenance import Origin, Provenance
from worldline.core.scene import Scene
from worldline.sim.sandbox import (
    BODIES,
    COLORS,
    ENV_ID,
    HALF_M,
    HAND_M,
    OPEN,
    RATE_HZ,
    SHUT,
    WORLD_M,
    SandboxEnv,
)

__all__ = ["STILL", "THINGS", "film_scene", "state_of", "to_scene"]

THINGS = (*BODIES, "hand")

STILL = (0.0, 0.0, -1.0)
"""The action of a hand that stays where it is, open."""

_LOOKS: Mapping[str, tuple[tuple[int, int, int], ...]] = MappingProxyType(
    {**{name: (COLORS[name],) for name in BODIES}, "hand": (OPEN, SHUT)}
)
_ALIKE = 0.35
"""Distance of two colours in [0, 1] up to which one may stand for the other."""

_AWAY_M = -50.0
"""Bodies that are not there are so far to the left, out of sight and reach."""

_HAND_AT_M = (2.0, 3.4)


def to_scene(
    state: Float[np.ndarray, " 22"],
    size_px: int = 64,
    *,
    names: Collection[str] = THINGS,
    caption: str = "",
) -> Scene:
    """One moment of the sandbox.

    Args:
        state: as `SandboxEnv.state` gives it.
        size_px: side of the picture that pixels count in.
        names: of the things that are there.
        caption: in words.
    """
    rows = [k for k, name in enumerate(THINGS) if name in names]
    moved = np.zeros((len(THINGS), 2, 3))  # place and speed of each thing: x, z, turn
    moved[:3] = state.reshape(2, 11)[:, :9].reshape(2, 3, 3).swapaxes(0, 1)
    moved[3, :, :2] = state.reshape(2, 11)[:, 9:]
    places, speeds, spins = np.zeros((3, len(THINGS), 3))
    places[:, [0, 2]], speeds[:, [0, 2]] = moved[:, 0, :2], moved[:, 1, :2]
    turns, spins[:, 1] = moved[:, 0, 2], moved[:, 1, 2]
    rotation = np.zeros((len(THINGS), 4))
    rotation[:, 0], rotation[:, 2] = np.cos(turns / 2), np.sin(turns / 2)
    half = np.array([*(HALF_M[name] for name in BODIES), (HAND_M, HAND_M)])
    reach = np.stack(
        [
            half[:, 0] * np.abs(np.cos(turns)) + half[:, 1] * np.abs(np.sin(turns)),
            half[:, 0] * np.abs(np.sin(turns)) + half[:, 1] * np.abs(np.cos(turns)),
        ],
        axis=-1,
    )
    round_ones = [THINGS.index("ball"), THINGS.index("hand")]
    reach[round_ones] = half[round_ones]
    scale = size_px / WORLD_M
    centers = np.stack([places[:, 0], WORLD_M - places[:, 2]], axis=-1) * scale
    seen = np.all((centers > 0) & (centers < size_px), axis=-1)[rows]
    looks = np.array([_LOOKS[name][0] for name in THINGS]) / 255
    return Scene(
        time_s=np.zeros(1),
        width_px=size_px,
        height_px=size_px,
        ids=np.arange(len(rows)),
        labels=tuple(THINGS[k] for k in rows),
        present=np.ones((len(rows), 1), bool),
        visible=seen[:, None],
        center_px=centers[rows, None],
        size_px=2 * scale * reach[rows, None],
        center_px_std=np.zeros((len(rows), 1, 2)),
        color_rgb=looks[rows],
        position_m=places[rows, None],
        rotation_wxyz=rotation[rows, None],
        velocity_mps=speeds[rows, None],
        angular_velocity_radps=spins[rows, None],
        metres_per_px=WORLD_M / size_px,
        caption=caption,
        provenance=Provenance(Origin.SIMULATED, f"gymnasium:{ENV_ID}"),
    )


def state_of(scene: Scene) -> Float[np.ndarray, " 22"]:
    """The state of the sandbox in which things are where a scene's last moment has them.

    Things are known by their labels, or else by their colours, and have the sandbox's sizes. They
    are where `position_m` says in a scene without a camera, else where the picture shows them, from
    its left to its right and from its bottom to its top. Turns and velocities are taken where they
    are told. Bodies that the scene lacks are out of sight; the hand is always there.

    Raises:
        InputError: the scene has no moment, something that the sandbox has not or has once only,
            or something outside the box.
    """
    if not scene.num_frames:
        raise InputError("the scene has no moment to begin with; give one with a frame at least")
    state = np.zeros(22)
    state[0:9:3], state[1:9:3], state[9:11] = _AWAY_M * np.arange(1, 4), WORLD_M / 2, _HAND_AT_M
    found: set[str] = set()
    for row in np.flatnonzero(scene.present[:, -1]):
        name = _name_of(scene, int(row))
        if name in found:
            raise InputError(f"the scene has {name} twice, and the sandbox has one")
        found.add(name)
        first, turns = 3 * THINGS.index(name), name != "hand"
        x, z = _place(scene, int(row), name)
        state[first : first + 2] = x, z
        if scene.velocity_mps is not None:
            speed = np.nan_to_num(scene.velocity_mps[row, -1])
            state[11 + first : 13 + first] = speed[0], speed[2]
        if turns and scene.rotation_wxyz is not None:
            w, _, y, _ = np.nan_to_num(scene.rotation_wxyz[row, -1])
            state[first + 2] = 2 * np.arctan2(y, w) if w or y else 0.0
        if turns and scene.angular_velocity_radps is not None:
            state[13 + first] = np.nan_to_num(scene.angular_velocity_radps[row, -1])[1]
    return state


def film_scene(scene: Scene, *, num_frames: int, size_px: int, step_s: float = 1 / RATE_HZ) -> Clip:
    """Set a scene up in the sandbox, and film it while the hand stays still.

    The first frame shows the scene; what hangs in the air falls after it, as in the simulator.

    Args:
        scene: see `state_of`.
        num_frames: T.
        size_px: side of the frames.
        step_s: between them, at least; some steps of the simulator.
    """
    steps = max(round(step_s * RATE_HZ), 1)
    env = SandboxEnv(render_mode="rgb_array", size_px=size_px)
    env.reset(seed=0, options={"state": state_of(scene)})
    frames = []
    for number in range(num_frames):
        for _ in range(steps if number else 0):
            env.step(np.array(STILL, np.float32))
        picture = env.render()
        assert picture is not None
        frames.append(picture)
    env.close()
    return Clip(
        frames=np.stack(frames),
        time_s=np.arange(num_frames) * steps / RATE_HZ,
        provenance=Provenance(
            Origin.SIMULATED,
            f"gymnasium:{ENV_ID}",
            details=(("scene", scene.caption or scene.provenance.source or "given"),),
        ),
        actions=np.tile(np.array(STILL), (num_frames, 1)),
    )


def _name_of(scene: Scene, row: int) -> str:
    label = scene.labels[row]
    if label in THINGS:
        return label
    if scene.color_rgb is not None and np.isfinite(scene.color_rgb[row]).all():
        apart = {
            name: min(np.linalg.norm(scene.color_rgb[row] - np.array(c) / 255) for c in colors)
            for name, colors in _LOOKS.items()
        }
        nearest = min(apart, key=lambda name: apart[name])
        if label == "object" and apart[nearest] <= _ALIKE:
            return nearest
    raise InputError(
        f"the scene has a thing called {label!r}, and the sandbox has only {', '.join(THINGS)}"
    )


def _place(scene: Scene, row: int, name: str) -> tuple[float, float]:
    """x and z in metres."""
    if scene.camera is None and scene.position_m is not None:
        x, _, z = scene.position_m[row, -1].tolist()
    else:
        right, down = scene.center_px[row, -1].tolist()
        x, z = WORLD_M * right / scene.width_px, WORLD_M * (1 - down / scene.height_px)
    if not (0 < x < WORLD_M and 0 < z < WORLD_M):
        raise InputError(
            f"the scene's {name} is {x:.2f} m from the left and {z:.2f} m above the ground, and "
            f"the sandbox's box is {WORLD_M:g} m wide and high"
        )
    return x, z
