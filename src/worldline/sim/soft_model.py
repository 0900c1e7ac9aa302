"""Bodies that bend as MuJoCo's flex: every vertex is a point mass that slides along x, y and z."""

# MuJoCo's compiled modules come without type stubs
# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np

from worldline.sim.soft import placed_m, vertex_mass_kg
from worldline.sim.stage import Soft

__all__ = ["Touch", "add_soft"]

_EDGE_SOLREF = (0.004, 1.0)
"""Time (s) and damping ratio with which a sheet's edges return to their length; MuJoCo allows no
time shorter than two steps."""

_SPIN_INERTIA = 1e-4
"""Over its mass: a vertex never turns, but MuJoCo wants an inertia of every body."""


@dataclass(frozen=True)
class Touch:
    """How a soft body touches: MuJoCo's direct `solref`, and Coulomb's coefficient."""

    solref: tuple[float, float]
    friction: float


def add_soft(spec: mujoco.MjSpec, index: int, soft: Soft, touch: Touch) -> None:
    """Add a soft body to a model that is being built, with one body for each vertex."""
    places, masses = placed_m(soft), vertex_mass_kg(soft)
    names = [f"soft{index}.{vertex}" for vertex in range(len(places))]
    for vertex, name in enumerate(names):
        node = spec.worldbody.add_body(name=name, pos=places[vertex])
        node.explicitinertial = True
        node.mass, node.ipos = masses[vertex], [0, 0, 0]
        node.inertia = [masses[vertex] * _SPIN_INERTIA] * 3
        if vertex not in soft.pinned:
            for axis in np.eye(3):
                node.add_joint(type=mujoco.mjtJoint.mjJNT_SLIDE, axis=axis)
    flex = spec.add_flex()
    flex.name = f"soft{index}"
    flex.dim = soft.elements.shape[1] - 1
    flex.vertbody = names
    flex.elem = soft.elements.reshape(-1).tolist()
    flex.radius = soft.thickness_m
    # of a pair one side must have a bit of the other: geoms have `conaffinity`, softs `contype`
    flex.contype, flex.conaffinity = 1, 0
    flex.selfcollide = mujoco.mjtFlexSelf.mjFLEXSELF_NONE
    flex.condim, flex.priority = 3, 1
    flex.friction = [touch.friction, 0.002, 0.0001]
    flex.solref = touch.solref
    flex.solimp = [0.99, 0.99, 0.001, 0.5, 2]
    if soft.is_sheet:
        edges = spec.add_equality()
        edges.type = mujoco.mjtEq.mjEQ_FLEX
        edges.name, edges.name1 = f"soft{index}.edges", flex.name
        edges.solref = _EDGE_SOLREF
        edges.solimp = [0.98, 0.995, 0.001, 0.5, 2]
    else:
        flex.young, flex.poisson, flex.damping = soft.young_pa, soft.poisson, soft.damping_s
