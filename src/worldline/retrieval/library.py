"""`Library`: what happens in which video, findable."""

from __future__ import annotations

import time
import traceback
import uuid
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeGuard

from worldline.core.errors import ArtifactError, InputError
from worldline.core.scene import Scene
from worldline.retrieval.grammar import parse
from worldline.retrieval.ingest import (
    IngestReport,
    IngestResult,
    Look,
    Seen,
    Status,
    find_videos,
    hash_content,
    look_at,
)
from worldline.retrieval.lance import LanceStore
from worldline.retrieval.missing import missing
from worldline.retrieval.plan import Plan
from worldline.retrieval.query import Query
from worldline.retrieval.rows import SceneRows, current_definitions, rows_of
from worldline.retrieval.schema import EVENTS, MOTIONS, VIDEOS
from worldline.retrieval.search import SearchResult, search
from worldline.retrieval.store import Store
from worldline.retrieval.where import IsIn

__all__ = ["Library", "OnProgress"]

OnProgress = Callable[[int, int, IngestResult], None]
"""Called after each file with the number done, the number in all, and what became of it."""

_BATCH_VIDEOS = 16
_BATCH_S = 10.0
_COMPACT_AFTER = 64


class Library:
    """A store of what happens in videos. Holds URIs and time ranges, never video bytes.

    Every ingest of a video gets a fresh `ingest_id`. Its events and motions are written first, its
    row in `videos`, which names the id, last; readers see only rows whose id is named there. So a
    video appears, or is replaced, in one atomic step, and a writer that is killed leaves at most
    rows that nobody sees, which the next writer sweeps away.
    """

    def __init__(self, store: Store, *, look: Look = look_at) -> None:
        self.store = store
        self._look = look

    @classmethod
    def open(cls, uri: str | Path) -> Library:
        """Open a library, or name the place where the first `ingest` or `add` will make one.

        Args:
            uri: a folder, or an object store's URI such as `s3://bucket/library`.

        Raises:
            ArtifactError: no library can be at this place; the message says why.
        """
        return cls(LanceStore(str(uri)))

    def add(self, scene: Scene, *, uri: str, content_hash: str) -> int:
        """Add what is known of one video, or replace it; unchanged content changes nothing.

        Args:
            scene: with events; where it has none they are detected.
            uri: of the video.
            content_hash: of the video's content.

        Returns:
            number of events that the library holds of this video.
        """
        from worldline.physics import detect_events

        with self.store.writing(self._sweep):
            known = self._videos().get(uri)
            if _is_current(known, content_hash) and uri not in missing(self.store):
                return int(known["num_events"])
            if not scene.events:
                scene = scene.with_events(detect_events(scene))
            rows = _rows(Seen(scene, "given"), uri, content_hash)
            self._commit([rows])
            return len(rows.events)

    def ingest(
        self, paths: str | Path | Iterable[str | Path], *, on_progress: OnProgress | None = None
    ) -> IngestReport:
        """Bring videos into the library: files, and folders with everything below them.

        Files whose content is known already are passed over; a file that cannot be used fails
        alone and leaves what the library held of it. May be killed at any moment and run again.

        Returns:
            one result per file.

        Raises:
            ArtifactError: the library cannot be written.
        """
        files = find_videos([paths] if isinstance(paths, str | Path) else paths)
        results: list[IngestResult] = []
        pending: list[SceneRows] = []

        def report(result: IngestResult) -> None:
            results.append(result)
            if on_progress is not None:
                on_progress(len(results), len(files), result)

        with self.store.writing(self._sweep):
            known, damaged = self._videos(), set(missing(self.store))
            before = self.store.version(EVENTS) + self.store.version(MOTIONS)
            flushed_s = time.monotonic()
            for file in files:
                if isinstance(file, IngestResult):
                    report(file)
                    continue
                result, rows = self._ingest_file(
                    file, known.get(str(file)), is_whole=str(file) not in damaged
                )
                if rows is not None:
                    pending.append(rows)
                report(result)
                if len(pending) >= _BATCH_VIDEOS or time.monotonic() - flushed_s > _BATCH_S:
                    self._commit(pending)
                    pending, flushed_s = [], time.monotonic()
            self._commit(pending)
            after = self.store.version(EVENTS) + self.store.version(MOTIONS)
            if after - before > _COMPACT_AFTER:
                self.store.compact()
        return IngestReport(tuple(results))

    def remove(self, uri: str | Path) -> bool:
        """Forget a video. Returns whether the library knew it."""
        if not self.store.exists:
            return False
        with self.store.writing(self._sweep):
            known = self._videos().get(str(uri))
            if known is None:
                return False
            self.store.delete(VIDEOS, IsIn("uri", (str(uri),)))
            self._delete_rows((known["ingest_id"],))
            return True

    def videos(self) -> list[dict[str, Any]]:
        """One record per video, by URI: what it is and how much is known of it."""
        return [row for _, row in sorted(self._videos().items())]

    def search(
        self,
        query: str | Query | Mapping[str, Any] = "",
        *,
        limit: int = 10,
        like: str | Path | Scene | None = None,
    ) -> SearchResult:
        """Find where something happens.

        Args:
            query: words, a typed expression, or the JSON of a plan; may be empty with `like`.
            limit: most hits to return.
            like: a video, or a scene, whose motion the hits must resemble.

        Raises:
            InputError: nothing that can be asked for was asked, or there is no library here.
            MediaError: the video given as `like` cannot be used.
            ArtifactError: the library is damaged.
        """
        if limit < 1:
            raise InputError(f"limit is {limit}; ask for at least 1 hit")
        if isinstance(query, str):
            asked = parse(query) if query.strip() or like is None else Plan(None)
        elif isinstance(query, Query):
            asked = Plan(query)
        else:
            asked = Plan.from_json(query)
        if not self.store.exists:
            raise InputError(f"{self.uri}: no library here yet; make one with `worldline ingest`")
        if lost := missing(self.store):
            raise ArtifactError(
                f"{self.uri}: the library is damaged (rows of {len(lost)} of "
                f"{len(self._videos())} videos are lost, among them {lost[0]}); ingest these "
                "videos again, or all of them into a new library"
            )
        if like is None:
            return search(self.store, asked, limit=limit)
        scene = like if isinstance(like, Scene) else self._look(Path(like)).scene
        name = "the given scene" if isinstance(like, Scene) else str(like)
        return search(self.store, asked, limit=limit, like=scene, like_name=name)

    @property
    def uri(self) -> str:
        """Where the library is."""
        return self.store.uri

    def _ingest_file(
        self, file: Path, known: Mapping[str, Any] | None, *, is_whole: bool
    ) -> tuple[IngestResult, SceneRows | None]:
        uri = str(file)
        try:
            uri.encode()
        except UnicodeEncodeError:
            shown = uri.encode("utf-8", "backslashreplace").decode()
            reason = f"{shown}: its name is not valid UTF-8; rename it"
            return IngestResult(shown, Status.FAILED, error=reason), None
        try:
            content_hash = hash_content(file)
            if is_whole and _is_current(known, content_hash):
                counts = int(known["num_events"]), int(known["num_segments"])
                damage = known["damage"] or None
                return IngestResult(uri, Status.UNCHANGED, *counts, error=damage), None
            rows = _rows(self._look(file), uri, content_hash)
        except InputError as error:
            return IngestResult(uri, Status.FAILED, error=" ".join(str(error).split())), None
        except Exception as error:  # a bug costs one file, not a night's ingest
            traceback.print_exc()
            reason = f"{uri}: unexpected {type(error).__name__}: {error}; please report this"
            reason = " ".join(reason.split())
            return IngestResult(uri, Status.FAILED, error=reason, bug=True), None
        status = Status.ADDED if known is None else Status.UPDATED
        counts = rows.video["num_events"], rows.video["num_segments"]
        return IngestResult(uri, status, *counts, error=rows.video["damage"] or None), rows

    def _commit(self, pending: list[SceneRows]) -> None:
        """Write rows, make them visible, and only then drop those that they replace."""
        if not pending:
            return
        now = datetime.now(UTC).isoformat(timespec="seconds")
        videos, events, motions = [], [], []
        for rows in pending:
            # Sortable by time, so that of two writers of one video the later one counts.
            mark = {"ingest_id": f"{time.time_ns():016x}-{uuid.uuid4().hex[:8]}"}
            videos.append({**rows.video, **mark, "ingested_at": now})
            events += [{**row, **mark} for row in rows.events]
            motions += [{**row, **mark} for row in rows.motions]
        uris = IsIn("uri", tuple(row["uri"] for row in videos))
        replaced = [row["ingest_id"] for row in self.store.read(VIDEOS, uris, ["ingest_id"])]
        self.store.append(EVENTS, events)
        self.store.append(MOTIONS, motions)
        self.store.upsert(VIDEOS, "uri", videos)
        self._delete_rows(tuple(replaced))

    def _sweep(self) -> None:
        """Remove rows that no video claims. Safe only while there is no other writer."""
        claimed = {row["ingest_id"] for row in self.store.read(VIDEOS, columns=["ingest_id"])}
        for table in (EVENTS, MOTIONS):
            present = {row["ingest_id"] for row in self.store.read(table, columns=["ingest_id"])}
            if orphans := tuple(sorted(present - claimed)):
                self.store.delete(table, IsIn("ingest_id", orphans))

    def _delete_rows(self, ingest_ids: tuple[str, ...]) -> None:
        if ingest_ids:
            self.store.delete(EVENTS, IsIn("ingest_id", ingest_ids))
            self.store.delete(MOTIONS, IsIn("ingest_id", ingest_ids))

    def _videos(self) -> dict[str, dict[str, Any]]:
        rows = sorted(self.store.read(VIDEOS), key=lambda row: row["ingest_id"])
        return {row["uri"]: row for row in rows}


def _is_current(known: Mapping[str, Any] | None, content_hash: str) -> TypeGuard[Mapping[str, Any]]:
    return (
        known is not None
        and known["content_hash"] == content_hash
        and known["definitions"] == current_definitions()
    )


def _rows(seen: Seen, uri: str, content_hash: str) -> SceneRows:
    return rows_of(
        seen.scene,
        uri=uri,
        content_hash=content_hash,
        evidence=seen.evidence,
        damage=seen.damage,
        definitions=current_definitions(),
    )
