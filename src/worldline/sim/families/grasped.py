"""A hand that picks things up, carries them, puts them down, lets them fall and pushes them."""

# MuJoCo's compiled modules come without type stubs
# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np

from worldline.core import STATIC, Clip, Verdict
from worldline.sim.engine import drive, simulate
from worldline.sim.families.base import Casting, name_all, turn_about
from worldline.sim.families.laws import Truth, judge, mechanical_energy, truth_of
from worldline.sim.framing import Shot
from worldline.sim.splits import Ranges, Split
from worldline.sim.stage import Hover, Shape, Stage
from worldline.sim.studio import film_stage

__all__ = ["Hand"]

HAND, THING = 0, 1
"""Object ids of the hand and of what it handles."""

_PRESS_M = 0.001
"""How deep a hand presses into what it grips."""

_GRIP = 15.0
"""Force of the grip over the weight of what is held."""

_DEEDS = {
    "carry": "picks up {thing}, carries it aside and puts it down",
    "lift": "picks up {thing} and holds it up",
    "lower": "lowers {thing} to the floor and lets go of it",
    "drop": "picks up {thing}, carries it aside and drops it",
    "push": "pushes {thing} over the floor",
}
"""What the hand does, and how the caption says so."""


class Hand:
    """A hand, of which only the palm is drawn, does one of five things to a box or cylinder.

    The palm is moved as a plan says and stops for nothing; it holds by a grip (an adhesive force
    at its touch), so that what it holds can slip if it is too heavy or too fast.
    """

    name = "hand"
    has_camera = True
    ranges = Ranges(
        train={
            "radius_m": ((0.22, 0.36),),
            "lift_m": ((0.45, 1.0),),
            "way_m": ((0.8, 1.6),),
        },
        beyond={
            "radius_m": ((0.17, 0.2), (0.4, 0.48)),
            "lift_m": ((0.3, 0.4), (1.1, 1.4)),
            "way_m": ((0.5, 0.7), (1.8, 2.3)),
        },
        hole={"radius_m": (0.27, 0.31), "way_m": (1.05, 1.3)},
    )
    """`lift_m` is how high things are lifted and `way_m` how far they are carried or pushed."""

    def make(self, split: Split, rng: np.random.Generator, shot: Shot) -> Clip:
        """See `Family.make`."""
        stage, plan = self._plan(split, rng)
        return film_stage(stage, shot, simulate(stage, plan))

    def stage(self, split: Split, rng: np.random.Generator) -> Stage:
        """Draw the hand and what it handles; nothing moves yet."""
        return self._plan(split, rng)[0]

    def _plan(self, split: Split, rng: np.random.Generator) -> tuple[Stage, _Plan]:
        cast = Casting(split, rng)
        values = self.ranges.draw(split, rng)
        deed = tuple(_DEEDS)[int(rng.choice(len(_DEEDS), p=(0.4, 0.15, 0.15, 0.15, 0.15)))]
        shape = cast.pick((Shape.BOX, Shape.BOX, Shape.CYLINDER))
        half = cast.half_sides(shape, values["radius_m"], slim=0.8)
        palm = min(half[:2]) * cast.uniform(0.6, 0.85)
        tall = cast.uniform(0.08, 0.16)
        heading = cast.uniform(0, 2 * np.pi)
        along = np.array([np.cos(heading), np.sin(heading), 0.0])
        lift = values["lift_m"] if deed == "lower" else 0.0
        top = 2 * half[2] + tall - _PRESS_M
        time_s = cast.times((1 / 10, 1 / 10, 1 / 8))
        plan = _plot(
            deed, along, values, top, tall, float(np.hypot(half[0], half[1])) + palm, time_s[-1]
        )
        thing = cast.body(
            shape,
            half,
            (0.0, 0.0, half[2] + lift),
            density=cast.uniform(150, 500),
            rotation_wxyz=turn_about((0, 0, 1), cast.uniform(0, 2 * np.pi)),
        )
        hand = cast.body(
            Shape.CYLINDER,
            (palm, palm, tall),
            plan.place_m(0.0),
            mount=Hover(),
            label="hand",
            grip_n=_GRIP * thing.mass_kg * 9.81,
        )
        name = name_all([thing.name])
        text = _DEEDS[deed].format(thing=name[0].lower() + name[1:])
        end = along * values["way_m"]
        stage = cast.stage(
            [hand, thing],
            caption=f"{name_all([hand.name])} {text}.",
            view=cast.view(azimuth_rad=heading + np.pi / 2, spread_rad=0.6),
            props=cast.distractors(np.linspace(np.zeros(2), end[:2], 8), 1.4),
            time_s=time_s,
            restitution=cast.uniform(0.15, 0.3),
            friction=cast.uniform(0.35, 0.5) if deed == "push" else cast.uniform(0.6, 0.9),
            landmarks_m=[(0, 0, 0), end],
            facts={
                "holds_from_s": plan.grips_s[0],
                "holds_to_s": plan.grips_s[1],
                "lift_m": values["lift_m"],
                "speed_mps": plan.top_speed_mps,
            },
        )
        return stage, plan

    def self_check(self, clip: Clip) -> tuple[Verdict, ...]:
        """What is held goes with the hand, and gains no energy while the hand is away."""
        truth = truth_of(clip)
        start_s, end_s = truth.fact("holds_from_s") + 0.1, truth.fact("holds_to_s")
        held = (truth.time_s >= start_s) & (truth.time_s <= end_s)
        way = truth.position_m[THING] - truth.position_m[HAND]
        slips = np.linalg.norm(way[held] - way[held][:1], axis=1).tolist() if held.any() else []
        return (
            judge("holding", slips, 0.03, "a thing that stays in the hand"),
            judge("cause", _gains(truth), 0.06, "energy gained only while touched"),
        )


