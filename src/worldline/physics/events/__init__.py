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
    handling,
    movement,
    support,
    swings,
    travel,
    view,
)
from worldline.physics.events.encounters import NEAR_MISS, NearMissProfile
from worldline.physics.events.ontology import ONTOLOGY, EventType, define

__all__ = [
    "NEAR_MISS",
    "ONTOLOGY",
    "EventType",
    "NearMissProfile",
    "convoys",
    "define",
    "detect_events",
    "encounters",
    "flight",
    "handling",
    "movement",
    "support",
    "swings",
    "travel",
    "view",
]


def detect_events(scene: Scene) -> tuple[Event, ...]:
    """All events of the ontology in a scene, in order of start, then of name.

    Metres are used where the scene has them, else pixels. Recorded contacts are taken as they are;
    a pixel scene without any has its contacts read from boxes and velocity jumps. Events that the
    scene carries already are not looked at.
    """
    events = [event for kind in ONTOLOGY.values() for event in kind.detect(scene)]
    return tuple(sorted(events, key=lambda e: (e.start_s, e.type, e.end_s)))
