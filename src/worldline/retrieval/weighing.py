"""Events of a scene in pixels, each with the probability that it happened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from worldline.core.scene import STATIC, Event, Scene
from worldline.physics import ONTOLOGY
from worldline.retrieval.chances import Chances, bundled_chances
from worldline.retrieval.proposals import propose
from worldline.retrieval.traits import traits_of

__all__ = ["BY_DEFINITION", "GUESS_SHARE", "LEAST_KEPT", "is_guess", "weigh"]

LEAST_KEPT = 0.1
"""Guesses less likely than this are dropped."""

GUESS_SHARE = 0.49
"""What a guess keeps of its probability. Chances were taught by simulated clips; in real ones,
where other things move than they know, guesses came out likely that were wrong, so that what no
definition finds is never called more likely than not. Their order stays."""

BY_DEFINITION = "confidence_by_definition"
"""Quantity that holds an event's confidence before it was weighed; without it, it was not."""

_APART_S = 0.2
"""Events of one type that are nearer than this, of a common object, are one."""


def weigh(scene: Scene, chances: Chances | None = None) -> Scene:
    """The same scene with guesses (`propose`), and learned probabilities as confidences.

    An event whose definition is newer than the table keeps the confidence that its definition
    gave. Of several guesses of one type, of a common object and at one time, the likeliest stays.

    Args:
        scene: in pixels, with events.
        chances: table to go by; the bundled one if absent.
    """
    table = bundled_chances() if chances is None else chances
    known = {name for name, kind in ONTOLOGY.items() if table.knows(name, kind.version)}
    guesses = [event for event in propose(scene) if event.type in known]
    weighed = []
    for event, traits in traits_of(scene.with_events((*scene.events, *guesses))):
        if event.type in known:
            quantities = {**event.quantities, BY_DEFINITION: event.confidence}
            chance = table.of(event, traits)
            event = replace(event, confidence=chance, quantities=quantities)
            if chance < LEAST_KEPT and quantities[BY_DEFINITION] == 0:
                continue
        weighed.append(event)
    return scene.with_events(tuple(_likeliest(weighed)))


def _likeliest(events: Sequence[Event]) -> list[Event]:
    """Definitions' events, and guesses that are not about the same; a guess that is lends its
    probability, where that is greater, to the event that a definition found and measured."""
    kept: list[Event] = []
    for event in sorted(events, key=lambda e: (is_guess(e), -e.confidence)):
        twin = next((i for i, k in enumerate(kept) if is_guess(event) and _same(k, event)), None)
        if twin is None:
            kept.append(event)
        elif event.confidence > kept[twin].confidence:
            kept[twin] = replace(kept[twin], confidence=event.confidence)
    return [replace(e, confidence=GUESS_SHARE * e.confidence) if is_guess(e) else e for e in kept]


def is_guess(event: Event) -> bool:
    """Whether no definition found the event."""
    return event.quantities.get(BY_DEFINITION) == 0


def _same(a: Event, b: Event) -> bool:
    near = a.start_s - _APART_S < b.end_s and b.start_s - _APART_S < a.end_s
    objects = {track for track in a.roles.values() if track != STATIC}
    return a.type == b.type and near and not objects.isdisjoint(b.roles.values())
