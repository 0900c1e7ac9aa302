"""`Stage`: everything about one clip before it is simulated, as plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from jaxtyping import Float, Int

__all__ = [
    "Body",
    "Fixed",
    "Floor",
    "Glide",
    "Hinge",
    "Hover",
    "Light",
    "Pattern",
    "Prop",
    "Rod",
    "Shape",
    "Sky",
    "Soft",
    "Stage",
    "View",
]

Vector = tuple[float, float, float]
Quaternion = tuple[float, float, float, float]


class Shape(StrEnum):
    """Shapes of bodies and props; the value is the word for it."""

    BALL = "ball"
    BOX = "box"
    CYLINDER = "cylinder"
    CAPSULE = "capsule"
    CUP = "cup"
    BIN = "bin"


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
        swivels: the rod turns freely about its fixed point instead of about `axis` alone.
    """

    pivot_m: Vector
    axis: Vector
    radius_m: float
    swivels: bool = False


@dataclass(frozen=True)
class Hinge:
    """A body that can only turn about a fixed axis; nothing is drawn for it.

    Attributes:
        pivot_m: a point of the axis.
        axis: its unit vector.
        is_driven: whoever steps the simulation sets its turning speed, and nothing else can.
    """

    pivot_m: Vector
    axis: Vector
    is_driven: bool = False


@dataclass(frozen=True)
class Glide:
    """A body that rests on the floor and moves over it as it is driven, whatever it meets.

    Whoever steps the simulation sets its velocity in the plane. It neither turns nor tips.
    """


@dataclass(frozen=True)
class Hover:
    """A body that moves through the air as it is driven, in x, y and z, whatever it meets.

    It neither turns nor tips, and it passes through floor and scenery.
    """


@dataclass(frozen=True)
class Fixed:
    """A body that stands where it is and never moves, such as a vessel that things fall into."""


