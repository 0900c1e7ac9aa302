"""Predicates that a store can evaluate by itself, before any Python sees a row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from worldline.retrieval.query import Op

__all__ = ["AllOf", "AnyOf", "Contains", "IsIn", "Measured", "Row", "Where", "accepts", "to_sql"]

Row = Mapping[str, Any]
"""One row of a table: column name to plain Python value; an absent value is None."""


@dataclass(frozen=True)
class IsIn:
    """The column's value is one of these strings."""

    column: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Measured:
    """The column holds a number that compares so with the threshold."""

    column: str
    op: Op
    value: float


@dataclass(frozen=True)
class Contains:
    """The list column holds at least one of these strings."""

    column: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class AllOf:
    """Every part holds; true when empty."""

    parts: tuple[Where, ...]


@dataclass(frozen=True)
class AnyOf:
    """Some part holds; false when empty."""

    parts: tuple[Where, ...]


Where = IsIn | Measured | Contains | AllOf | AnyOf


def accepts(where: Where, row: Row) -> bool:
    """Reference evaluation on one row."""
    match where:
        case IsIn(column, values):
            return row[column] in values
        case Measured(column, op, value):
            return row[column] is not None and op.holds(row[column], value)
        case Contains(column, values):
            return not set(values).isdisjoint(row[column])
        case AllOf(parts):
            return all(accepts(part, row) for part in parts)
        case AnyOf(parts):
            return any(accepts(part, row) for part in parts)


def to_sql(where: Where) -> str:
    """The predicate in the SQL dialect of LanceDB's filters (DataFusion)."""
    match where:
        case IsIn(column, values):
            if not values:
                return "false"
            return f"{column} IN ({', '.join(_quote(v) for v in values)})"
        case Measured(column, op, value):
            sign = "=" if op is Op.EQ else str(op)
            return f"({column} IS NOT NULL AND {column} {sign} {value!r})"
        case Contains(column, values):
            parts = [f"array_has({column}, {_quote(v)})" for v in values]
            return f"({' OR '.join(parts)})" if parts else "false"
        case AllOf(parts):
            return f"({' AND '.join(to_sql(p) for p in parts)})" if parts else "true"
        case AnyOf(parts):
            return f"({' OR '.join(to_sql(p) for p in parts)})" if parts else "false"


def _quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
