"""Which scenes the benchmark is made of, and how many of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from worldline.retrieval.benchmark import hands, roads
from worldline.retrieval.benchmark.disturbances import DISTURBANCES
from worldline.retrieval.benchmark.script import Play
from worldline.sim.families import FAMILIES
from worldline.sim.families.base import Casting
from worldline.sim.splits import Split
from worldline.sim.stage import Pattern, Shape, Stage

__all__ = ["FPS", "RECIPES", "Recipe"]

FPS = 25
"""Frames per second of every clip."""

Directed = Callable[[np.random.Generator, Casting], Play]


@dataclass(frozen=True)
class Recipe:
    """A kind of scene.

    Attributes:
        name: of the kind.
        count: clips of it in a whole run.
        direct: draws the scene.
        disturbance: of the picture; such scenes stand still.
    """

    name: str
    count: int
    direct: Directed
    disturbance: str = ""


def _family(name: str, span_s: float) -> Directed:
    """A family of the simulator, filmed at the benchmark's frame rate and for so long."""

    def direct(rng: np.random.Generator, _: Casting) -> Play:
        family = FAMILIES[name]
        stage: Stage = family.stage(Split.HELD_OUT, rng)  # type: ignore[attr-defined]
        time_s = np.arange(round(span_s * FPS)) / FPS
        return Play(replace(stage, time_s=time_s), {})

    return direct


def _sliding_ball(rng: np.random.Generator, cast: Casting) -> Play:
    """The scene of a rolling ball without friction and spin: it slides."""
    play = _family("roll", 1.8)(rng, cast)
    bodies = tuple(
        replace(body, angular_velocity_radps=(0.0, 0.0, 0.0)) for body in play.stage.bodies
    )
    caption = play.stage.caption.replace("rolls", "slides").replace("roll ", "slide ")
    return Play(replace(play.stage, bodies=bodies, friction=0.0, caption=caption), {})


_FAMILIES = {
    "drop": (14, 1.8),
    "throw": (14, 1.6),
    "bounce": (12, 2.0),
    "collide": (12, 1.8),
    "roll": (16, 1.8),
    "slide": (14, 2.2),
    "stack": (10, 2.0),
    "topple": (14, 2.2),
    "occlude": (12, 2.0),
    "pendulum": (12, 4.4),
    "ramp": (8, 2.0),
    "u_slope": (8, 3.0),
    "dominoes": (8, 2.4),
    "seesaw": (6, 2.0),
    "gyroscope": (8, 2.0),
    "unstable_stack": (10, 2.2),
    "billiards": (8, 2.0),
    "contain": (10, 2.0),
    "tower": (10, 2.0),
}
"""Family of the simulator to number of clips and their length in seconds."""

_SCENES: dict[str, tuple[int, Directed]] = {
    "sliding_ball": (12, _sliding_ball),
    "near_miss": (14, partial(roads.meeting, hits=False)),
    "crash": (14, partial(roads.meeting, hits=True)),
    "crossing": (12, roads.crossing),
    "following": (12, roads.following),
    "overtaking": (12, roads.overtaking),
    "accelerating": (12, roads.accelerating),
    "braking": (12, roads.braking),
    "starting": (10, roads.starting),
    "stopping": (10, roads.stopping),
    "turning": (12, roads.turning),
    "passing": (14, roads.passing),
    "behind_screen": (10, partial(roads.passing_screen, hides=True)),
    "before_screen": (10, partial(roads.passing_screen, hides=False)),
    "lowering": (14, hands.lowering),
    "hanging": (10, hands.hanging),
    "picking_up": (12, partial(hands.taking, down=False)),
    "putting_down": (12, partial(hands.taking, down=True)),
    "carrying": (12, hands.carrying),
    "pushing": (12, hands.pushing),
    "stacking": (10, hands.stacking),
    "lifting": (10, hands.lifting),
    "standing": (10, roads.standing),
}

_NUM_DISTURBED = 8

RECIPES: tuple[Recipe, ...] = (
    *(Recipe(name, n, _family(name, span_s)) for name, (n, span_s) in _FAMILIES.items()),
    *(Recipe(name, n, direct) for name, (n, direct) in _SCENES.items()),
    *(Recipe(name, _NUM_DISTURBED, roads.standing, name) for name in DISTURBANCES),
)
"""Every kind of scene."""


def with_marks(stage: Stage, rng: np.random.Generator) -> Stage:
    """The same stage with a pattern on everything round, so that its turning can be seen."""
    patterns = (Pattern.HALVES, Pattern.STRIPES, Pattern.CHECKER)
    bodies = []
    for body in stage.bodies:
        pattern = patterns[int(rng.integers(len(patterns)))]
        is_bare = body.pattern is Pattern.PLAIN and body.shape is not Shape.BOX
        bodies.append(replace(body, pattern=pattern) if is_bare else body)
    return replace(stage, bodies=tuple(bodies))
