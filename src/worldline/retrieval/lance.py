"""`LanceStore`: the tables in an embedded LanceDB, in a folder or at an object store's URI."""

from __future__ import annotations

import fcntl
import os
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import numpy as np
from jaxtyping import Float

from worldline.core.errors import ArtifactError
from worldline.retrieval.columns import arrow_schema, arrow_table
from worldline.retrieval.migrate import migrate, version_of
from worldline.retrieval.place import LOCK, check_folder, explain, is_conflict, local_folder
from worldline.retrieval.schema import INDEXED, MOTIONS, SCHEMA_VERSION, TABLES, VIDEOS
from worldline.retrieval.store import LEASE_S
from worldline.retrieval.where import Row, Where, to_sql

__all__ = ["LanceStore"]

_ORDER = sorted(TABLES, key=lambda name: name == VIDEOS)
_TRIES = 12
_INDEX_FROM = 20_000
"""Rows from which on looking through a column takes longer than asking an index."""

_APPROXIMATE_FROM = 1_000_000
_PARTITIONS, _PROBES = 256, 24
"""From how many motions on they are clustered, into how many parts, and how many are searched."""


class LanceStore:
    """A store over LanceDB. Opening one creates nothing; the first write does."""

    def __init__(self, uri: str) -> None:
        """Look at what is there.

        Args:
            uri: a folder, or an object store's URI such as `s3://bucket/library`.

        Raises:
            ArtifactError: no place, a file, a folder with other things in it, a folder that cannot
                be used, or a library of a newer version.
        """
        if not uri:
            raise ArtifactError("the place of the library is empty; give a folder")
        self.uri = uri
        self._folder = None if "://" in uri else local_folder(uri)
        self._tables: dict[str, Any] | None = None
        self._version = SCHEMA_VERSION
        self.exact = False
        if self._folder is not None:
            check_folder(self._folder, uri)
            self._exists = (self._folder / f"{VIDEOS}.lance").is_dir()
        else:
            self._exists = VIDEOS in self._list()
        if self._exists:
            self._open(create=False)

    @property
    def exists(self) -> bool:
        """Whether anything was ever written."""
        return self._exists

    def _connect(self) -> Any:
        import lancedb  # takes a second, and only a library that is opened needs it

        try:
            return lancedb.connect(self._folder or self.uri, read_consistency_interval=timedelta(0))
        except (OSError, RuntimeError, ValueError) as error:
            raise ArtifactError(
                f"{self.uri}: no library can be opened here ({explain(error)})"
            ) from None

    def _list(self) -> list[str]:
        connection = self._connect()
        try:
            return connection.list_tables().tables
        except (OSError, RuntimeError, ValueError) as error:
            raise ArtifactError(
                f"{self.uri}: no library can be opened here ({explain(error)})"
            ) from None

    def _open(self, *, create: bool) -> dict[str, Any]:
        if self._tables is not None:
            return self._tables
        connection = self._connect()
        try:
            if create:
                # `videos` comes last: while it is missing, nothing in the other tables counts.
                for name in _ORDER:
                    connection.create_table(name, schema=arrow_schema(name), exist_ok=True)
            tables = {VIDEOS: connection.open_table(VIDEOS)}
            self._version = self._check_version(tables[VIDEOS])
            tables |= {name: connection.open_table(name) for name in _ORDER[:-1]}
        except (OSError, RuntimeError, ValueError) as error:
            if isinstance(error, ArtifactError):
                raise
            verb = "cannot be written" if create else "the library is damaged"
            advice = "" if create else "; ingest the videos into a new library"
            raise ArtifactError(f"{self.uri}: {verb} ({explain(error)}){advice}") from None
        self._tables, self._exists = tables, True
        return tables

    def _check_version(self, videos: Any) -> int:
        version = version_of(videos)
        if version is None:
            raise ArtifactError(
                f"{self.uri}: a LanceDB that Worldline did not make; name another folder"
            )
        if version > SCHEMA_VERSION:
            raise ArtifactError(
                f"{self.uri}: library version {version}, this program reads up to "
                f"{SCHEMA_VERSION}; install a newer Worldline"
            )
        return version

    def _table(self, name: str) -> Any:
        tables = self._open(create=True)
        if self._version < SCHEMA_VERSION:  # or it was, when it was opened
            self._version = self._check_version(tables[VIDEOS])
        if self._version < SCHEMA_VERSION:
            raise ArtifactError(
                f"{self.uri}: library version {self._version}, this program needs "
                f"{SCHEMA_VERSION}; `worldline ingest --upgrade --library {self.uri}` brings it "
                "up to date and looks at no video again"
            )
        return tables[name]

    @contextmanager
    def _using(self, table: str) -> Iterator[Any]:
        """A table to read or write; what LanceDB cannot do becomes an `ArtifactError`.

        LanceDB reads data files only when their rows are wanted, so damage shows only here.
        """
        handle = self._table(table)
        try:
            yield handle
        except (OSError, RuntimeError, ValueError) as error:
            if isinstance(error, ArtifactError):
                raise
            otherwise = "if the library is damaged, ingest the videos into a new one"
            raise ArtifactError(
                f"{self.uri}: the table {table} cannot be used: {explain(error, otherwise)}"
            ) from None

    def _write(self, table: str, act: Callable[[Any], object]) -> None:
        """Commit a change; where another writer was quicker, on top of what that one made."""
        with self._using(table) as handle:
            for attempt in range(_TRIES):
                try:
                    act(handle)
                    return
                except (OSError, RuntimeError, ValueError) as error:
                    if attempt == _TRIES - 1 or not is_conflict(error):
                        raise
                    time.sleep(random.uniform(0.01, 0.02) * 2 ** min(attempt, 7))

    def read(
        self, table: str, where: Where | None = None, columns: Sequence[str] | None = None
    ) -> list[dict[str, Any]]:
        """Rows that satisfy `where`."""
        if not self._exists:
            return []
        names = [n for n in TABLES[table] if n != "vector"] if columns is None else list(columns)
        return self.columns(table, where, names).to_pylist()

    def columns(self, table: str, where: Where | None, names: Sequence[str]) -> Any:
        """Columns of the rows that satisfy `where`, as an Arrow table."""
        if not self._exists:
            return arrow_table(table, []).select(list(names))
        with self._using(table) as handle:
            query = handle.search().select(list(names)).limit(max(1, handle.count_rows()))
            if where is not None:
                query = query.where(to_sql(where))
            return query.to_arrow()

    def tally(self, table: str, column: str) -> dict[str, int]:
        """How many rows there are for each value of a column."""
        if not self._exists:
            return {}
        with self._using(table):
            counts = self.columns(table, None, [column])[column].value_counts().to_pylist()
            return {count["values"]: count["counts"] for count in counts}

    def nearest(
        self,
        table: str,
        vector: Float[np.ndarray, " f"],
        *,
        limit: int,
        columns: Sequence[str],
    ) -> list[dict[str, Any]]:
        """The rows nearest to a unit vector, best first.

        By exhaustive search up to a million rows; beyond, by an index where `compact` has made one,
        which misses some (see `benchmarks/search_latency.py`).
        """
        if not self._exists:
            return []
        with self._using(table) as handle:
            query = handle.search(vector.astype(np.float32), vector_column_name="vector")
            query = query.distance_type("cosine").limit(limit)
            exact = self.exact or handle.count_rows() < _APPROXIMATE_FROM
            query = query.bypass_vector_index() if exact else query.nprobes(_PROBES)
            found = query.select([*columns, "_distance"]).to_arrow()
            similarity = 1.0 - found["_distance"].to_numpy()
            rows = found.select(list(columns)).append_column("similarity", [similarity])
            return rows.to_pylist()

    def append(self, table: str, rows: Sequence[Row]) -> None:
        """Add rows in one commit."""
        if rows:
            content = arrow_table(table, rows)
            self._write(table, lambda handle: handle.add(content))

    def upsert(self, table: str, key: str, rows: Sequence[Row]) -> None:
        """Replace the rows with the same key and add the others, in one commit."""
        content = arrow_table(table, rows)

        def merge(handle: Any) -> None:
            change = handle.merge_insert(key)
            change.when_matched_update_all().when_not_matched_insert_all().execute(content)

        self._write(table, merge)

    def delete(self, table: str, where: Where) -> None:
        """Remove rows in one commit."""
        self._write(table, lambda handle: handle.delete(to_sql(where)))

    def count(self, table: str) -> int:
        """How many rows there are."""
        if not self._exists:
            return 0
        with self._using(table) as handle:
            return int(handle.count_rows())

    def version(self, table: str) -> int:
        """LanceDB's own version of the table; 0 before the first write."""
        return int(self._table(table).version) if self._exists else 0

    def compact(self) -> None:
        """Join small fragments, index large tables; versions older than a week are dropped."""
        from lancedb.index import Bitmap, BTree, IvfFlat

        for name in TABLES:
            self._write(name, lambda handle: handle.optimize())
            with self._using(name) as handle:
                num_rows = handle.count_rows()
                known = {column for index in handle.list_indices() for column in index.columns}
            wanted: dict[str, Any] = {}
            if num_rows >= _INDEX_FROM:
                wanted = {c: Bitmap() if c == "type" else BTree() for c in INDEXED[name]}
            if name == MOTIONS and num_rows >= _APPROXIMATE_FROM:
                wanted["vector"] = IvfFlat(distance_type="cosine", num_partitions=_PARTITIONS)
            for column, config in wanted.items():
                if column not in known:
                    self._write(
                        name, lambda handle, c=column, i=config: handle.create_index(c, config=i)
                    )

    def upgrade(self) -> None:
        """Bring an older schema up to date."""
        if not self._exists:
            raise ArtifactError(f"{self.uri}: no library here yet")
        if self._folder is not None:
            with self.writing(lambda dead_after_s: None):
                return
        self._migrate()

    def _migrate(self) -> None:
        tables = self._open(create=True)
        if self._version == SCHEMA_VERSION:
            return
        try:
            migrate(self._connect(), tables)
        except (OSError, RuntimeError, ValueError) as error:
            if isinstance(error, ArtifactError):
                raise
            otherwise = "it is as it was"
            raise ArtifactError(
                f"{self.uri}: cannot be brought up to date: {explain(error, otherwise)}"
            ) from None
        self._reopen()

    def _reopen(self) -> None:
        self._tables = None
        self._open(create=False)

    @contextmanager
    def writing(self, sweep: Callable[[float], None]) -> Iterator[None]:
        """Hold the library as one of its writers.

        In a folder writers share a lock; who can have it alone at the moment of entry brings an
        older schema up to date and sweeps before sharing it. The kernel drops the lock of a process
        that is killed. An object store has no such lock: LanceDB's commits, which fail where
        another was quicker, and the age of rows have to do, and no schema is changed on the way.
        """
        if self._folder is None:
            self._open(create=True)
            sweep(LEASE_S)
            yield
            return
        self._open(create=True)
        try:
            descriptor = os.open(self._folder / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise ArtifactError(f"{self.uri}: cannot be written ({error.strerror})") from None
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if self._version < SCHEMA_VERSION:  # others have it, and perhaps change it now
                    fcntl.flock(descriptor, fcntl.LOCK_EX)
                    self._reopen()
                    self._migrate()
            else:
                self._reopen()
                self._migrate()
                sweep(0.0)
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            yield
        finally:
            os.close(descriptor)


def _index(handle: Any, *, column: str, config: Any) -> None:
    handle.create_index(column, config=config)