@dataclass(frozen=True)
class Body:
    """A body that moves.

    Attributes:
        shape: its shape; axes of cylinder, capsule and cup lie along its own z.
        half_m: half side lengths along its own axes; a ball has three equal ones, a cylinder or
            capsule (radius, radius, half of the whole length), and so does a cup; cup and bin are
            open at +z.
        position_m, rotation_wxyz, velocity_mps, angular_velocity_radps: state at the start, in the
            world frame, of the centre of mass.
        mass_kg: mass, spread evenly.
        color, second_color: RGB in [0, 1]; the second one is for patterns.
        color_name: what people call `color`.
        rod: holds the body on a hinge instead of leaving it free.
        mount: the same without a rod.
        label: word for it; the shape's if empty.
        cluster: bodies with the same word here are one object of the scene, and that is its label.
        grip_n: force with which it can hold what it touches; whoever steps the simulation turns it
            on and off.
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
    mount: Hinge | Glide | Hover | Fixed | None = None
    label: str = ""
    cluster: str = ""
    grip_n: float = 0.0

    @property
    def word(self) -> str:
        """Such as "ball"."""
        return self.label or str(self.shape)

    @property
    def name(self) -> str:
        """Such as "red ball"."""
        return f"{self.color_name} {self.word}"

    @property
    def radius_m(self) -> float:
        """Radius of the sphere around the centre that holds the body."""
        if self.shape in (Shape.BOX, Shape.BIN):
            return float(np.linalg.norm(self.half_m))
        if self.shape in (Shape.CYLINDER, Shape.CUP):
            return float(np.hypot(self.half_m[0], self.half_m[2]))
        return max(self.half_m)


@dataclass(frozen=True, eq=False)
class Soft:
    """A body that bends: a sheet of triangles, or a solid of tetrahedra.

    A sheet's edges keep their length. A solid is a Saint Venant-Kirchhoff material.

    Attributes:
        shape: what it resembles: decides about colours and patterns.
        rest_m: `[V, 3]` vertices before anything happens, in its own frame, about its centre of
            mass.
        elements: `[E, 3]` triangles, or `[E, 4]` tetrahedra whose volumes are positive.
        mass_kg: mass, spread evenly over area or volume.
        color, second_color, color_name, pattern: as in `Body`.
        label: word for it.
        position_m, rotation_wxyz, velocity_mps: state at the start.
        pinned: vertices that never move.
        thickness_m: half of how thick it is to the touch; it is drawn without that.
        young_pa, poisson: stiffness of a solid.
        damping_s: its damping is that of a strain which lags behind by this time (Rayleigh).
    """

    shape: Shape
    rest_m: Float[np.ndarray, "v 3"]
    elements: Int[np.ndarray, "e k"]
    mass_kg: float
    color: Vector
    color_name: str
    label: str
    position_m: Vector
    rotation_wxyz: Quaternion = (1.0, 0.0, 0.0, 0.0)
    velocity_mps: Vector = (0.0, 0.0, 0.0)
    second_color: Vector = (1.0, 1.0, 1.0)
    pattern: Pattern = Pattern.PLAIN
    pinned: tuple[int, ...] = ()
    thickness_m: float = 0.012
    young_pa: float = 1e5
    poisson: float = 0.3
    damping_s: float = 0.0

    @property
    def cluster(self) -> str:
        """It is an object of its own."""
        return ""

    @property
    def is_sheet(self) -> bool:
        """Made of triangles."""
        return self.elements.shape[1] == 3

    @property
    def word(self) -> str:
        """Such as "sheet"."""
        return self.label

    @property
    def name(self) -> str:
        """Such as "red sheet"."""
        return f"{self.color_name} {self.label}"

    @property
    def half_m(self) -> Vector:
        """Half side lengths of its box at rest, not thinner than it is to the touch."""
        x, y, z = np.maximum(np.abs(self.rest_m).max(axis=0), self.thickness_m).tolist()
        return (x, y, z)

    @property
    def radius_m(self) -> float:
        """Radius of the sphere around the centre that holds it at rest."""
        return float(np.linalg.norm(self.rest_m, axis=1).max()) + self.thickness_m


@dataclass(frozen=True)
class Prop:
    """A thing that never moves: wall, ramp, occluder, distractor.

    Attributes:
        shape, half_m, position_m, color, rotation_wxyz: as in `Body`.
        is_solid: bodies cannot go through it.
    """

    shape: Shape
    half_m: Vector
    position_m: Vector
    color: Vector
    rotation_wxyz: Quaternion = (1.0, 0.0, 0.0, 0.0)
    is_solid: bool = True


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
        bodies: what moves; object id i is the i-th body, but see `objects`.
        props: what never moves.
        softs: bodies that bend; their object ids follow those of `bodies`.
        restitution: of every touch in the scene.
        friction: Coulomb coefficient of every touch in the scene.
        time_s: `[T]` times of the frames.
        lead_s: simulated time before the first frame.
        max_step_s: longest physics step; a touch lasts about 0.012 s.
        min_width_px: the camera comes so near that the typical body is at least so wide, even if
            the action then leaves the image, for images 64 wide.
        max_width_px: it stays so far away that the largest body is at most so wide.
        bonds: pairs of bodies that hold together like one, until whoever steps the simulation
            lets go of them.
        landmarks_m: places that the camera has in view beside the bodies.
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
    softs: tuple[Soft, ...] = ()
    gravity_mps2: float = 9.81
    restitution: float = 0.3
    friction: float = 0.5
    lead_s: float = 0.0
    max_step_s: float = 0.001
    min_width_px: float = 8.0
    max_width_px: float = 20.0
    bonds: tuple[tuple[int, int], ...] = ()
    landmarks_m: tuple[Vector, ...] = ()
    caption: str = ""
    facts: dict[str, float] = field(default_factory=dict)

    @property
    def things(self) -> tuple[Body | Soft, ...]:
        """All that moves: the bodies, then those that bend."""
        return (*self.bodies, *self.softs)

    @property
    def objects(self) -> Int[np.ndarray, " b"]:
        """Object id of each thing: a cluster counts once, where its first body stands."""
        keys = [thing.cluster or index for index, thing in enumerate(self.things)]
        order = list(dict.fromkeys(keys))
        return np.array([order.index(key) for key in keys], dtype=np.int64)
