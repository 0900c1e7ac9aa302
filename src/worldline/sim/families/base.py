"""What a family is, and what its stages have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from worldline.core import Clip, Verdict
from worldline.sim.appearance import draw_body_colors, draw_floor, draw_light, draw_sky
from worldline.sim.framing import Shot
from worldline.sim.splits import Ranges, Split
from worldline.sim.stage import (
    Body,
    Fixed,
    Glide,
    Hinge,
    Hover,
    Prop,
    Quaternion,
    Rod,
    Shape,
    Soft,
    Stage,
    Vector,
    View,
)

__all__ = [
    "FRAME_STEPS_S",
    "NUM_FRAMES",
    "Casting",
    "Family",
    "compose",
    "name_all",
    "scatter",
    "turn_about",
    "upright_height",
]

Numbers = Sequence[float] | np.ndarray
"""Three numbers, as any sequence."""

NUM_FRAMES = 32
FRAME_STEPS_S = (1 / 20, 1 / 20, 1 / 30, 1 / 15)
"""Frame steps, drawn with equal chance; the default one is there twice."""


class Family(Protocol):
    """A kind of scene."""

    @property
    def name(self) -> str:
        """What `make_clips` calls it."""
        ...

    @property
    def ranges(self) -> Ranges:
        """Continuous parameters of each body, or of the scene."""
        ...

    @property
    def has_camera(self) -> bool:
        """The scene is solid and has a camera that could move; flat scenes have none."""
        ...

    def make(self, split: Split, rng: np.random.Generator, shot: Shot) -> Clip:
        """One clip without provenance."""
        ...

    def self_check(self, clip: Clip) -> tuple[Verdict, ...]:
        """Whether the truth of a clip of this family satisfies the family's own law."""
        ...


