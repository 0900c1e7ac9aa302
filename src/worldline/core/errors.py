"""Errors that a user can act on: each one sentence, naming the file or field and what to do."""

from __future__ import annotations

from pathlib import Path

from worldline.core.wording import printable

__all__ = ["ArtifactError", "InputError", "MediaError"]


class InputError(ValueError):
    """Bad input from a user. The message is one sentence that can be shown as it is."""


class MediaError(InputError):
    """A file that cannot be used as video.

    Attributes:
        path: the file, as the user named it; the message writes control characters out.
        reason: why, in a few words.
    """

    def __init__(self, path: str | Path, reason: str) -> None:
        self.path = str(path)
        self.reason = reason
        super().__init__(f"{printable(self.path)}: {reason}")


class ArtifactError(InputError):
    """A stored model or library that cannot be opened: missing, damaged or of another version."""
