"""From a `Stage` to a MuJoCo model.

Touch is a spring and a damper (MuJoCo's direct `solref`), so stiff that a collision lasts about
12 ms, and damped so that the wanted coefficient of restitution comes out (the linear dashpot that
cannot pull: Schwager and Poeschel, Granular Matter 9, 2007). MuJoCo writes the contact law for the
relative acceleration, so the damping ratio does not depend on the masses.
"""

# MuJoCo's compiled modules come without type stubs
# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, product
from math import atan2, cos, exp, log, pi, sin, sqrt, tan

import mujoco
import numpy as np
from scipy.optimize import brentq

from worldline.sim.soft_model import Touch, add_soft
from worldline.sim.stage import (
    Body,
    Fixed,
    Glide,
    Hinge,
    Hover,
    Prop,
    Rod,
    Shape,
    Stage,
    Vector,
)

__all__ = ["BIN_WALL_M", "build_model", "damping_ratio", "num_geoms", "restitution_of"]

TOUCH_S = 0.012
"""How long an undamped collision lasts."""

FRICTION_RATE_PS = 30.0
"""Rate at which friction brings slipping to rest where Coulomb's bound allows it. MuJoCo's convex
contact law lets a large rate lift sliding bodies off the floor, so that they chatter."""

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

_DRIVEN_ARMATURE = 1e7
"""Inertia (kg or kg m^2) that is added to driven joints, so that nothing they meet slows them."""

BIN_WALL_M = 0.05
"""Half the thickness of a bin's walls, and the thickness of its bottom."""

GRIP_FRICTION_PS = 300.0
"""`FRICTION_RATE_PS` between a body that grips and what it holds, which must not creep away."""

GRIP_REACH_M = 0.004
"""What is so near to a body that grips is pulled to it."""

_BOND_SOLREF = (0.004, 1.0)
"""Time (s) and damping ratio with which bonded bodies return to their places."""

_CUP_SIDES = 8
_CUP_THICKNESS = 0.08
"""Thickness of a cup's wall over its radius."""


@dataclass(frozen=True)
class _Geom:
    """One solid part of a body, in the body's own frame."""

    kind: mujoco.mjtGeom
    size: tuple[float, ...]
    position_m: Vector = (0.0, 0.0, 0.0)
    turn_rad: float = 0.0


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
    if any(body.rod is not None and body.rod.swivels for body in stage.bodies):
        # a fast top gains energy in steps of first order
        spec.option.integrator = mujoco.mjtIntegrator.mjINT_RK4
    frame_s = float(np.diff(stage.time_s).min()) if len(stage.time_s) > 1 else stage.max_step_s
    spec.option.timestep = frame_s / np.ceil(frame_s / stage.max_step_s)
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
        if body.grip_n:
            _add_grip(spec, index, body.grip_n)
    _add_pairs(spec, stage)
    for first, second in stage.bonds:
        _add_bond(spec, first, second)
    if stage.softs:
        _add_softs(spec, stage)
    return spec.compile()


def _add_softs(spec: mujoco.MjSpec, stage: Stage) -> None:
    """Bodies that bend, after all others; they touch what is solid, but not each other."""
    solid = ["floor", *(f"prop{i}" for i, prop in enumerate(stage.props) if prop.is_solid)]
    solid += [name for i, body in enumerate(stage.bodies) for name in _geom_names(i, body)]
    for name in solid:
        spec.geom(name).conaffinity = 1
    damping = 2 * damping_ratio(stage.restitution) * _FREQUENCY_RADPS
    touch = Touch((-(_FREQUENCY_RADPS**2), -damping), stage.friction)
    for index, soft in enumerate(stage.softs):
        add_soft(spec, index, soft, touch)


def _add_pairs(spec: mujoco.MjSpec, stage: Stage) -> None:
    bodies = list(enumerate(stage.bodies))
    scenery = ["floor", *(f"prop{i}" for i, prop in enumerate(stage.props) if prop.is_solid)]
    pairs = [
        (first, second)
        for (i, a), (j, b) in combinations(bodies, 2)
        if not (_is_driven(a) and _is_driven(b))
        for first, second in product(_geom_names(i, a), _geom_names(j, b))
    ]
    pairs += [
        (thing, name)
        for thing in scenery
        for i, body in bodies
        if not _is_driven(body)
        for name in _geom_names(i, body)
    ]
    damping = 2 * damping_ratio(stage.restitution) * _FREQUENCY_RADPS
    grips = {name for i, body in bodies if body.grip_n for name in _geom_names(i, body)}
    for first, second in pairs:
        gripped = bool({first, second} & grips)
        reach = GRIP_REACH_M if gripped else 0.0
        rate = GRIP_FRICTION_PS if gripped else FRICTION_RATE_PS
        spec.add_pair(
            geomname1=first,
            geomname2=second,
            condim=3,
            friction=[stage.friction, stage.friction, 0.002, 0.0001, 0.0001],
            solref=[-(_FREQUENCY_RADPS**2), -damping],
            solreffriction=[0, -rate],
            solimp=[0.99, 0.99, 0.001, 0.5, 2],
            margin=reach,
            gap=reach,
        )


def _is_driven(body: Body) -> bool:
    """Whether nothing that it meets moves it."""
    if isinstance(body.mount, Hinge):
        return body.mount.is_driven
    return isinstance(body.mount, Glide | Hover | Fixed)


