"""Places where a library can be: what is said of a folder or an object store that is none."""

from __future__ import annotations

import os
import re
from pathlib import Path

from worldline.core.errors import ArtifactError
from worldline.retrieval.schema import TABLES, VIDEOS

__all__ = ["LOCK", "check_folder", "explain", "is_conflict"]

LOCK = ".worldline.lock"

_SOURCE = re.compile(
    r",? *location: Location \{[^}]*\}(?:, backtrace: \w+(?: \{[^}]*\})?)?|"
    r"[,:]? *(?:\(?at |\()?(?<![\w:/])/(?:[\w.@+-]+/)+[\w.-]+\.rs:\d+(?::\d+)?\)?"
)
"""Where in its own source code LanceDB met an error, in the two ways in which it says so."""

_ADVICE = (
    (
        r"no space left|os error 28|disk quota|os error 122",
        "the disk is full; make room and run the same command again: what it held before is kept",
    ),
    (r"read-only file system|os error 30", "the place is read-only; name another place"),
    (r"permission denied|os error 13", "writing there is not allowed; name another place"),
)


def explain(error: Exception, otherwise: str = "") -> str:
    """What LanceDB says, without the places in its own source code, and what to do about it."""
    reason = _SOURCE.sub("", " ".join(str(error).split())).strip(" ,:")
    for pattern, advice in _ADVICE:
        if re.search(pattern, reason, re.IGNORECASE):
            return advice
    return f"{reason}; {otherwise}" if otherwise else reason


def is_conflict(error: Exception) -> bool:
    """Whether another writer was quicker, so that the same can be tried again."""
    return "conflict" in str(error).lower()


def check_folder(folder: Path, uri: str) -> None:
    """Raise `ArtifactError` where no library is and none can be made."""
    if folder.exists() and not folder.is_dir():
        raise ArtifactError(f"{uri}: a file, but a library is a folder; name another place")
    if folder.is_dir():
        try:
            strangers = {p.name for p in folder.iterdir()} - {f"{n}.lance" for n in TABLES}
        except OSError as error:
            raise ArtifactError(f"{uri}: cannot be read ({error.strerror})") from None
        if strangers - {LOCK} and not (folder / f"{VIDEOS}.lance").is_dir():
            raise ArtifactError(
                f"{uri}: a folder with other things in it and no library; name an empty folder"
            )
        return
    parent = next(p for p in folder.parents if p.exists())
    if not parent.is_dir() or not os.access(parent, os.W_OK | os.X_OK):
        raise ArtifactError(f"{uri}: {parent} cannot be written; name another place")
