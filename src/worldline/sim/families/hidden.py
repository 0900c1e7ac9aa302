"""A body that rolls behind a screen and comes out again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from worldline.core import Clip, Verdict
from worldline.sim.engine import simulate
from worldline.sim.families.base import Casting, name_all, turn_about
from worldline.sim.families.laws import judge, truth_of
from worldline.sim.framing import Shot
from worldline.sim.splits import Ranges, Split
from worldline.sim.stage import Prop, Shape, Stage, View
from worldline.sim.studio import film_stage

__all__ = ["Occlude"]

MIN_HIDDEN_FRAMES = 3
_TRIES = 60


class Occlude:
    """A ball rolls behind a screen, is out of sight for some frames, and reappears."""

    name = "occlude"
    has_camera = True
    ranges = Ranges(
        train={
            "radius_m": ((0.25, 0.45),),
            "speed_mps": ((1.8, 3.6),),
            "screen_m": ((0.35, 0.7),),
        },
        beyond={
            "radius_m": ((0.16, 0.2), (0.5, 0.6)),
            "speed_mps": ((1.2, 1.5), (4.2, 5.0)),
        },
        hole={"radius_m": (0.32, 0.38), "speed_mps": (2.4, 3.0)},
    )

    def make(self, split: Split, rng: np.random.Generator, shot: Shot) -> Clip:
        """A clip in which the ball is really hidden; draws again until it is."""
        for _ in range(_TRIES):
            stage = self.stage(split, rng)
            rollout = simulate(stage)
            clip = film_stage(stage, replace(shot, restage=None), rollout)
            if clip.scene is not None and hidden_frames(clip.scene.visible[0]) >= MIN_HIDDEN_FRAMES:
                return clip if shot.restage is None else film_stage(stage, shot, rollout)
        raise RuntimeError(f"no hidden ball in {_TRIES} tries; the ranges of occlude are wrong")

    def stage(self, split: Split, rng: np.random.Generator) -> Stage:
        """Draw ball, screen and a camera that has the screen in front of the path."""
        cast = Casting(split, rng)
        values = self.ranges.draw(split, rng)
        radius, speed = values["radius_m"], values["speed_mps"]
        heading = cast.uniform(0, 2 * np.pi)
        along = np.array([np.cos(heading), np.sin(heading), 0.0])
        toward_camera = np.array([along[1], -along[0], 0.0])
        time_s = cast.times((1 / 30, 1 / 20, 1 / 20))
        start = -along * speed * float(time_s[-1]) * cast.uniform(0.4, 0.6)
        start[2] = radius
        ball = cast.rolling_ball(radius, start, along, speed)
        half = (values["screen_m"], 0.06, radius * cast.uniform(1.3, 2.2))
        place = toward_camera * (radius + cast.uniform(0.3, 1.0))
        screen = Prop(
            Shape.BOX,
            half,
            (float(place[0]), float(place[1]), half[2]),
            cast.prop_color(),
            turn_about((0, 0, 1), heading),
        )
        azimuth = float(np.arctan2(toward_camera[1], toward_camera[0]))
        view = View(
            azimuth_rad=azimuth + cast.uniform(-0.25, 0.25),
            elevation_rad=cast.uniform(0.06, 0.25),
            focal_ratio=cast.uniform(0.9, 1.8),
            margin=cast.uniform(0.05, 0.2),
        )
        return cast.stage(
            [ball],
            caption=f"{name_all([ball.name])} rolls behind a screen and comes out again.",
            view=view,
            props=(screen,),
            time_s=time_s,
            restitution=0.2,
            friction=0.8,
            min_width_px=6.5,
        )

    def self_check(self, clip: Clip) -> tuple[Verdict, ...]:
        """The ball goes out of sight, comes back, and all the while keeps its velocity."""
        truth = truth_of(clip)
        missing = MIN_HIDDEN_FRAMES - hidden_frames(truth.scene.visible[0])
        change = np.linalg.norm(truth.velocity_mps[0] - truth.velocity_mps[0, 0], axis=1)
        return (
            judge("occlusion", [float(max(missing, 0))], 0.0, "a ball that is hidden for a while"),
            judge("inertia", [float(change.max())], 0.05, "steady rolling behind the screen"),
        )


def hidden_frames(visible: np.ndarray) -> int:
    """Longest run of frames out of sight that lies between frames in sight."""
    seen = np.flatnonzero(visible)
    return int(np.diff(seen).max() - 1) if len(seen) > 1 else 0
