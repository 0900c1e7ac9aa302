"""Places where a library can be: what is said of a folder or an object store that is none."""

from __future__ import annotations

import os
import re
from pathlib import Path

from worldline.core.errors import ArtifactError
from worldline.retrieval.schema import TABLES, VIDEOS

__all__ = ["LOCK", "check_folder", "explain", "is_conflict", "local_folder"]

LOCK = ".worldline.lock"

_SOURCE = re.compile(
    r",? *location: Location \{[^}]*\}(?:, backtrace: \w+(?: \{[^}]*\})?)?|"
    r"[,:]? *(?:\(?at |\()?(?<![\w:/])/(?:[\w.@+-]+/)+[\w.-]+\.rs:\d+(?::\d+)?\)?"
)
"""Where in its own source code LanceDB met an error, in the two ways in which it says so."""

_ADVICE = (
    (
        r"no space left|os error 28\b|disk quota|os error 122\b",
        "the disk is full; make room and run the same command again: what is committed is kept",
    ),
    (r"read-only file system|os error 30\b", "the place is read-only; name another place"),
    (r"permission denied|os error 13\b", "writing there is not allowed; name another place"),
    (
        r"NoSuchBucket|bucket does not exist",
        "there is no such bucket; make it, or check its name and AWS_ENDPOINT",
    ),
    (r"BadScheme", "AWS_ENDPOINT is not an https address; set AWS_ALLOW_HTTP=true for plain http"),
    (
        r"AWS credentials|169\.254\.169\.254|CredentialsNotLoaded|no providers in chain|"
        r"InvalidAccessKeyId|SignatureDoesNotMatch|AccessDenied|403 Forbidden",
        "access is refused or no credentials are known; set AWS_ACCESS_KEY_ID and "
        "AWS_SECRET_ACCESS_KEY",
    ),
    (
        r"resolve region",
        "the region of the bucket cannot be found out; set AWS_REGION, and AWS_ENDPOINT where the "
        "server is not Amazon's",
    ),
    (
        r"Connection refused|ConnectError|dns error|error sending request|timed? ?out",
        "no server answers; check AWS_ENDPOINT and the network",
    ),
)
"""What is said instead of a message that matches, because the message names no remedy."""


_DAMAGE = re.compile(
    r"^lance error: (Not found|LanceError\((IO|Arrow|Corrupt))|LocalFileSystem|corrupt|"
    r"failed to fill whole buffer|invalid magic|^Table '\w+' was not found",
    re.IGNORECASE,
)
"""What LanceDB says of files that are missing or no longer what it wrote."""

_LOST = "files in it are missing or damaged"


def explain(error: Exception, otherwise: str = "") -> str:
    """What LanceDB says, without the places in its own source code, and what to do about it."""
    reason = _SOURCE.sub("", " ".join(str(error).split())).strip(" ,:")
    for pattern, advice in _ADVICE:
        if re.search(pattern, reason, re.IGNORECASE):
            return advice
    if _DAMAGE.search(reason) and "://" not in reason:
        reason = _LOST
    return f"{reason}; {otherwise}" if otherwise else reason


def is_conflict(error: Exception) -> bool:
    """Whether another writer was quicker, so that the same can be tried again."""
    return "conflict" in str(error).lower()


def local_folder(uri: str) -> Path:
    """The folder that is meant, absolute, with `~` written out.

    Raises:
        ArtifactError: there is no such user.
    """
    try:
        return Path(uri).expanduser().absolute()
    except RuntimeError:
        raise ArtifactError(f"{uri}: no home folder of this user is known; name another") from None


def _has_rows(folder: Path) -> bool:
    """Whether tables were written to; a writer that was killed at once leaves only empty ones."""
    return any(next((folder / f"{name}.lance" / "data").glob("*"), None) for name in TABLES)


def check_folder(folder: Path, uri: str) -> None:
    """Raise `ArtifactError` where no library is and none can be made."""
    if folder.exists() and not folder.is_dir():
        raise ArtifactError(f"{uri}: a file, but a library is a folder; name another place")
    if folder.is_dir():
        try:
            strangers = {p.name for p in folder.iterdir()} - {f"{n}.lance" for n in TABLES}
        except OSError as error:
            raise ArtifactError(f"{uri}: cannot be read ({error.strerror})") from None
        if not (folder / f"{VIDEOS}.lance").is_dir() and _has_rows(folder):
            raise ArtifactError(
                f"{uri}: the library is damaged (its table of videos is gone); ingest the videos "
                "into a new library"
            )
        if strangers - {LOCK} and not (folder / f"{VIDEOS}.lance").is_dir():
            raise ArtifactError(
                f"{uri}: a folder with other things in it and no library; name that of a library, "
                "or an empty one for a new library"
            )
        return
    parent = next(p for p in folder.parents if p.exists())
    if not parent.is_dir() or not os.access(parent, os.W_OK | os.X_OK):
        raise ArtifactError(f"{uri}: {parent} cannot be written; name another place")
