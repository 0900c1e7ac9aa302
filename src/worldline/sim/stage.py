"""`Stage`: everything about one clip before it is simulated, as plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from jaxtyping import Float

__all__ = ["Body", "Floor", "Light", "Pattern", "Prop", "Rod", "Shape", "Sky", "Stage", "View"]

Vector = tuple[float, float, float]
Quaternion = tuple[float, float, float, float]


class Shape(StrEnum):
    """Shapes of bodies and props; the value is the word for it."""

    BALL = "ball"
    BOX = "box"
    CYLINDER = "cylinder"
    CAPSULE = "capsule"


class Pattern(StrEnum):
    """What a surface looks like. Patterns on bodies turn with the body."""

    PLAIN = "plain"
    HALVES = "halves"
    STRIPES = "stripes"
    CHECKER = "checker"
    NOISE = "noise"
    GRADIENT = "gradient"


@dataclass(frozen=True)
class Rod:
    """A massless thin rod from a fixed point to the body's centre: makes the body a pendulum.

    Attributes:
        pivot_m: the fixed point.
        axis: unit vector of the hinge.
        radius_m: half the drawn thickness.
    """

    pivot_m: Vector
    axis: Vector
    radius_m: float


@dataclass(frozen=True)
class Body:
    """A body that moves.

    Attributes:
        shape: its shape; axes of cylinder and capsule lie along its own z.
        half_m: half side lengths along its own axes; a ball has three equal ones, a cylinder or
            capsule (radius, radius, half of the whole length).
        position_m, rotation_wxyz, velocity_mps, angular_velocity_radps: state at the start, in the
            world frame, of the centre of mass.
        mass_kg: mass, spread evenly.
        color, second_color: RGB in [0, 1]; the second one is for patterns.
        color_name: what people call `color`.
        rod: holds the body on a hinge instead of leaving it free.
    """

    shape: Shape
    half_m: Vector
    position_m: Vector
    mass_kg: float
    color: Vector
    color_name: str
    rotation_wxyz: Quaternion = (1.0, 0.0, 0.0, 0.0)
    velocity_mps: Vector = (0.0, 0.0, 0.0)
    angular_velocity_radps: Vector = (0.0, 0.0, 0.0)
    second_color: Vector = (1.0, 1.0, 1.0)
    pattern: Pattern = Pattern.PLAIN
    rod: Rod | None = None

    @property
    def name(self) -> str:
        """Such as "red ball"."""
        return f"{self.color_name} {self.shape}"

    @property
    def radius_m(self) -> float:
        """Radius of the sphere around the centre that holds the body."""
        if self.shape is Shape.BOX:
            return float(np.linalg.norm(self.half_m))
        if self.shape is Shape.CYLINDER:
            return float(np.hypot(self.half_m[0], self.half_m[2]))
        return max(self.half_m)


@dataclass(frozen=True)
class Prop:
    """A thing that never moves: wall, ramp, occluder, distractor. Fields as in `Body`."""

    shape: Shape
    half_m: Vector
    position_m: Vector
    color: Vector
    rotation_wxyz: Quaternion = (1.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Floor:
    """The plane z = 0.

    Attributes:
        color, second_color: RGB in [0, 1].
        pattern: PLAIN, CHECKER, STRIPES, NOISE or GRADIENT.
        scale_m: size of the pattern.
        angle_rad: turn of the pattern about z.
        seed: seed of the noise.
    """

    color: Vector
    second_color: Vector
    pattern: Pattern = Pattern.PLAIN
    scale_m: float = 1.0
    angle_rad: float = 0.0
    seed: int = 0


@dataclass(frozen=True)
class Sky:
    """Colours straight ahead at the horizon and straight up."""

    horizon: Vector
    zenith: Vector


@dataclass(frozen=True)
class Light:
    """A point light without fall-off, and ambient light.

    A surface of albedo `a` shows `a * (ambient + strength * max(0, n.l))`, the second term only
    where no body is in the way.
    """

    position_m: Vector
    ambient: float
    strength: float


@dataclass(frozen=True)
class View:
    """How the camera looks at the action; where it stands follows from the action's size.

    Attributes:
        azimuth_rad: direction in the plane from the action to the camera, from the x axis.
        elevation_rad: angle of the camera above the action.
        focal_ratio: focal length over image width.
        margin: free space around the action, as part of the image's half width.
        offset: shift of the action in the image, as part of the half width (right, down).
    """

    azimuth_rad: float
    elevation_rad: float
    focal_ratio: float
    margin: float = 0.1
    offset: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class Stage:
    """One clip to be: bodies, surroundings, laws, times and view.

    Attributes:
        bodies: what moves; object id i is the i-th body.
        props: what never moves.
        restitution: of every touch in the scene.
        friction: Coulomb coefficient of every touch in the scene.
        time_s: `[T]` times of the frames.
        lead_s: simulated time before the first frame.
        min_width_px: the camera comes so near that the typical body is at least so wide, even if
            the action then leaves the image, for images 64 wide.
        caption: one sentence.
        facts: numbers that the self-test of the family needs, unit in the name.
    """

    bodies: tuple[Body, ...]
    floor: Floor
    sky: Sky
    light: Light
    view: View
    time_s: Float[np.ndarray, " t"]
    props: tuple[Prop, ...] = ()
    gravity_mps2: float = 9.81
    restitution: float = 0.3
    friction: float = 0.5
    lead_s: float = 0.0
    min_width_px: float = 8.0
    caption: str = ""
    facts: dict[str, float] = field(default_factory=dict)
