"""`Store`: the little that a library needs of a database, and the reference that defines it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float

from worldline.retrieval.columns import arrow_schema
from worldline.retrieval.schema import TABLES
from worldline.retrieval.where import Row, Where, accepts

__all__ = ["LEASE_S", "ArrayStore", "Store"]

LEASE_S = 6 * 3600.0
"""Where writers do not see each other, rows that nobody has claimed for so long are dead."""


@runtime_checkable
class Store(Protocol):
    """Tables of rows as described by `schema.TABLES`.

    Each call is atomic by itself: a reader sees all of its effect or none. Nothing joins two calls.
    """

    uri: str

    def read(
        self, table: str, where: Where | None = None, columns: Sequence[str] | None = None
    ) -> list[dict[str, Any]]:
        """Rows that satisfy `where`, in no particular order; vectors only where asked for."""
        ...

    def columns(self, table: str, where: Where | None, names: Sequence[str]) -> Any:
        """The same as one Arrow table, without an object per row."""
        ...

    def tally(self, table: str, column: str) -> dict[str, int]:
        """How many rows there are for each value of a column of text."""
        ...

    def nearest(
        self,
        table: str,
        vector: Float[np.ndarray, " f"],
        *,
        limit: int,
        columns: Sequence[str],
    ) -> list[dict[str, Any]]:
        """The `limit` rows whose unit vectors have the largest dot product with `vector`.

        Each row also holds that product, as `similarity`.
        """
        ...

    def append(self, table: str, rows: Sequence[Row]) -> None:
        """Add rows; none is no call."""
        ...

    def upsert(self, table: str, key: str, rows: Sequence[Row]) -> None:
        """Replace the rows with the same key, add the others."""
        ...

    def delete(self, table: str, where: Where) -> None:
        """Remove rows."""
        ...

    def count(self, table: str) -> int:
        """How many rows there are."""
        ...

    def version(self, table: str) -> int:
        """Grows with every change of the table."""
        ...

    def compact(self) -> None:
        """Tidy up after many small writes; no row changes."""
        ...

    def writing(self, sweep: Callable[[float], None]) -> AbstractContextManager[None]:
        """Hold the store as a writer, after bringing an older schema up to date.

        First calls `sweep` with the age in seconds from which on unclaimed rows are surely dead: 0
        if there is no other writer, `LEASE_S` where that cannot be known.
        """
        ...

    def upgrade(self) -> None:
        """Bring an older schema up to date."""
        ...

    @property
    def exists(self) -> bool:
        """Whether there is anything to read."""
        ...


class ArrayStore:
    """A store in memory, in plain Python and NumPy: what every other store must agree with."""

    def __init__(self) -> None:
        self.uri = "memory"
        self._rows: dict[str, list[dict[str, Any]]] = {name: [] for name in TABLES}
        self._versions = dict.fromkeys(TABLES, 1)

    def read(
        self, table: str, where: Where | None = None, columns: Sequence[str] | None = None
    ) -> list[dict[str, Any]]:
        """Rows that satisfy `where`."""
        names = [n for n in TABLES[table] if n != "vector"] if columns is None else columns
        return [
            {name: row[name] for name in names}
            for row in self._rows[table]
            if where is None or accepts(where, row)
        ]

    def columns(self, table: str, where: Where | None, names: Sequence[str]) -> Any:
        """Columns of the rows that satisfy `where`, as an Arrow table."""
        import pyarrow as pa

        schema = arrow_schema(table)
        return pa.Table.from_pylist(
            self.read(table, where, names), schema=pa.schema([schema.field(n) for n in names])
        )

    def tally(self, table: str, column: str) -> dict[str, int]:
        """How many rows there are for each value of a column."""
        return Counter(row[column] for row in self._rows[table])

    def nearest(
        self,
        table: str,
        vector: Float[np.ndarray, " f"],
        *,
        limit: int,
        columns: Sequence[str],
    ) -> list[dict[str, Any]]:
        """The rows nearest to a unit vector, best first."""
        rows = self._rows[table]
        if not rows:
            return []
        scores = np.array([row["vector"] for row in rows]) @ vector
        order = np.argsort(-scores, kind="stable")[:limit]
        return [
            {**{name: rows[i][name] for name in columns}, "similarity": float(scores[i])}
            for i in order
        ]

    def append(self, table: str, rows: Sequence[Row]) -> None:
        """Add rows."""
        if rows:
            self._rows[table] += [dict(row) for row in rows]
            self._versions[table] += 1

    def upsert(self, table: str, key: str, rows: Sequence[Row]) -> None:
        """Replace the rows with the same key, add the others."""
        keys = {row[key] for row in rows}
        self._rows[table] = [r for r in self._rows[table] if r[key] not in keys]
        self.append(table, rows)

    def delete(self, table: str, where: Where) -> None:
        """Remove rows."""
        self._rows[table] = [r for r in self._rows[table] if not accepts(where, r)]
        self._versions[table] += 1

    def count(self, table: str) -> int:
        """How many rows there are."""
        return len(self._rows[table])

    def version(self, table: str) -> int:
        """Number of changes so far."""
        return self._versions[table]

    def compact(self) -> None:
        """Nothing to tidy."""

    @contextmanager
    def writing(self, sweep: Callable[[float], None]) -> Iterator[None]:
        """Memory has one writer."""
        sweep(0.0)
        yield

    def upgrade(self) -> None:
        """Memory is of this version."""

    @property
    def exists(self) -> bool:
        """Memory is always there."""
        return True
