"""Write episodes as a LeRobot v3 dataset, in constant memory."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from worldline.core.errors import InputError
from worldline.data import lerobot_layout as layout
from worldline.data.encode import write_video
from worldline.data.episode import Episode, EpisodeError, OnReject, reject
from worldline.data.lerobot_layout import Stats

__all__ = ["CAMERA", "WrittenDataset", "write_lerobot"]

CAMERA = "observation.image"
"""Name of the frames in a dataset with one camera."""

_EVEN_S = 1e-4  # the tolerance with which LeRobot's own reader looks for a frame
_BUFFERED = 64  # episodes whose index is written together
_FULL_COLOR_PX = 128  # up to this side each pixel keeps its colour: things are a few pixels wide


@dataclass(frozen=True)
class WrittenDataset:
    """What was written.

    Attributes:
        folder: of the dataset.
        fps: frames per second.
        num_episodes, num_frames: how many.
        files: MP4 and Parquet files with episodes, relative to the folder.
    """

    folder: Path
    fps: float
    num_episodes: int
    num_frames: int
    files: tuple[str, ...]


def write_lerobot(
    folder: str | Path,
    episodes: Iterable[Episode],
    *,
    camera: str = CAMERA,
    frames_per_file: int = 20_000,
    strict: bool = True,
    on_reject: OnReject | None = None,
) -> WrittenDataset:
    """Write episodes one after another; they are taken from the iterator as the writing goes on.

    The first episode decides the frame rate, the size and which columns there are. Video is H.264,
    so that frames are not exactly what they were: up to 128 pixels a side with the colour of each
    pixel (4:4:4), beyond that in 4:2:0. Odd sides grow by one pixel.

    Discrete actions are stored as the whole numbers that were chosen. What the columns of an action
    mean stands in `info.json` under `features.action.info.worldline`. `meta/info.json` is written
    last: a folder without it was not finished.

    Args:
        folder: new or empty.
        episodes: at least one.
        camera: name of the frames, such as "observation.images.front".
        frames_per_file: a file ends before the episode that would exceed it.
        strict: raise at an episode that does not fit the first one; else leave it out.
        on_reject: told of each episode that is left out; a warning if absent.

    Raises:
        InputError: the folder is not empty, there is no episode, or a name cannot be used.
        EpisodeError: an episode does not fit and `strict`.
    """
    folder = Path(folder)
    if layout.is_unfinished(folder):
        raise InputError(f"{folder}: {layout.UNFINISHED}")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder}: is not an empty folder; choose another one for the dataset")
    if "/" in camera or not camera.startswith("observation.image"):
        raise InputError(f"camera {camera!r} must begin with observation.image and have no slash")
    if frames_per_file < 2:
        raise InputError(f"frames_per_file is {frames_per_file}, expected 2 or more")
    source = iter(episodes)
    first = next(source, None)
    if first is None:
        raise InputError(f"{folder}: there is no episode to write")
    shape = _Shape(str(folder), first)
    fitting = _fitting(shape, chain([first], source), strict, on_reject)
    held = next(fitting, None)
    if held is None:
        raise InputError(f"{folder}: no episode could be written")
    writer = _Writer(folder, shape, camera, frames_per_file)
    with writer.index:
        while held is not None:
            held = writer.write_file(held, fitting)
    return writer.finish()


class _Shape:
    """What all episodes of a dataset have in common."""

    def __init__(self, folder: str, first: Episode) -> None:
        self.folder, self.first = folder, first
        rate = round(first.fps, 6)
        self.fps: float = int(rate) if rate == int(rate) else rate
        self.full_color = max(first.frames.shape[1:3]) <= _FULL_COLOR_PX

    def fault(self, episode: Episode) -> tuple[str, str] | None:
        """Field and reason why an episode does not fit."""
        first = self.first
        if episode.num_frames < 2:
            return "frames", "is a single one; a video needs two"
        if episode.frames.shape[1:] != first.frames.shape[1:]:
            sizes = [f"{e.frames.shape[2]}x{e.frames.shape[1]}" for e in (episode, first)]
            return "frames", f"are {sizes[0]}, the first episode's {sizes[1]}"
        even_s = episode.time_s[0] + np.arange(episode.num_frames) / self.fps
        if np.abs(episode.time_s - even_s).max() > _EVEN_S:
            return "time_s", f"is not even at the first episode's {self.fps:g} frames/s"
        if episode.spec != first.spec:
            return "actions", "have another meaning than the first episode's"
        for name in ("rewards", "state"):
            one, other = getattr(episode, name), getattr(first, name)
            if (one is None) != (other is None):
                return name, "must be in all episodes or in none"
            if one is not None and one.shape[1:] != other.shape[1:]:
                return name, f"has {one.shape[1]} columns, the first episode's {other.shape[1]}"
        if episode.provenance.origin is not first.provenance.origin:
            pair = f"{episode.provenance.origin}, the first episode's {first.provenance.origin}"
            return "provenance", f"is {pair}; keep them in datasets of their own"
        return None


def _fitting(
    shape: _Shape, episodes: Iterable[Episode], strict: bool, on_reject: OnReject | None
) -> Iterator[Episode]:
    for number, episode in enumerate(episodes):
        fault = shape.fault(episode)
        if fault is None:
            yield episode
        else:
            error = EpisodeError(shape.folder, number, *fault)
            reject(error, strict=strict, on_reject=on_reject)


class _Index:
    """`meta/episodes`: one row per episode, written a few at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rows: list[dict[str, Any]] = []
        self._writer: pq.ParquetWriter | None = None

    def __enter__(self) -> _Index:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._flush()
        if self._writer is not None:
            self._writer.close()

    def add(self, row: dict[str, Any]) -> None:
        self._rows.append(row)
        if len(self._rows) >= _BUFFERED:
            self._flush()

    def _flush(self) -> None:
        if not self._rows:
            return
        table = pa.Table.from_pylist(self._rows)
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._path, table.schema)
        self._writer.write_table(table)
        self._rows.clear()


