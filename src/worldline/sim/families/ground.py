"""Bodies on the floor: colliding, rolling, sliding."""

from __future__ import annotations

import numpy as np

from worldline.core import STATIC, Clip, Verdict
from worldline.sim.families.base import Casting, compose, name_all, turn_about, upright_height
from worldline.sim.families.laws import judge, truth_of
from worldline.sim.framing import Shot
from worldline.sim.splits import Ranges, Split
from worldline.sim.stage import Body, Prop, Quaternion, Shape, Stage, View
from worldline.sim.studio import film_stage

__all__ = ["Collide", "Roll", "Slide"]


def _directions(heading_rad: float) -> tuple[np.ndarray, np.ndarray]:
    along = np.array([np.cos(heading_rad), np.sin(heading_rad), 0.0])
    return along, np.array([-along[1], along[0], 0.0])


def _side_view(cast: Casting, heading_rad: float, spread_rad: float) -> View:
    return cast.view(azimuth_rad=heading_rad + np.pi / 2, spread_rad=spread_rad)


class Collide:
    """Two or three bodies on the floor move toward each other and collide."""

    name = "collide"
    has_camera = True
    ranges = Ranges(
        train={
            "radius_m": ((0.25, 0.55),),
            "speed_mps": ((1.2, 3.5),),
            "restitution": ((0.2, 0.9),),
            "friction": ((0.05, 0.15),),
        },
        beyond={
            "radius_m": ((0.15, 0.2), (0.65, 0.8)),
            "speed_mps": ((0.5, 0.9), (4.2, 5.5)),
        },
        hole={"radius_m": (0.36, 0.44), "speed_mps": (2.0, 2.7)},
    )

    def make(self, split: Split, rng: np.random.Generator, shot: Shot) -> Clip:
        """See `Family.make`."""
        return film_stage(self.stage(split, rng), shot)

    def stage(self, split: Split, rng: np.random.Generator) -> Stage:
        """Draw who meets whom."""
        cast = Casting(split, rng)
        count = 2 if rng.random() < 0.7 else 3
        start = cast.uniform(0, 2 * np.pi)
        meet_s = cast.uniform(0.3, 0.8)
        values = [self.ranges.draw(split, rng) for _ in range(count)]
        turn = np.pi if count == 2 else 2 * np.pi / 3
        bodies = []
        for index, draw in enumerate(values):
            shape = cast.pick((Shape.BALL, Shape.BALL, Shape.BOX, Shape.CYLINDER))
            half = cast.half_sides(shape, draw["radius_m"])
            inward, across = _directions(start + turn * index + cast.uniform(-0.12, 0.12))
            reach = float(np.hypot(half[0], half[1])) + draw["speed_mps"] * meet_s
            miss = cast.uniform(-0.35, 0.35) * draw["radius_m"]
            place = -inward * reach + across * miss
            place[2] = upright_height(shape, half)
            velocity = inward * draw["speed_mps"]
            spin = across * draw["speed_mps"] / half[0] if shape is Shape.BALL else np.zeros(3)
            yaw = turn_about((0, 0, 1), cast.uniform(0, 2 * np.pi))
            bodies.append(
                cast.body(
                    shape,
                    half,
                    place,
                    rotation_wxyz=cast.rotation() if shape is Shape.BALL else yaw,
                    velocity_mps=velocity,
                    angular_velocity_radps=spin,
                )
            )
        path = np.concatenate([np.linspace(body.position_m[:2], (0, 0), 5) for body in bodies])
        return cast.stage(
            bodies,
            caption=f"{name_all([b.name for b in bodies])} move toward each other and collide.",
            view=_side_view(cast, start, 0.9),
            props=cast.distractors(path, 1.6),
            restitution=values[0]["restitution"],
            friction=values[0]["friction"],
            time_s=cast.times(),
        )

    def self_check(self, clip: Clip) -> tuple[Verdict, ...]:
        """Horizontal momentum lasts through a collision, up to what the floor's friction takes."""
        truth = truth_of(clip)
        slowing = truth.fact("friction") * truth.g
        momentum = (truth.mass_kg[:, None, None] * truth.velocity_mps)[..., :2]
        total = momentum.sum(axis=0)
        errors = []
        for contact in truth.scene.contacts:
            before = int(np.searchsorted(truth.time_s, contact.start_s) - 1)
            after = int(np.searchsorted(truth.time_s, contact.end_s))
            if contact.b == STATIC or before < 0 or after >= len(truth.time_s):
                continue
            span_s = truth.time_s[after] - truth.time_s[before]
            allowed = slowing * span_s * truth.mass_kg.sum() * 1.2
            scale = np.linalg.norm(momentum[:, before], axis=1).sum()
            change = np.linalg.norm(total[after] - total[before])
            errors.append(float(max(change - allowed, 0) / scale))
        return (judge("momentum", errors, 0.03, "momentum through a collision"),)


