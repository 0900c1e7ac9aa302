"""How rows get into a library and out of it: visible in one step, and swept up when dead.

Every ingest of a video gets a fresh `ingest_id`. Its events and motions are written first, its row
in `videos`, which names the id, last; readers see only rows whose id is named there. So a video
appears, or is replaced, in one atomic step, and a writer that is killed leaves at most rows that
nobody sees, which a later writer sweeps away.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from worldline.core.errors import ArtifactError
from worldline.retrieval.rows import SceneRows
from worldline.retrieval.schema import EVENTS, MOTIONS, VIDEOS
from worldline.retrieval.store import LEASE_S, Store
from worldline.retrieval.where import IsIn

__all__ = ["commit", "forget", "known_videos", "sweep"]


def commit(store: Store, pending: Sequence[SceneRows]) -> None:
    """Write rows, make them visible, and only then drop those that they replace.

    Raises:
        ArtifactError: the store cannot be written, or is so slow that another writer may have taken
            the rows for dead; nothing of them is visible then.
    """
    if not pending:
        return
    begun_s = time.monotonic()
    now = datetime.now(UTC).isoformat(timespec="seconds")
    videos, events, motions = [], [], []
    for rows in pending:
        # Sortable by time, so that of two writers of one video the later one counts.
        mark = {"ingest_id": f"{time.time_ns():016x}-{uuid.uuid4().hex[:8]}"}
        videos.append({**rows.video, **mark, "ingested_at": now})
        events += [{**row, **mark} for row in rows.events]
        motions += [{**row, **mark} for row in rows.motions]
    uris = IsIn("uri", tuple(row["uri"] for row in videos))
    replaced = [row["ingest_id"] for row in store.read(VIDEOS, uris, ["ingest_id"])]
    store.append(EVENTS, events)
    store.append(MOTIONS, motions)
    if time.monotonic() - begun_s > LEASE_S / 2:
        raise ArtifactError(
            f"{store.uri}: writing took over {LEASE_S / 120:.0f} minutes; run the command again"
        )
    store.upsert(VIDEOS, "uri", videos)
    # Two writers that bring in one new video at once both find that it is not there.
    rows = sorted(store.read(VIDEOS, uris, ["uri", "ingest_id"]), key=lambda row: row["ingest_id"])
    newest = {row["uri"]: row["ingest_id"] for row in rows}
    losers = tuple(row["ingest_id"] for row in rows if newest[row["uri"]] != row["ingest_id"])
    if losers:
        store.delete(VIDEOS, IsIn("ingest_id", losers))
    _delete_rows(store, (*replaced, *losers))


def forget(store: Store, uris: Iterable[str]) -> list[str]:
    """Remove videos. Returns those of them that were known."""
    rows = store.read(VIDEOS, IsIn("uri", tuple(uris)), ["uri", "ingest_id"])
    ids = tuple(row["ingest_id"] for row in rows)
    if ids:
        # By id: what somebody brings in anew meanwhile stays.
        store.delete(VIDEOS, IsIn("ingest_id", ids))
        _delete_rows(store, ids)
    return sorted({row["uri"] for row in rows})


def sweep(store: Store, dead_after_s: float) -> None:
    """Remove rows that no video claims and that no writer is about to claim.

    Args:
        store: of the library.
        dead_after_s: age from which on unclaimed rows are surely dead; 0 where there is no other
            writer.
    """
    # Read before `videos`: what is claimed in between must not look unclaimed.
    present = {table: store.tally(table, "ingest_id").keys() for table in (EVENTS, MOTIONS)}
    claimed = {row["ingest_id"] for row in store.read(VIDEOS, columns=["ingest_id"])}
    limit = f"{time.time_ns() - round(dead_after_s * 1e9):016x}"
    for table, ids in present.items():
        orphans = {name for name in ids - claimed if not dead_after_s or name < limit}
        if orphans:
            store.delete(table, IsIn("ingest_id", tuple(sorted(orphans))))


def known_videos(store: Store) -> dict[str, dict[str, Any]]:
    """The row of each video, by URI."""
    rows = sorted(store.read(VIDEOS), key=lambda row: row["ingest_id"])
    return {row["uri"]: row for row in rows}


def _delete_rows(store: Store, ingest_ids: tuple[str, ...]) -> None:
    if ingest_ids:
        store.delete(EVENTS, IsIn("ingest_id", ingest_ids))
        store.delete(MOTIONS, IsIn("ingest_id", ingest_ids))