class Casting:
    """Draws the parts of one stage from one generator."""

    def __init__(self, split: Split, rng: np.random.Generator) -> None:
        self.split = split
        self.rng = rng
        self._names: list[str] = []
        self._colors: list[Vector] = []

    def uniform(self, low: float, high: float) -> float:
        """A number between two others."""
        return float(self.rng.uniform(low, high))

    def pick(self, shapes: Sequence[Shape]) -> Shape:
        """One of several shapes."""
        return shapes[int(self.rng.integers(len(shapes)))]

    def count(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return int(self.rng.integers(low, high + 1))

    def sign(self) -> float:
        """-1 or 1."""
        return float(self.rng.choice((-1.0, 1.0)))

    def times(self, steps_s: Sequence[float] = FRAME_STEPS_S) -> np.ndarray:
        """Frame times with one of several steps."""
        return np.arange(NUM_FRAMES) * float(self.rng.choice(steps_s))

    def half_sides(self, shape: Shape, radius_m: float, slim: float = 1.0) -> Vector:
        """Half side lengths of a body that is about `radius_m` in radius."""
        if shape is Shape.BALL:
            return (radius_m, radius_m, radius_m)
        if shape is Shape.BOX:
            x, y, z = (radius_m * self.uniform(0.7, 1.1) for _ in range(3))
            return (x, y, z * slim)
        if shape is Shape.CYLINDER:
            r = radius_m * self.uniform(0.75, 1.0)
            return (r, r, radius_m * self.uniform(0.6, 1.1) * slim)
        r = radius_m * self.uniform(0.55, 0.75)
        return (r, r, r + radius_m * self.uniform(0.4, 0.8) * slim)

    def rotation(self) -> Quaternion:
        """Any orientation, all equally likely."""
        q = self.rng.standard_normal(4)
        w, x, y, z = (q / np.linalg.norm(q)).tolist()
        return (w, x, y, z)

    def body(
        self,
        shape: Shape,
        half_m: Vector,
        position_m: Numbers,
        *,
        density: float | None = None,
        rotation_wxyz: Quaternion = (1.0, 0.0, 0.0, 0.0),
        velocity_mps: Numbers = (0.0, 0.0, 0.0),
        angular_velocity_radps: Numbers = (0.0, 0.0, 0.0),
        rod: Rod | None = None,
        mount: Hinge | Glide | Hover | Fixed | None = None,
        label: str = "",
        cluster: str = "",
        grip_n: float = 0.0,
    ) -> Body:
        """A body of a colour that no other body of the stage has."""
        name, color, second, pattern = draw_body_colors(shape, self.split, self.rng, self._names)
        self._names.append(name)
        self._colors.append(color)
        chosen = self.uniform(150, 900) if density is None else density
        return Body(
            shape=shape,
            half_m=half_m,
            position_m=_vector(position_m),
            mass_kg=chosen * _volume(shape, half_m),
            color=color,
            color_name=name,
            second_color=second,
            pattern=pattern,
            rotation_wxyz=rotation_wxyz,
            velocity_mps=_vector(velocity_mps),
            angular_velocity_radps=_vector(angular_velocity_radps),
            rod=rod,
            mount=mount,
            label=label,
            cluster=cluster,
            grip_n=grip_n,
        )

    def soft(
        self,
        shape: Shape,
        grid: tuple[np.ndarray, np.ndarray],
        position_m: Numbers,
        *,
        label: str,
        mass_kg: float,
        rotation_wxyz: Quaternion = (1.0, 0.0, 0.0, 0.0),
        pinned: tuple[int, ...] = (),
        young_pa: float = 1e5,
        damping_s: float = 0.0,
    ) -> Soft:
        """A soft body of a colour that no other body of the stage has; `grid` is out of `soft`."""
        name, color, second, pattern = draw_body_colors(shape, self.split, self.rng, self._names)
        self._names.append(name)
        self._colors.append(color)
        return Soft(
            shape=shape,
            rest_m=grid[0],
            elements=grid[1],
            mass_kg=mass_kg,
            color=color,
            color_name=name,
            label=label,
            position_m=_vector(position_m),
            rotation_wxyz=rotation_wxyz,
            second_color=second,
            pattern=pattern,
            pinned=pinned,
            young_pa=young_pa,
            damping_s=damping_s,
        )

    def prop_color(self) -> Vector:
        """A dull colour for scenery."""
        base = self.uniform(0.25, 0.85)
        r, g, b = (float(np.clip(base + self.uniform(-0.1, 0.1), 0, 1)) for _ in range(3))
        return (r, g, b)

    def distractors(self, keep_clear: np.ndarray, clearance_m: float) -> tuple[Prop, ...]:
        """Up to two things that stand about, away from the points `keep_clear` `[K, 2]`."""
        props = []
        for _ in range(self.count(0, 2)):
            radius = self.uniform(0.25, 0.5)
            for _ in range(10):
                spot = keep_clear[int(self.rng.integers(len(keep_clear)))] + self.rng.normal(
                    0, 2.5, 2
                )
                gap = np.linalg.norm(keep_clear - spot, axis=1).min() - radius
                if gap > clearance_m:
                    shape = self.pick((Shape.BOX, Shape.CYLINDER))
                    half = self.half_sides(shape, radius)
                    turn = turn_about((0, 0, 1), self.uniform(0, 2 * np.pi))
                    place = (float(spot[0]), float(spot[1]), half[2])
                    props.append(Prop(shape, half, place, self.prop_color(), turn))
                    break
        return tuple(props)

    def rolling_ball(
        self,
        radius_m: float,
        position_m: Numbers,
        way: np.ndarray,
        speed_mps: float,
        *,
        density: float | None = None,
    ) -> Body:
        """A ball that rolls along the ground without slipping, in the direction `way` (unit)."""
        return self.body(
            Shape.BALL,
            (radius_m, radius_m, radius_m),
            position_m,
            density=density,
            rotation_wxyz=self.rotation(),
            velocity_mps=way * speed_mps,
            angular_velocity_radps=np.cross((0, 0, 1), way) * speed_mps / radius_m,
        )

    def view(self, *, azimuth_rad: float | None = None, spread_rad: float = 0.5) -> View:
        """Any side, or one within `spread_rad` of a given side or of the one opposite."""
        if azimuth_rad is None:
            azimuth = self.uniform(0, 2 * np.pi)
        else:
            azimuth = azimuth_rad + self.uniform(-spread_rad, spread_rad)
            azimuth += float(self.rng.choice((0.0, np.pi)))
        return View(
            azimuth_rad=azimuth,
            elevation_rad=self.uniform(0.08, 0.62),
            focal_ratio=self.uniform(0.85, 1.8),
            margin=self.uniform(0.02, 0.2),
            offset=(self.uniform(-1, 1), self.uniform(-1, 1)),
        )

    def stage(
        self,
        bodies: Sequence[Body],
        *,
        caption: str,
        view: View | None = None,
        time_s: np.ndarray | None = None,
        props: Sequence[Prop] = (),
        softs: Sequence[Soft] = (),
        restitution: float = 0.2,
        friction: float = 0.5,
        gravity_mps2: float = 9.81,
        lead_s: float = 0.0,
        min_width_px: float = 8.0,
        max_width_px: float = 20.0,
        bonds: Sequence[tuple[int, int]] = (),
        landmarks_m: Sequence[Numbers] = (),
        facts: dict[str, float] | None = None,
    ) -> Stage:
        """Complete a stage with floor, sky and light."""
        return Stage(
            bodies=tuple(bodies),
            props=tuple(props),
            softs=tuple(softs),
            floor=draw_floor(self._colors, self.rng),
            sky=draw_sky(self.rng),
            light=draw_light(self.rng),
            view=view or self.view(),
            time_s=self.times() if time_s is None else time_s,
            restitution=restitution,
            friction=friction,
            gravity_mps2=gravity_mps2,
            lead_s=lead_s,
            min_width_px=min_width_px,
            max_width_px=max_width_px,
            bonds=tuple(bonds),
            landmarks_m=tuple(_vector(place) for place in landmarks_m),
            caption=caption,
            facts=facts or {},
        )


def _vector(values: Numbers) -> Vector:
    x, y, z = (float(v) for v in values)
    return (x, y, z)


def _volume(shape: Shape, half_m: Vector) -> float:
    x, y, z = half_m
    if shape is Shape.BALL:
        return 4 / 3 * np.pi * x**3
    if shape in (Shape.BOX, Shape.BIN):
        return 8 * x * y * z
    if shape is Shape.CYLINDER:
        return 2 * np.pi * x * x * z
    return np.pi * x * x * (2 * (z - x)) + 4 / 3 * np.pi * x**3


def turn_about(axis: Numbers, angle_rad: float) -> Quaternion:
    """Quaternion (w, x, y, z) of a turn about a unit axis."""
    x, y, z = (float(np.sin(angle_rad / 2) * a) for a in axis)
    return (float(np.cos(angle_rad / 2)), x, y, z)


def compose(outer: Quaternion, inner: Quaternion) -> Quaternion:
    """The turn `inner` followed by the turn `outer` (their Hamilton product)."""
    a, b, c, d = outer
    w, x, y, z = inner
    return (
        a * w - b * x - c * y - d * z,
        a * x + b * w + c * z - d * y,
        a * y - b * z + c * w + d * x,
        a * z + b * y - c * x + d * w,
    )


def upright_height(shape: Shape, half_m: Vector) -> float:
    """Height of the centre of a body that stands on the floor."""
    return half_m[0] if shape is Shape.BALL else half_m[2]


def scatter(cast: Casting, count: int, apart_m: float) -> np.ndarray:
    """Points in the plane, no two nearer than `apart_m`."""
    spots: list[np.ndarray] = []
    reach_m = 1.6
    while len(spots) < count:
        spot = cast.rng.uniform(-reach_m, reach_m, 2)
        if all(np.linalg.norm(spot - other) >= apart_m for other in spots):
            spots.append(spot)
        else:
            # the first points may leave no room, so the square grows until there is some
            reach_m *= 1.05
    return np.array(spots)


def name_all(names: Sequence[str]) -> str:
    """ "A red ball", "A red ball and a blue box"."""
    marked = [("an " if name[0] in "aeiou" else "a ") + name for name in names]
    text = marked[0] if len(marked) == 1 else ", ".join(marked[:-1]) + " and " + marked[-1]
    return text[0].upper() + text[1:]
