"""Files that commands read and write beside video, and the names that they get."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from itertools import chain, count
from pathlib import Path
from typing import Any

from worldline.cli.output import to_text
from worldline.core.clip import Clip
from worldline.core.errors import MediaError
from worldline.core.wording import printable

__all__ = ["damage_in", "nearby", "read_tail", "stems", "write_json"]


def write_json(path: Path, record: Mapping[str, Any]) -> None:
    """Write strict JSON (NaN becomes null); a reader never sees half a file."""
    partial = path.with_name(path.name + ".partial")
    partial.write_text(to_text(record) + "\n", encoding="utf-8")
    partial.replace(path)


def stems(paths: Sequence[str | Path]) -> dict[str, str]:
    """Path to a name for its outputs: the file's stem, numbered where another has it already."""
    names: dict[str, str] = {}
    for path in map(str, paths):
        if path not in names:
            stem = Path(path).stem
            numbered = (f"{stem}-{number}" for number in count(2))
            taken = set(names.values())
            names[path] = next(name for name in chain([stem], numbered) if name not in taken)
    return names


def nearby(source: str) -> str:
    """A path as a person would type it from here: relative, if it lies below this folder.

    Control characters are written out.
    """
    try:
        return printable(str(Path(source).relative_to(Path.cwd())))
    except ValueError:
        return printable(source)


def damage_in(clip: Clip) -> dict[str, str]:
    """`{"error": ...}` for a clip out of a damaged file, of which only a part could be read."""
    damage = dict(clip.provenance.details).get("damage")
    return {"error": damage} if damage else {}


def read_tail(path: str, *, end_s: float | None, span_s: float) -> Clip:
    """The part of a video before `end_s` (or its end): at least `span_s` where it is that long.

    Raises:
        MediaError: the file cannot be used.
    """
    from worldline.data import probe, read_clip

    duration_s = probe(path).duration_s
    start_s = (duration_s if end_s is None else min(end_s, duration_s)) - span_s
    if start_s > 0:
        # What the container says of its length may be wrong, so that nothing is there to read.
        with contextlib.suppress(MediaError):
            return read_clip(path, start_s=start_s, end_s=end_s)
    return read_clip(path, end_s=end_s)
