"""MuJoCo: from a `Stage` to what happens.

Touch is a spring and a damper (MuJoCo's direct `solref`), so stiff that a collision lasts about
12 ms, and damped so that the wanted coefficient of restitution comes out (the linear dashpot that
cannot pull: Schwager and Poeschel, Granular Matter 9, 2007). MuJoCo writes the contact law for the
relative acceleration, so the damping ratio does not depend on the masses.
"""

# MuJoCo's compiled modules come without type stubs
# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, product
from math import atan2, exp, log, pi, sqrt

import mujoco
import numpy as np
from jaxtyping import Float, Int
from scipy.optimize import brentq

from worldline.sim.stage import Body, Prop, Shape, Stage

__all__ = ["Rollout", "Touches", "build_model", "damping_ratio", "simulate"]

TOUCH_S = 0.012
"""How long an undamped collision lasts."""

FRICTION_RATE_PS = 30.0
"""Rate at which friction brings slipping to rest where Coulomb's bound allows it. MuJoCo's convex
contact law lets a large rate lift sliding bodies off the floor, so that they chatter."""

MAX_STEP_S = 0.001
STATIC_GROUP, BODY_GROUP = 0, 1
_FREQUENCY_RADPS = pi / TOUCH_S
# geoms touch through explicit pairs alone, because only those have a `solreffriction`
_UNPAIRED = {"contype": 0, "conaffinity": 0}
_GEOM = {
    Shape.BALL: mujoco.mjtGeom.mjGEOM_SPHERE,
    Shape.BOX: mujoco.mjtGeom.mjGEOM_BOX,
    Shape.CYLINDER: mujoco.mjtGeom.mjGEOM_CYLINDER,
    Shape.CAPSULE: mujoco.mjtGeom.mjGEOM_CAPSULE,
}


@dataclass(frozen=True)
class Touches:
    """Forces between bodies at every physics step in which there were any, one row per pair.

    Attributes:
        time_s: `[K]` time of the row, relative to the first frame.
        a, b: `[K]` body indices, a > b; b = -1 for everything static.
        impulse_ns: `[K]` normal impulse of the step, summed over contact points.
        point_m: `[K, 3]` mean contact point.
    """

    time_s: Float[np.ndarray, " k"]
    a: Int[np.ndarray, " k"]
    b: Int[np.ndarray, " k"]
    impulse_ns: Float[np.ndarray, " k"]
    point_m: Float[np.ndarray, "k 3"]


@dataclass(frozen=True)
class Rollout:
    """States at the frame times; N bodies, T frames, G geoms.

    Attributes:
        model: the MuJoCo model.
        position_m, velocity_mps, angular_velocity_radps: `[N, T, 3]`, centre of mass, world frame.
        rotation_wxyz: `[N, T, 4]`.
        energy_j: `[T]` potential and kinetic energy of everything.
        geom_position_m: `[T, G, 3]` and geom_rotation: `[T, G, 9]` of every geom.
        touches: contact forces.
        step_s: physics step.
    """

    model: mujoco.MjModel
    position_m: Float[np.ndarray, "n t 3"]
    velocity_mps: Float[np.ndarray, "n t 3"]
    angular_velocity_radps: Float[np.ndarray, "n t 3"]
    rotation_wxyz: Float[np.ndarray, "n t 4"]
    energy_j: Float[np.ndarray, " t"]
    geom_position_m: Float[np.ndarray, "t g 3"]
    geom_rotation: Float[np.ndarray, "t g 9"]
    touches: Touches
    step_s: float


def restitution_of(damping: float) -> float:
    """Coefficient of restitution of a dashpot with damping ratio `damping` >= 0."""
    if damping < 1:
        root = sqrt(1 - damping * damping)
        return exp(-damping / root * (pi - atan2(2 * damping * root, 1 - 2 * damping * damping)))
    if damping == 1:
        return exp(-2.0)
    root = sqrt(damping * damping - 1)
    return exp(-damping / root * log((damping + root) / (damping - root)))


@lru_cache(maxsize=256)
def damping_ratio(restitution: float) -> float:
    """Inverse of `restitution_of`, for a restitution in [0.05, 1].

    Raises:
        ValueError: outside that range.
    """
    if not 0.05 <= restitution <= 1:
        raise ValueError(f"restitution is {restitution}, expected 0.05 to 1")
    if restitution == 1:
        return 0.0
    return float(brentq(lambda z: restitution_of(z) - restitution, 0.0, 40.0, xtol=1e-10))  # type: ignore[arg-type]


