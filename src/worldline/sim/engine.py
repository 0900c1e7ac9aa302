"""MuJoCo: from a `Stage` to what happens."""

# MuJoCo's compiled modules come without type stubs
# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace

import mujoco
import numpy as np
from jaxtyping import Float, Int

from worldline.sim.model import build_model
from worldline.sim.soft import elastic_energy_j, rigid_motion
from worldline.sim.stage import Fixed, Glide, Hinge, Hover, Rod, Soft, Stage

__all__ = ["Push", "Rollout", "Touches", "drive", "simulate"]


@dataclass(frozen=True)
class Touches:
    """Forces between bodies at every physics step in which there were any, one row per pair.

    Attributes:
        time_s: `[K]` time of the row, relative to the first frame.
        a, b: `[K]` indices of things, a > b; b = -1 for everything static.
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
    """States at the frame times; N things (bodies, then soft ones), T frames, G geoms.

    Attributes:
        model: the MuJoCo model.
        position_m, velocity_mps, angular_velocity_radps: `[N, T, 3]`, centre of mass, world frame.
            A soft body's are those of `soft.rigid_motion`.
        rotation_wxyz: `[N, T, 4]`.
        energy_j: `[T]` potential, kinetic and elastic energy of everything.
        geom_position_m: `[T, G, 3]` and geom_rotation: `[T, G, 9]` of every geom.
        touches: contact forces.
        step_s: physics step.
        vertex_m: `[T, V, 3]` vertices of each soft body.
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
    vertex_m: tuple[Float[np.ndarray, "t _ 3"], ...] = ()

    def at(self, frame: int) -> Rollout:
        """One frame alone."""
        part = slice(frame, frame + 1)
        return replace(
            self,
            position_m=self.position_m[:, part],
            velocity_mps=self.velocity_mps[:, part],
            angular_velocity_radps=self.angular_velocity_radps[:, part],
            rotation_wxyz=self.rotation_wxyz[:, part],
            energy_j=self.energy_j[part],
            geom_position_m=self.geom_position_m[part],
            geom_rotation=self.geom_rotation[part],
            vertex_m=tuple(vertices[part] for vertices in self.vertex_m),
        )


def _set_velocities(stage: Stage, model: mujoco.MjModel, data: mujoco.MjData) -> None:
    mujoco.mj_forward(model, data)
    for index, body in enumerate(stage.bodies):
        if isinstance(body.mount, Fixed | Hover):
            continue
        start = _first_speed(model, index)
        to_world = data.xmat[index + 1].reshape(3, 3)
        if body.rod is not None and body.rod.swivels:
            data.qvel[start : start + 3] = to_world.T @ np.asarray(body.angular_velocity_radps)
        elif body.rod is not None or isinstance(body.mount, Hinge):
            held = body.rod if body.rod is not None else body.mount
            assert isinstance(held, Rod | Hinge)
            data.qvel[start] = np.dot(body.angular_velocity_radps, held.axis)
        elif isinstance(body.mount, Glide):
            data.qvel[start : start + 2] = body.velocity_mps[:2]
        else:
            data.qvel[start : start + 3] = body.velocity_mps
            # a free joint's angular velocity is in the body's own frame
            spin = np.asarray(body.angular_velocity_radps)
            data.qvel[start + 3 : start + 6] = to_world.T @ spin
    for index, soft in enumerate(stage.softs):
        speeds = _vertex_speeds(model, index)
        data.qvel[speeds[speeds[:, 0] >= 0]] = soft.velocity_mps


def _vertex_speeds(model: mujoco.MjModel, soft: int) -> np.ndarray:
    """Addresses `[V, 3]` in `data.qvel` of a soft body's vertices, -1 for those that are pinned."""
    first = model.flex_vertadr[soft]
    nodes = model.flex_vertbodyid[first : first + model.flex_vertnum[soft]]
    start = model.body_dofadr[nodes]
    return np.where(start[:, None] >= 0, start[:, None] + np.arange(3), -1)


def _first_speed(model: mujoco.MjModel, body: int) -> int:
    """Address of a body's first number in `data.qvel`."""
    return int(model.jnt_dofadr[model.body_jntadr[body + 1]])


def drive(
    model: mujoco.MjModel, data: mujoco.MjData, body: int, speeds: Sequence[float] | np.ndarray
) -> None:
    """Set the speeds of a driven body's joints: (x, y) of a `Glide`, (x, y, z) of a
    `Hover`, the turn of a `Hinge`."""
    start = _first_speed(model, body)
    data.qvel[start : start + len(speeds)] = speeds


Push = Callable[[mujoco.MjModel, mujoco.MjData, float], None]


def simulate(stage: Stage, push: Push | None = None) -> Rollout:
    """Step the stage through its lead and its frames.

    Args:
        stage: what to simulate.
        push: called before every physics step with (model, data, time since the first frame); may
            set `data.xfrc_applied`, `drive` bodies, let bonds go (`data.eq_active`) and turn grips
            on and off (`data.ctrl`).
    """
    model = build_model(stage)
    data = mujoco.MjData(model)
    _set_velocities(stage, model, data)
    step_s = float(model.opt.timestep)
    num_bodies, num_frames = len(stage.bodies), len(stage.time_s)
    # the last entries are soft bodies, whose contacts have no geom but the number -1
    numbers = num_bodies + np.arange(len(stage.softs))[::-1]
    thing_of_geom = np.append(model.geom_bodyid.astype(np.int64) - 1, numbers)
    lead_steps = round(stage.lead_s / step_s)
    frame_steps = np.round((stage.time_s - stage.time_s[0]) / step_s).astype(int) + lead_steps
    state = _Recorder(model, num_bodies, num_frames, stage.softs)
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
    state.sum_up_softs()
    return Rollout(
        model=model,
        position_m=state.position_m,
        velocity_mps=state.velocity_mps,
        angular_velocity_radps=state.angular_velocity_radps,
        rotation_wxyz=state.rotation_wxyz,
        energy_j=state.energy_j,
        geom_position_m=state.geom_position_m,
        geom_rotation=state.geom_rotation,
        touches=_with_resting(stage, log.sum_up(thing_of_geom, step_s), state, step_s),
        step_s=step_s,
        vertex_m=tuple(state.vertex_m),
    )


