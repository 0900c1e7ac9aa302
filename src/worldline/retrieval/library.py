"""`Library`: what happens in which video, findable."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from worldline.core.errors import ArtifactError, InputError
from worldline.core.processes import WorkerLostError, spread
from worldline.core.scene import Scene
from worldline.retrieval.alike import ask
from worldline.retrieval.commit import commit, forget, known_videos, sweep
from worldline.retrieval.examine import Task, examine, find_unchanged, is_current, make_rows
from worldline.retrieval.grammar import parse
from worldline.retrieval.ingest import (
    IngestReport,
    IngestResult,
    Look,
    Seen,
    Status,
    as_known,
    find_videos,
    look_at,
)
from worldline.retrieval.lance import LanceStore
from worldline.retrieval.missing import missing, surplus
from worldline.retrieval.plan import Plan
from worldline.retrieval.query import Query, check_query
from worldline.retrieval.rows import SceneRows
from worldline.retrieval.schema import EVENTS, MOTIONS, VIDEOS
from worldline.retrieval.search import SearchResult, search
from worldline.retrieval.store import Store

__all__ = ["Library", "OnProgress", "Spread"]

OnProgress = Callable[[int, int, IngestResult], None]
"""Called after each file with the number done, the number in all, and what became of it."""

Examined = tuple[IngestResult, SceneRows | None]


@runtime_checkable
class Spread(Protocol):
    """Who works on files: gives each with what came of it, or that its worker was lost."""

    def __call__(
        self, work: Callable[[Task], Examined], items: Iterable[Task], /
    ) -> Iterator[tuple[Task, Examined | WorkerLostError]]:
        """Do the work on each item, in any order."""
        ...


_BATCH_VIDEOS = 16
_BATCH_S = 10.0
_COMPACT_AFTER = 64
_MOST_HITS = 10**9  # more than there can be, and a size that counters hold


class Library:
    """A store of what happens in videos. Holds URIs and time ranges, never video bytes.

    Writers may be killed at any moment and work side by side; see `retrieval.commit`.
    """

    def __init__(self, store: Store, *, look: Look = look_at) -> None:
        self.store = store
        self._look = look

    @classmethod
    def open(cls, uri: str | Path, *, look: Look = look_at) -> Library:
        """Open a library, or name the place where the first `ingest` or `add` will make one.

        Args:
            uri: a folder, or an object store's URI such as `s3://bucket/library`.
            look: makes scenes of video files, also in other processes.

        Raises:
            ArtifactError: no library can be at this place; the message says why.
        """
        return cls(LanceStore(str(uri)), look=look)

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

        with self._writing():
            known = known_videos(self.store).get(uri)
            if known and is_current(known, content_hash) and uri not in missing(self.store):
                return int(known["num_events"])
            if not scene.events:
                scene = scene.with_events(detect_events(scene))
            rows = make_rows(Seen(scene, "given"), uri, content_hash)
            commit(self.store, [rows])
            return len(rows.events)

    def ingest(
        self,
        paths: str | Path | Iterable[str | Path],
        *,
        num_workers: int = 1,
        spread_by: Spread | None = None,
        again: bool = False,
        on_progress: OnProgress | None = None,
    ) -> IngestReport:
        """Bring videos into the library: files, and folders with everything below them.

        Known files whose content has not changed are passed over; a file that cannot be used fails
        alone and leaves what the library held of it. Copies and moved files are videos of their
        own, and their results name the video that they equal. May be killed at any moment and run
        again; when it is interrupted, what is finished by then is kept.

        Args:
            paths: of videos, and of folders.
            num_workers: processes of this machine that look at files; 1 is this process.
            spread_by: who looks at files instead, such as `scale.spread_by_ray`.
            again: look at files whose content has not changed, too.
            on_progress: called after each file.

        Returns:
            one result per file, in the order of the paths.

        Raises:
            ArtifactError: the library cannot be written.
        """
        files = find_videos([paths] if isinstance(paths, str | Path) else paths)
        results: dict[Path | IngestResult, IngestResult] = {}
        pending: list[SceneRows] = []

        def report(key: Path | IngestResult, result: IngestResult) -> None:
            results[key] = result
            if on_progress is not None:
                on_progress(len(results), len(files), result)

        if (
            files
            and not self.store.exists
            and all(isinstance(file, IngestResult) for file in files)
        ):
            for file in files:  # nothing to bring in makes no library
                assert isinstance(file, IngestResult)
                report(file, file)
            return IngestReport(tuple(results[file] for file in files))
        with self._writing():
            known, damaged = known_videos(self.store), set(missing(self.store))
            by_content = {row["content_hash"]: uri for uri, row in known.items()}

            def tasks() -> Iterator[Task]:
                for file in files:
                    if isinstance(file, IngestResult):
                        report(file, file)
                        continue
                    row = known.get(str(file))
                    whole = row is not None and not again and str(file) not in damaged
                    unchanged = find_unchanged(file, row) if row and whole else None
                    if unchanged is not None:
                        report(file, unchanged)
                    else:
                        yield Task(file, row is not None)

            before = self.store.version(EVENTS) + self.store.version(MOTIONS)
            flushed_s = time.monotonic()
            work = partial(examine, look=self._look)
            if spread_by is None:
                spread_by = _one_by_one if num_workers == 1 else _processes(num_workers)
            try:
                with closing(spread_by(work, tasks())) as answers:  # pyright: ignore
                    for task, answer in answers:
                        if isinstance(answer, WorkerLostError):
                            error = f"{task.file}: {answer}"
                            answer = IngestResult(str(task.file), Status.FAILED, error=error), None
                        result, rows = answer
                        if rows is not None:
                            pending.append(rows)
                            first = by_content.setdefault(rows.video["content_hash"], result.source)
                            if first != result.source:
                                result = replace(result, same_as=first)
                        report(task.file, result)
                        late = time.monotonic() - flushed_s > _BATCH_S
                        if late or len(pending) >= _BATCH_VIDEOS:
                            batch, pending = pending, []
                            commit(self.store, batch)
                            flushed_s = time.monotonic()
            except BaseException as stop:
                if not isinstance(stop, Exception):  # what is interrupted keeps what is finished
                    commit(self.store, pending)
                raise
            commit(self.store, pending)
            after = self.store.version(EVENTS) + self.store.version(MOTIONS)
            if after - before > _COMPACT_AFTER:
                self.store.compact()
        return IngestReport(tuple(results[file] for file in files))

    def remove(self, uri: str | Path) -> bool:
        """Forget a video. Returns whether the library knew it."""
        return bool(self.forget([uri], below=False))

    def forget(self, paths: Iterable[str | Path], *, below: bool = True) -> list[str]:
        """Forget videos, whether their files are still there or not.

        Args:
            paths: URIs of videos as the library holds them, files and folders.
            below: forget what lies below them, too.

        Returns:
            URIs of the videos that were known until now.
        """
        if not self.store.exists:
            return []
        with self._writing():
            names = {name for path in paths for name in (str(path), str(as_known(path)))}
            uris = known_videos(self.store) if below else names
            folders = tuple(name.rstrip("/") + "/" for name in names)
            return forget(self.store, [u for u in uris if u in names or u.startswith(folders)])

    def upgrade(self) -> None:
        """Bring a library of an older schema up to date, as the next writer would; may be killed.

        At an object store no other writer may be at work meanwhile.
        """
        self.store.upgrade()

    def videos(self) -> list[dict[str, Any]]:
        """One record per video, by URI: what it is and how much is known of it."""
        return [row for _, row in sorted(known_videos(self.store).items())]

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
        if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
            raise InputError(f"limit is {limit}; ask for at least 1 hit, in whole numbers")
        limit = min(limit, _MOST_HITS)
        if isinstance(query, str):
            asked = parse(query) if query.strip() or like is None else Plan(None)
        elif isinstance(query, Mapping):
            asked = Plan.from_json(query)
        else:
            check_query(query)
            asked = Plan(query)
        if not self.store.exists:
            raise InputError(f"{self.uri}: no library here yet; make one with `worldline ingest`")
        extra = surplus(self.store)
        if min(extra.values()) < 0 and (lost := missing(self.store)):
            raise ArtifactError(
                f"{self.uri}: the library is damaged (rows of {len(lost)} of "
                f"{self.store.count(VIDEOS)} videos are lost, among them {lost[0]}); ingest these "
                "videos again, or all of them into a new library"
            )
        if like is None:
            return search(self.store, asked, limit=limit, is_clean=not extra[EVENTS])
        if isinstance(like, Scene):
            motion = ask(like, None, None, "the given scene")
        else:
            seen = self._look(Path(like))
            course = None if seen.spots is None else seen.spots.course()
            motion = ask(seen.scene, seen.moments, course, str(like))
        return search(self.store, asked, limit=limit, like=motion)

    @property
    def uri(self) -> str:
        """Where the library is."""
        return self.store.uri

    def _writing(self) -> AbstractContextManager[None]:
        return self.store.writing(partial(sweep, self.store))


def _one_by_one(
    work: Callable[[Task], Examined], items: Iterable[Task]
) -> Iterator[tuple[Task, Examined]]:
    return ((item, work(item)) for item in items)


def _processes(num_workers: int) -> Spread:
    return partial(spread, num_workers=num_workers)
