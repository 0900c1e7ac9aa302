"""Which files are taken for video."""

from __future__ import annotations

import os
from errno import ENAMETOOLONG, ENOENT
from pathlib import Path

__all__ = ["VIDEO_SUFFIXES", "is_there", "videos_below"]

VIDEO_SUFFIXES = frozenset(
    {".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".wmv", ".flv"}
    | {".gif"}
)
"""Suffixes that are looked for in folders; a file named directly is tried whatever its suffix."""


def is_there(file: Path) -> bool:
    """Whether a file lies beside a video; not where its name would be longer than names can be."""
    try:
        return file.is_file()
    except OSError as error:
        if error.errno == ENAMETOOLONG:
            return False
        raise


def videos_below(folder: Path) -> tuple[list[Path], list[OSError]]:
    """Video files in a folder and all below it, by name.

    Returns:
        the files, and an error, with its `filename`, for each folder that cannot be listed and for
        each link, named like a video, that leads to no file.
    """
    unread: list[OSError] = []
    found = [
        Path(place) / name
        for place, _, names in os.walk(folder, onerror=unread.append)
        for name in names
        if Path(name).suffix.lower() in VIDEO_SUFFIXES
    ]
    lost = sorted(path for path in found if path.is_symlink() and not path.exists())
    unread += [FileNotFoundError(ENOENT, "the link leads to no file", str(p)) for p in lost]
    return sorted(path for path in found if path.is_file()), unread
