"""Which videos a library names whose events or motions are lost."""

from __future__ import annotations

from worldline.retrieval.schema import EVENTS, MOTIONS, VIDEOS
from worldline.retrieval.store import Store

__all__ = ["missing", "surplus"]

_COLUMNS = ["uri", "ingest_id", "num_events", "num_motions"]


def missing(store: Store) -> list[str]:
    """URIs of videos of which the store holds fewer rows than their ingest wrote, by name.

    A table whose newest version is damaged may read as an older one, without a complaint of the
    database. Another process may replace a video meanwhile; then `videos` names it by a new
    `ingest_id` before the rows of the old one go, so what counts is still named afterwards.
    """
    before = store.read(VIDEOS, columns=_COLUMNS)
    if not before:
        return []
    events, motions = (store.tally(table, "ingest_id") for table in (EVENTS, MOTIONS))
    lost = [
        row
        for row in before
        if events.get(row["ingest_id"], 0) < row["num_events"]
        or motions.get(row["ingest_id"], 0) < row["num_motions"]
    ]
    if not lost:
        return []
    named = {row["ingest_id"] for row in store.read(VIDEOS, columns=["ingest_id"])}
    return sorted(row["uri"] for row in lost if row["ingest_id"] in named)


def surplus(store: Store) -> dict[str, int]:
    """How many more rows each table holds than the videos name; below 0 some are lost.

    Costs two columns of `videos`. More there are while a writer is at work, or after one was
    killed; that such rows make up for lost ones is possible and not seen here.
    """
    told = store.columns(VIDEOS, None, ["num_events", "num_motions"])
    named = {EVENTS: told["num_events"], MOTIONS: told["num_motions"]}
    return {t: store.count(t) - int(numbers.to_numpy().sum()) for t, numbers in named.items()}
