"""What a library stores: three tables, their columns, and the version of both.

`videos` has one row per video and is the only table that makes anything visible: rows of `events`
and `motions` count only while their `ingest_id` is the one in the video's row.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

__all__ = [
    "COMMON_QUANTITIES",
    "EVENTS",
    "INDEXED",
    "MOTIONS",
    "SCHEMA_VERSION",
    "TABLES",
    "VIDEOS",
    "Column",
]

SCHEMA_VERSION = 3
"""Raised whenever a column or its meaning changes; `migrate` brings older libraries up to date."""

VIDEOS, EVENTS, MOTIONS = "videos", "events", "motions"


class Column(StrEnum):
    """Type of a column, free of any store."""

    TEXT = "text"
    TEXTS = "texts"
    INTEGER = "integer"
    INTEGERS = "integers"
    NUMBER = "number"
    VECTOR = "vector"


COMMON_QUANTITIES = (
    "height_m",
    "height_px",
    "distance_m",
    "distance_px",
    "speed_mps",
    "approach_speed_mps",
    "closing_speed_mps",
    "impact_speed_mps",
    "ttc_s",
    "pet_s",
    "restitution",
    "duration_s",
)
"""Quantities with a column of their own, so that the store itself can filter on them."""

TABLES: Mapping[str, Mapping[str, Column]] = {
    VIDEOS: {
        "uri": Column.TEXT,
        "ingest_id": Column.TEXT,
        "content_hash": Column.TEXT,
        "duration_s": Column.NUMBER,
        "fps": Column.NUMBER,
        "width_px": Column.INTEGER,
        "height_px": Column.INTEGER,
        "origin": Column.TEXT,
        "evidence": Column.TEXT,
        "definitions": Column.TEXT,
        "damage": Column.TEXT,
        "schema_version": Column.INTEGER,
        "num_events": Column.INTEGER,
        "num_segments": Column.INTEGER,
        "num_motions": Column.INTEGER,
        "ingested_at": Column.TEXT,
    },
    EVENTS: {
        "uri": Column.TEXT,
        "ingest_id": Column.TEXT,
        "number": Column.INTEGER,
        "type": Column.TEXT,
        "start_s": Column.NUMBER,
        "end_s": Column.NUMBER,
        "confidence": Column.NUMBER,
        "roles": Column.TEXTS,
        "tracks": Column.INTEGERS,
        "labels": Column.TEXTS,
        "colors": Column.TEXTS,
        **dict.fromkeys(COMMON_QUANTITIES, Column.NUMBER),
        "quantities": Column.TEXT,
        "definition_version": Column.TEXT,
    },
    MOTIONS: {
        "uri": Column.TEXT,
        "ingest_id": Column.TEXT,
        "segment": Column.INTEGER,
        "start_s": Column.NUMBER,
        "end_s": Column.NUMBER,
        "kind": Column.TEXT,
        "tracks": Column.INTEGERS,
        "vector": Column.VECTOR,
    },
}
"""Columns of each table. `roles`, `tracks`, `labels` and `colors` of an event run in parallel;
`quantities` is a JSON object with every measured value; `evidence` is "truth", "pixels" or "given";
`definitions` is a digest of the event definitions and of the weights behind motion vectors in force
at ingest, empty where the motions are to be described again; a motion's `kind` is that of
`motions.Kind`; `damage` says which part of
the file could not be read."""

INDEXED: Mapping[str, tuple[str, ...]] = {
    VIDEOS: ("uri",),
    EVENTS: ("uri", "type"),
    MOTIONS: ("uri",),
}
"""Columns with a scalar index where a table is large: what searches pick rows by."""
