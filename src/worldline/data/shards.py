"""Training shards: clips of equal length in memory-mapped arrays, written once."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from worldline.core.camera import Camera
from worldline.core.clip import Clip
from worldline.core.errors import InputError
from worldline.core.provenance import Origin
from worldline.core.readings import Readings
from worldline.core.rewards import Rewards
from worldline.core.wording import counted
from worldline.data.joining import (
    join_actions,
    join_cameras,
    join_rewards,
    join_states,
    touching,
)
from worldline.physics.apparent import apparent_motion

__all__ = ["MAX_OBJECTS", "Shards", "Tracking", "write_shards"]

MAX_OBJECTS = 8
"""Most objects per clip that shards keep; more raise `InputError` on writing."""

_VERSION = 3


_MAP_FILES = {"depth": "depth_map_m", "segmentation": "segmentation"}
"""Sensor maps that are kept pixel by pixel, and the array that holds each; others are made anew."""

_FARTHEST_PX = 100.0
"""Displacements are cut off here; what is so far away is out of sight."""


@dataclass(frozen=True)
class Tracking:
    """Which apparent motion to keep, averaged over cells.

    Attributes:
        context: frames before (and with) the first frame whose contents are followed.
        horizon: frames that they are followed for, from every frame where the clip is long enough.
        cell_px: side of a cell.
    """

    context: int = 8
    horizon: int = 16
    cell_px: int = 4


@dataclass(frozen=True, eq=False)
class Shards:
    """An opened folder of shards: N clips of T frames of H by W pixels, M object slots.

    Attributes:
        frames: `[N, T, H, W, 3]` memory-mapped.
        moving: `[N, T, H, W]` pixel belongs to an object of the scene; memory-mapped.
        center_px, size_px: `[N, T, M, 2]`.
        depth_m: `[N, T, M]`, NaN where unknown.
        color_rgb: `[N, M, 3]`, NaN where unknown.
        visible: `[N, T, M]`; false in empty slots.
        actions: `[N, T, A]` action taken between frame t and t + 1, zero where a clip has none; A
            is 0 if no clip has any.
        has_actions: `[N]` the clip has actions.
        earned, ended: `[N, T]` reward of action t, and whether it ended the episode; has_rewards:
            `[N]` the clip tells. None if none does.
        records: per clip: source, caption, seed, step_s, focal_px (null without a camera).
        world_from_camera: `[N, T, 4, 4]` camera poses, NaN where a clip has no camera; None if no
            clip has any.
        focal_ratio: `[N]` focal length over image width, likewise.
        depth_map_m: `[N, T, H, W]` distance of every pixel along the optical axis, infinite where
            nothing is hit, NaN where unknown; memory-mapped, None if not asked for.
        segmentation: `[N, T, H, W]` object per pixel, -1 for what is static; likewise.
        state, has_state: `[N, T, S]` readings of sensors, and which of them are known; None if no
            clip has any. state_names: of the columns.
        touching: `[N, T, M, M + 1]` objects touch around a frame, in the last column what is
            static; has_touching: `[N]` that is known of the clip. None in older shards.
        tracks: `[N, P, H, r, c, 4]` per cell, for each of P start frames: displacement (x, y) in
            pixels at +1 .. +H, share of it that is seen then, and cover (see
            `worldline.physics.apparent.CellMeans`); memory-mapped, None if not asked for.
        first_start: number of the first start frame.
        folder: where they lie, if they lie anywhere.
    """

    frames: UInt8[np.ndarray, "n t h w 3"]
    moving: Bool[np.ndarray, "n t h w"]
    center_px: Float[np.ndarray, "n t m 2"]
    size_px: Float[np.ndarray, "n t m 2"]
    depth_m: Float[np.ndarray, "n t m"]
    color_rgb: Float[np.ndarray, "n m 3"]
    visible: Bool[np.ndarray, "n t m"]
    actions: Float[np.ndarray, "n t a"]
    has_actions: Bool[np.ndarray, " n"]
    records: tuple[dict[str, Any], ...]
    earned: Float[np.ndarray, "n t"] | None = None
    ended: Bool[np.ndarray, "n t"] | None = None
    has_rewards: Bool[np.ndarray, " n"] | None = None
    world_from_camera: Float[np.ndarray, "n t 4 4"] | None = None
    focal_ratio: Float[np.ndarray, " n"] | None = None
    depth_map_m: Float[np.ndarray, "n t h w"] | None = None
    segmentation: Int[np.ndarray, "n t h w"] | None = None
    state: Float[np.ndarray, "n t s"] | None = None
    has_state: Bool[np.ndarray, "n t s"] | None = None
    state_names: tuple[str, ...] = ()
    touching: Bool[np.ndarray, "n t m m1"] | None = None
    has_touching: Bool[np.ndarray, " n"] | None = None
    tracks: Float[np.ndarray, "n p q r c 4"] | None = None
    first_start: int = 0
    folder: Path | None = None

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Copies open the same folder anew, so what is sent to another process stays small."""
        if self.folder is None:
            return super().__reduce_ex__(protocol)
        return _open, (self.folder.absolute(),)

    @property
    def num_clips(self) -> int:
        """N."""
        return len(self.frames)

    @classmethod
    def open(cls, folder: Path) -> Shards:
        """Open a finished folder. Raises `InputError` if it is missing or of another version."""
        if not (folder / "index.json").is_file():
            raise InputError(f"{folder}: no index.json; the shards were not written to the end")
        index = json.loads((folder / "index.json").read_text())
        if index["version"] != _VERSION:
            raise InputError(f"{folder}: shards of version {index['version']}, expected {_VERSION}")
        objects = np.load(folder / "objects.npz")
        return cls(
            frames=np.load(folder / "frames.npy", mmap_mode="r"),
            moving=np.load(folder / "moving.npy", mmap_mode="r"),
            records=tuple(index["records"]),
            tracks=(np.load(folder / "tracks.npy", mmap_mode="r") if index["tracking"] else None),
            first_start=index["tracking"]["context"] - 1 if index["tracking"] else 0,
            folder=folder,
            state_names=tuple(index.get("state_names", ())),
            **{
                field: np.load(folder / f"{field}.npy", mmap_mode="r")
                for field in map(_MAP_FILES.__getitem__, index.get("maps", ()))
            },
            **{name: objects[name] for name in objects.files},
        )

    def order(self, seed: int, position: int, count: int) -> Int[np.ndarray, " count"]:
        """Clip numbers at `position` .. `position + count` of an endless reshuffled reading."""
        picked: list[np.ndarray] = []
        while count > 0:
            epoch, offset = divmod(position, self.num_clips)
            permutation = np.random.default_rng((seed, epoch)).permutation(self.num_clips)
            part = permutation[offset : offset + count]
            picked.append(part)
            position, count = position + len(part), count - len(part)
        return np.concatenate(picked)