def _with_resting(stage: Stage, touches: Touches, state: _Recorder, step_s: float) -> Touches:
    """Add the touch of gliding and fixed bodies with the floor, which MuJoCo does not compute."""
    resting = [i for i, body in enumerate(stage.bodies) if isinstance(body.mount, Glide | Fixed)]
    if not resting:
        return touches
    span_s = float(stage.time_s[-1] - stage.time_s[0])
    moments = stage.time_s[0] + np.arange(round(span_s / step_s)) * step_s
    parts = [touches]
    for index in resting:
        body = stage.bodies[index]
        place = np.stack([np.interp(moments, stage.time_s, x) for x in state.position_m[index].T])
        place[2] -= body.half_m[2]
        impulse = body.mass_kg * stage.gravity_mps2 * step_s
        number = np.full(len(moments), index)
        parts.append(
            Touches(moments, number, 0 * number - 1, np.full(len(moments), impulse), place.T)
        )
    order = np.argsort(np.concatenate([part.time_s for part in parts]), kind="stable")
    return Touches(
        **{
            field.name: np.concatenate([getattr(part, field.name) for part in parts])[order]
            for field in fields(Touches)
        }
    )


class _Recorder:
    def __init__(self, model: mujoco.MjModel, bodies: int, t: int, softs: Sequence[Soft]) -> None:
        self.model, self.softs, self.num_bodies = model, softs, bodies
        n = bodies + len(softs)
        self.position_m = np.empty((n, t, 3))
        self.velocity_mps = np.empty((n, t, 3))
        self.angular_velocity_radps = np.empty((n, t, 3))
        self.rotation_wxyz = np.empty((n, t, 4))
        self.energy_j = np.empty(t)
        self.geom_position_m = np.empty((t, model.ngeom, 3))
        self.geom_rotation = np.empty((t, model.ngeom, 9))
        self.vertex_m = [np.empty((t, len(soft.rest_m), 3)) for soft in softs]
        self.vertex_mps = [np.zeros_like(places) for places in self.vertex_m]
        self._six = np.empty(6)

    def record(self, data: mujoco.MjData, frame: int) -> None:
        # a step leaves positions new but everything derived from them old
        mujoco.mj_forward(self.model, data)
        self.geom_position_m[frame] = data.geom_xpos
        self.geom_rotation[frame] = data.geom_xmat
        count = self.num_bodies
        self.position_m[:count, frame] = data.xipos[1 : count + 1]
        self.rotation_wxyz[:count, frame] = data.xquat[1 : count + 1]
        self.energy_j[frame] = data.energy.sum()
        for index in range(len(self.softs)):
            first = self.model.flex_vertadr[index]
            places = self.vertex_m[index]
            places[frame] = data.flexvert_xpos[first : first + places.shape[1]]
            speeds = _vertex_speeds(self.model, index)
            free = speeds[:, 0] >= 0
            self.vertex_mps[index][frame, free] = data.qvel[speeds[free]]
        for index in range(count):
            mujoco.mj_objectVelocity(
                self.model, data, mujoco.mjtObj.mjOBJ_BODY, index + 1, self._six, 0
            )
            self.angular_velocity_radps[index, frame] = self._six[:3]
            self.velocity_mps[index, frame] = self._six[3:]

    def sum_up_softs(self) -> None:
        """Give soft bodies the state of a rigid one, and count what they have stored."""
        for index, soft in enumerate(self.softs):
            row, places = self.num_bodies + index, self.vertex_m[index]
            position, velocity, rotation, spin = rigid_motion(soft, places, self.vertex_mps[index])
            self.position_m[row], self.velocity_mps[row] = position, velocity
            self.angular_velocity_radps[row] = spin
            for frame, matrix in enumerate(rotation):
                mujoco.mju_mat2Quat(self.rotation_wxyz[row, frame], matrix.reshape(-1))
            self.energy_j += elastic_energy_j(soft, places)


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
        # a flex f stands for the geom -1 - f, which counts from the end
        self.geoms.append(np.where(contact.geom >= 0, contact.geom, -1 - contact.flex))
        self.addresses.append(address.copy())
        self.forces.append(data.efc_force[address])
        self.points.append(contact.pos.copy())

    def sum_up(self, thing_of_geom: np.ndarray, step_s: float) -> Touches:
        if not self.time_s:
            none = np.zeros(0, dtype=np.int64)
            return Touches(np.zeros(0), none, none, np.zeros(0), np.zeros((0, 3)))
        counts = [len(address) for address in self.addresses]
        step = np.repeat(np.arange(len(counts)), counts)
        force = np.concatenate(self.forces)
        # contacts that the solver left out have no address
        pressed = (np.concatenate(self.addresses) >= 0) & (force > 0)
        step, force = step[pressed], force[pressed]
        pair = np.sort(thing_of_geom[np.concatenate(self.geoms)[pressed]], axis=1)
        point = np.concatenate(self.points)[pressed]
        width = len(thing_of_geom) + 1
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
