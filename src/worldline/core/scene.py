"""`Scene`: objects, trajectories, contacts and events. Truth and prediction share this one type."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from worldline.core.camera import Camera
from worldline.core.errors import InputError
from worldline.core.provenance import Provenance

__all__ = ["STATIC", "Contact", "Event", "Scene"]

STATIC = -1
"""Identity of everything that never moves (floor, walls, ramps) as a partner in a contact."""


@dataclass(frozen=True)
class Contact:
    """Two bodies touching over an interval.

    Attributes:
        a, b: object ids; `b` may be `STATIC`.
        start_s, end_s: first and last moment of touch.
        point_px: where in the image, (x, y), if known.
        impulse_ns: largest normal impulse in newton seconds, if known (truth only).
        confidence: probability that the contact is real; 1 for truth.
    """

    a: int
    b: int
    start_s: float
    end_s: float
    point_px: tuple[float, float] | None = None
    impulse_ns: float | None = None
    confidence: float = 1.0

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary for JSON."""
        return {
            "a": self.a,
            "b": self.b,
            "start_s": self.start_s,
            "end_s": self.end_s,
            "point_px": list(self.point_px) if self.point_px else None,
            "impulse_ns": _finite(self.impulse_ns),
            "confidence": self.confidence,
        }

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Contact:
        """Inverse of `to_json`."""
        point = record.get("point_px")
        return cls(**{**record, "point_px": tuple(point) if point else None})