class _Writer:
    """Counts rows, files and tasks while episodes go through."""

    def __init__(self, folder: Path, shape: _Shape, camera: str, frames_per_file: int) -> None:
        self.folder, self.shape, self.camera = folder, shape, camera
        self.frames_per_file = frames_per_file
        self.index = _Index(folder / layout.EPISODES_PATH.format(chunk_index=0, file_index=0))
        self.num_episodes = self.num_frames = 0
        self.place = {"chunk_index": 0, "file_index": -1}
        self.files: list[str] = []
        self.tasks: dict[str, int] = {}
        self.stats: dict[str, Stats] = {}
        self.features = _features(shape, camera)
        named = self.features.items()
        self.schema = pa.schema([(n, _arrow_type(f)) for n, f in named if f["dtype"] != "video"])

    def write_file(self, held: Episode, episodes: Iterator[Episode]) -> Episode | None:
        """Fill one pair of files. Returns the first episode that belongs to the next."""
        self.place["file_index"] += 1
        if self.place["file_index"] == layout.FILES_PER_CHUNK:
            self.place = {"chunk_index": self.place["chunk_index"] + 1, "file_index": 0}
        data = layout.DATA_PATH.format(**self.place)
        video = layout.VIDEO_PATH.format(video_key=self.camera, **self.place)
        (self.folder / data).parent.mkdir(parents=True, exist_ok=True)
        after: Episode | None = held

        def frames() -> Iterator[np.ndarray]:
            nonlocal after
            in_file = 0
            while after is not None:
                if in_file and in_file + after.num_frames > self.frames_per_file:
                    return
                rows.write_table(self._add(after, in_file))
                in_file += after.num_frames
                yield from after.frames
                after = next(episodes, None)

        with pq.ParquetWriter(self.folder / data, self.schema) as rows:
            mark = self.shape.first.provenance
            write_video(
                self.folder / video,
                frames(),
                fps=self.shape.fps,
                provenance=mark,
                full_color=self.shape.full_color,
            )
        self.files += [data, video]
        return after

    def _columns(self, episode: Episode) -> dict[str, np.ndarray]:
        """Numbers of an episode, `[T, columns]` each."""
        num = episode.num_frames
        task = self.tasks.setdefault(episode.task, len(self.tasks))
        last = np.arange(num) == num - 1
        columns: dict[str, np.ndarray | None] = {
            layout.ACTION: episode.actions,
            layout.STATE: episode.state,
            layout.REWARD: episode.rewards,
            layout.DONE: last & episode.terminated,
            layout.TRUNCATED: last & episode.truncated,
            "timestamp": (np.arange(num) / self.shape.fps).astype(np.float32),
            "frame_index": np.arange(num),
            "episode_index": np.full(num, self.num_episodes),
            "index": np.arange(self.num_frames, self.num_frames + num),
            "task_index": np.full(num, task),
        }
        return {name: a.reshape(num, -1) for name, a in columns.items() if a is not None}

    def _add(self, episode: Episode, frame_in_file: int) -> pa.Table:
        columns = self._columns(episode)
        stats = {name: layout.vector_stats(values) for name, values in columns.items()}
        stats[self.camera] = layout.picture_stats(episode.frames)
        for name, found in stats.items():
            known = self.stats.get(name)
            self.stats[name] = found if known is None else layout.merge_stats(known, found)
        num, fps = episode.num_frames, self.shape.fps
        self.index.add(
            {
                "episode_index": self.num_episodes,
                "tasks": [episode.task],
                "length": num,
                **{f"data/{name}": number for name, number in self.place.items()},
                "dataset_from_index": self.num_frames,
                "dataset_to_index": self.num_frames + num,
                **{f"videos/{self.camera}/{n}": number for n, number in self.place.items()},
                f"videos/{self.camera}/from_timestamp": frame_in_file / fps,
                f"videos/{self.camera}/to_timestamp": (frame_in_file + num) / fps,
                **{f"stats/{n}/{key}": v for n, one in stats.items() for key, v in one.items()},
                "meta/episodes/chunk_index": 0,
                "meta/episodes/file_index": 0,
                layout.PROVENANCE: json.dumps(episode.provenance.to_json()),
            }
        )
        self.num_episodes += 1
        self.num_frames += num
        arrays = []
        for field in self.schema:
            values = columns[field.name]
            flat = pa.array(values.ravel(), type=pa.from_numpy_dtype(values.dtype))
            wide = pa.types.is_fixed_size_list(field.type)
            arrays.append(
                pa.FixedSizeListArray.from_arrays(flat, values.shape[1]) if wide else flat
            )
        return pa.Table.from_arrays(arrays, schema=self.schema)

    def finish(self) -> WrittenDataset:
        """Write what is known only at the end."""
        pq.write_table(_task_table(self.tasks), self.folder / layout.TASKS_PATH)
        _write_json(self.folder / layout.STATS_PATH, self.stats)
        info = {
            "codebase_version": layout.VERSION,
            "robot_type": None,
            "total_episodes": self.num_episodes,
            "total_frames": self.num_frames,
            "total_tasks": len(self.tasks),
            "chunks_size": layout.FILES_PER_CHUNK,
            "data_files_size_in_mb": 100,
            "video_files_size_in_mb": 200,
            "fps": self.shape.fps,
            "splits": {"train": f"0:{self.num_episodes}"},
            "data_path": layout.DATA_PATH,
            "video_path": layout.VIDEO_PATH,
            "features": self.features,
        }
        _write_json(self.folder / layout.INFO_PATH, info)
        return WrittenDataset(
            folder=self.folder,
            fps=self.shape.fps,
            num_episodes=self.num_episodes,
            num_frames=self.num_frames,
            files=tuple(self.files),
        )


