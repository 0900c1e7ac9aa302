"""Bodies that bend: sheets that hang or drape, and soft balls and blocks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from worldline.core import Clip, Verdict
from worldline.sim.engine import Rollout, simulate
from worldline.sim.families.base import Casting, compose, name_all, turn_about
from worldline.sim.families.laws import Truth, gravity_verdict, judge, truth_of
from worldline.sim.framing import Shot
from worldline.sim.soft import (
    ball_grid,
    block_grid,
    edges_of,
    placed_m,
    sheet_grid,
    volumes_m3,
)
from worldline.sim.splits import Ranges, Split
from worldline.sim.stage import Body, Prop, Shape, Soft, Stage
from worldline.sim.studio import film_stage

__all__ = ["Cloth", "SoftBody"]

SHEET_CELLS, BLOCK_CELLS = 7, 3
STRETCH_LIMIT = 0.1
"""How much longer or shorter than at rest an edge of a sheet may be."""

VOLUME_LIMIT = 0.15
"""How far the volume of a soft body may be from that at rest, as a share of it."""

ENERGY_LIMIT = 0.01
"""Growth of the energy between two frames, as a share of the first, that steps of 1 to 2 ms may
cause."""


class Cloth:
    """A ball flies into a sheet that hangs from two corners, or a sheet falls over a ball."""

    name = "cloth"
    has_camera = True
    ranges = Ranges(
        train={
            "side_m": ((1.1, 1.5),),
            "radius_m": ((0.22, 0.34),),
            "height_m": ((0.15, 0.7),),
            "speed_mps": ((2.5, 4.5),),
        },
        beyond={
            "side_m": ((0.85, 1.0), (1.6, 1.9)),
            "height_m": ((0.05, 0.1), (0.85, 1.2)),
            "speed_mps": ((1.8, 2.2), (5.0, 6.0)),
        },
        hole={"side_m": (1.2, 1.35), "radius_m": (0.25, 0.3)},
    )
    """`height_m` is from the top of the ball to the sheet above, `speed_mps` that of a ball that
    flies into a hanging one."""

    def make(self, split: Split, rng: np.random.Generator, shot: Shot) -> Clip:
        """See `Family.make`."""
        return _film(self.stage(split, rng), shot)

    def stage(self, split: Split, rng: np.random.Generator) -> Stage:
        """Draw the sheet and the ball."""
        cast = Casting(split, rng)
        values = self.ranges.draw(split, rng)
        heading = cast.uniform(0, 2 * np.pi)
        if rng.random() < 0.5:
            return _hang(cast, values, heading)
        return _drape(cast, values, heading)

    def self_check(self, clip: Clip) -> tuple[Verdict, ...]:
        """Edges keep their length, energy does not grow, and a ball that flies, or a sheet that
        nobody holds, falls freely until they meet."""
        truth = truth_of(clip)
        free = [row for row in truth.rows if row == 0 or not truth.fact("num_pinned")]
        return (*_soft_verdicts(truth), gravity_verdict(truth, free))


class SoftBody:
    """A soft ball or block falls to the floor, or a hard ball falls on a soft block."""

    name = "soft"
    has_camera = True
    ranges = Ranges(
        train={
            "radius_m": ((0.26, 0.4),),
            "height_m": ((0.3, 0.9),),
            "young_pa": ((5e4, 1.3e5),),
        },
        beyond={
            "radius_m": ((0.21, 0.24), (0.43, 0.5)),
            "height_m": ((0.15, 0.25), (1.0, 1.3)),
            "young_pa": ((1.6e5, 2.4e5),),
        },
        hole={"radius_m": (0.3, 0.35), "young_pa": (7e4, 1e5)},
    )
    """`height_m` is how far down to the floor, or to the soft body; `young_pa` Young's modulus."""

    def make(self, split: Split, rng: np.random.Generator, shot: Shot) -> Clip:
        """See `Family.make`."""
        return _film(self.stage(split, rng), shot)

    def stage(self, split: Split, rng: np.random.Generator) -> Stage:
        """Draw the soft body, and what falls on it if it is not itself what falls."""
        cast = Casting(split, rng)
        values = self.ranges.draw(split, rng)
        falls = rng.random() < 0.6
        shape = cast.pick((Shape.BALL, Shape.BOX)) if falls else Shape.BOX
        soft, step_s = _solid(cast, shape, values, tumbled=falls)
        low = float(placed_m(soft)[:, 2].min())
        x, y = cast.uniform(-0.3, 0.3), cast.uniform(-0.3, 0.3)
        lift = values["height_m"] if falls else soft.thickness_m
        soft = replace(soft, position_m=(x, y, lift - low))
        bodies: list[Body] = []
        if falls:
            aside = cast.uniform(0, 0.8)
            way = cast.uniform(0, 2 * np.pi)
            soft = replace(soft, velocity_mps=(aside * np.cos(way), aside * np.sin(way), 0.0))
            caption = f"{name_all([soft.name])} falls to the floor, is squashed and springs back."
        else:
            radius = values["radius_m"] * cast.uniform(0.45, 0.65)
            top = 2 * soft.half_m[2] + values["height_m"] + radius
            near = 0.2 * soft.half_m[0]
            place = (x + cast.uniform(-near, near), y + cast.uniform(-near, near), top)
            half = (radius, radius, radius)
            ball = cast.body(Shape.BALL, half, place, density=cast.uniform(150, 350))
            bodies.append(ball)
            on = name_all([soft.name])
            caption = f"{name_all([ball.name])} falls on {on[0].lower() + on[1:]}, which gives way."
        stage = cast.stage(
            bodies,
            softs=[soft],
            caption=caption,
            time_s=cast.times((1 / 30, 1 / 30, 1 / 20)),
            restitution=0.1,
            friction=cast.uniform(0.4, 0.7),
            lead_s=cast.uniform(0.0, 0.1),
            max_width_px=22.0,
            landmarks_m=[(x, y, 0.0)],
            facts={"young_pa": values["young_pa"], "poisson": soft.poisson, "num_pinned": 0.0},
        )
        return replace(stage, max_step_s=step_s)

    def self_check(self, clip: Clip) -> tuple[Verdict, ...]:
        """The volume stays within its bound, nothing turns inside out, energy, that of the strain
        included, does not grow, and what falls falls freely."""
        truth = truth_of(clip)
        # a body that lies on the floor from the start has no free fall to look at
        return (*_soft_verdicts(truth), gravity_verdict(truth, truth.rows))


