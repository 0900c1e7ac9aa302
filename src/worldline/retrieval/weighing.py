"""Events of a scene in pixels, each with the probability that it happened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from worldline.core.scene import STATIC, Event, Scene
from worldline.physics import ONTOLOGY
from worldline.retrieval.chances import Chances, bundled_chances
from worldline.retrieval.spotting.measures import measured
from worldline.retrieval.spotting.spots import AGAIN, MOST_STRANGE, Spots
from worldline.retrieval.traits import traits_of

__all__ = [
    "BY_DEFINITION",
    "GUESS_SHARE",
    "LEAST_KEPT",
    "MOST_JUMP",
    "guesses_of",
    "is_guess",
    "unsteady",
    "weigh",
]

LEAST_KEPT = 0.05
"""Guesses less likely than this are dropped."""

GUESS_SHARE = 0.49
"""What a guess keeps of its probability in a video that is strange to the spotter. Chances were
taught by simulated clips; in real ones, where other things move than they know, guesses came out
likely that were wrong, so that there what no definition finds is never called more likely than not.
Their order stays. The same goes for the flight of a box that is `unsteady`."""

MOST_JUMP = 0.35
"""Change of a box from one frame to the next, as a share of its size, that is still a body's."""

_FLIGHTS = {"fall", "throw", "bounce"}
_JUMP_PX = 1 / 480  # of the longer side: what the outline of any body may jump by
_BESIDE = 2  # frames before and after an event that are looked at, too

BY_DEFINITION = "confidence_by_definition"
"""Quantity that holds an event's confidence before it was weighed; without it, it was not."""

LIKELY = 0.3
"""That one more event happens is kept where one alone is told that is as likely as this."""

_APART_S = 0.2
"""Events of one type that are nearer than this, of a common object, are one."""


def guesses_of(scene: Scene, spots: Spots) -> list[Event]:
    """What the spotter thinks that happens, with rough quantities and confidence 0."""
    return [measured(event, scene) for event in spots.events()]


def weigh(scene: Scene, spots: Spots, chances: Chances | None = None) -> Scene:
    """The same scene with guesses (`guesses_of`), and learned probabilities as confidences.

    An event whose definition is newer than the table keeps the confidence that its definition
    gave. Of several guesses of one type, of a common object and at one time, the likeliest stays.

    Args:
        scene: in pixels, with events.
        spots: what the spotter thinks of the video.
        chances: table to go by; the bundled one if absent.
    """
    table = bundled_chances() if chances is None else chances
    known = {name for name, kind in ONTOLOGY.items() if table.knows(name, kind.version)}
    guesses = [event for event in guesses_of(scene, spots) if event.type in known]
    weighed = []
    for event, traits in traits_of(scene.with_events((*scene.events, *guesses)), spots):
        if event.type in known:
            quantities = {**event.quantities, BY_DEFINITION: event.confidence}
            chance = table.of(event, traits)
            event = replace(event, confidence=chance, quantities=quantities)
            if is_guess(event) and chance < LEAST_KEPT:
                continue
            doubtful = is_guess(event) or unsteady(scene, event)
            if doubtful and spots.strangeness(event) > MOST_STRANGE:
                event = replace(event, confidence=GUESS_SHARE * chance)
        weighed.append(event)
    return scene.with_events(tuple(_likeliest(weighed)))


def _likeliest(events: Sequence[Event]) -> list[Event]:
    """Definitions' events, and guesses that are not about the same; a guess that is lends its
    probability, where that is greater, to the event that a definition found and measured."""
    kept: list[Event] = []
    more = [event for event in events if AGAIN in event.quantities]
    for event in sorted(events, key=lambda e: (is_guess(e), not e.roles, -e.confidence)):
        if event in more:
            continue
        twin = next((i for i, k in enumerate(kept) if is_guess(event) and _same(k, event)), None)
        if twin is None:
            kept.append(event)
        elif event.confidence > kept[twin].confidence:
            kept[twin] = _lent(kept[twin], event)
    for event in more:
        likely = [k for k in kept if k.type == event.type and k.confidence >= LIKELY]
        if len(likely) == 1:
            kept.append(event)
    return kept


def _lent(event: Event, guess: Event) -> Event:
    """An event with the probability of a likelier guess about the same; what a guess with roles
    makes of its length is an error of its own."""
    if not guess.roles:
        return replace(event, confidence=guess.confidence)
    lasting_s = event.quantities.get("duration_s", event.end_s - event.start_s)
    apart_s = abs(guess.end_s - guess.start_s - lasting_s)
    error_s = max(event.quantities.get("duration_s_std", 0.0), apart_s)
    quantities = {**event.quantities, "duration_s_std": error_s}
    return replace(event, confidence=guess.confidence, quantities=quantities)


def unsteady(scene: Scene, event: Event) -> bool:
    """Whether the box that is said to fly jumps in size, as those of an arm or a crowd do.

    A body that turns changes its box little by little. Where a box is part of a thing in one frame
    and all of it in the next, its middle moves although nothing does.
    """
    track = event.roles.get("object", STATIC)
    if event.type not in _FLIGHTS or track == STATIC:
        return False
    row = scene.index(track)
    seen = np.flatnonzero(scene.visible[row])
    first, last = np.searchsorted(scene.time_s[seen], [event.start_s - 1e-6, event.end_s + 1e-6])
    span = seen[max(0, first - _BESIDE) : last + _BESIDE]
    size = scene.size_px[row, span]
    jump = np.abs(np.diff(size, axis=0)) - _JUMP_PX * max(scene.width_px, scene.height_px)
    return bool((jump > MOST_JUMP * np.minimum(size[1:], size[:-1])).any())


def is_guess(event: Event) -> bool:
    """Whether no definition found the event."""
    return event.quantities.get(BY_DEFINITION) == 0


def _same(a: Event, b: Event) -> bool:
    near = a.start_s - _APART_S < b.end_s and b.start_s - _APART_S < a.end_s
    objects = {track for track in a.roles.values() if track != STATIC}
    nobody = not objects or not b.roles
    return a.type == b.type and near and (nobody or not objects.isdisjoint(b.roles.values()))