def _add_grip(spec: mujoco.MjSpec, index: int, grip_n: float) -> None:
    """An actuator that presses to the body what touches it, with a share of the force."""
    grip = spec.add_actuator()
    grip.name, grip.target = f"grip{index}", f"body{index}"
    grip.trntype = mujoco.mjtTrn.mjTRN_BODY
    grip.gainprm[0] = grip_n
    grip.ctrllimited, grip.ctrlrange = mujoco.mjtLimited.mjLIMITED_TRUE, [0, 1]


def _add_bond(spec: mujoco.MjSpec, first: int, second: int) -> None:
    bond = spec.add_equality()
    bond.type, bond.objtype = mujoco.mjtEq.mjEQ_WELD, mujoco.mjtObj.mjOBJ_BODY
    bond.name = f"bond{first}.{second}"
    bond.name1, bond.name2 = f"body{first}", f"body{second}"
    # no anchor, the pose that they start with, and turns that count as much as ways
    bond.data = np.eye(12)[10]
    bond.solref = _BOND_SOLREF
    bond.solimp = [0.98, 0.995, 0.001, 0.5, 2]


def _geom_names(index: int, body: Body) -> list[str]:
    return [f"body{index}" + (f".{part}" if part else "") for part in range(num_geoms(body))]


def num_geoms(body: Body) -> int:
    """Number of solid parts of a body; they come first among its geoms, a rod after them."""
    return len(_solid_parts(body))


def _solid_parts(body: Body) -> list[_Geom]:
    if body.shape is Shape.BIN:
        return _bin_parts(body)
    if body.shape is not Shape.CUP:
        return [_Geom(_GEOM[body.shape], tuple(_geom_size(body)))]
    radius, _, half_height = body.half_m
    thin = _CUP_THICKNESS * radius / 2
    bottom = _Geom(
        mujoco.mjtGeom.mjGEOM_CYLINDER, (radius - thin, thin, 0), (0.0, 0.0, thin - half_height)
    )
    side = (thin, (radius - thin) * tan(pi / _CUP_SIDES), half_height)
    walls = []
    for index in range(_CUP_SIDES):
        angle = 2 * pi * index / _CUP_SIDES
        place = ((radius - thin) * cos(angle), (radius - thin) * sin(angle), 0.0)
        walls.append(_Geom(mujoco.mjtGeom.mjGEOM_BOX, side, place, angle))
    return [bottom, *walls]


def _bin_parts(body: Body) -> list[_Geom]:
    x, y, z = body.half_m
    thin, box = BIN_WALL_M, mujoco.mjtGeom.mjGEOM_BOX
    parts = [_Geom(box, (x - thin, y - thin, thin / 2), (0.0, 0.0, thin / 2 - z))]
    for side in (-1.0, 1.0):
        parts.append(_Geom(box, (thin, y, z), (side * (x - thin), 0.0, 0.0)))
        parts.append(_Geom(box, (x - 2 * thin, thin, z), (0.0, side * (y - thin), 0.0)))
    return parts


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
    parts = _solid_parts(body)
    for name, part in zip(_geom_names(index, body), parts, strict=True):
        node.add_geom(
            name=name,
            type=part.kind,
            size=part.size,
            pos=part.position_m,
            quat=[cos(part.turn_rad / 2), 0, 0, sin(part.turn_rad / 2)],
            mass=body.mass_kg if len(parts) == 1 else 0,
            group=BODY_GROUP,
            **_UNPAIRED,
        )
    if len(parts) > 1:
        # hollow bodies weigh as if filled, so that their centre of mass is that of their outline
        x, y, z = (side * side / 3 for side in body.half_m)
        node.explicitinertial = True
        node.mass, node.ipos = body.mass_kg, [0, 0, 0]
        node.inertia = [body.mass_kg * sum(pair) for pair in ((y, z), (x, z), (x, y))]
    if body.rod is not None:
        _add_rod(node, body, body.rod)
    elif isinstance(body.mount, Hinge):
        pivot, axis = _in_body(body, body.mount.pivot_m, body.mount.axis)
        armature = _DRIVEN_ARMATURE if body.mount.is_driven else 0.0
        node.add_joint(type=mujoco.mjtJoint.mjJNT_HINGE, pos=pivot, axis=axis, armature=armature)
    elif isinstance(body.mount, Glide | Hover):
        for way in np.eye(3)[: 2 if isinstance(body.mount, Glide) else 3]:
            _, axis = _in_body(body, body.position_m, way)
            node.add_joint(type=mujoco.mjtJoint.mjJNT_SLIDE, axis=axis, armature=_DRIVEN_ARMATURE)
    elif not isinstance(body.mount, Fixed):
        node.add_freejoint()


def _in_body(
    body: Body, point_m: Vector, axis: Vector | np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """A point and a direction of the world in the frame of a body."""
    to_world = np.empty(9)
    mujoco.mju_quat2Mat(to_world, np.asarray(body.rotation_wxyz, dtype=np.float64))
    to_local = to_world.reshape(3, 3).T
    pivot = to_local @ (np.asarray(point_m) - np.asarray(body.position_m))
    return pivot, to_local @ np.asarray(axis)


def _add_rod(node: mujoco.MjsBody, body: Body, rod: Rod) -> None:
    pivot, axis = _in_body(body, rod.pivot_m, rod.axis)
    if rod.swivels:
        node.add_joint(type=mujoco.mjtJoint.mjJNT_BALL, pos=pivot)
    else:
        node.add_joint(type=mujoco.mjtJoint.mjJNT_HINGE, pos=pivot, axis=axis)
    node.add_geom(
        type=mujoco.mjtGeom.mjGEOM_CAPSULE,
        fromto=[0, 0, 0, *pivot],
        size=[rod.radius_m, 0, 0],
        mass=0,
        group=BODY_GROUP,
        **_UNPAIRED,
    )
