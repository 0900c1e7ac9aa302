"""What one worker of an ingest does: look at one file and make rows of it."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from worldline.core.errors import InputError, MediaError
from worldline.retrieval.ingest import IngestResult, Look, Seen, Status, hash_content
from worldline.retrieval.rows import SceneRows, current_definitions, rows_of

__all__ = ["Task", "examine", "find_unchanged", "is_current", "make_rows"]


@dataclass(frozen=True)
class Task:
    """A file to look at, and whether the library holds an earlier state of it."""

    file: Path
    is_known: bool


def find_unchanged(file: Path, known: Mapping[str, Any]) -> IngestResult | None:
    """The result of a file whose content is the known one; None where it has to be looked at."""
    try:
        if not is_current(known, hash_content(file)):
            return None
    except MediaError:
        return None
    counts = int(known["num_events"]), int(known["num_segments"])
    return IngestResult(str(file), Status.UNCHANGED, *counts, error=_complaint(file, known))


def is_current(known: Mapping[str, Any], content_hash: str) -> bool:
    """Whether looking at this content again would give what is known."""
    same = known["content_hash"] == content_hash
    return bool(same and known["definitions"] == current_definitions())


def examine(task: Task, look: Look) -> tuple[IngestResult, SceneRows | None]:
    """What became of a file, and the rows to commit; a bug costs one file, not a night's ingest."""
    uri = str(task.file)
    try:
        uri.encode()
    except UnicodeEncodeError:
        shown = uri.encode("utf-8", "backslashreplace").decode()
        reason = f"{shown}: its name is not valid UTF-8; rename it"
        return IngestResult(shown, Status.FAILED, error=reason), None
    try:
        content_hash = hash_content(task.file)  # first: what changes meanwhile is read again
        rows = make_rows(look(task.file), uri, content_hash)
    except InputError as error:
        return IngestResult(uri, Status.FAILED, error=" ".join(str(error).split())), None
    except Exception as error:
        traceback.print_exc()
        reason = f"{uri}: unexpected {type(error).__name__}: {error}; please report this"
        reason = " ".join(reason.split())
        return IngestResult(uri, Status.FAILED, error=reason, bug=True), None
    status = Status.UPDATED if task.is_known else Status.ADDED
    counts = rows.video["num_events"], rows.video["num_segments"]
    return IngestResult(uri, status, *counts, error=_complaint(task.file, rows.video)), rows


def _complaint(file: Path, video: Mapping[str, Any]) -> str | None:
    """What of a file could not be read, as errors say it: with its name."""
    return f"{file}: {video['damage']}" if video["damage"] else None


def make_rows(seen: Seen, uri: str, content_hash: str) -> SceneRows:
    """Rows of what was seen, by the definitions in force."""
    return rows_of(
        seen.scene,
        uri=uri,
        content_hash=content_hash,
        evidence=seen.evidence,
        damage=seen.damage,
        definitions=current_definitions(),
        moments=seen.moments,
        spots=seen.spots,
    )