def _open(folder: Path) -> Shards:
    return Shards.open(folder)


def write_shards(
    folder: Path,
    clips: Iterable[Clip],
    *,
    num_clips: int,
    recipe: dict[str, Any],
    tracking: Tracking | None = None,
    maps: tuple[str, ...] = (),
) -> Shards:
    """Write clips to a folder; a folder already written by the same recipe is kept as it is.

    Args:
        folder: target.
        clips: exactly `num_clips` clips of equal shape, each with scene and segmentation.
        num_clips: N.
        recipe: plain JSON that says where the clips come from; compared on reuse.
        tracking: apparent motion to write beside them.
        maps: sensor maps that will be made of the clips; depth and segmentation are kept for it.

    Raises:
        InputError: clips differ in shape or in the width of their actions, lack truth, hold too
            many objects, or the folder was written by another recipe or for other maps.
    """
    index_path = folder / "index.json"
    kept = sorted(set(maps) & set(_MAP_FILES))
    if index_path.is_file():
        held = json.loads(index_path.read_text())
        same = held.get("tracking") == _to_json(tracking) and held.get("maps", []) == kept
        if held["recipe"] != recipe or not same:
            raise InputError(f"{folder}: holds shards of another recipe; choose another folder")
        return Shards.open(folder)
    folder.mkdir(parents=True, exist_ok=True)
    frames = moving = tracks = None
    objects: dict[str, np.ndarray] = {}
    records: list[dict[str, Any]] = []
    actions: list[np.ndarray | None] = []
    rewards: list[Rewards | None] = []
    cameras: list[Camera | None] = []
    states: list[Readings | None] = []
    pixels: dict[str, np.ndarray] = {}
    for i, clip in enumerate(clips):
        scene = clip.scene
        if scene is None or clip.segmentation is None:
            raise InputError(f"clip {i} from {clip.provenance.source} has no truth beside it")
        if scene.num_objects > MAX_OBJECTS:
            raise InputError(
                f"clip {i} has {counted(scene.num_objects, 'object')}, at most {MAX_OBJECTS}"
            )
        if frames is None or moving is None:
            shape = (num_clips, *clip.frames.shape)
            frames = np.lib.format.open_memmap(folder / "frames.npy", "w+", np.uint8, shape)
            moving = np.lib.format.open_memmap(folder / "moving.npy", "w+", np.bool_, shape[:4])
            objects = _empty_objects(num_clips, clip.num_frames)
            pixels = {
                name: np.lib.format.open_memmap(
                    folder / f"{_MAP_FILES[name]}.npy",
                    "w+",
                    np.float16 if name == "depth" else np.int8,
                    shape[:4],
                )
                for name in kept
            }
        if clip.frames.shape != frames.shape[1:]:
            raise InputError(f"clip {i} is {clip.frames.shape}, the first {frames.shape[1:]}")
        frames[i], moving[i] = clip.frames, clip.segmentation >= 0
        if tracking is not None:
            found = _track(clip, tracking)
            if tracks is None:
                shape = (num_clips, *found.shape)
                tracks = np.lib.format.open_memmap(folder / "tracks.npy", "w+", np.float16, shape)
            tracks[i] = found
        if "depth" in pixels:
            pixels["depth"][i] = _half(clip.depth_m)
        if "segmentation" in pixels:
            pixels["segmentation"][i] = clip.segmentation
        n = scene.num_objects
        objects["center_px"][i, :, :n] = scene.center_px.transpose(1, 0, 2)
        objects["size_px"][i, :, :n] = scene.size_px.transpose(1, 0, 2)
        objects["visible"][i, :, :n] = scene.visible.T
        if scene.depth_m is not None:
            objects["depth_m"][i, :, :n] = scene.depth_m.T
        if scene.color_rgb is not None:
            objects["color_rgb"][i, :n] = scene.color_rgb
        actions.append(clip.actions)
        rewards.append(clip.rewards)
        if scene.num_frames == clip.num_frames:
            objects["touching"][i] = touching(scene, MAX_OBJECTS)
            objects["has_touching"][i] = scene.provenance.origin is Origin.SIMULATED
        camera = clip.camera or scene.camera
        cameras.append(camera)
        states.append(clip.state)
        records.append(
            {
                "source": clip.provenance.source,
                "seed": clip.provenance.seed,
                "caption": clip.caption,
                "step_s": float(np.median(np.diff(clip.time_s))),
                "focal_px": None if camera is None else camera.focal_px,
            }
        )
    if len(records) != num_clips or frames is None or moving is None:
        raise InputError(
            f"{folder}: {counted(len(records), 'clip')} came, {num_clips} were announced"
        )
    objects |= join_actions(actions, clip_frames=frames.shape[1])
    objects |= join_rewards(rewards, clip_frames=frames.shape[1])
    objects |= join_cameras(cameras, clip_frames=frames.shape[1])
    state_names, columns = join_states(states, clip_frames=frames.shape[1])
    objects |= columns
    for array in (frames, moving, tracks, *pixels.values()):
        if isinstance(array, np.memmap):
            array.flush()
    np.savez(folder / "objects.npz", allow_pickle=False, **objects)
    partial = folder / "index.json.partial"
    index = {
        "version": _VERSION,
        "recipe": recipe,
        "tracking": _to_json(tracking),
        "maps": kept,
        "state_names": list(state_names),
        "records": records,
    }
    partial.write_text(json.dumps(index))
    partial.replace(index_path)
    return Shards.open(folder)