class Roll:
    """A ball or a lying cylinder rolls over the floor or down a ramp."""

    name = "roll"
    has_camera = True
    ranges = Ranges(
        train={
            "radius_m": ((0.25, 0.6),),
            "speed_mps": ((1.0, 4.0),),
            "slope_rad": ((0.15, 0.4),),
        },
        beyond={
            "radius_m": ((0.15, 0.2), (0.7, 0.9)),
            "speed_mps": ((0.4, 0.8), (4.5, 6.0)),
            "slope_rad": ((0.05, 0.1), (0.45, 0.55)),
        },
        hole={"radius_m": (0.38, 0.46), "speed_mps": (2.2, 2.9)},
    )

    def make(self, split: Split, rng: np.random.Generator, shot: Shot) -> Clip:
        """See `Family.make`."""
        return film_stage(self.stage(split, rng), shot)

    def stage(self, split: Split, rng: np.random.Generator) -> Stage:
        """Draw who rolls where."""
        cast = Casting(split, rng)
        heading = cast.uniform(0, 2 * np.pi)
        along, across = _directions(heading)
        on_ramp = rng.random() < 0.35
        count = 1 if on_ramp or rng.random() < 0.6 else 2
        bodies, slope, props = [], 0.0, ()
        for index in range(count):
            values = self.ranges.draw(split, rng)
            shape = cast.pick((Shape.BALL, Shape.CYLINDER))
            radius = values["radius_m"]
            length = radius * cast.uniform(0.6, 1.2)
            half = (radius, radius, radius if shape is Shape.BALL else length)
            if on_ramp:
                slope = values["slope_rad"]
                bodies.append(self._on_ramp(cast, shape, half, slope, heading))
                props = (_ramp(cast, slope, heading),)
                continue
            way = along * cast.sign()
            speed = values["speed_mps"]
            start = -way * speed * cast.uniform(0.4, 0.9) + (2 * index - 0.5 * count) * across
            start[2] = radius
            bodies.append(
                cast.body(
                    shape,
                    half,
                    start,
                    rotation_wxyz=_lying(shape, across, cast),
                    velocity_mps=way * speed,
                    angular_velocity_radps=np.cross((0, 0, 1), way) * speed / radius,
                )
            )
        where = "down a ramp" if on_ramp else "across the floor"
        verb = "rolls" if count == 1 else "roll"
        path = np.concatenate([np.linspace(-4, 4, 17)[:, None] * along[:2]])
        return cast.stage(
            bodies,
            caption=f"{name_all([body.name for body in bodies])} {verb} {where}.",
            view=_side_view(cast, heading, 0.7),
            props=(*props, *cast.distractors(path, 2.2)),
            restitution=0.2,
            friction=0.9,
            facts={"slope_rad": slope},
        )

    def _on_ramp(
        self,
        cast: Casting,
        shape: Shape,
        half: tuple[float, float, float],
        slope: float,
        heading: float,
    ) -> Body:
        along, across = _directions(heading)
        downhill = along * np.cos(slope) - np.array([0, 0, np.sin(slope)])
        normal = np.cross(downhill, across)
        up_m = cast.uniform(1.2, 2.6)
        place = -downhill * up_m + normal * half[0]
        speed = cast.uniform(-1.2, 0.8)
        return cast.body(
            shape,
            half,
            place,
            rotation_wxyz=_lying(shape, across, cast),
            velocity_mps=downhill * speed,
            angular_velocity_radps=np.cross(normal, downhill) * speed / half[0],
        )

    def self_check(self, clip: Clip) -> tuple[Verdict, ...]:
        """The point of touch is at rest, and on the ramp a = g sin / (1 + I / m r^2)."""
        truth = truth_of(clip)
        slope = truth.fact("slope_rad")
        slips, errors = [], []
        for row, label in enumerate(truth.scene.labels):
            radius = truth.extent_m[row, 0] / 2
            speed = np.linalg.norm(truth.velocity_mps[row], axis=1)
            spin = np.linalg.norm(truth.angular_velocity_radps[row], axis=1)
            climb = truth.velocity_mps[row, :, 2] / np.maximum(speed, 1e-9)
            # where the ramp ends the body lands on the floor and slips for a while
            on_course = (truth.time_s < truth.first_meeting_s(row)) & (speed > 0.5)
            rolling = on_course & (np.abs(np.abs(climb) - np.sin(slope)) < 0.01)
            slips += (np.abs(speed - radius * spin) / speed)[rolling].tolist()
            downhill = rolling & (climb < 0)
            if slope > 0 and downhill.sum() >= 4:
                share = 0.4 if label == "ball" else 0.5
                fit = np.polyfit(truth.time_s[downhill], speed[downhill], 1)[0]
                errors.append(float(fit / (truth.g * np.sin(slope) / (1 + share)) - 1))
        return (
            judge("rolling", slips, 0.03, "rolling without slipping"),
            judge("slope", errors, 0.05, "acceleration down a ramp"),
        )