def _hang(cast: Casting, values: dict[str, float], heading: float) -> Stage:
    side, radius, speed = values["side_m"], values["radius_m"], values["speed_mps"]
    along = np.array([np.cos(heading), np.sin(heading), 0.0])
    across = np.array([-along[1], along[0], 0.0])
    top = side + cast.uniform(0.15, 0.5)
    middle = np.array([0.0, 0.0, top - side / 2])
    grid = sheet_grid(side, SHEET_CELLS)
    row = SHEET_CELLS + 1
    # the grid's x runs across the ball's way and its y up
    stand = compose(turn_about((0, 0, 1), heading + np.pi / 2), turn_about((1, 0, 0), np.pi / 2))
    sheet = cast.soft(
        Shape.BOX,
        grid,
        middle,
        label="sheet",
        mass_kg=cast.uniform(0.4, 0.8) * side * side,
        rotation_wxyz=stand,
        pinned=(row - 1, row * row - 1),
    )
    way = cast.uniform(0.9, 1.5)
    aim = middle + across * side * cast.uniform(-0.2, 0.2)
    aim[2] += side * cast.uniform(-0.15, 0.2)
    start = aim - along * way + [0, 0, cast.uniform(-0.2, 0.1)]
    start[2] = max(start[2], 1.2 * radius)
    flight_s = way / speed
    rise = (aim[2] - start[2]) / flight_s + 9.81 * flight_s / 2
    ball = cast.body(
        Shape.BALL,
        (radius, radius, radius),
        start,
        density=cast.uniform(15, 50),
        velocity_mps=along * speed + [0, 0, rise],
    )
    posts = []
    for vertex in sheet.pinned:
        x, y, z = placed_m(sheet)[vertex].tolist()
        posts.append(
            Prop(
                Shape.CYLINDER, (0.03, 0.03, z / 2), (x, y, z / 2), cast.prop_color(),
                is_solid=False,
            )
        )  # fmt: skip
    on = name_all([sheet.name])
    caption = (
        f"{name_all([ball.name])} flies into {on[0].lower() + on[1:]} that hangs from two posts."
    )
    view = cast.view(azimuth_rad=heading, spread_rad=0.9)
    return _sheet_stage(cast, ball, sheet, caption, posts, replace(view, elevation_rad=0.3))


def _drape(cast: Casting, values: dict[str, float], heading: float) -> Stage:
    side, radius = values["side_m"], values["radius_m"]
    ball = cast.body(
        Shape.BALL, (radius, radius, radius), (0.0, 0.0, radius), density=cast.uniform(150, 500)
    )
    tilt = turn_about((1, 0, 0), cast.uniform(-0.25, 0.25))
    sheet = cast.soft(
        Shape.BOX,
        sheet_grid(side, SHEET_CELLS),
        (0.0, 0.0, 0.0),
        label="sheet",
        mass_kg=cast.uniform(0.4, 0.8) * side * side,
        rotation_wxyz=compose(turn_about((0, 0, 1), heading), tilt),
    )
    low = float(placed_m(sheet)[:, 2].min())
    place = (
        side * cast.uniform(-0.15, 0.15),
        side * cast.uniform(-0.15, 0.15),
        2 * radius + values["height_m"] - low,
    )
    on = name_all([ball.name])
    caption = f"{name_all([sheet.name])} falls over {on[0].lower() + on[1:]}."
    sheet = replace(sheet, position_m=place)
    return _sheet_stage(cast, ball, sheet, caption, [], cast.view())