def build_model(stage: Stage) -> mujoco.MjModel:
    """Compile the stage. Geom 0 is the floor, then the props, then each body's geoms."""
    spec = mujoco.MjSpec()
    spec.option.gravity = [0, 0, -stage.gravity_mps2]
    spec.option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    spec.option.impratio = 10
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_EULER
    spec.option.enableflags |= mujoco.mjtEnableBit.mjENBL_ENERGY
    frame_s = float(np.diff(stage.time_s).min()) if len(stage.time_s) > 1 else MAX_STEP_S
    spec.option.timestep = frame_s / np.ceil(frame_s / MAX_STEP_S)
    world = spec.worldbody
    world.add_geom(
        name="floor",
        type=mujoco.mjtGeom.mjGEOM_PLANE,
        size=[0, 0, 1],
        group=STATIC_GROUP,
        **_UNPAIRED,
    )
    for index, prop in enumerate(stage.props):
        world.add_geom(
            name=f"prop{index}",
            type=_GEOM[prop.shape],
            size=_geom_size(prop),
            pos=prop.position_m,
            quat=prop.rotation_wxyz,
            group=STATIC_GROUP,
            **_UNPAIRED,
        )
    for index, body in enumerate(stage.bodies):
        _add_body(world, index, body)
    _add_pairs(spec, stage)
    return spec.compile()


def _add_pairs(spec: mujoco.MjSpec, stage: Stage) -> None:
    bodies = [f"body{index}" for index in range(len(stage.bodies))]
    scenery = ["floor", *(f"prop{index}" for index in range(len(stage.props)))]
    damping = 2 * damping_ratio(stage.restitution) * _FREQUENCY_RADPS
    for first, second in [*combinations(bodies, 2), *product(scenery, bodies)]:
        spec.add_pair(
            geomname1=first,
            geomname2=second,
            condim=3,
            friction=[stage.friction, stage.friction, 0.002, 0.0001, 0.0001],
            solref=[-(_FREQUENCY_RADPS**2), -damping],
            solreffriction=[0, -FRICTION_RATE_PS],
            solimp=[0.99, 0.99, 0.001, 0.5, 2],
        )


def _geom_size(thing: Body | Prop) -> list[float]:
    x, y, z = thing.half_m
    if thing.shape is Shape.BALL:
        return [x, 0, 0]
    if thing.shape is Shape.CYLINDER:
        return [x, z, 0]
    if thing.shape is Shape.CAPSULE:
        return [x, z - x, 0]
    return [x, y, z]


def _add_body(world: mujoco.MjsBody, index: int, body: Body) -> None:
    node = world.add_body(name=f"body{index}", pos=body.position_m, quat=body.rotation_wxyz)
    node.add_geom(
        name=f"body{index}",
        type=_GEOM[body.shape],
        size=_geom_size(body),
        mass=body.mass_kg,
        group=BODY_GROUP,
        **_UNPAIRED,
    )
    if body.rod is None:
        node.add_freejoint()
        return
    to_local = np.empty(9)
    mujoco.mju_quat2Mat(to_local, np.asarray(body.rotation_wxyz, dtype=np.float64))
    to_local = to_local.reshape(3, 3).T
    pivot = to_local @ (np.asarray(body.rod.pivot_m) - np.asarray(body.position_m))
    axis = to_local @ np.asarray(body.rod.axis)
    node.add_joint(type=mujoco.mjtJoint.mjJNT_HINGE, pos=pivot, axis=axis)
    node.add_geom(
        type=mujoco.mjtGeom.mjGEOM_CAPSULE,
        fromto=[0, 0, 0, *pivot],
        size=[body.rod.radius_m, 0, 0],
        mass=0,
        group=BODY_GROUP,
        **_UNPAIRED,
    )


def _set_velocities(stage: Stage, model: mujoco.MjModel, data: mujoco.MjData) -> None:
    mujoco.mj_forward(model, data)
    for index, body in enumerate(stage.bodies):
        start = model.jnt_dofadr[model.body_jntadr[index + 1]]
        if body.rod is not None:
            data.qvel[start] = np.dot(body.angular_velocity_radps, body.rod.axis)
            continue
        data.qvel[start : start + 3] = body.velocity_mps
        # a free joint's angular velocity is in the body's own frame
        to_world = data.xmat[index + 1].reshape(3, 3)
        data.qvel[start + 3 : start + 6] = to_world.T @ np.asarray(body.angular_velocity_radps)


Push = Callable[[mujoco.MjModel, mujoco.MjData, float], None]