class Slide:
    """Boxes and standing cylinders slide over the floor until friction stops them."""

    name = "slide"
    has_camera = True
    ranges = Ranges(
        train={
            "radius_m": ((0.28, 0.55),),
            "speed_mps": ((2.0, 4.5),),
            "friction": ((0.12, 0.35),),
        },
        beyond={
            "radius_m": ((0.18, 0.22), (0.65, 0.8)),
            "speed_mps": ((1.0, 1.6), (5.0, 6.0)),
            "friction": ((0.05, 0.09), (0.42, 0.55)),
        },
        hole={"speed_mps": (2.9, 3.5), "friction": (0.2, 0.26)},
    )

    def make(self, split: Split, rng: np.random.Generator, shot: Shot) -> Clip:
        """See `Family.make`."""
        return film_stage(self.stage(split, rng), shot)

    def stage(self, split: Split, rng: np.random.Generator) -> Stage:
        """Draw what slides where."""
        cast = Casting(split, rng)
        heading = cast.uniform(0, 2 * np.pi)
        along, across = _directions(heading)
        count = 1 if rng.random() < 0.6 else 2
        bodies, friction = [], 0.2
        for index in range(count):
            values = self.ranges.draw(split, rng)
            friction = values["friction"] if index == 0 else friction
            shape = cast.pick((Shape.BOX, Shape.BOX, Shape.CYLINDER))
            half = cast.half_sides(shape, values["radius_m"], slim=0.7)
            way = along * cast.sign()
            reach = min(values["speed_mps"] ** 2 / (2 * friction * 9.81), 3 * values["speed_mps"])
            start = -way * reach / 2 + (2.2 * index - 1.1 * (count - 1)) * across
            start[2] = half[2]
            bodies.append(
                cast.body(
                    shape,
                    half,
                    start,
                    rotation_wxyz=turn_about((0, 0, 1), cast.uniform(0, 2 * np.pi)),
                    velocity_mps=way * values["speed_mps"],
                    angular_velocity_radps=(0, 0, cast.uniform(-1.5, 1.5)),
                )
            )
        path = np.linspace(-4, 4, 17)[:, None] * along[:2]
        verb = "slides" if count == 1 else "slide"
        return cast.stage(
            bodies,
            caption=f"{name_all([body.name for body in bodies])} {verb} over the floor.",
            view=_side_view(cast, heading, 0.7),
            props=cast.distractors(path, 2.2),
            restitution=0.1,
            friction=friction,
        )

    def self_check(self, clip: Clip) -> tuple[Verdict, ...]:
        """Sliding bodies slow down by friction times g."""
        truth = truth_of(clip)
        mu_g = truth.fact("friction") * truth.g
        errors = []
        for row in truth.rows:
            speed = np.linalg.norm(truth.velocity_mps[row, :, :2], axis=1)
            # friction is shared between sliding and turning, so measure where it mostly slides
            rim = np.abs(truth.angular_velocity_radps[row, :, 2]) * truth.extent_m[row].max() / 2
            sliding = (speed > 0.5) & (rim < 0.35 * speed)
            sliding &= truth.time_s < truth.first_meeting_s(row)
            last = len(sliding) if sliding.all() else int(np.argmin(sliding))
            if last >= 4:
                fit = np.polyfit(truth.time_s[:last], speed[:last], 1)[0]
                errors.append(float(-fit / mu_g - 1))
        return (judge("friction", errors, 0.08, "sliding friction slows by mu g"),)


def _lying(shape: Shape, across: np.ndarray, cast: Casting) -> Quaternion:
    """Orientation with the body's own z axis along `across`."""
    if shape is Shape.BALL:
        return cast.rotation()
    axis = np.array([-across[1], across[0], 0.0])
    return turn_about(axis, np.pi / 2)


def _ramp(cast: Casting, slope: float, heading: float):
    along, across = _directions(heading)
    downhill = along * np.cos(slope) - np.array([0, 0, np.sin(slope)])
    normal = np.cross(downhill, across)
    length, thick = cast.uniform(3.2, 4.2), 0.5
    middle = -downhill * length / 2 - normal * thick
    return Prop(
        Shape.BOX,
        (length / 2, cast.uniform(0.8, 1.2), thick),
        (float(middle[0]), float(middle[1]), float(middle[2])),
        cast.prop_color(),
        compose(turn_about((0, 0, 1), heading), turn_about((0, 1, 0), slope)),
    )
