"""The ontology of physical events, and the search for them in a scene.

To add an event, write one function over `Scene` in a module of this package, with its definition,
units, thresholds and source in its docstring, and decorate it with `define`.
"""

from __future__ import annotations

from worldline.core import Event, Scene
from worldline.physics.events import (
    convoys,
    encounters,
    flight,
    groups,
    handling,
    movement,
    near_misses,
    shape,
    support,
    swings,
    travel,
    vessels,
    view,
)
from worldline.physics.events.near_misses import NEAR_MISS, NearMissRule, find_near_misses
from worldline.physics.events.ontology import ONTOLOGY, EventType, define
from worldline.physics.profiles import ConflictProfile

__all__ = [
    "NEAR_MISS",
    "ONTOLOGY",
    "EventType",
    "NearMissRule",
    "convoys",
    "define",
    "detect_events",
    "encounters",
    "flight",
    "groups",
    "handling",
    "movement",
    "near_misses",
    "shape",
    "support",
    "swings",
    "travel",
    "vessels",
    "view",
]


def detect_events(
    scene: Scene, *, near_misses_by: ConflictProfile | None = None
) -> tuple[Event, ...]:
    """All events of the ontology in a scene, in order of start, then of name.

    Metres are used where the scene has them, else pixels. Recorded contacts are taken as they are;
    a pixel scene without any has its contacts read from boxes and velocity jumps. Events that the
    scene carries already are not looked at.

    Args:
        scene: what moves.
        near_misses_by: a profile out of `worldline.physics.PROFILES` that decides instead of the
            definition of `near_miss` which approaches without a touch are near misses.
    """
    events = [event for kind in ONTOLOGY.values() for event in kind.detect(scene)]
    if near_misses_by is not None:
        events = [event for event in events if event.type != "near_miss"]
        events += find_near_misses(scene, near_misses_by)
    return tuple(sorted(events, key=lambda e: (e.start_s, e.type, e.end_s)))
