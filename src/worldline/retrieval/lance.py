"""`LanceStore`: the tables in an embedded LanceDB, in a folder or at an object store's URI."""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from worldline.core.errors import ArtifactError
from worldline.retrieval.motion import NUM_FEATURES
from worldline.retrieval.schema import SCHEMA_VERSION, TABLES, VIDEOS, Column
from worldline.retrieval.where import Row, Where, to_sql

__all__ = ["LanceStore"]

_MARK = b"worldline.library"
_LOCK = ".worldline.lock"
_SOURCE = re.compile(
    r",? *location: Location \{[^}]*\}(?:, backtrace: \w+(?: \{[^}]*\})?)?|"
    r"[,:]? *(?:\(?at |\()?(?<![\w:/])/(?:[\w.@+-]+/)+[\w.-]+\.rs:\d+(?::\d+)?\)?"
)
"""Where in its own source code LanceDB met an error, in the two ways in which it says so."""

_ORDER = sorted(TABLES, key=lambda name: name == VIDEOS)


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
        self._folder = None if "://" in uri else Path(uri).expanduser().absolute()
        self._tables: dict[str, Any] | None = None
        if self._folder is not None:
            _check_folder(self._folder, uri)
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
                f"{self.uri}: no library can be opened here ({_reason(error)})"
            ) from None

    def _list(self) -> list[str]:
        connection = self._connect()
        try:
            return connection.list_tables().tables
        except (OSError, RuntimeError, ValueError) as error:
            raise ArtifactError(
                f"{self.uri}: no library can be opened here ({_reason(error)})"
            ) from None

    def _open(self, *, create: bool) -> dict[str, Any]:
        if self._tables is not None:
            return self._tables
        connection = self._connect()
        try:
            if create:
                # `videos` comes last: while it is missing, nothing in the other tables counts.
                for name in _ORDER:
                    connection.create_table(name, schema=_arrow_schema(name), exist_ok=True)
            videos = connection.open_table(VIDEOS)
            self._check_version(videos.schema.metadata or {})
            tables = {VIDEOS: videos} | {n: connection.open_table(n) for n in _ORDER[:-1]}
        except (OSError, RuntimeError, ValueError) as error:
            if isinstance(error, ArtifactError):
                raise
            verb = "cannot be written" if create else "the library is damaged"
            raise ArtifactError(f"{self.uri}: {verb} ({_reason(error)})") from None
        self._tables, self._exists = tables, True
        return tables

    def _check_version(self, metadata: Mapping[bytes, bytes]) -> None:
        mark = metadata.get(_MARK)
        if mark is None:
            raise ArtifactError(
                f"{self.uri}: a LanceDB that Worldline did not make; name another folder"
            )
        if int(mark) > SCHEMA_VERSION:
            raise ArtifactError(
                f"{self.uri}: library version {int(mark)}, this program reads up to "
                f"{SCHEMA_VERSION}; install a newer Worldline"
            )

    def _table(self, name: str) -> Any:
        return self._open(create=True)[name]

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
            raise ArtifactError(
                f"{self.uri}: the table {table} cannot be used ({_reason(error)}); if its files "
                "are damaged, ingest the videos into a new library"
            ) from None

    def read(
        self, table: str, where: Where | None = None, columns: Sequence[str] | None = None
    ) -> list[dict[str, Any]]:
        """Rows that satisfy `where`."""
        if not self._exists:
            return []
        names = [n for n in TABLES[table] if n != "vector"] if columns is None else list(columns)
        with self._using(table) as handle:
            query = handle.search().select(names).limit(max(1, handle.count_rows()))
            if where is not None:
                query = query.where(to_sql(where))
            return query.to_arrow().to_pylist()

    def tally(self, table: str, column: str) -> dict[str, int]:
        """How many rows there are for each value of a column."""
        if not self._exists:
            return {}
        with self._using(table) as handle:
            query = handle.search().select([column]).limit(max(1, handle.count_rows()))
            counts = query.to_arrow()[column].value_counts().to_pylist()
            return {count["values"]: count["counts"] for count in counts}

    def nearest(
        self,
        table: str,
        vector: Float[np.ndarray, " f"],
        *,
        limit: int,
        columns: Sequence[str],
    ) -> list[dict[str, Any]]:
        """The rows nearest to a unit vector, best first, by exhaustive search."""
        if not self._exists:
            return []
        with self._using(table) as handle:
            query = handle.search(vector.astype(np.float32), vector_column_name="vector")
            found = query.distance_type("cosine").bypass_vector_index().limit(limit).to_arrow()
            return found.select(list(columns)).to_pylist()

    def append(self, table: str, rows: Sequence[Row]) -> None:
        """Add rows in one commit."""
        if rows:
            content = _arrow_table(table, rows)
            with self._using(table) as handle:
                handle.add(content)

    def upsert(self, table: str, key: str, rows: Sequence[Row]) -> None:
        """Replace the rows with the same key and add the others, in one commit."""
        content = _arrow_table(table, rows)
        with self._using(table) as handle:
            merge = handle.merge_insert(key)
            merge.when_matched_update_all().when_not_matched_insert_all().execute(content)

    def delete(self, table: str, where: Where) -> None:
        """Remove rows in one commit."""
        with self._using(table) as handle:
            handle.delete(to_sql(where))

    def version(self, table: str) -> int:
        """LanceDB's own version of the table; 0 before the first write."""
        return int(self._table(table).version) if self._exists else 0

    def compact(self) -> None:
        """Join small fragments; versions older than LanceDB's default age are dropped."""
        for name in TABLES:
            with self._using(name) as handle:
                handle.optimize()

    @contextmanager
    def writing(self, when_alone: Callable[[], None]) -> Iterator[None]:
        """Hold the library as one of its writers.

        Writers share a lock; who can have it alone at the moment of entry calls `when_alone` before
        sharing it. The kernel drops the lock of a process that is killed. An object store has no
        such lock, so there `when_alone` is not called.
        """
        if self._folder is None:
            yield
            return
        self._open(create=True)
        try:
            descriptor = os.open(self._folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise ArtifactError(f"{self.uri}: cannot be written ({error.strerror})") from None
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                pass
            else:
                when_alone()
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            yield
        finally:
            os.close(descriptor)


def _reason(error: Exception) -> str:
    """What LanceDB says, without the places in its own source code."""
    return _SOURCE.sub("", " ".join(str(error).split())).strip(" ,:")


def _check_folder(folder: Path, uri: str) -> None:
    if folder.exists() and not folder.is_dir():
        raise ArtifactError(f"{uri}: a file, but a library is a folder; name another place")
    if folder.is_dir():
        try:
            strangers = {p.name for p in folder.iterdir()} - {f"{n}.lance" for n in TABLES}
        except OSError as error:
            raise ArtifactError(f"{uri}: cannot be read ({error.strerror})") from None
        if strangers - {_LOCK} and not (folder / f"{VIDEOS}.lance").is_dir():
            raise ArtifactError(
                f"{uri}: a folder with other things in it and no library; name an empty folder"
            )
        return
    parent = next(p for p in folder.parents if p.exists())
    if not parent.is_dir() or not os.access(parent, os.W_OK | os.X_OK):
        raise ArtifactError(f"{uri}: {parent} cannot be written; name another place")


def _arrow_schema(table: str) -> Any:
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
    return pa.schema(fields, metadata={_MARK: str(SCHEMA_VERSION)})


def _arrow_table(table: str, rows: Sequence[Row]) -> Any:
    import pyarrow as pa

    return pa.Table.from_pylist([dict(row) for row in rows], schema=_arrow_schema(table))
