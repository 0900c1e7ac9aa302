"""From a `Scene` to the rows that a library stores of it."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from worldline.core.scene import STATIC, Event, Scene
from worldline.physics import ONTOLOGY
from worldline.retrieval.chances import table_digest
from worldline.retrieval.colors import color_name
from worldline.retrieval.motions import describe, embedding_name
from worldline.retrieval.motions.moments import Moments
from worldline.retrieval.schema import COMMON_QUANTITIES, SCHEMA_VERSION
from worldline.retrieval.spotting.spots import Spots, spotter_name
from worldline.retrieval.weighing import weigh

__all__ = ["STATIC_LABEL", "SceneRows", "current_definitions", "event_rows", "rows_of"]

STATIC_LABEL = "static"
"""Label of floor, walls and everything else that never moves, as a partner in an event."""


@dataclass(frozen=True)
class SceneRows:
    """Rows of one video, without the `ingest_id` that makes them visible."""

    video: dict[str, Any]
    events: tuple[dict[str, Any], ...]
    motions: tuple[dict[str, Any], ...]


def rows_of(
    scene: Scene,
    *,
    uri: str,
    content_hash: str,
    evidence: str,
    damage: str,
    definitions: str,
    moments: Moments | None = None,
    spots: Spots | None = None,
) -> SceneRows:
    """Everything a library keeps of a scene: what, when, who and how it moved; never pixels.

    Args:
        scene: with its events filled in.
        uri: where the video is.
        content_hash: of the bytes that the scene was made from.
        evidence: "truth" or "pixels".
        damage: which part of the video could not be read, if any.
        definitions: digest of the event definitions in force.
        moments: of all motion in the picture, where they were measured.
        spots: what the spotter thinks of the video, by which its events are weighed (`weighing`).
    """
    if spots is not None:
        scene = weigh(scene, spots)
    motions = tuple(
        {
            "uri": uri,
            "segment": m.segment,
            "start_s": m.start_s,
            "end_s": m.end_s,
            "kind": str(m.kind),
            "tracks": list(m.tracks),
            "vector": m.vector.astype(np.float32).tolist(),
        }
        for m in describe(scene, moments, None if spots is None else spots.course())
    )
    events = event_rows(scene, uri, spots)
    span_s = scene.duration_s
    video = {
        "uri": uri,
        "content_hash": content_hash,
        "duration_s": span_s,
        "fps": (scene.num_frames - 1) / span_s if span_s > 0 else 0.0,
        "width_px": scene.width_px,
        "height_px": scene.height_px,
        "origin": str(scene.provenance.origin),
        "evidence": evidence,
        "definitions": definitions,
        "damage": damage,
        "schema_version": SCHEMA_VERSION,
        "num_events": len(events),
        "num_segments": len({m["segment"] for m in motions}),
        "num_motions": len(motions),
    }
    return SceneRows(video, events, motions)


def event_rows(scene: Scene, uri: str, spots: Spots | None = None) -> tuple[dict[str, Any], ...]:
    """Rows of a scene's events, weighed already where there are spots."""
    names = {STATIC: (STATIC_LABEL, "")}
    for row, track in enumerate(scene.ids.tolist()):
        color = "" if spots is None else spots.color_of(track)
        if not color and scene.color_rgb is not None:
            color = color_name(scene.color_rgb[row])
        names[track] = (scene.labels[row], color)
    return tuple(_event_row(event, number, uri, names) for number, event in enumerate(scene.events))


def current_definitions() -> str:
    """Digest of the versions of all event definitions, of the motion vectors, of the spotter and of
    the table of chances: other when one changes."""
    names = [_definition_version(name) for name in sorted(ONTOLOGY)]
    text = " ".join([*names, embedding_name(), spotter_name(), table_digest()])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _definition_version(event_type: str) -> str:
    kind = ONTOLOGY.get(event_type)
    return f"{event_type}/{kind.version}" if kind is not None else f"{event_type}/as given"


def _event_row(
    event: Event,
    number: int,
    uri: str,
    names: Mapping[int, tuple[str, str]],
) -> dict[str, Any]:
    measured = {k: float(v) for k, v in event.quantities.items() if math.isfinite(v)}
    measured.setdefault("duration_s", event.end_s - event.start_s)
    who = [names.get(track, ("object", "")) for track in event.roles.values()]
    return {
        "uri": uri,
        "number": number,
        "type": event.type,
        "start_s": float(event.start_s),
        "end_s": float(event.end_s),
        "confidence": float(event.confidence),
        "roles": list(event.roles),
        "tracks": [int(track) for track in event.roles.values()],
        "labels": [label for label, _ in who],
        "colors": [color for _, color in who],
        **{name: measured.get(name) for name in COMMON_QUANTITIES},
        "quantities": json.dumps(measured, sort_keys=True),
        "definition_version": _definition_version(event.type),
    }
