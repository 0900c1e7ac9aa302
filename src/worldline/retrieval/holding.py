"""Whether a query holds in one scene, without a library: for goals, gates and tests."""

from __future__ import annotations

from dataclasses import replace

from worldline.core.scene import Scene
from worldline.physics import detect_events
from worldline.retrieval.evaluate import find_matches
from worldline.retrieval.evidence import StoredEvent, Video
from worldline.retrieval.query import Query
from worldline.retrieval.rows import event_rows

__all__ = ["chance_in"]


def chance_in(query: Query, scene: Scene) -> float:
    """Probability that a query holds in a scene, by its best match; 0 where there is none.

    Events are those of the scene, or, where it has none yet, those found in it.
    """
    known = scene if scene.events else replace(scene, events=tuple(detect_events(scene)))
    rows = event_rows(known, "")
    row = {"duration_s": known.duration_s, "uri": ""}
    matches = find_matches(query, Video(row, tuple(StoredEvent(each) for each in rows)))
    return max((match.score for match in matches), default=0.0)
