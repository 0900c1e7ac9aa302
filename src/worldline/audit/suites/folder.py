"""A model as a folder of videos, for those that cannot be called from Python.

`DIR/contexts.json` names the videos to be continued; `DIR/contexts/ID.npz` has the exact frames of
each and `ID.mp4` shows them. What follows is put beside them as `DIR/continuations/ID.npz`, `.npy`,
`.mp4` or a folder `ID` of PNG files. An ID is a digest of the frames, so that contexts keep their
names, and a continuation is found by what is shown and not by order.
"""

from __future__ import annotations

import hashlib
import json
import threading
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from worldline.audit.suites.runs import RunSettings
from worldline.audit.suites.subject import Subject, name_tested
from worldline.core.errors import InputError
from worldline.core.provenance import Origin, Provenance
from worldline.core.wording import counted
from worldline.data import iter_frames, write_video

__all__ = ["VideoFolder", "record_contexts", "write_manifest"]

MANIFEST = "contexts.json"
VERSION = 1
ZOOM = 4
"""Contexts are enlarged in mp4, so that its halved colours lose next to nothing."""
_FPS = 10.0
_MOST_NAMED = 5
# Pillow says SyntaxError of a broken PNG file.
_UNREADABLE = (OSError, ValueError, EOFError, SyntaxError, zipfile.BadZipFile, zlib.error)
_HOW = (
    "Continue each context by `horizon` frames of the same size, and put them beside this file as "
    "continuations/ID.npz (an array `frames`, uint8 [horizon, height, width, 3]), ID.npy, ID.mp4 "
    "or a folder ID of PNG files. An mp4 may be a whole number of times larger. Where a context "
    "has several seeds, ID-SEED.npz and so on hold one future each; ID.npz alone serves for all."
)

Frames = UInt8[np.ndarray, "t h w 3"]
Ahead = UInt8[np.ndarray, "n h w 3"]


@dataclass
class _Context:
    num_frames: int
    size_px: tuple[int, int]
    horizon: int = 0
    seeds: set[int] = field(default_factory=set)

    def to_json(self, ident: str) -> dict[str, Any]:
        return {
            "id": ident,
            "num_frames": self.num_frames,
            "size_px": list(self.size_px),
            "horizon": self.horizon,
            "seeds": sorted(self.seeds),
        }


class _Recorder:
    """Writes down what it is asked to continue, and answers with the last frame."""

    def __init__(self, folder: Path) -> None:
        self.contexts: dict[str, _Context] = {}
        self._folder = folder
        self._lock = threading.Lock()

    def __call__(self, frames: Frames, horizon: int, seed: int) -> Ahead:
        ident = _digest(frames)
        with self._lock:
            if ident not in self.contexts:
                height, width = frames.shape[1:3]
                self.contexts[ident] = _Context(len(frames), (width, height))
                self._write(ident, frames)
            context = self.contexts[ident]
            context.horizon = max(context.horizon, horizon)
            context.seeds.add(seed)
        return np.repeat(frames[-1:], horizon, axis=0)

    def _write(self, ident: str, frames: Frames) -> None:
        place = self._folder / "contexts"
        place.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(place / f"{ident}.npz", frames=frames)
        here = Provenance(Origin.SIMULATED, "worldline eval")
        write_video(place / f"{ident}.mp4", frames, fps=_FPS, scale=ZOOM, provenance=here)


def record_contexts(folder: Path, *, size_px: int = 64) -> Subject:
    """A subject that writes every context that it is shown into a folder.

    Its answers are copies of the last frame; what a suite makes of them is of no use. When all
    suites are done, `write_manifest` has to follow.
    """
    return Subject("contexts", predict=_Recorder(Path(folder)), size_px=size_px)


def write_manifest(
    folder: Path, recorder: Subject, suites: Sequence[str], settings: RunSettings
) -> int:
    """Write `contexts.json`: what is to be continued, by how much, for which suites.

    Args:
        folder: that the contexts were recorded in.
        recorder: of `record_contexts`.
        suites: that were run on it.
        settings: that they were told.

    Returns:
        number of contexts.

    Raises:
        InputError: no suite asked for a continuation.
    """
    assert isinstance(recorder.predict, _Recorder)
    contexts = recorder.predict.contexts
    if not contexts:
        raise InputError(f"{', '.join(suites)}: asks for no continuation, so there is no context")
    record = {
        "version": VERSION,
        "how": _HOW,
        "suites": list(suites),
        "seed": settings.seed,
        "quick": settings.quick,
        "size_px": recorder.size_px,
        "contexts": [contexts[ident].to_json(ident) for ident in sorted(contexts)],
    }
    path = Path(folder) / MANIFEST
    partial = path.with_name(path.name + ".partial")
    partial.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    partial.replace(path)
    (path.parent / "continuations").mkdir(exist_ok=True)
    return len(contexts)


