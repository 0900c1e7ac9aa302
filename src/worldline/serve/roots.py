"""`MediaRoots`: the folders that a server may read videos from, and no step outside of them."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from worldline.core.errors import InputError
from worldline.core.wording import printable

__all__ = ["MediaRoots"]

_PATH = re.compile(r"(?<![\w/.:])/(?:[^\s/:;,'\"()]+/)+[^\s/:;,'\"()]*")


@dataclass(frozen=True)
class MediaRoots:
    """Folders with the videos that may be read.

    Attributes:
        folders: absolute, as they were named; links in them count as what they lead to.
    """

    folders: tuple[Path, ...]

    @classmethod
    def check(cls, folders: Sequence[Path]) -> MediaRoots:
        """Take folders that are there.

        Raises:
            InputError: one of them is no folder; names it.
        """
        for folder in folders:
            if not folder.is_dir():
                raise InputError(f"--media {printable(str(folder))}: no such folder; name another")
        return cls(tuple(folder.absolute() for folder in folders))

    def holds(self, path: str | Path) -> bool:
        """Whether what a path leads to, through all links, lies below one of the folders."""
        try:
            real = os.path.realpath(path)
        except (OSError, ValueError):
            return False
        return any(
            PurePath(real).is_relative_to(os.path.realpath(folder)) for folder in self.folders
        )

    def find(self, given: str) -> Path:
        """What a client names: an absolute path, or one relative to one of the folders.

        Raises:
            InputError: it is not below a media folder, or not there; says no more than that.
        """
        shown = printable(given)
        if not self.folders:
            raise InputError("no media folder is open; start the server with --media FOLDER")
        if not given or "\0" in given or ".." in PurePath(given).parts:
            raise InputError(f"{shown or 'the path'}: give a path below a media folder, without ..")
        for folder in self.folders:
            path = folder / given  # an absolute one stays as it is
            try:
                there = path.is_relative_to(folder) and os.path.lexists(path)
            except (OSError, ValueError):
                continue
            if there and self.holds(path):
                return path
        raise InputError(f"{shown}: nothing of this name below the media folders")

    def spell(self, name: str) -> str:
        """The absolute path of what lies below a media folder; any other name as it is."""
        try:
            return str(self.find(name))
        except InputError:
            return name

    def show(self, source: str) -> str:
        """A video's path for clients: whole below a media folder, else the file's name alone."""
        if any(PurePath(source).is_relative_to(folder) for folder in self.folders):
            return source
        return PurePath(source).name or source

    def clean(self, text: str, names: Mapping[str, str]) -> str:
        """A sentence without paths of this machine that lie outside of the media folders.

        Args:
            text: the sentence.
            names: path or URI to what it is called instead.
        """
        for path in sorted(names, key=len, reverse=True):
            if path:  # as a whole name, not where its letters occur in a word
                whole = rf"(?<![\w/.-]){re.escape(path)}(?![\w-])"
                text = re.sub(whole, lambda _, path=path: names[path], text)
        return _PATH.sub(lambda found: self.show(found[0].rstrip("/")), text)
