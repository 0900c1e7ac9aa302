"""Read LeRobot v3 datasets episode by episode, one of them in memory at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.dataset as pads
import pyarrow.parquet as pq
from jaxtyping import UInt8

from worldline.core.errors import InputError, MediaError
from worldline.core.provenance import Origin, Provenance
from worldline.core.wording import counted
from worldline.data import lerobot_layout as layout
from worldline.data.actions import ActionSpec
from worldline.data.decode import MAX_CLIP_BYTES, iter_frames, probe
from worldline.data.episode import Episode, EpisodeError, FieldError, OnReject, reject

__all__ = ["LeRobotInfo", "describe_lerobot", "read_lerobot"]

_SLACK = 0.2
"""A frame or a time stamp may be off by this share of a frame period. Rounding is far below it,
another frame rate far above."""


@dataclass(frozen=True)
class LeRobotInfo:
    """What a dataset says about itself.

    Attributes:
        folder: of the dataset.
        fps: frames per second.
        num_episodes, num_frames: as announced.
        cameras: names of its videos.
        spec: what its actions mean; None where it has none.
        features: every column as `info.json` describes it.
        data_path, video_path: templates of file names.
    """

    folder: Path
    fps: float
    num_episodes: int
    num_frames: int
    cameras: tuple[str, ...]
    spec: ActionSpec | None
    features: Mapping[str, Any]
    data_path: str
    video_path: str


def describe_lerobot(folder: str | Path) -> LeRobotInfo:
    """Read `meta/info.json`.

    Raises:
        InputError: no dataset, not finished, of another version, without video, or its actions
            cannot be understood; names the dataset and the field.
    """
    folder = Path(folder)
    record = _read_json(folder, layout.INFO_PATH)
    version = record.get("codebase_version")
    if version != layout.VERSION:
        raise InputError(
            f"{folder}: codebase_version is {version}, this program reads {layout.VERSION}; "
            "convert the dataset with LeRobot's own script first"
        )
    try:
        features = {str(name): dict(item) for name, item in record["features"].items()}
        fps = float(record["fps"])
        announced = int(record["total_episodes"]), int(record["total_frames"])
        data_path, video_path = str(record["data_path"]), str(record["video_path"])
        cameras = tuple(name for name, item in features.items() if item["dtype"] == "video")
        data_path.format(chunk_index=0, file_index=0)
        video_path.format(video_key="", chunk_index=0, file_index=0)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise InputError(f"{folder}: {layout.INFO_PATH} lacks or garbles {error}") from None
    if not (np.isfinite(fps) and fps > 0):
        raise InputError(f"{folder}: fps is {fps}, expected a positive number")
    if not cameras:
        raise InputError(f"{folder}: has no feature of type video; single pictures are not read")
    spec = None
    if layout.ACTION in features:
        stats = None
        if (folder / layout.STATS_PATH).is_file():
            stats = _read_json(folder, layout.STATS_PATH).get(layout.ACTION)
        try:
            spec = layout.spec_of(features[layout.ACTION], stats)
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"{folder}: actions {error}") from None
    return LeRobotInfo(
        folder=folder,
        fps=fps,
        num_episodes=announced[0],
        num_frames=announced[1],
        cameras=cameras,
        spec=spec,
        features=features,
        data_path=data_path,
        video_path=video_path,
    )


def read_lerobot(
    folder: str | Path,
    *,
    camera: str | None = None,
    max_side_px: int | None = None,
    strict: bool = True,
    on_reject: OnReject | None = None,
    start: int = 0,
) -> Iterator[Episode]:
    """Yield the episodes of a dataset in its order.

    Args:
        folder: that has `meta`, `data` and `videos` in it.
        camera: which video; may be left out where there is only one.
        max_side_px: shrink so that the longer side is at most this.
        strict: raise at the first episode that is faulty: rows, frames or files are missing,
            lengths do not agree, actions are NaN or of another width, the video or the time
            stamps have another frame rate than the dataset.
        on_reject: told of each episode that is left out; a warning if absent.
        start: so many episodes are passed over unread, faulty ones among them.

    Raises:
        InputError: the dataset as a whole cannot be used, as in `describe_lerobot`; several
            cameras and none named.
        EpisodeError: an episode is faulty and `strict`; names dataset, episode and field.
    """
    info = describe_lerobot(folder)
    if camera is None and len(info.cameras) > 1:
        raise InputError(f"{info.folder}: name one of its cameras: {', '.join(info.cameras)}")
    named = next(iter(info.cameras)) if camera is None else camera
    if named not in info.cameras:
        raise InputError(f"{info.folder}: no camera {named}; it has {', '.join(info.cameras)}")
    tasks = _tasks(info.folder)
    num_rows = 0
    for row in _index_rows(info, named):
        num_rows += 1
        if num_rows <= start:
            continue
        number = row["episode_index"]
        try:
            yield _read_episode(info, named, row, tasks, max_side_px)
        except FieldError as error:
            told = EpisodeError(str(info.folder), number, error.field, error.reason)
            reject(told, strict=strict, on_reject=on_reject)
    for number in range(max(num_rows, start), info.num_episodes):
        reason = f"is missing; {layout.INFO_PATH} announces {counted(info.num_episodes, 'episode')}"
        told = EpisodeError(str(info.folder), number, "meta/episodes", reason)
        reject(told, strict=strict, on_reject=on_reject)


def _read_json(folder: Path, name: str) -> dict[str, Any]:
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    try:
        record = json.loads((folder / name).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(
            f"{folder}: no {name}; not a LeRobot dataset, or one that was not finished"
        ) from None
    except (OSError, ValueError) as error:
        raise InputError(f"{folder}: {name} cannot be read ({error})") from None
    if not isinstance(record, dict):
        raise InputError(f"{folder}: {name} is not a JSON object")
    return record


def _tasks(folder: Path) -> dict[int, str]:
    """Task number to sentence. The sentences are the row labels of a pandas table."""
    if not (folder / layout.TASKS_PATH).is_file():
        return {}
    try:
        table = pq.read_table(folder / layout.TASKS_PATH)
        numbers = table.column("task_index").to_pylist()
        names = [field.name for field in table.schema if field.name != "task_index"]
        sentences = table.column(names[0]).to_pylist() if names else []
    except (pa.ArrowException, KeyError, OSError) as error:
        raise InputError(f"{folder}: {layout.TASKS_PATH} cannot be read ({error})") from None
    return {int(n): str(sentence) for n, sentence in zip(numbers, sentences, strict=False)}


def _index_rows(info: LeRobotInfo, camera: str) -> Iterator[dict[str, Any]]:
    """Rows of `meta/episodes`, a batch of them in memory."""
    files = sorted((info.folder / "meta" / "episodes").glob("*/*.parquet"))
    if not files:
        raise InputError(f"{info.folder}: no Parquet file in meta/episodes")
    wanted = ["episode_index", "length", "data/chunk_index", "data/file_index"]
    wanted += [f"videos/{camera}/{name}" for name in ("chunk_index", "file_index")]
    wanted += [f"videos/{camera}/{name}" for name in ("from_timestamp", "to_timestamp")]
    for file in files:
        try:
            with pq.ParquetFile(file) as table:
                known = set(table.schema_arrow.names)
                if missing := [name for name in wanted if name not in known]:
                    raise InputError(f"{info.folder}: {file.name} of meta/episodes lacks {missing}")
                columns = [*wanted, *({layout.PROVENANCE} & known)]
                for batch in table.iter_batches(batch_size=256, columns=columns):
                    yield from batch.to_pylist()
        except (pa.ArrowException, OSError) as error:
            raise InputError(f"{file}: cannot be read ({error})") from None


def _read_episode(
    info: LeRobotInfo,
    camera: str,
    row: Mapping[str, Any],
    tasks: Mapping[int, str],
    max_side_px: int | None,
) -> Episode:
    if missing := [name for name, value in row.items() if value is None]:
        raise FieldError(missing[0], "is empty in meta/episodes")
    table = _rows(info, row)
    num = table.num_rows
    time_s = np.arange(num) / info.fps
    off_s = np.abs(_matrix(table, "timestamp", 1).ravel() - time_s)
    if off_s.max() > _SLACK / info.fps:
        worst = int(off_s.argmax())
        raise FieldError(
            "timestamp",
            f"is {off_s[worst]:g} s from {time_s[worst]:g} s at row {worst}, "
            f"which is not {info.fps:g} frames/s",
        )
    spec, actions = info.spec, None
    if spec is not None:
        kind = np.int64 if spec.is_discrete else np.float32
        actions = _matrix(table, layout.ACTION, spec.num_columns).astype(kind)
    state = rewards = None
    state_names: tuple[str, ...] = ()
    if _is_vector(info, layout.STATE):
        width = info.features[layout.STATE]["shape"][0]
        state = _matrix(table, layout.STATE, width).astype(np.float32)
        state_names = layout.column_names(info.features[layout.STATE], "state")
    if _is_vector(info, layout.REWARD):
        rewards = _matrix(table, layout.REWARD, 1).ravel().astype(np.float32)
    done, cut = (_last(info, table, name) for name in (layout.DONE, layout.TRUNCATED))
    path, start_s = _video(info, camera, row)
    frames = _frames(camera, path, start_s + time_s, 1.0 / info.fps, max_side_px)
    return Episode(
        frames=frames,
        time_s=time_s,
        spec=spec,
        actions=actions,
        rewards=rewards,
        terminated=done,
        truncated=cut or not done,
        state=state,
        state_names=state_names,
        task=tasks.get(int(table.column("task_index")[0].as_py()), "")
        if "task_index" in table.schema.names
        else "",
        provenance=_provenance(info, path, row),
    )


def _rows(info: LeRobotInfo, row: Mapping[str, Any]) -> pa.Table:
    """The rows of one episode, in order."""
    name = info.data_path.format(
        chunk_index=row["data/chunk_index"], file_index=row["data/file_index"]
    )
    names = {layout.ACTION, layout.STATE, layout.REWARD, layout.DONE, layout.TRUNCATED}
    names = {"timestamp", "frame_index", "task_index"} | (names & set(info.features))
    if not (info.folder / name).is_file():
        raise FieldError(name, "is missing")
    try:
        file = pads.dataset(info.folder / name, format="parquet")
        found = set(file.schema.names)
        if missing := names - found - {"task_index"}:
            raise FieldError(sorted(missing)[0], f"is no column of {name}")
        chosen = pads.field("episode_index") == row["episode_index"]
        table = file.to_table(columns=sorted(names & found), filter=chosen)
    except (pa.ArrowException, OSError) as error:
        raise FieldError(name, f"cannot be read ({' '.join(str(error).split())})") from None
    if table.num_rows != row["length"] or table.num_rows == 0:
        raise FieldError(
            "length", f"is {row['length']} in meta/episodes, but {name} has {table.num_rows} rows"
        )
    order = _matrix(table, "frame_index", 1).ravel()
    if (order != np.arange(len(order))).any():
        at = int((order != np.arange(len(order))).argmax())
        raise FieldError("frame_index", f"is {order[at]} at row {at}")
    return table


def _matrix(table: pa.Table, name: str, width: int) -> np.ndarray:
    """A column of numbers or of equally long lists of them, `[T, width]`."""
    column = table.column(name).combine_chunks()
    if isinstance(column, pa.ChunkedArray):
        column = column.chunk(0)
    if column.null_count:
        raise FieldError(name, f"is missing in {column.null_count} rows")
    if pa.types.is_list(column.type) or pa.types.is_fixed_size_list(column.type):
        fixed = pa.types.is_fixed_size_list(column.type)
        lengths = np.full(len(column), column.type.list_size) if fixed else np.diff(column.offsets)
        if (lengths != width).any():
            at = int((lengths != width).argmax())
            raise FieldError(name, f"has {lengths[at]} columns at row {at}, expected {width}")
        column = column.flatten()
    elif width != 1:
        raise FieldError(name, f"has 1 column, expected {width}")
    values = column.to_numpy(zero_copy_only=False)
    if values.dtype.kind not in "fiub":
        raise FieldError(name, f"holds {column.type}, expected numbers")
    values = values.reshape(table.num_rows, width)
    if not (sound := np.isfinite(values).all(axis=1)).all():
        raise FieldError(name, f"is not finite (NaN or infinite) at row {sound.argmin()}")
    return values


def _is_vector(info: LeRobotInfo, name: str) -> bool:
    return name in info.features and len(info.features[name]["shape"]) == 1


def _last(info: LeRobotInfo, table: pa.Table, name: str) -> bool:
    return name in info.features and bool(_matrix(table, name, 1)[-1, 0])


def _video(info: LeRobotInfo, camera: str, row: Mapping[str, Any]) -> tuple[Path, float]:
    place = {name: row[f"videos/{camera}/{name}"] for name in ("chunk_index", "file_index")}
    path = info.folder / info.video_path.format(video_key=camera, **place)
    start_s, end_s = (float(row[f"videos/{camera}/{n}_timestamp"]) for n in ("from", "to"))
    length_s = row["length"] / info.fps
    if abs(end_s - start_s - length_s) > (1 + _SLACK) / info.fps:
        raise FieldError(
            camera,
            f"lasts {end_s - start_s:.3f} s by meta/episodes, but {row['length']} rows at "
            f"{info.fps:g} frames/s last {length_s:.3f} s",
        )
    return path, start_s


def _frames(
    camera: str,
    path: Path,
    time_s: np.ndarray,
    period_s: float,
    max_side_px: int | None,
) -> UInt8[np.ndarray, "t h w 3"]:
    """The frame at each of the times, and none between them."""
    images: list[np.ndarray] = []
    slack_s = _SLACK * period_s
    num_bytes = 0
    try:
        found = iter_frames(
            path,
            start_s=max(0.0, time_s[0] - slack_s),
            end_s=time_s[-1] + slack_s,
            max_side_px=max_side_px,
        )
        for at_s, image in found:
            number = len(images)
            if number == len(time_s) or at_s < time_s[number] - slack_s:
                raise FieldError(
                    camera,
                    f"has a frame at {at_s:.3f} s that no row belongs to (mixed frame rates)",
                )
            if at_s > time_s[number] + slack_s:
                break
            num_bytes += image.nbytes
            if num_bytes > MAX_CLIP_BYTES:
                raise FieldError(camera, "is too long for memory; set max_side_px")
            images.append(image)
    except MediaError as error:
        raise FieldError(camera, f"cannot be read from {path.name} ({error.reason})") from None
    if len(images) < len(time_s):
        missing = len(images)
        raise FieldError(
            camera, f"lacks the frame of row {missing}, at {time_s[missing]:.3f} s of {path.name}"
        )
    return np.stack(images)


def _provenance(info: LeRobotInfo, path: Path, row: Mapping[str, Any]) -> Provenance:
    """As it was written down; a video that is marked as generated stays so in any case."""
    marked = probe(path).provenance
    text = row.get(layout.PROVENANCE)
    known = marked
    if text:
        try:
            known = Provenance.from_json(json.loads(text))
        except (ValueError, AttributeError, TypeError) as error:
            raise FieldError(layout.PROVENANCE, f"cannot be read ({error})") from None
    elif marked.source == str(path):
        known = replace(marked, source=str(info.folder))
    details = dict(known.details)
    details.setdefault("episode", str(row["episode_index"]))
    origin = Origin.GENERATED if marked.origin is Origin.GENERATED else known.origin
    return replace(known, origin=origin, details=tuple(sorted(details.items())))
