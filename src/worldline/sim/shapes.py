"""What bodies are like over time: how far their matter reaches, and in how many parts they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from worldline.sim.engine import Rollout
from worldline.sim.stage import Shape, Soft, Stage

__all__ = ["Shapes", "rotation_matrices"]

APART_SHARE, APART_RAD = 0.05, 0.1
"""A bond is gone once its bodies have moved against each other by so much of their size, or turned
by so much: welds give way a little under impacts."""


@dataclass(frozen=True)
class Shapes:
    """Shapes of N objects at T frames.

    Attributes:
        extent_m: `[N, 3]` full side lengths at first; of a cluster along the axes of its first
            body, or of the world where it is loose.
        bend: `[N, T]` see `Scene`; 0 for what does not bend.
        num_parts: `[N, T]` bodies, or groups of them whose bonds have held so far.
    """

    extent_m: Float[np.ndarray, "n 3"]
    bend: Float[np.ndarray, "n t"]
    num_parts: Int[np.ndarray, "n t"]

    @classmethod
    def of(cls, stage: Stage, rollout: Rollout, bodies: list[np.ndarray]) -> Shapes:
        """Shapes of the objects made of the things with these numbers."""
        n, t = len(bodies), rollout.position_m.shape[1]
        held = _bonds_held(stage, rollout)
        extent_m, bend = np.empty((n, 3)), np.zeros((n, t))
        num_parts = np.ones((n, t), dtype=np.int64)
        for row, own in enumerate(bodies):
            thing = stage.things[own[0]]
            extent_m[row] = 2 * np.array(thing.half_m, dtype=np.float64)
            if isinstance(thing, Soft):
                bend[row] = _bend(thing, rollout, int(own[0]) - len(stage.bodies), int(own[0]))
            elif len(own) > 1:
                num_parts[row] = _count_parts(own, stage.bonds, held)
                extent_m[row] = _cluster_extent(stage, own, is_loose=bool(num_parts[row, 0] > 1))
        return cls(extent_m, bend, num_parts)


def _bend(soft: Soft, rollout: Rollout, number: int, row: int) -> np.ndarray:
    turn = rotation_matrices(rollout.rotation_wxyz[row])
    local = (rollout.vertex_m[number] - rollout.position_m[row][:, None]) @ turn
    way = np.linalg.norm(local - soft.rest_m, axis=-1).max(axis=1)
    return way / (2 * np.mean(soft.half_m))


def _cluster_extent(stage: Stage, own: np.ndarray, *, is_loose: bool) -> np.ndarray:
    bodies = [stage.bodies[index] for index in own.tolist()]
    turns = rotation_matrices(np.array([body.rotation_wxyz for body in bodies]))
    frame = np.eye(3) if is_loose else turns[0]
    place = np.array([body.position_m for body in bodies]) @ frame
    half = np.array([body.half_m for body in bodies])
    reach = np.einsum("kij,kj->ki", np.abs(frame.T @ turns), half)
    reach = np.where([[body.shape is Shape.BALL] for body in bodies], half, reach)
    return (place + reach).max(axis=0) - (place - reach).min(axis=0)


def _bonds_held(stage: Stage, rollout: Rollout) -> np.ndarray:
    """Whether each bond has held up to each frame, `[B, T]`."""
    held = np.ones((len(stage.bonds), rollout.position_m.shape[1]), dtype=bool)
    for row, (first, second) in enumerate(stage.bonds):
        turns = [rotation_matrices(rollout.rotation_wxyz[index]) for index in (first, second)]
        way = rollout.position_m[second] - rollout.position_m[first]
        local = (way[:, None] @ turns[0])[:, 0]
        size = min(max(stage.bodies[index].half_m) for index in (first, second))
        moved = np.linalg.norm(local - local[0], axis=1) > APART_SHARE * 2 * size
        between = np.swapaxes(turns[0], 1, 2) @ turns[1]
        change = np.trace(between[0].T @ between, axis1=1, axis2=2)
        turned = np.arccos(np.clip((change - 1) / 2, -1, 1)) > APART_RAD
        held[row] = ~np.logical_or.accumulate(moved | turned)
    return held


def _count_parts(
    own: np.ndarray, bonds: tuple[tuple[int, int], ...], held: np.ndarray
) -> np.ndarray:
    """Number of groups that bonds keep together, `[T]`."""
    counts = []
    for frame in range(held.shape[1]):
        group = {int(index): int(index) for index in own}
        for (first, second), holds in zip(bonds, held[:, frame], strict=True):
            if holds and first in group:
                old, new = group[second], group[first]
                group = {index: new if mark == old else mark for index, mark in group.items()}
        counts.append(len(set(group.values())))
    return np.array(counts, dtype=np.int64)


def rotation_matrices(rotation_wxyz: Float[np.ndarray, "t 4"]) -> Float[np.ndarray, "t 3 3"]:
    """Of unit quaternions (w, x, y, z)."""
    w, x, y, z = rotation_wxyz.T
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.moveaxis(np.array(rows), -1, 0)