def _gains(truth: Truth) -> list[float]:
    """Energy that the thing gains from one frame to the next while the hand is away.

    Over its mass and the square of the hand's top speed.
    """
    energy = mechanical_energy(truth)[THING] / truth.mass_kg[THING] / truth.fact("speed_mps") ** 2
    touches = [c for c in truth.touches_of(THING) if STATIC not in (c.a, c.b)]
    gains = []
    for t in range(1, len(truth.time_s)):
        low, high = truth.time_s[t - 1], truth.time_s[t]
        if not any(c.start_s <= high and c.end_s >= low for c in touches):
            gains.append(max(float(energy[t] - energy[t - 1]), 0.0))
    return gains


@dataclass(frozen=True)
class _Plan:
    """Where the hand is when, and when it grips.

    Attributes:
        moments_s: `[K]` times of the places.
        places_m: `[K, 3]`; at each the hand is at rest.
        grips_s: from when to when it grips; nothing if they are equal.
    """

    moments_s: np.ndarray
    places_m: np.ndarray
    grips_s: tuple[float, float]

    @property
    def top_speed_mps(self) -> float:
        """Greatest speed: one and a half times the mean of the fastest leg."""
        legs = np.linalg.norm(np.diff(self.places_m, axis=0), axis=1)
        return float((1.5 * legs / np.diff(self.moments_s)).max())

    def place_m(self, moment_s: float) -> np.ndarray:
        """Place at a time: between two places the cubic that is at rest at both."""
        after = int(np.clip(np.searchsorted(self.moments_s, moment_s), 1, len(self.moments_s) - 1))
        start_s, end_s = self.moments_s[after - 1 : after + 1]
        share = min(max((moment_s - start_s) / (end_s - start_s), 0.0), 1.0)
        first, last = self.places_m[after - 1 : after + 1]
        return first + (last - first) * share * share * (3 - 2 * share)

    def __call__(self, model: mujoco.MjModel, data: mujoco.MjData, moment_s: float) -> None:
        step_s = float(model.opt.timestep)
        way = self.place_m(moment_s + step_s) - self.place_m(moment_s)
        drive(model, data, HAND, way / step_s)
        data.ctrl[0] = float(self.grips_s[0] <= moment_s < self.grips_s[1])


def _plot(
    deed: str,
    along: np.ndarray,
    values: dict[str, float],
    top_m: float,
    tall_m: float,
    reach_m: float,
    span_s: float,
) -> _Plan:
    """Places of the hand, and the shares of the clip's time at which it is there."""
    up = np.array([0.0, 0.0, 1.0])
    lift, way = values["lift_m"] * up, values["way_m"] * along
    on, ready = top_m * up, (top_m + 0.2) * up
    aside = ready - 0.4 * along
    if deed == "push":
        low = max(tall_m + 0.02, (top_m - tall_m) / 2) * up
        back = -(reach_m + 0.15) * along
        places = [
            low + back + 0.5 * up,
            low + back,
            low + back + 0.1 * along,
            low + way - reach_m * along,
        ]
        return _timed(places, (0.0, 0.25, 0.3, 1.0), span_s, None)
    if deed == "lower":
        places = [on + lift, on + lift, on, on, ready, aside]
        return _timed(places, (0.0, 0.1, 0.6, 0.66, 0.82, 1.0), span_s, (None, 3))
    places = [aside, ready, on, on, on + lift]
    shares = [0.0, 0.08, 0.22, 0.25, 0.43]
    if deed == "lift":
        return _timed([*places, on + lift], (*shares, 1.0), span_s, (2, None))
    places += [on + lift + way]
    if deed == "drop":
        return _timed([*places, places[-1], places[-1]], (*shares, 0.72, 0.74, 1.0), span_s, (2, 6))
    places += [on + way, on + way, ready + way]
    return _timed(places, (*shares, 0.69, 0.86, 0.88, 1.0), span_s, (2, 7))


def _timed(
    places: list[np.ndarray],
    shares: tuple[float, ...],
    span_s: float,
    grip: tuple[int | None, int | None] | None,
) -> _Plan:
    """A plan over a clip; `grip` are the places at which it takes and lets go."""
    moments = np.array(shares) * span_s
    if grip is None:
        return _Plan(moments, np.array(places), (0.0, 0.0))
    first, last = grip
    start = -np.inf if first is None else float(moments[first])
    end = float(span_s + 1.0) if last is None else float(moments[last])
    return _Plan(moments, np.array(places), (start, end))
