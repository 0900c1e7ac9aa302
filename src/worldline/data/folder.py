"""One's own videos, with a table of actions beside each of them or without.

Beside `take.mp4` may lie `take.csv`: a header, then one row per action. One column says when,
all others are the action:

    frame,throttle,steering        or        time_s,throttle,steering
    0,0.2,-0.1                               0.000,0.2,-0.1
    1,0.3,-0.1                               0.010,0.3,-0.1

By `frame`, there is a row for each frame of the video, or for each but the last, which then is left
out. By `time_s` (of the video's own clock), rows may come at any rate: an action holds until the
next row, and a frame's action is the mean over the time until the next frame, or, for choices,
what holds when the frame is seen.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float

from worldline.core.errors import InputError, MediaError
from worldline.core.media import videos_below
from worldline.core.provenance import Provenance
from worldline.core.wording import counted
from worldline.data.actions import ActionSpec
from worldline.data.decode import iter_frames, probe
from worldline.data.episode import Episode, EpisodeError, FieldError, OnReject, reject

__all__ = ["read_folder"]

_MOST = float(np.finfo(np.float32).max)  # actions are kept in single precision
_PREVIEW_PX = 8  # the first pass over a video is for its times alone


@dataclass(frozen=True, eq=False)
class _Table:
    """A table of actions: `[R]` moments (frame numbers or seconds), `[R, A]` values."""

    by_frame: bool
    moments: Float[np.ndarray, " r"]
    values: Float[np.ndarray, "r a"]
    names: tuple[str, ...]


def read_folder(
    folder: str | Path,
    *,
    max_frames: int = 1000,
    max_side_px: int | None = None,
    need_actions: bool = False,
    num_actions: tuple[int, ...] = (),
    strict: bool = True,
    on_reject: OnReject | None = None,
) -> Iterator[Episode]:
    """Yield the videos below a folder by name, longer ones in parts of `max_frames`.

    Args:
        folder: searched recursively; or a single file.
        max_frames: no more are in memory at a time.
        max_side_px: shrink so that the longer side is at most this.
        need_actions: a video without a table counts as faulty.
        num_actions: the columns of the tables are choices among so many; else they are numbers.
        strict: raise at the first video that is faulty: unreadable, damaged, or with a table that
            does not belong to it, has gaps, or holds anything but finite numbers.
        on_reject: told of each video that is left out, or that breaks off, and of each folder that
            cannot be read; a warning if absent.

    Raises:
        InputError: no such folder, or no video in it.
        EpisodeError: a video is faulty and `strict`; names folder, file and field.
    """
    root = Path(folder)
    if max_frames < 2:
        raise InputError(f"max_frames is {max_frames}, expected 2 or more")
    if not root.exists():
        raise InputError(f"{root}: no such file or folder")
    if root.is_dir():
        videos, unread = videos_below(root)
        for problem in unread:
            told = EpisodeError(
                str(root), str(problem.filename), "folder", f"cannot be read ({problem.strerror})"
            )
            reject(told, strict=strict, on_reject=on_reject)
    else:
        root, videos = root.parent, [root]
    if not videos:
        raise InputError(f"{root}: no video files in this folder")
    for video in videos:
        try:
            yield from _read_video(video, max_frames, max_side_px, need_actions, num_actions)
        except (FieldError, MediaError) as error:
            field = error.field if isinstance(error, FieldError) else "video"
            told = EpisodeError(str(root), str(video.relative_to(root)), field, error.reason)
            reject(told, strict=strict, on_reject=on_reject)


def _read_video(
    video: Path,
    max_frames: int,
    max_side_px: int | None,
    need_actions: bool,
    num_actions: tuple[int, ...],
) -> Iterator[Episode]:
    table_file = video.with_suffix(".csv")
    provenance = probe(video).provenance
    damage: list[str] = []
    spec = actions = None
    num_frames: int | None = None
    if table_file.is_file():
        # Whether a table fits shows only at the end of the video, so there are two passes.
        seen = iter_frames(video, max_side_px=_PREVIEW_PX, on_damage=damage.append)
        time_s = np.array([at_s for at_s, _ in seen])
        if damage:
            raise FieldError("frames", f"are {damage[0]}")
        spec, actions = _actions_of(table_file, time_s, num_actions)
        num_frames = len(actions)
    elif need_actions:
        raise FieldError("actions", f"are missing; there is no {table_file.name} beside the video")
    frames = iter_frames(video, max_side_px=max_side_px, on_damage=damage.append)
    for part, (first, images, time_s) in enumerate(_parts(frames, max_frames, num_frames)):
        rows = slice(first, first + len(images))
        yield Episode(
            frames=np.stack(images),
            time_s=np.asarray(time_s),
            spec=spec,
            actions=None if actions is None else actions[rows],
            truncated=True,
            provenance=_named(provenance, video, part),
        )
    if damage:
        raise FieldError("frames", f"are {damage[0]}")


def _parts(
    frames: Iterator[tuple[float, np.ndarray]], max_frames: int, num_frames: int | None
) -> Iterator[tuple[int, list[np.ndarray], list[float]]]:
    """(number of the first frame, frames, times), `max_frames` or fewer at a time."""
    images: list[np.ndarray] = []
    time_s: list[float] = []
    number = 0
    for at_s, image in frames:
        if number == num_frames:
            break
        images.append(image)
        time_s.append(at_s)
        number += 1
        if len(images) == max_frames:
            yield number - len(images), images, time_s
            images, time_s = [], []
    if images:
        yield number - len(images), images, time_s


def _named(provenance: Provenance, video: Path, part: int) -> Provenance:
    details = {**dict(provenance.details), "file": video.name, "part": str(part)}
    return replace(provenance, details=tuple(sorted(details.items())))


def _actions_of(
    file: Path, time_s: Float[np.ndarray, " t"], num_actions: tuple[int, ...]
) -> tuple[ActionSpec, np.ndarray]:
    """What the columns mean, and the action of each frame (of each but the last, perhaps)."""
    table = _read_table(file)
    width = table.values.shape[1]
    if num_actions and len(num_actions) != width:
        raise FieldError("actions", f"has {width} columns, expected {len(num_actions)}")
    if num_actions:
        beyond = (table.values < 0) | (table.values >= num_actions)
        wrong = beyond | (table.values != np.rint(table.values))
        if wrong.any():
            row, column = np.argwhere(wrong)[0]
            most = num_actions[column] - 1
            raise FieldError(
                table.names[column],
                f"is {table.values[row, column]:g} in row {row + 1} of {file.name}, "
                f"expected a whole number from 0 to {most}",
            )
        pairs = zip(table.names, num_actions, strict=True)
        labels = tuple(f"{name}_{k}" for name, count in pairs for k in range(count))
        spec = ActionSpec(names=labels, num_actions=num_actions)
    else:
        spec = ActionSpec(names=table.names)
    chosen = (
        _by_frame(file, table, len(time_s)) if table.by_frame else _by_time(table, time_s, spec)
    )
    return spec, chosen.astype(np.int64 if spec.is_discrete else np.float32)


def _by_frame(file: Path, table: _Table, num_frames: int) -> Float[np.ndarray, "n a"]:
    num_rows = len(table.moments)
    expected = np.arange(num_rows)
    if (table.moments != expected).any():
        row = int((table.moments != expected).argmax())
        raise FieldError(
            "frame", f"is {table.moments[row]:g} in row {row + 1} of {file.name}, expected {row}"
        )
    if num_rows not in (num_frames, num_frames - 1):
        raise FieldError(
            "actions",
            f"has {counted(num_rows, 'row')} in {file.name}, but the video "
            f"{counted(num_frames, 'frame')}",
        )
    return table.values


def _by_time(
    table: _Table, time_s: Float[np.ndarray, " t"], spec: ActionSpec
) -> Float[np.ndarray, "t a"]:
    """What holds at each frame, or its mean until the next one."""
    moments = table.moments
    period_s = float(np.median(np.diff(time_s)))
    rate_s = float(np.median(np.diff(moments))) if len(moments) > 1 else 0.0
    if moments[0] > time_s[0] + period_s / 2:
        raise FieldError("actions", f"begin at {moments[0]:g} s, the video at {time_s[0]:g} s")
    if len(moments) > 2 and len(time_s) > 2 and np.count_nonzero(moments <= time_s[-1]) < 2:
        raise FieldError(
            "time_s",
            f"has one row within the video, which ends at {time_s[-1]:g} s, and goes on to "
            f"{moments[-1]:g}; it must be in seconds",
        )
    if moments[-1] < time_s[-1] - 1.5 * max(period_s, rate_s):
        raise FieldError("actions", f"end at {moments[-1]:g} s, the video at {time_s[-1]:g} s")
    if spec.is_discrete:
        held = np.searchsorted(moments, time_s + 1e-6, side="right") - 1
        return table.values[np.maximum(held, 0)]
    # Integral of the held action up to each row, then between frames, where it is linear.
    steps = table.values[:-1] * np.diff(moments)[:, None]
    area = np.concatenate([np.zeros((1, table.values.shape[1])), np.cumsum(steps, axis=0)])

    def up_to(at_s: np.ndarray) -> np.ndarray:
        row = np.maximum(np.searchsorted(moments, at_s, side="right") - 1, 0)
        return area[row] + table.values[row] * (at_s - moments[row])[:, None]

    edges = np.append(time_s, time_s[-1] + period_s)
    return np.diff(up_to(edges), axis=0) / np.diff(edges)[:, None]


def _read_table(file: Path) -> _Table:
    try:
        with file.open(newline="", encoding="utf-8-sig") as stream:
            rows = [row for row in csv.reader(stream) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise FieldError("actions", f"cannot be read from {file.name} ({error})") from None
    header = [name.strip() for name in rows[0]] if rows else []
    clocks = [name for name in ("frame", "time_s") if name in header]
    if len(clocks) != 1 or len(set(header)) != len(header):
        raise FieldError(
            "actions", f"need one column frame or time_s in {file.name}, and each name once"
        )
    if len(header) < 2 or len(rows) < 2:
        raise FieldError("actions", f"are missing; {file.name} has no column or no row of them")
    numbers = np.array([_numbers(file, header, i, row) for i, row in enumerate(rows[1:], start=1)])
    at = header.index(clocks[0])
    moments = numbers[:, at]
    if (np.diff(moments) <= 0).any():
        row = int((np.diff(moments) <= 0).argmax()) + 2
        raise FieldError(clocks[0], f"does not increase in row {row} of {file.name}")
    return _Table(
        by_frame=clocks[0] == "frame",
        moments=moments,
        values=np.delete(numbers, at, axis=1),
        names=tuple(name for name in header if name != clocks[0]),
    )


def _numbers(file: Path, header: list[str], row: int, cells: list[str]) -> list[float]:
    if len(cells) != len(header):
        where = f"row {row} of {file.name}"
        raise FieldError("actions", f"has {len(cells)} cells in {where}, expected {len(header)}")
    found = []
    for name, cell in zip(header, cells, strict=True):
        try:
            number = float(cell)
        except ValueError:
            number = np.nan
        if not abs(number) <= _MOST:
            raise FieldError(name, f"is {cell!r} in row {row} of {file.name}, expected a number")
        found.append(number)
    return found