def _half(depth_m: Float[np.ndarray, "t h w"] | None) -> Any:
    """Depth in half precision; what is farther than that can say is nowhere, as the sky is."""
    if depth_m is None:
        return np.nan
    return np.where(depth_m > 6e4, np.inf, depth_m).astype(np.float16)


def _to_json(tracking: Tracking | None) -> dict[str, int] | None:
    return None if tracking is None else asdict(tracking)


def _track(clip: Clip, tracking: Tracking) -> Float[np.ndarray, "p s r c 4"]:
    starts = range(tracking.context - 1, clip.num_frames - tracking.horizon)
    found = []
    for start in starts:
        cells = apparent_motion(clip, start, tracking.horizon).per_cell(tracking.cell_px)
        cover = np.broadcast_to(cells.cover, cells.visible.shape)
        far = np.clip(cells.shift_px, -_FARTHEST_PX, _FARTHEST_PX)
        found.append(np.concatenate([far, np.stack([cells.visible, cover], -1)], axis=-1))
    return np.stack(found)


def _empty_objects(n: int, t: int) -> dict[str, np.ndarray]:
    m = MAX_OBJECTS
    return {
        "center_px": np.full((n, t, m, 2), np.nan, np.float32),
        "size_px": np.full((n, t, m, 2), np.nan, np.float32),
        "depth_m": np.full((n, t, m), np.nan, np.float32),
        "color_rgb": np.full((n, m, 3), np.nan, np.float32),
        "visible": np.zeros((n, t, m), bool),
        "touching": np.zeros((n, t, m, m + 1), bool),
        "has_touching": np.zeros(n, bool),
    }
