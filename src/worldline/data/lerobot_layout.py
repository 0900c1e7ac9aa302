"""Where a LeRobot v3 dataset keeps what, and the statistics that belong to it.

Many episodes share a Parquet file and an MP4 file; `meta/episodes` says which rows and which
seconds are whose. https://huggingface.co/docs/lerobot/lerobot-dataset-v3
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from worldline.data.actions import ActionSpec

__all__ = [
    "ACTION",
    "DATA_PATH",
    "DONE",
    "EPISODES_PATH",
    "FILES_PER_CHUNK",
    "INFO_PATH",
    "OWN_KEY",
    "PROVENANCE",
    "REWARD",
    "STATE",
    "STATS_PATH",
    "TASKS_PATH",
    "TRUNCATED",
    "UNFINISHED",
    "VERSION",
    "VIDEO_PATH",
    "Stats",
    "column_names",
    "feature",
    "is_unfinished",
    "merge_stats",
    "picture_stats",
    "spec_of",
    "vector_stats",
]

VERSION = "v3.0"
INFO_PATH, TASKS_PATH, STATS_PATH = "meta/info.json", "meta/tasks.parquet", "meta/stats.json"
_FILE = "chunk-{chunk_index:03d}/file-{file_index:03d}"
EPISODES_PATH = f"meta/episodes/{_FILE}.parquet"
DATA_PATH = f"data/{_FILE}.parquet"
VIDEO_PATH = f"videos/{{video_key}}/{_FILE}.mp4"
FILES_PER_CHUNK = 1000

ACTION, STATE = "action", "observation.state"
REWARD, DONE, TRUNCATED = "next.reward", "next.done", "next.truncated"

OWN_KEY = "worldline"
"""Under this key of a feature's "info" stands the action spec; other programs pass it over."""

PROVENANCE = "worldline.provenance"
"""Column of `meta/episodes` with where an episode comes from, as JSON."""

UNFINISHED = "is a recording that was broken off and cannot be read; delete it and record again"
"""What is said of a folder where `is_unfinished`."""

Stats = dict[str, Any]
"""Of one feature: "min", "max", "mean", "std", "count" and quantiles, as nested lists."""

_QUANTILES = {"q01": 0.01, "q10": 0.1, "q50": 0.5, "q90": 0.9, "q99": 0.99}
_SAMPLED_FRAMES = 100  # per episode; pictures of one episode are much alike
_SAMPLED_SIDE_PX = 150


def is_unfinished(folder: Path) -> bool:
    """Whether a folder holds a dataset whose writing was broken off: `meta/info.json` comes last,
    after the index of episodes has its folder."""
    begun = (folder / EPISODES_PATH.format(chunk_index=0, file_index=0)).parent
    return begun.is_dir() and not (folder / INFO_PATH).is_file()


def feature(dtype: str, shape: tuple[int, ...], names: list[str] | None = None) -> dict[str, Any]:
    """How `info.json` describes a column."""
    return {"dtype": dtype, "shape": list(shape), "names": names}


def spec_of(record: Mapping[str, Any], stats: Mapping[str, Any] | None) -> ActionSpec:
    """What the actions of a dataset mean, by its feature "action".

    Whole numbers without a spec of ours are choices, as many as the statistics have seen.

    Raises:
        ValueError: the feature does not describe a vector, or its choices cannot be counted.
    """
    shape = tuple(int(side) for side in record["shape"])
    if len(shape) != 1 or shape[0] < 1:
        raise ValueError(f"has shape {shape}, expected a vector")
    width = shape[0]
    own = (record.get("info") or {}).get(OWN_KEY)
    if own is not None:
        spec = ActionSpec.from_json(own)
    else:
        names = _flat_names(record.get("names"))
        if len(names) != width:
            names = [f"action_{i}" for i in range(width)]
        dtype = str(record["dtype"])
        if dtype.startswith("float"):
            return ActionSpec(names=tuple(names))
        if dtype == "bool":
            counts = (2,) * width
        elif not dtype.startswith(("int", "uint")):
            raise ValueError(f"is of type {dtype}, expected numbers")
        elif stats is None or "max" not in stats:
            raise ValueError("are whole numbers, and no statistics say how many choices there are")
        else:
            counts = tuple(int(most) + 1 for most in np.ravel(stats["max"]))
        labels = [f"{name}_{k}" for name, n in zip(names, counts, strict=True) for k in range(n)]
        spec = ActionSpec(names=tuple(labels), num_actions=counts)
    if spec.num_columns != width:
        raise ValueError(f"has {width} columns, but its meaning is given for {spec.num_columns}")
    return spec


def column_names(record: Mapping[str, Any], word: str) -> tuple[str, ...]:
    """Names of a vector's columns; where a dataset names other than all, or two alike, the word and
    their numbers."""
    names, width = _flat_names(record.get("names")), int(record["shape"][0])
    if len(names) != width or len(set(names)) != width:
        return tuple(f"{word}_{i}" for i in range(width))
    return tuple(names)


def _flat_names(names: Any) -> list[str]:
    """Datasets write a list, or lists by the part of the robot."""
    match names:
        case list():
            return [str(name) for name in names]
        case dict():
            return [name for part in names.values() for name in _flat_names(part)]
    return []


def vector_stats(
    values: Float[np.ndarray, "t c"] | Int[np.ndarray, "t c"] | Bool[np.ndarray, "t c"],
) -> Stats:
    """Statistics of each column."""
    values = values.astype(np.float64)
    stats = {
        "min": values.min(axis=0),
        "max": values.max(axis=0),
        "mean": values.mean(axis=0),
        "std": values.std(axis=0),
        **{name: np.quantile(values, share, axis=0) for name, share in _QUANTILES.items()},
    }
    return {**{name: value.tolist() for name, value in stats.items()}, "count": [len(values)]}


def picture_stats(frames: UInt8[np.ndarray, "t h w 3"]) -> Stats:
    """Statistics of each colour in [0, 1], `[3, 1, 1]`, of some frames and pixels."""
    pick = np.linspace(0, len(frames) - 1, min(len(frames), _SAMPLED_FRAMES)).round().astype(int)
    step = max(1, -(-max(frames.shape[1:3]) // _SAMPLED_SIDE_PX))
    pixels = frames[pick, ::step, ::step].reshape(-1, 3)
    stats = vector_stats(pixels.astype(np.float64) / 255.0)
    shaped = {name: [[[x]] for x in value] for name, value in stats.items() if name != "count"}
    return {**shaped, "count": [len(pick)]}


def merge_stats(one: Stats, other: Stats) -> Stats:
    """Statistics of two parts together; quantiles are averaged by count, as LeRobot does.

    Mean and variance are combined as in Chan, Golub, LeVeque, "Updating formulae and a pairwise
    algorithm for computing sample variances", 1979, equation 2.1.
    """
    a, b = (
        {name: np.asarray(value, np.float64) for name, value in s.items()} for s in (one, other)
    )
    count = a["count"] + b["count"]
    share = float(b["count"][0] / count[0])
    apart = b["mean"] - a["mean"]
    variance = a["std"] ** 2 * (1 - share) + b["std"] ** 2 * share
    merged = {
        "min": np.minimum(a["min"], b["min"]),
        "max": np.maximum(a["max"], b["max"]),
        "mean": a["mean"] + apart * share,
        "std": np.sqrt(variance + apart**2 * share * (1 - share)),
        **{name: a[name] * (1 - share) + b[name] * share for name in _QUANTILES},
    }
    return {
        **{name: value.tolist() for name, value in merged.items()},
        "count": [int(count[0])],
    }
