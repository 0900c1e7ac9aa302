"""Older libraries, brought up to date in place.

A change is a function from a table as it was to the table as it is one version later. Each table is
replaced in one commit, `videos` last, whose version is the library's. So a migration that is killed
leaves a library of the old version, and the next one goes on with the tables that are left.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from worldline.core.errors import ArtifactError
from worldline.retrieval.columns import MARK, arrow_schema
from worldline.retrieval.schema import MOTIONS, SCHEMA_VERSION, TABLES, VIDEOS

__all__ = ["CHANGES", "Change", "expect_again", "forget_motions", "migrate", "version_of"]

Change = Callable[[Any, Mapping[str, Any]], Any]
"""Given a table's content as an Arrow table, and LanceDB's tables by name: the new content."""


def version_of(table: Any) -> int | None:
    """Version of a table's schema; None where Worldline did not make it."""
    mark = (table.schema.metadata or {}).get(MARK)
    return None if mark is None else int(mark)


def migrate(connection: Any, tables: Mapping[str, Any]) -> None:
    """Bring tables up to date. No other writer may be at work meanwhile.

    Args:
        connection: LanceDB's.
        tables: LanceDB's, by name.

    Raises:
        ArtifactError: there is no way from this version.
    """
    for name in sorted(TABLES, key=lambda name: name == VIDEOS):
        version = version_of(tables[name]) or 0
        steps = range(version, SCHEMA_VERSION)
        if missing := [step for step in steps if step not in CHANGES]:
            raise ArtifactError(
                f"{connection.uri}: library version {missing[0]} cannot be brought up to date; "
                "ingest the videos into a new library"
            )
        changes = [CHANGES[step][name] for step in steps if name in CHANGES[step]]
        if not changes and (name != VIDEOS or version == SCHEMA_VERSION):
            continue
        content = tables[name].to_arrow()
        for change in changes:
            content = change(content, tables)
        if name == VIDEOS:
            content = _with_column(content, "schema_version", [SCHEMA_VERSION] * len(content))
        schema = arrow_schema(name)
        content = content.select(schema.names).cast(schema).replace_schema_metadata(schema.metadata)
        connection.create_table(name, data=content, mode="overwrite")


def forget_motions(motions: Any, tables: Mapping[str, Any]) -> Any:
    """For a change of the descriptors: none of the old ones can be compared with new ones.

    The videos themselves have to be marked as well, by `expect_again`.
    """
    import pyarrow as pa

    return pa.Table.from_pylist([], schema=arrow_schema(MOTIONS))


def expect_again(videos: Any, tables: Mapping[str, Any]) -> Any:
    """Videos without motions, which the next ingest looks at again."""
    videos = _with_column(videos, "definitions", [""] * len(videos))
    for name in ("num_segments", "num_motions"):
        videos = _with_column(videos, name, [0] * len(videos))
    return videos


def _count_motions(videos: Any, tables: Mapping[str, Any]) -> Any:
    motions = tables[MOTIONS]
    query = motions.search().select(["ingest_id"]).limit(max(1, motions.count_rows()))
    counts = query.to_arrow()["ingest_id"].value_counts().to_pylist()
    numbers = {count["values"]: count["counts"] for count in counts}
    ids = videos["ingest_id"].to_pylist()
    return _with_column(videos, "num_motions", [numbers.get(name, 0) for name in ids])


def _with_column(table: Any, name: str, values: list[Any]) -> Any:
    import pyarrow as pa

    column = pa.array(values, pa.string() if values and isinstance(values[0], str) else pa.int64())
    if name in table.schema.names:
        return table.set_column(table.schema.names.index(name), name, column)
    return table.append_column(name, column)


CHANGES: Mapping[int, Mapping[str, Change]] = {
    1: {VIDEOS: _count_motions},
    2: {MOTIONS: forget_motions, VIDEOS: expect_again},
}
"""What becomes of which table on the way from a version to the next."""
