"""Which scenes the benchmark is made of, and how many of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial

import numpy as np

from worldline.retrieval.benchmark import hands, roads
from worldline.retrieval.benchmark.disturbances import DISTURBANCES
from worldline.retrieval.benchmark.script import Play
from worldline.sim.families import FAMILIES
from worldline.sim.families.base import Casting
from worldline.sim.splits import Split
from worldline.sim.stage import Pattern, Shape, Stage

__all__ = ["FPS", "RECIPES", "Part", "Recipe"]

FPS = 25
"""Frames per second of every clip."""


class Part(StrEnum):
    """Which clips: those to calibrate on, those that numbers are reported of, or those to train
    on. They share no random number."""

    DEVELOPMENT = "development"
    TEST = "test"
    TRAINING = "training"


DEVELOPMENT_SHARE = 0.7
"""Clips of development for one of the test."""

TRAINING_EACH = 72
"""Clips of each kind to train on."""

Directed = Callable[[np.random.Generator, Casting], Play]


@dataclass(frozen=True)
class Recipe:
    """A kind of scene.

    Attributes:
        name: of the kind.
        count: clips of it in the whole test part.
        direct: draws the scene; without, it is the family of this name, which is driven in its
            own way and keeps its own frame rate.
        disturbance: of the picture; such scenes stand still.
    """

    name: str
    count: int
    direct: Directed | None = None
    disturbance: str = ""

    def count_in(self, part: Part) -> int:
        """Clips of it in one part."""
        if part is Part.TRAINING:
            return TRAINING_EACH
        share = DEVELOPMENT_SHARE if part is Part.DEVELOPMENT else 1.0
        return max(1, round(share * self.count))


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
    "drop": (10, 1.8),
    "throw": (10, 1.6),
    "bounce": (9, 2.0),
    "collide": (9, 1.8),
    "roll": (12, 1.8),
    "slide": (10, 2.2),
    "stack": (8, 2.0),
    "topple": (10, 2.2),
    "occlude": (9, 2.0),
    "pendulum": (9, 4.4),
    "ramp": (6, 2.0),
    "u_slope": (6, 3.0),
    "dominoes": (6, 2.4),
    "seesaw": (4, 2.0),
    "gyroscope": (6, 2.0),
    "unstable_stack": (8, 2.2),
    "billiards": (6, 2.0),
    "contain": (8, 2.0),
    "tower": (8, 2.0),
}
"""Family of the simulator to number of clips and their length in seconds."""

_SCENES: dict[str, tuple[int, Directed]] = {
    "sliding_ball": (9, _sliding_ball),
    "near_miss": (10, partial(roads.meeting, hits=False)),
    "crash": (10, partial(roads.meeting, hits=True)),
    "crossing": (9, roads.crossing),
    "following": (9, roads.following),
    "overtaking": (9, roads.overtaking),
    "accelerating": (9, roads.accelerating),
    "braking": (9, roads.braking),
    "starting": (8, roads.starting),
    "stopping": (8, roads.stopping),
    "turning": (9, roads.turning),
    "passing": (10, roads.passing),
    "behind_screen": (8, partial(roads.passing_screen, hides=True)),
    "before_screen": (8, partial(roads.passing_screen, hides=False)),
    "lowering": (10, hands.lowering),
    "hanging": (8, hands.hanging),
    "picking_up": (9, partial(hands.taking, down=False)),
    "putting_down": (9, partial(hands.taking, down=True)),
    "carrying": (9, hands.carrying),
    "pushing": (9, hands.pushing),
    "stacking": (8, hands.stacking),
    "lifting": (8, hands.lifting),
    "standing": (8, roads.standing),
}

_DRIVEN = {"hand": 12, "break": 9, "pour": 8, "cloth": 6, "soft": 8}
"""Families of the simulator that are filmed as they are."""

_NUM_DISTURBED = 6

RECIPES: tuple[Recipe, ...] = (
    *(Recipe(name, n, _family(name, span_s)) for name, (n, span_s) in _FAMILIES.items()),
    *(Recipe(name, n, direct) for name, (n, direct) in _SCENES.items()),
    *(Recipe(name, _NUM_DISTURBED, roads.standing, name) for name in DISTURBANCES),
    *(Recipe(name, count) for name, count in _DRIVEN.items()),
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