def simulate(stage: Stage, push: Push | None = None) -> Rollout:
    """Step the stage through its lead and its frames.

    Args:
        stage: what to simulate.
        push: called before every physics step with (model, data, time since the first frame); may
            set `data.xfrc_applied`.
    """
    model = build_model(stage)
    data = mujoco.MjData(model)
    _set_velocities(stage, model, data)
    step_s = float(model.opt.timestep)
    num_bodies, num_frames = len(stage.bodies), len(stage.time_s)
    body_of_geom = model.geom_bodyid.astype(np.int64) - 1
    lead_steps = round(stage.lead_s / step_s)
    frame_steps = np.round((stage.time_s - stage.time_s[0]) / step_s).astype(int) + lead_steps
    state = _Recorder(model, num_bodies, num_frames)
    log = _Log([], [], [], [], [])
    done = 0
    for frame, wanted in enumerate(frame_steps):
        for _ in range(wanted - done):
            moment_s = (done - lead_steps) * step_s + float(stage.time_s[0])
            if push is not None:
                push(model, data, moment_s)
            mujoco.mj_step(model, data)
            done += 1
            if data.nefc and data.ncon and moment_s >= 0:
                log.read(data, moment_s)
        state.record(data, frame)
    return Rollout(
        model=model,
        position_m=state.position_m,
        velocity_mps=state.velocity_mps,
        angular_velocity_radps=state.angular_velocity_radps,
        rotation_wxyz=state.rotation_wxyz,
        energy_j=state.energy_j,
        geom_position_m=state.geom_position_m,
        geom_rotation=state.geom_rotation,
        touches=log.sum_up(body_of_geom, step_s),
        step_s=step_s,
    )


class _Recorder:
    def __init__(self, model: mujoco.MjModel, n: int, t: int) -> None:
        self.model = model
        self.position_m = np.empty((n, t, 3))
        self.velocity_mps = np.empty((n, t, 3))
        self.angular_velocity_radps = np.empty((n, t, 3))
        self.rotation_wxyz = np.empty((n, t, 4))
        self.energy_j = np.empty(t)
        self.geom_position_m = np.empty((t, model.ngeom, 3))
        self.geom_rotation = np.empty((t, model.ngeom, 9))
        self._six = np.empty(6)

    def record(self, data: mujoco.MjData, frame: int) -> None:
        # a step leaves positions new but everything derived from them old
        mujoco.mj_forward(self.model, data)
        self.geom_position_m[frame] = data.geom_xpos
        self.geom_rotation[frame] = data.geom_xmat
        self.position_m[:, frame] = data.xipos[1:]
        self.rotation_wxyz[:, frame] = data.xquat[1:]
        self.energy_j[frame] = data.energy.sum()
        for index in range(len(self.position_m)):
            mujoco.mj_objectVelocity(
                self.model, data, mujoco.mjtObj.mjOBJ_BODY, index + 1, self._six, 0
            )
            self.angular_velocity_radps[index, frame] = self._six[:3]
            self.velocity_mps[index, frame] = self._six[3:]


@dataclass
class _Log:
    """Raw contacts of many steps, kept as MuJoCo gives them and summed up once at the end."""

    time_s: list[float]
    geoms: list[np.ndarray]
    addresses: list[np.ndarray]
    forces: list[np.ndarray]
    points: list[np.ndarray]

    def read(self, data: mujoco.MjData, moment_s: float) -> None:
        contact = data.contact
        address = contact.efc_address
        self.time_s.append(moment_s)
        self.geoms.append(contact.geom.copy())
        self.addresses.append(address.copy())
        self.forces.append(data.efc_force[address])
        self.points.append(contact.pos.copy())

    def sum_up(self, body_of_geom: np.ndarray, step_s: float) -> Touches:
        if not self.time_s:
            none = np.zeros(0, dtype=np.int64)
            return Touches(np.zeros(0), none, none, np.zeros(0), np.zeros((0, 3)))
        counts = [len(address) for address in self.addresses]
        step = np.repeat(np.arange(len(counts)), counts)
        force = np.concatenate(self.forces)
        # contacts that the solver left out have no address
        pressed = (np.concatenate(self.addresses) >= 0) & (force > 0)
        step, force = step[pressed], force[pressed]
        pair = np.sort(body_of_geom[np.concatenate(self.geoms)[pressed]], axis=1)
        point = np.concatenate(self.points)[pressed]
        width = len(body_of_geom) + 1
        key = (step * width + pair[:, 1]) * width + pair[:, 0] + 1
        found, row, count = np.unique(key, return_inverse=True, return_counts=True)
        return Touches(
            time_s=np.array(self.time_s, dtype=np.float64)[found // width**2],
            a=found // width % width,
            b=found % width - 1,
            impulse_ns=np.bincount(row, force, len(found)) * step_s,
            point_m=np.stack(
                [np.bincount(row, point[:, i], len(found)) / count for i in range(3)], axis=-1
            ),
        )
