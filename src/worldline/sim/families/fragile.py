"""Bodies that break: blocks of pieces that hold together until something hits them hard."""

# MuJoCo's compiled modules come without type stubs
# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product

import mujoco
import numpy as np

from worldline.core import Clip, Verdict
from worldline.sim.engine import Rollout, simulate
from worldline.sim.families.base import Casting, compose, name_all, turn_about
from worldline.sim.families.laws import gravity_verdict, growth_share, judge, truth_of
from worldline.sim.framing import Shot
from worldline.sim.splits import Ranges, Split
from worldline.sim.stage import Body, Pattern, Quaternion, Shape, Stage, Vector
from worldline.sim.studio import film_stage

__all__ = ["Break"]

_CUTS = ((2, 2, 2), (2, 2, 1), (2, 1, 2), (1, 2, 3), (3, 2, 1), (2, 2, 2))
"""Pieces along each axis."""

_SEAM_M = 0.001
"""Pieces lie so far apart, that only their bonds hold them."""

_STRENGTH = 25.0
"""Force that breaks a block, over its weight: that of a fall through a few centimetres."""


class Break:
    """A block falls to the floor, or a ball runs into it, and it breaks into pieces."""

    name = "break"
    has_camera = True
    ranges = Ranges(
        train={
            "size_m": ((0.28, 0.42),),
            "height_m": ((0.5, 1.6),),
            "speed_mps": ((4.0, 6.5),),
        },
        beyond={
            "size_m": ((0.2, 0.25), (0.46, 0.55)),
            "height_m": ((0.3, 0.42), (1.8, 2.4)),
            "speed_mps": ((3.0, 3.6), (7.0, 8.5)),
        },
        hole={"size_m": (0.33, 0.37), "height_m": (0.9, 1.2)},
    )
    """`size_m` is about half a side of the block, `height_m` how far its lowest point falls, and
    `speed_mps` that of a ball that runs into it."""

    def make(self, split: Split, rng: np.random.Generator, shot: Shot) -> Clip:
        """See `Family.make`."""
        stage = self.stage(split, rng)
        brittle = _Brittle(stage)
        rollout = simulate(stage, brittle)
        return film_stage(_measured(stage, rollout, brittle), shot, rollout)

    def stage(self, split: Split, rng: np.random.Generator) -> Stage:
        """Draw the block, and the ball if there is one."""
        cast = Casting(split, rng)
        values = self.ranges.draw(split, rng)
        x, y, z = (values["size_m"] * cast.uniform(0.7, 1.1) for _ in range(3))
        falls = rng.random() < 0.65
        turn = turn_about((0, 0, 1), cast.uniform(0, 2 * np.pi))
        if falls:
            # on an edge or a corner, since a block that lands flat stays in its place
            way, lean = cast.uniform(0, 2 * np.pi), cast.uniform(0.3, 0.9)
            turn = compose(turn_about((np.cos(way), np.sin(way), 0), lean), turn)
        pieces, bonds = _pieces(cast, (x, y, z), turn)
        low = min(_lowest(piece) for piece in pieces)
        lift = np.array([0.0, 0.0, (values["height_m"] if falls else 0.002) - low])
        drift = np.zeros(3)
        if falls:
            drift[:2] = rng.normal(0, 0.4, 2)
        pieces = [_moved(piece, lift, drift) for piece in pieces]
        name, number = name_all([pieces[0].name]), len(pieces)
        ball: list[Body] = []
        heading = cast.uniform(0, 2 * np.pi)
        caption = f"{name} falls to the floor and breaks into {number} pieces."
        if not falls:
            ball = [_ball(cast, values, np.array([np.cos(heading), np.sin(heading), 0.0]))]
            caption = (
                f"{name_all([ball[0].name])} runs into {name[0].lower() + name[1:]}, which breaks "
                f"into {number} pieces."
            )
        first = len(ball)
        return cast.stage(
            [*ball, *pieces],
            caption=caption,
            view=cast.view(azimuth_rad=heading + np.pi / 2, spread_rad=0.7),
            time_s=cast.times((1 / 20, 1 / 20, 1 / 30)),
            restitution=cast.uniform(0.15, 0.4),
            friction=cast.uniform(0.3, 0.6),
            bonds=[(a + first, b + first) for a, b in bonds],
            max_width_px=24.0,
            facts={"num_pieces": float(number), "strength": _STRENGTH},
        )

    def self_check(self, clip: Clip) -> tuple[Verdict, ...]:
        """The block is whole until it is hit, then it is not, and energy never grows."""
        truth = truth_of(clip)
        row = truth.rows[-1]
        assert truth.scene.num_parts is not None
        parts, broken_s = truth.scene.num_parts[row], truth.fact("broken_s")
        touches = [c.start_s for c in truth.touches_of(row) if c.end_s - c.start_s > 1e-9]
        count = int(parts[-1])
        early = [float(n - 1) for n, t in zip(parts, truth.time_s, strict=True) if t < broken_s]
        lacking = [float(max(2 - count, 0)), max(count - truth.fact("num_pieces"), 0.0)]
        late = [max(min(touches, default=0.0) - broken_s, 0.0)] if touches else []
        falling = [row] if truth.scene.num_objects == 1 else []
        return (
            judge("wholeness", early, 0.0, "a block that is whole until it breaks"),
            judge("cause", late, 0.01, "a block that breaks because something touches it"),
            judge("pieces", lacking, 0.0, "at least two pieces and no more than it is made of"),
            judge("energy", [truth.fact("energy_growth")], 0.02, "energy that does not grow"),
            gravity_verdict(truth, falling),
        )