def _features(shape: _Shape, camera: str) -> dict[str, dict[str, Any]]:
    first = shape.first
    height, width = (side + side % 2 for side in first.frames.shape[1:3])
    picture = layout.feature("video", (height, width, 3), ["height", "width", "channels"])
    picture["info"] = {
        "video.height": height,
        "video.width": width,
        "video.codec": "h264",
        "video.pix_fmt": "yuv444p" if shape.full_color else "yuv420p",
        "video.is_depth_map": False,
        "video.fps": shape.fps,
        "video.channels": 3,
        "has_audio": False,
    }
    features = {camera: picture}
    if first.spec is not None:
        spec = first.spec
        kind, columns = ("int64", spec.num_columns) if spec.is_discrete else ("float32", None)
        names = [f"choice_{i}" for i in range(columns)] if columns else list(spec.names)
        action = layout.feature(kind, (len(names),), names)
        features[layout.ACTION] = {**action, "info": {layout.OWN_KEY: spec.to_json()}}
    if first.state is not None:
        numbered = [f"state_{i}" for i in range(first.state.shape[1])]
        names = list(first.state_names) or numbered
        features[layout.STATE] = layout.feature("float32", (len(names),), names)
    if first.rewards is not None:
        features[layout.REWARD] = layout.feature("float32", (1,))
    for name in (layout.DONE, layout.TRUNCATED):
        features[name] = layout.feature("bool", (1,))
    features["timestamp"] = layout.feature("float32", (1,))
    for name in ("frame_index", "episode_index", "index", "task_index"):
        features[name] = layout.feature("int64", (1,))
    return features


def _arrow_type(feature: dict[str, Any]) -> pa.DataType:
    (width,) = feature["shape"]
    one = pa.bool_() if feature["dtype"] == "bool" else getattr(pa, feature["dtype"])()
    return one if width == 1 else pa.list_(one, width)


def _task_table(tasks: dict[str, int]) -> pa.Table:
    """LeRobot reads this table with pandas and wants the sentences to be its row labels."""
    label = "__index_level_0__"
    columns = [("task_index", "task_index", "int64", "int64"), (None, label, "unicode", "object")]
    keys = ("name", "field_name", "pandas_type", "numpy_type")
    pandas = {
        "index_columns": [label],
        "column_indexes": [],
        "columns": [{**dict(zip(keys, c, strict=True)), "metadata": None} for c in columns],
        "creator": {"library": "pyarrow", "version": pa.__version__},
    }
    table = pa.table({"task_index": list(tasks.values()), label: list(tasks)})
    return table.replace_schema_metadata({"pandas": json.dumps(pandas)})


def _write_json(path: Path, record: dict[str, Any]) -> None:
    partial = path.with_name(path.name + ".partial")
    partial.write_text(json.dumps(record, indent=4, allow_nan=False) + "\n", encoding="utf-8")
    partial.replace(path)