@dataclass(frozen=True)
class VideoFolder:
    """Contexts with their continuations.

    Attributes:
        folder: that holds both.
        suites, seed, quick: what the contexts were written for.
        size_px: side of the frames.
        contexts: by ID.
    """

    folder: Path
    suites: tuple[str, ...]
    seed: int
    quick: bool
    size_px: int
    contexts: dict[str, dict[str, Any]]

    @classmethod
    def open(cls, folder: str | Path) -> VideoFolder:
        """Read the manifest and look at every continuation.

        Raises:
            InputError: there is no manifest, or continuations are missing or odd; the first few
                are named, each with what is wrong.
        """
        path = Path(folder) / MANIFEST
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            if record["version"] != VERSION:
                raise InputError(f"{path}: is of version {record['version']}, expected {VERSION}")
            opened = cls(
                Path(folder),
                tuple(record["suites"]),
                int(record["seed"]),
                bool(record["quick"]),
                int(record["size_px"]),
                {
                    str(context["id"]): {
                        "id": str(context["id"]),
                        "size_px": [int(side) for side in context["size_px"]],
                        "horizon": int(context["horizon"]),
                        "seeds": [int(seed) for seed in context["seeds"]],
                    }
                    for context in record["contexts"]
                },
            )
        except OSError as error:
            raise InputError(
                f"{path}: {(error.strerror or str(error)).lower()}; write contexts first, with "
                "--contexts"
            ) from None
        except (ValueError, KeyError, TypeError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"{path}: is no list of contexts ({error!r})") from None
        opened._check()
        return opened

    def subject(self) -> Subject:
        """The model, as far as its continuations tell."""
        load = lru_cache(maxsize=64)(self._load)

        def predict(frames: Frames, horizon: int, seed: int) -> Ahead:
            ident = _digest(frames)
            if ident not in self.contexts:
                raise InputError(
                    f"{self.folder}: is asked to continue {counted(len(frames), 'frame')} that are "
                    "not among its contexts; write them anew with this version and these options"
                )
            ahead = load(ident, seed)
            if len(ahead) < horizon:
                raise InputError(
                    f"{self.folder}: {ident} has {counted(len(ahead), 'frame')}, {horizon} are "
                    "asked for; write the contexts anew with this version"
                )
            return ahead[:horizon]

        name = name_tested(self.folder.resolve().name)
        return Subject(name, predict=predict, size_px=self.size_px, origin=self.subject)

    def _check(self) -> None:
        wrong = []
        asked = [(c, seed) for c in self.contexts.values() for seed in c["seeds"]]
        for context, seed in asked:
            try:
                self._load(context["id"], seed)
            except InputError as error:
                wrong.append(str(error))
        wrong = list(dict.fromkeys(wrong))
        if wrong:
            named = "; ".join(wrong[:_MOST_NAMED])
            more = f"; and {len(wrong) - _MOST_NAMED} more" if len(wrong) > _MOST_NAMED else ""
            raise InputError(
                f"{self.folder}: {len(wrong)} of {counted(len(self.contexts), 'continuation')} "
                f"cannot be used: {named}{more}"
            )

    def _load(self, ident: str, seed: int) -> Ahead:
        """A continuation, checked. Raises `InputError` for one that is missing or odd."""
        context = self.contexts[ident]
        place = self.folder / "continuations"
        found = list(_candidates(place, f"{ident}-{seed}")) or list(_candidates(place, ident))
        if not found:
            raise InputError(f"{ident} is missing")
        if len(found) > 1:
            raise InputError(f"{ident} is there more than once ({found[0].name}, {found[1].name})")
        (path,) = found
        frames = _fit(_read(path), tuple(context["size_px"]), path.name)
        if len(frames) < context["horizon"]:
            raise InputError(
                f"{path.name} has {counted(len(frames), 'frame')}, expected {context['horizon']}"
            )
        return frames[: context["horizon"]]


def _digest(frames: Frames) -> str:
    digest = hashlib.sha256(repr(frames.shape).encode())
    digest.update(frames.tobytes())
    return digest.hexdigest()[:16]


def _candidates(place: Path, stem: str) -> Iterator[Path]:
    for suffix in (".npz", ".npy", ".mp4", ""):
        path = place / f"{stem}{suffix}"
        if path.is_dir() if not suffix else path.is_file():
            yield path


def _read(path: Path) -> np.ndarray:
    """Whatever a file has. Raises `InputError` where it cannot be read."""
    try:
        if path.suffix in (".npz", ".npy"):
            stored = np.load(path, allow_pickle=False)
            if isinstance(stored, np.ndarray):
                return stored
            with stored:
                if "frames" not in stored:
                    raise InputError(f"{path.name} has no array `frames`")
                return stored["frames"]
        if path.suffix == ".mp4":
            return np.stack([frame for _, frame in iter_frames(path)])
        pictures = sorted(path.glob("*.png"), key=lambda p: (len(p.stem), p.stem))  # 9 before 10
        if not pictures:
            raise InputError(f"{path.name} holds no PNG files")
        return np.stack([np.asarray(Image.open(picture).convert("RGB")) for picture in pictures])
    except _UNREADABLE as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path.name} cannot be read ({error})") from None


def _fit(frames: np.ndarray, size_px: tuple[int, ...], name: str) -> Ahead:
    """Frames in the context's size; those that are a whole number of times larger are averaged."""
    width, height = size_px
    if frames.ndim != 4 or frames.shape[3] != 3 or frames.dtype != np.uint8:
        raise InputError(f"{name} is {frames.dtype} {frames.shape}, expected uint8 [T, H, W, 3]")
    zoom = frames.shape[1] // height
    if zoom < 1 or frames.shape[1:3] != (zoom * height, zoom * width):
        raise InputError(
            f"{name} is {frames.shape[2]} x {frames.shape[1]} pixels, expected {width} x {height} "
            "or a whole number of times as much"
        )
    if zoom == 1:
        return frames
    blocks = frames.reshape(len(frames), height, zoom, width, zoom, 3)
    return np.rint(blocks.mean(axis=(2, 4))).astype(np.uint8)
