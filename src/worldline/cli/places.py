"""Folders that commands write to."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from worldline.core.errors import InputError
from worldline.core.wording import printable

__all__ = ["check_folder", "make_folder"]


def check_folder(option: str, path: str | os.PathLike[str]) -> None:
    """Raise `InputError` where no folder is and none can be made. Makes nothing."""
    shown = f"{option} {printable(os.fspath(path))}"
    place = start = Path(path).absolute()
    while True:
        try:
            mode = place.stat().st_mode
            break
        except (FileNotFoundError, NotADirectoryError):
            if place.is_symlink():
                raise InputError(f"{shown}: a link that leads nowhere; give a folder") from None
            place = place.parent
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise InputError(f"{shown}: cannot be used ({reason}); give a folder") from None
    if not stat.S_ISDIR(mode):
        what = "is a file" if place == start else f"{printable(str(place))} is a file"
        raise InputError(f"{shown}: {what}; give a folder")
    if not os.access(place, os.W_OK | os.X_OK):
        raise InputError(
            f"{shown}: {printable(str(place))} cannot be written to; give another folder"
        )


def make_folder(option: str, path: Path) -> None:
    """Make a folder and those above it. Raises `InputError` where it cannot be made."""
    check_folder(option, path)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InputError(
            f"{option} {printable(str(path))}: cannot be made ({reason}); give another folder"
        ) from None
