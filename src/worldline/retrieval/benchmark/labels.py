"""Which of the events that were read from pixels really happened: what chances are learned from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from worldline.core import STATIC, Event, Scene
from worldline.retrieval.benchmark.looking import Sight
from worldline.retrieval.benchmark.relevance import Happening, happenings_of
from worldline.retrieval.spotting.spots import AGAIN
from worldline.retrieval.traits import Traits, blind, traits_of

__all__ = ["examples_of", "happened"]

_NEAR_S = 0.3
"""Times of a true event and one that was read differ by at most so much beside their overlap."""

_NEAR_SIZES = 0.8
"""An object is the true one whose middle is so near, in true sizes."""


def examples_of(sights: Sequence[Sight]) -> dict[str, list[tuple[Traits, bool, int]]]:
    """Event type to (traits, whether it happened, number of the clip); unclear ones left out."""
    found: dict[str, list[tuple[Traits, bool, int]]] = defaultdict(list)
    for number, sight in enumerate(sights):
        known = happenings_of(sight.truth)
        for event, traits in traits_of(sight.seen, sight.spots):
            answer = happened(event, sight.seen, sight.truth, known)
            if answer is None:
                continue
            found[event.type].append((traits, answer, number))
            if event.confidence > 0:  # as it would be weighed where the spotter is not asked
                found[event.type].append((blind(traits), answer, number))
    return dict(found)


def happened(event: Event, seen: Scene, truth: Scene, known: Sequence[Happening]) -> bool | None:
    """Whether a true event of this type happened to the same object at the time, or to anything
    where the event is nobody's; None: unclear."""
    if AGAIN in event.quantities:
        times = [h.is_plain for h in known if h.event.type == event.type]
        return True if sum(times) > 1 else None if len(times) > 1 else False
    own = [
        h
        for h in known
        if h.event.type == event.type
        and h.event.start_s - _NEAR_S <= event.end_s
        and event.start_s - _NEAR_S <= h.event.end_s
        and _same_objects(event, h.event, seen, truth)
    ]
    if not own:
        return False
    return True if any(h.is_plain for h in own) else None


def _same_objects(event: Event, true: Event, seen: Scene, truth: Scene) -> bool:
    if not event.roles:
        return True
    tracks = [t for t in event.roles.values() if t != STATIC]
    return any(
        _is_near(seen, track, truth, other, event)
        for track in tracks
        for other in true.roles.values()
        if other != STATIC
    )


def _is_near(seen: Scene, track: int, truth: Scene, other: int, event: Event) -> bool:
    row, true_row = seen.index(track), truth.index(other)
    for moment in (event.start_s, (event.start_s + event.end_s) / 2, event.end_s):
        i = int(np.abs(seen.time_s - moment).argmin())
        k = int(np.abs(truth.time_s - moment).argmin())
        if not seen.present[row, i]:
            continue
        side = float(np.sqrt(np.prod(truth.size_px[true_row, k])))
        away = float(np.linalg.norm(seen.center_px[row, i] - truth.center_px[true_row, k]))
        if away <= _NEAR_SIZES * side:
            return True
    return False
