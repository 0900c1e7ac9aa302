"""Rows as Arrow tables, by the schema."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from worldline.retrieval.motions import NUM_FEATURES
from worldline.retrieval.schema import SCHEMA_VERSION, TABLES, Column
from worldline.retrieval.where import Row

__all__ = ["MARK", "arrow_schema", "arrow_table"]

MARK = b"worldline.library"
"""Key of the schema's version in the metadata of each table."""


def arrow_schema(table: str) -> Any:
    """Arrow's schema of a table, with the version."""
    import pyarrow as pa

    types = {
        Column.TEXT: pa.string(),
        Column.TEXTS: pa.list_(pa.string()),
        Column.INTEGER: pa.int64(),
        Column.INTEGERS: pa.list_(pa.int64()),
        Column.NUMBER: pa.float64(),
        Column.VECTOR: pa.list_(pa.float32(), NUM_FEATURES),
    }
    fields = [pa.field(name, types[column]) for name, column in TABLES[table].items()]
    return pa.schema(fields, metadata={MARK: str(SCHEMA_VERSION)})


def arrow_table(table: str, rows: Sequence[Row]) -> Any:
    """Rows as an Arrow table; columns that a row lacks are empty."""
    import pyarrow as pa

    return pa.Table.from_pylist([dict(row) for row in rows], schema=arrow_schema(table))