@dataclass(frozen=True)
class Event:
    """Something that happened, by the definitions of `worldline.physics.events`.

    Attributes:
        type: name in the ontology, such as "fall".
        start_s, end_s: interval.
        roles: role name to object id, such as {"object": 3} or {"a": 1, "b": 2}.
        quantities: measured values, unit in the name; `<name>_std` is the standard error of
            `<name>` where it is known.
        confidence: probability that the event happened; 1 for truth.
    """

    type: str
    start_s: float
    end_s: float
    roles: Mapping[str, int] = field(default_factory=dict)
    quantities: Mapping[str, float] = field(default_factory=dict)
    confidence: float = 1.0

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary for JSON."""
        return {
            "type": self.type,
            "start_s": self.start_s,
            "end_s": self.end_s,
            "roles": dict(self.roles),
            "quantities": {k: _finite(v) for k, v in self.quantities.items()},
            "confidence": self.confidence,
        }

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Event:
        """Inverse of `to_json`."""
        measured = record.get("quantities", {}).items()
        return cls(
            **{**record, "quantities": {k: math.nan if v is None else v for k, v in measured}}
        )


_ARRAYS: dict[str, tuple[type, str]] = {
    "ids": (np.int64, "n"),
    "present": (np.bool_, "nt"),
    "visible": (np.bool_, "nt"),
    "center_px": (np.float64, "nt2"),
    "size_px": (np.float64, "nt2"),
    "center_px_std": (np.float64, "nt2"),
    "color_rgb": (np.float64, "n3"),
    "position_m": (np.float64, "nt3"),
    "position_m_std": (np.float64, "nt3"),
    "rotation_wxyz": (np.float64, "nt4"),
    "velocity_mps": (np.float64, "nt3"),
    "angular_velocity_radps": (np.float64, "nt3"),
    "depth_m": (np.float64, "nt"),
    "depth_m_std": (np.float64, "nt"),
    "nearness": (np.float64, "nt"),
    "nearness_std": (np.float64, "nt"),
    "extent_m": (np.float64, "n3"),
    "bend": (np.float64, "nt"),
    "num_parts": (np.int64, "nt"),
    "mass_kg": (np.float64, "n"),
    "gravity_mps2": (np.float64, "3"),
}
"""Array fields of a scene: type, and shape with n objects and t frames."""

_REQUIRED = ("ids", "present", "visible", "center_px", "size_px", "center_px_std")


@dataclass(frozen=True, eq=False, kw_only=True)
class Scene:
    """What moves, where, and what touches what, over T frames and N objects.

    Pixel quantities refer to the image of `width_px` by `height_px`, x to the right and y down,
    pixel centres at whole numbers plus 0.5. Metric quantities refer to a world frame with z up.
    Where a mask is false the values beside it carry no meaning (they are NaN when written here).

    Attributes:
        time_s: `[T]` presentation times.
        ids: `[N]` object ids, unique, >= 0.
        labels: N words: "ball", "box", "person", or "object" where nothing better is known.
        present: `[N, T]` the object exists in the world at that time (also while hidden).
        visible: `[N, T]` at least part of it was seen in the image at that time.
        center_px, size_px: `[N, T, 2]` box centre (x, y) and box (w, h).
        center_px_std: `[N, T, 2]` standard deviation of `center_px`; 0 for truth.
        color_rgb: `[N, 3]` mean colour in [0, 1].
        position_m, velocity_mps, rotation_wxyz, angular_velocity_radps: centre-of-mass state.
        position_m_std: `[N, T, 3]` standard deviation of `position_m`; absent for truth.
        depth_m, depth_m_std: `[N, T]` distance along the optical axis.
        nearness, nearness_std: `[N, T]` inverse depth in a unit of each frame's own: larger is
            nearer, and numbers of one frame alone can be compared.
        extent_m: `[N, 3]` full side lengths of the body's own box.
        bend: `[N, T]` greatest way of a point of the body from where it would be if the body were
            rigid, over the mean of its sides; absent where nothing bends or nobody knows.
        num_parts: `[N, T]` number of pieces that hold together each for itself: 1 for a whole
            body, many for grains; absent where all bodies are whole or nobody knows.
        mass_kg: `[N]`.
        gravity_mps2: `[3]` acceleration of free fall in the world frame.
        metres_per_px, metres_per_px_std: image scale at the objects where one number describes it.
        camera: pose and intrinsics where known.
        contacts, events: intervals, in order of start.
        caption: one sentence in plain words.
    """

    time_s: Float[np.ndarray, " t"]
    width_px: int
    height_px: int
    ids: Int[np.ndarray, " n"]
    labels: tuple[str, ...]
    present: Bool[np.ndarray, "n t"]
    visible: Bool[np.ndarray, "n t"]
    center_px: Float[np.ndarray, "n t 2"]
    size_px: Float[np.ndarray, "n t 2"]
    center_px_std: Float[np.ndarray, "n t 2"]
    color_rgb: Float[np.ndarray, "n 3"] | None = None
    position_m: Float[np.ndarray, "n t 3"] | None = None
    position_m_std: Float[np.ndarray, "n t 3"] | None = None
    rotation_wxyz: Float[np.ndarray, "n t 4"] | None = None
    velocity_mps: Float[np.ndarray, "n t 3"] | None = None
    angular_velocity_radps: Float[np.ndarray, "n t 3"] | None = None
    depth_m: Float[np.ndarray, "n t"] | None = None
    depth_m_std: Float[np.ndarray, "n t"] | None = None
    nearness: Float[np.ndarray, "n t"] | None = None
    nearness_std: Float[np.ndarray, "n t"] | None = None
    extent_m: Float[np.ndarray, "n 3"] | None = None
    bend: Float[np.ndarray, "n t"] | None = None
    num_parts: Int[np.ndarray, "n t"] | None = None
    mass_kg: Float[np.ndarray, " n"] | None = None
    gravity_mps2: Float[np.ndarray, " 3"] | None = None
    metres_per_px: float | None = None
    metres_per_px_std: float | None = None
    camera: Camera | None = None
    contacts: tuple[Contact, ...] = ()
    events: tuple[Event, ...] = ()
    caption: str = ""
    provenance: Provenance = field(default_factory=Provenance)

    def __post_init__(self) -> None:
        n, t = self.num_objects, self.num_frames
        for name, (_, letters) in _ARRAYS.items():
            array, shape = getattr(self, name), _shape(letters, n, t)
            if array is not None and array.shape != shape:
                raise ValueError(f"Scene.{name} is {array.shape}, expected {shape}")
        if not all(isinstance(label, str) for label in self.labels):
            raise ValueError("Scene.labels must be text")
        if len(self.labels) != n or len(set(self.ids.tolist())) != n:
            raise ValueError(f"Scene needs {n} labels and {n} different ids")

    @property
    def num_objects(self) -> int:
        """N."""
        return len(self.ids)

    @property
    def num_frames(self) -> int:
        """T."""
        return len(self.time_s)

    @property
    def duration_s(self) -> float:
        """Time from the first to the last frame."""
        return float(self.time_s[-1] - self.time_s[0]) if self.num_frames else 0.0

    def index(self, object_id: int) -> int:
        """Row of an object id. Raises `KeyError` if the scene has no such object."""
        rows = np.flatnonzero(self.ids == object_id)
        if not len(rows):
            raise KeyError(f"no object {object_id} in this scene")
        return int(rows[0])

    def with_events(self, events: tuple[Event, ...]) -> Scene:
        """The same scene with its events replaced, sorted by start."""
        return replace(self, events=tuple(sorted(events, key=lambda e: (e.start_s, e.type))))

    def after(self, frame: int) -> Scene:
        """The scene from a frame on; objects never present from then on, and contacts and events
        that ended before, are left out."""
        keep = self.present[:, frame:].any(axis=1)
        ids = set(self.ids[keep].tolist()) | {STATIC}
        start_s = self.time_s[frame]
        changed: dict[str, Any] = {"labels": tuple(np.array(self.labels, dtype=object)[keep])}
        for name, (_, letters) in _ARRAYS.items():
            value = getattr(self, name)
            if value is not None and "n" in letters:
                changed[name] = value[keep, frame:] if "t" in letters else value[keep]
        camera = None if self.camera is None else self.camera.at(slice(frame, None))
        return replace(
            self,
            time_s=self.time_s[frame:],
            camera=camera,
            contacts=tuple(c for c in self.contacts if c.end_s >= start_s and {c.a, c.b} <= ids),
            events=tuple(
                e for e in self.events if e.end_s >= start_s and set(e.roles.values()) <= ids
            ),
            **changed,
        )

    @classmethod
    def empty(
        cls, time_s: Float[np.ndarray, " t"], width_px: int, height_px: int, provenance: Provenance
    ) -> Scene:
        """A scene in which nothing moves."""
        t = len(time_s)
        return cls(
            time_s=np.asarray(time_s, dtype=np.float64),
            width_px=width_px,
            height_px=height_px,
            ids=np.zeros(0, dtype=np.int64),
            labels=(),
            present=np.zeros((0, t), dtype=bool),
            visible=np.zeros((0, t), dtype=bool),
            center_px=np.zeros((0, t, 2)),
            size_px=np.zeros((0, t, 2)),
            center_px_std=np.zeros((0, t, 2)),
            provenance=provenance,
        )

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary for JSON; NaN becomes null."""
        record: dict[str, Any] = {
            "version": 1,
            "time_s": [round(float(x), 6) for x in self.time_s],
            "width_px": self.width_px,
            "height_px": self.height_px,
            "labels": list(self.labels),
            "metres_per_px": _finite(self.metres_per_px),
            "metres_per_px_std": _finite(self.metres_per_px_std),
            "camera": self.camera.to_json() if self.camera else None,
            "contacts": [c.to_json() for c in self.contacts],
            "events": [e.to_json() for e in self.events],
            "caption": self.caption,
            "provenance": self.provenance.to_json(),
        }
        for name in _ARRAYS:
            value = getattr(self, name)
            record[name] = None if value is None else _to_lists(value)
        return record

    @classmethod
    def read(cls, path: str | Path) -> Scene:
        """Read what `worldline sim make` wrote, or `to_json` made and was written as JSON.

        Raises:
            InputError: the file cannot be read as a scene; the message names it.
        """
        path = Path(path)
        if path.exists() and not path.is_file():
            raise InputError(f"{path}: is not a regular file")
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            if not isinstance(record, dict):
                raise ValueError("expected a JSON object")
            return cls.from_json(record)
        except OSError as error:
            raise InputError(f"{path}: {error.strerror or error}") from None
        except (ValueError, TypeError, KeyError, AttributeError, ArithmeticError) as error:
            raise InputError(f"{path}: not a scene ({error})") from None
        except RecursionError:
            raise InputError(f"{path}: not a scene (nested too deep)") from None

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Scene:
        """Inverse of `to_json`. Raises `ValueError` naming a missing or misshapen field."""
        needed = ("time_s", "width_px", "height_px", "labels", *_REQUIRED)
        missing = [name for name in needed if record.get(name) is None]
        if missing:
            raise ValueError(f"scene JSON lacks {', '.join(missing)}")
        n, t = len(record["ids"]), len(record["time_s"])
        arrays = {
            name: _from_lists(name, record.get(name), dtype, _shape(letters, n, t))
            for name, (dtype, letters) in _ARRAYS.items()
        }
        return cls(
            time_s=np.asarray(record["time_s"], dtype=np.float64),
            width_px=int(record["width_px"]),
            height_px=int(record["height_px"]),
            labels=tuple(record["labels"]),
            metres_per_px=record.get("metres_per_px"),
            metres_per_px_std=record.get("metres_per_px_std"),
            camera=Camera.from_json(record["camera"]) if record.get("camera") else None,
            contacts=tuple(Contact.from_json(c) for c in record.get("contacts", ())),
            events=tuple(Event.from_json(e) for e in record.get("events", ())),
            caption=record.get("caption", ""),
            provenance=Provenance.from_json(record.get("provenance", {})),
            **arrays,
        )


def _shape(letters: str, n: int, t: int) -> tuple[int, ...]:
    sizes = {"n": n, "t": t}
    return tuple(sizes[letter] if letter in sizes else int(letter) for letter in letters)


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)


def _to_lists(array: np.ndarray) -> Any:
    if array.dtype.kind != "f":
        return array.tolist()
    values = np.round(array, 6).astype(object)
    values[~np.isfinite(array)] = None
    return values.tolist()


def _from_lists(name: str, value: Any, dtype: type, shape: tuple[int, ...]) -> Any:
    if value is None:
        return None
    try:
        if dtype is np.float64:
            array = np.asarray(value, dtype=np.float64)  # null becomes NaN
        else:
            array = np.asarray(value)
            if array.size and array.dtype.kind != np.dtype(dtype).kind:
                raise ValueError(f"it holds {array.dtype}")
            array = array.astype(dtype)
    except (ValueError, TypeError) as error:
        raise ValueError(f"scene JSON: {name} cannot be read ({error})") from None
    # Lists cannot tell the trailing axes of an empty array.
    return array.reshape(shape) if array.size == 0 == math.prod(shape) else array