@dataclass
class _Brittle:
    """Lets go of all bonds once the bodies that they hold are pressed too hard from outside."""

    stage: Stage
    broken_s: float = float("inf")

    def __call__(self, model: mujoco.MjModel, data: mujoco.MjData, moment_s: float) -> None:
        if np.isfinite(self.broken_s) or not data.ncon or not data.nefc:
            return
        own = sorted({index for bond in self.stage.bonds for index in bond})
        weight = sum(self.stage.bodies[index].mass_kg for index in own) * self.stage.gravity_mps2
        inner = np.isin(model.geom_bodyid[data.contact.geom], np.array(own) + 1)
        address = data.contact.efc_address
        outside = (inner.sum(axis=1) == 1) & (address >= 0)
        if data.efc_force[address[outside]].sum() > _STRENGTH * weight:
            data.eq_active[:] = 0
            self.broken_s = moment_s


def _measured(stage: Stage, rollout: Rollout, brittle: _Brittle) -> Stage:
    facts = {"broken_s": brittle.broken_s, "energy_growth": growth_share(rollout.energy_j)}
    return replace(stage, facts=stage.facts | facts)


def _pieces(
    cast: Casting, half_m: Vector, turn: Quaternion
) -> tuple[list[Body], list[tuple[int, int]]]:
    """The pieces of a block about the origin, and which of them hang together."""
    counts = _CUTS[int(cast.rng.integers(len(_CUTS)))]
    edges = []
    for half, count in zip(half_m, counts, strict=True):
        inner = [(i + cast.uniform(-0.2, 0.2)) / count for i in range(1, count)]
        edges.append([half * (2 * share - 1) for share in (0.0, *inner, 1.0)])
    cells = list(product(*(range(count) for count in counts)))
    first = replace(
        cast.body(Shape.BOX, half_m, (0, 0, 0), rotation_wxyz=turn, cluster="slab"),
        pattern=Pattern.PLAIN,
    )
    volume = float(np.prod(half_m))
    pieces = []
    for cell in cells:
        spans = [axis[i : i + 2] for axis, i in zip(edges, cell, strict=True)]
        x, y, z = ((high - low) / 2 for low, high in spans)
        middle = np.array([(low + high) / 2 for low, high in spans])
        share = x * y * z / volume
        half = (x - _SEAM_M / 2, y - _SEAM_M / 2, z - _SEAM_M / 2)
        place = _vector(_turned(turn, middle))
        pieces.append(replace(first, half_m=half, position_m=place, mass_kg=first.mass_kg * share))
    bonds = []
    for i, j in product(range(len(cells)), repeat=2):
        steps = np.abs(np.subtract(cells[i], cells[j]))
        if i < j and steps.sum() == 1:
            bonds.append((i, j))
    return pieces, bonds


def _ball(cast: Casting, values: dict[str, float], way: np.ndarray) -> Body:
    radius, speed = values["size_m"] * cast.uniform(0.6, 0.9), values["speed_mps"]
    start = -way * (1.6 * values["size_m"] + radius + speed * cast.uniform(0.15, 0.4))
    start[2] = radius
    return cast.rolling_ball(radius, start, way, speed, density=cast.uniform(1500, 2500))


def _moved(piece: Body, lift: np.ndarray, drift: np.ndarray) -> Body:
    place = _vector(np.asarray(piece.position_m) + lift)
    return replace(piece, position_m=place, velocity_mps=_vector(drift))


def _lowest(piece: Body) -> float:
    corners = np.array(list(product((-1, 1), repeat=3))) * np.asarray(piece.half_m)
    return piece.position_m[2] + min(_turned(piece.rotation_wxyz, c)[2] for c in corners)


def _turned(turn: Quaternion, vector: np.ndarray) -> np.ndarray:
    w, u = turn[0], np.array(turn[1:])
    across = 2 * np.cross(u, vector)
    return vector + w * across + np.cross(u, across)


def _vector(values: np.ndarray) -> Vector:
    x, y, z = values.tolist()
    return (x, y, z)
