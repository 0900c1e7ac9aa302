"""From a `Scene` to the rows that a library stores of it."""

from __future__ import annotations

import colorsys
import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from worldline.core.scene import STATIC, Event, Scene
from worldline.physics import ONTOLOGY
from worldline.retrieval.chances import table_digest
from worldline.retrieval.motions import describe, embedding_name
from worldline.retrieval.motions.moments import Moments
from worldline.retrieval.schema import COMMON_QUANTITIES, SCHEMA_VERSION
from worldline.retrieval.weighing import weigh

__all__ = ["COLORS", "STATIC_LABEL", "SceneRows", "color_name", "current_definitions", "rows_of"]

STATIC_LABEL = "static"
"""Label of floor, walls and everything else that never moves, as a partner in an event."""

_HUES = (
    (15, "red"),
    (42, "orange"),
    (70, "yellow"),
    (165, "green"),
    (200, "cyan"),
    (260, "blue"),
    (292, "purple"),
    (340, "pink"),
    (361, "red"),
)
COLORS = ("red", "orange", "yellow", "green", "cyan", "blue", "purple", "pink")
COLORS += ("brown", "white", "gray", "black")


@dataclass(frozen=True)
class SceneRows:
    """Rows of one video, without the `ingest_id` that makes them visible."""

    video: dict[str, Any]
    events: tuple[dict[str, Any], ...]
    motions: tuple[dict[str, Any], ...]


def color_name(rgb: Float[np.ndarray, " 3"]) -> str:
    """The basic colour word for a mean colour in [0, 1]; "" where it is unknown.

    Hue decides above a saturation of 0.25, lightness below it; dark orange is brown. The limits are
    those between the everyday words on the HSV hue circle, in degrees.
    """
    if not np.isfinite(rgb).all():
        return ""
    hue, saturation, value = colorsys.rgb_to_hsv(*(float(np.clip(c, 0, 1)) for c in rgb))
    if value < 0.15:
        return "black"
    if saturation < 0.25:
        return "white" if value > 0.8 else "gray"
    name = next(word for limit, word in _HUES if hue * 360 < limit)
    return "brown" if name == "orange" and value < 0.55 else name


def rows_of(
    scene: Scene,
    *,
    uri: str,
    content_hash: str,
    evidence: str,
    damage: str,
    definitions: str,
    moments: Moments | None = None,
) -> SceneRows:
    """Everything a library keeps of a scene: what, when, who and how it moved; never pixels.

    Args:
        scene: with its events filled in.
        uri: where the video is.
        content_hash: of the bytes that the scene was made from.
        evidence: "truth" or "pixels"; what was read from pixels is weighed (`weighing`).
        damage: which part of the video could not be read, if any.
        definitions: digest of the event definitions in force.
        moments: of all motion in the picture, where they were measured.
    """
    if evidence == "pixels":
        scene = weigh(scene)
    names = {STATIC: (STATIC_LABEL, "")}
    for row, track in enumerate(scene.ids.tolist()):
        color = "" if scene.color_rgb is None else color_name(scene.color_rgb[row])
        names[track] = (scene.labels[row], color)
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
        for m in describe(scene, moments)
    )
    events = tuple(
        _event_row(event, number, uri, names) for number, event in enumerate(scene.events)
    )
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


def current_definitions() -> str:
    """Digest of the versions of all event definitions, of the motion vectors and of the table of
    chances: other when one changes."""
    names = [_definition_version(name) for name in sorted(ONTOLOGY)]
    text = " ".join([*names, embedding_name(), table_digest()])
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
