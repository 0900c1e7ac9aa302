"""What lies beside a video and drives a world: actions, camera, state, sensor maps.

Beside `take.mp4` may lie, as `worldline sim make` writes them:

- `take.actions.json`: `{"time_s": [T], "actions": [T][A]}`;
- `take.scene.json`: a scene, of which only the camera is used;
- `take.camera.json`: `{"time_s": [T], "camera": ...}`, which takes the place of the scene's;
- `take.state.json`: `{"time_s": [T], "names": [S], "values": [T][S]}`, null where not known;
- `take.maps.npz`: `time_s` `[T]`, `depth_m` and `segmentation` `[T, H, W]`, either of them or both.
"""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from worldline.core.camera import Camera
from worldline.core.clip import Clip
from worldline.core.errors import InputError
from worldline.core.media import is_there
from worldline.core.readings import Readings
from worldline.core.wording import counted

if TYPE_CHECKING:
    from worldline.world import World

__all__ = ["read_guide"]


def read_guide(path: str | Path, clip: Clip, world: World, *, horizon: int) -> Clip | None:
    """The clip and what follows it in the video, with what lies beside that the world takes.

    Args:
        path: of the video.
        clip: the part of it that the forecast starts from.
        world: that forecasts.
        horizon: frames to forecast.

    Returns:
        None where the world takes no controls.

    Raises:
        InputError: a file beside the video cannot be read or does not fit it; names the file.
    """
    from worldline.data import read_clip

    takes = world.controls
    if not takes.any:
        return None
    spacing_s = 1.0 / clip.fps if clip.num_frames > 1 else world.step_s
    reach_s = (horizon + 1) * max(world.config.step_max_s, spacing_s)
    first_s, last_s = float(clip.time_s[0]), float(clip.time_s[-1])
    guide = read_clip(path, start_s=first_s, end_s=last_s + reach_s)
    parts: dict[str, Any] = {}
    files = {kind: _beside(path, kind) for kind in ("actions", "camera", "scene", "state")}
    if takes.action_size and is_there(files["actions"]):
        record = _json(files["actions"])
        rows = _rows(files["actions"], record, guide)
        values = _array(files["actions"], record, "actions", 2)
        parts["actions"] = values[rows]
    source = files["camera"] if is_there(files["camera"]) else files["scene"]
    if takes.rays and is_there(source):
        record = _json(source)
        camera = _camera(source, record)
        if camera is not None:
            parts["camera"] = camera.at(_rows(source, record, guide))
    if takes.state_names and is_there(files["state"]):
        record = _json(files["state"])
        rows = _rows(files["state"], record, guide)
        values = _array(files["state"], record, "values", 2, missing=True)[rows]
        known = np.isfinite(values)
        names = tuple(str(name) for name in record.get("names", ()))
        parts["state"] = _made(
            files["state"], lambda: Readings(names, np.where(known, values, 0.0), known)
        )
    maps = _beside(path, "maps").with_suffix(".npz")
    if takes.map_names and is_there(maps):
        parts |= _maps(maps, guide)
    made = _made(Path(path), lambda: replace(guide, scene=None, **parts))
    assert isinstance(made, Clip)
    return made


def _beside(path: str | Path, kind: str) -> Path:
    return Path(path).with_suffix(f".{kind}.json")


def _json(file: Path) -> dict[str, Any]:
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{file}: cannot be read ({error})") from None
    if not isinstance(record, dict):
        raise InputError(f"{file}: is not a JSON object")
    return record


def _array(
    file: Path, record: dict[str, Any], name: str, num_axes: int, *, missing: bool = False
) -> np.ndarray:
    """Numbers of a record, as many rows as it has times; null only where that may be `missing`."""
    try:
        values = np.asarray(record[name], dtype=np.float64)
    except (KeyError, TypeError, ValueError):
        raise InputError(f"{file}: {name} is not a table of numbers") from None
    if values.ndim != num_axes or (name != "time_s" and len(values) != len(record["time_s"])):
        raise InputError(
            f"{file}: {name} has the shape {values.shape}, but time_s has "
            f"{counted(len(record.get('time_s', ())), 'row')}"
        )
    finite = np.isfinite(values)
    if not missing and not finite.all():
        row = int(np.argwhere(~finite)[0][0])
        raise InputError(f"{file}: {name} is not finite (NaN or infinite) at row {row}")
    return values


def _rows(file: Path, record: dict[str, Any], guide: Clip) -> np.ndarray:
    """The row for each frame. Raises `InputError` where the rows do not reach."""
    time_s = _array(file, record, "time_s", 1)
    if not len(time_s) or (np.diff(time_s) <= 0).any():
        raise InputError(f"{file}: time_s must hold times that increase")
    away = np.abs(guide.time_s[:, None] - time_s)
    rows = away.argmin(axis=1)
    step_s = float(np.median(np.diff(guide.time_s))) if guide.num_frames > 1 else np.inf
    worst = int(away.min(axis=1).argmax())
    if away[worst].min() > 0.6 * step_s:
        rows_there = counted(len(time_s), "row")
        raise InputError(
            f"{file}: has {rows_there} from {time_s[0]:.3g} s to {time_s[-1]:.3g} s and none "
            f"for the frame at {guide.time_s[worst]:.3g} s"
        )
    return rows


def _camera(file: Path, record: dict[str, Any]) -> Camera | None:
    stored = record.get("camera")
    if stored is None:
        return None
    try:
        camera = Camera.from_json(stored)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{file}: not a camera ({error})") from None
    if len(camera.world_from_camera) not in (1, len(record.get("time_s", ()))):
        raise InputError(
            f"{file}: has {counted(len(camera.world_from_camera), 'camera pose')} for "
            f"{counted(len(record.get('time_s', ())), 'frame')}"
        )
    return camera


def _maps(file: Path, guide: Clip) -> dict[str, Any]:
    try:
        with np.load(file, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise InputError(f"{file}: cannot be read ({error})") from None
    if "time_s" not in arrays:
        raise InputError(f"{file}: lacks time_s")
    rows = _rows(file, {"time_s": arrays["time_s"]}, guide)
    found = {}
    for name in ("depth_m", "segmentation"):
        if name not in arrays:
            continue
        expected = (len(arrays["time_s"]), *guide.frames.shape[1:3])
        if arrays[name].shape != expected:
            raise InputError(f"{file}: {name} is {arrays[name].shape}, expected {expected}")
        kind = np.float64 if name == "depth_m" else np.int64
        found[name] = arrays[name][rows].astype(kind)
    return found


def _made(file: Path, make: Any) -> Any:
    try:
        return make()
    except ValueError as error:
        raise InputError(f"{file}: {error}") from None