def _sheet_stage(
    cast: Casting, ball: Body, sheet: Soft, caption: str, props: list[Prop], view
) -> Stage:
    stage = cast.stage(
        [ball],
        softs=[sheet],
        caption=caption,
        view=view,
        time_s=cast.times((1 / 30, 1 / 30, 1 / 20)),
        props=props,
        restitution=0.1,
        friction=cast.uniform(0.3, 0.6),
        max_width_px=30.0,
        facts={"num_pinned": float(len(sheet.pinned))},
    )
    return replace(stage, max_step_s=0.002)


def _solid(
    cast: Casting, shape: Shape, values: dict[str, float], *, tumbled: bool
) -> tuple[Soft, float]:
    """A soft ball or block, and how long a step it bears."""
    radius, young = values["radius_m"], values["young_pa"]
    if shape is Shape.BALL:
        grid, cell = ball_grid(radius), 0.48 * radius
    else:
        x, y, z = (0.85 * radius * cast.uniform(0.85, 1.1) for _ in range(3))
        grid, cell = block_grid((x, y, z), BLOCK_CELLS), 2 * min(x, y, z) / BLOCK_CELLS
    density = cast.uniform(120, 180)
    turn = turn_about((0, 0, 1), cast.uniform(0, 2 * np.pi))
    if tumbled:
        # a block that lands on a corner would turn its outermost cells inside out
        way, lean = cast.uniform(0, 2 * np.pi), cast.uniform(0, 0.45)
        turn = compose(turn_about((np.cos(way), np.sin(way), 0), lean), turn)
    volume = float(volumes_m3(*grid).sum())
    crossing_s = cell * float(np.sqrt(density / young))  # of a wave of strain through a cell
    soft = cast.soft(
        shape,
        grid,
        (0.0, 0.0, 0.0),
        label=f"soft {'ball' if shape is Shape.BALL else 'block'}",
        mass_kg=density * volume,
        rotation_wxyz=turn,
        young_pa=young,
        damping_s=0.4 * crossing_s,
    )
    return soft, min(0.001, 0.3 * crossing_s)


def _film(stage: Stage, shot: Shot) -> Clip:
    rollout = simulate(stage)
    return film_stage(_measured(stage, rollout), shot, rollout)


def _measured(stage: Stage, rollout: Rollout) -> Stage:
    """Note what the vertices tell, which the scene does not hold."""
    (soft,), (places,) = stage.softs, rollout.vertex_m
    energy = rollout.energy_j
    growth = energy - np.minimum.accumulate(energy)
    facts = {"energy_growth": float(growth.max() / energy[0]), "energy_first_j": float(energy[0])}
    if soft.is_sheet:
        first, second = edges_of(soft.elements).T
        length = np.linalg.norm(places[:, first] - places[:, second], axis=-1)
        rest = np.linalg.norm(soft.rest_m[first] - soft.rest_m[second], axis=-1)
        facts["stretch"] = float(np.abs(length / rest - 1).max())
    else:
        volumes, rest = volumes_m3(places, soft.elements), volumes_m3(soft.rest_m, soft.elements)
        facts["volume_change"] = float(np.abs(volumes.sum(axis=1) / rest.sum() - 1).max())
        facts["least_cell"] = float((volumes / rest).min())
    return replace(stage, facts=stage.facts | facts)


def _soft_verdicts(truth: Truth) -> tuple[Verdict, ...]:
    details = dict(truth.scene.provenance.details)
    moving = (truth.velocity_mps**2).sum(axis=-1) / 2
    height = truth.position_m @ -truth.gravity_mps2
    whole = (truth.mass_kg[:, None] * (moving + height)).sum(axis=0)
    excess = np.maximum(whole / truth.fact("energy_first_j") - 1, 0.0).tolist()
    verdicts = [
        judge("energy", [truth.fact("energy_growth")], ENERGY_LIMIT, "energy that does not grow"),
        judge("motion", excess, ENERGY_LIMIT, "centres of mass within the energy there is"),
    ]
    if "stretch" in details:
        what = "edges of a sheet that keep their length"
        verdicts.append(judge("length", [truth.fact("stretch")], STRETCH_LIMIT, what))
    else:
        what = "a volume that lasts"
        verdicts.append(judge("volume", [truth.fact("volume_change")], VOLUME_LIMIT, what))
        inverted = max(-truth.fact("least_cell"), 0.0)
        verdicts.append(judge("orientation", [inverted], 0.0, "cells none of which turns over"))
    return tuple(verdicts)
