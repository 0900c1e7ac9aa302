"""From video files to what was seen in them: decode once and perceive, one process per video."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from worldline.core import InputError, Scene
from worldline.core.processes import spread_in_order
from worldline.data import VideoInfo, iter_frames, probe
from worldline.readout import CutDetector, PixelReadout
from worldline.report.facts import Footage
from worldline.report.stopwatch import Stopwatch

__all__ = ["Viewed", "Viewing", "view_all", "view_footage"]

_ANALYSED_PX = 640
_FILM_FPS = 15.0
_SLACK_S = 1e-3


@dataclass(frozen=True, eq=False)
class Viewing:
    """A video after one pass over it.

    Attributes:
        path: the file.
        footage: what it is.
        scene: what was seen.
        cuts_s: first moments of new shots.
        kept: (index of the frame, small frame) for some frames, evenly chosen, to draw on.
        damage: what could not be decoded; empty if nothing.
    """

    path: Path
    footage: Footage
    scene: Scene
    cuts_s: tuple[float, ...]
    kept: tuple[tuple[int, np.ndarray], ...]
    damage: str = ""


def view_footage(path: Path, *, max_s: float, watch: Stopwatch) -> Viewing:
    """Decode the first `max_s` seconds of a video and follow what moves, in one pass.

    Raises:
        MediaError: the file cannot be used.
    """
    with watch.stage("Decode"):
        info = probe(path)
    every = max(1, round(info.fps / _FILM_FPS))
    cutter, cuts_s, damage = CutDetector(), list[float](), list[str]()
    kept: list[tuple[int, np.ndarray]] = []
    frames = iter_frames(path, end_s=max_s, max_side_px=_ANALYSED_PX, on_damage=damage.append)

    def watched() -> Iterator[tuple[float, np.ndarray]]:
        for index, (time_s, frame) in enumerate(watch.pull("Decode", frames)):
            if cutter.update(frame):
                cuts_s.append(time_s)
            if index % every == 0:
                kept.append((index, frame))
            yield time_s, frame

    with watch.stage("Perceive"):
        scene = (
            PixelReadout.Config()
            .build()
            .read(
                watched(),
                provenance=info.provenance,
                full_size_px=(info.width_px, info.height_px),
            )
        )
    return Viewing(
        path=path,
        footage=_describe(path, info, scene),
        scene=scene,
        cuts_s=tuple(cuts_s),
        kept=tuple(kept),
        damage="; ".join(dict.fromkeys(damage)),
    )


def _describe(path: Path, info: VideoInfo, scene: Scene) -> Footage:
    steps_s = np.diff(scene.time_s)
    step_s = float(np.median(steps_s)) if len(steps_s) else 0.0
    # A file's name is not always text that can be written.
    name = path.name.encode("utf-8", "replace").decode("utf-8")
    return Footage(
        name=name,
        codec=info.codec,
        width_px=info.width_px,
        height_px=info.height_px,
        fps=1 / step_s if step_s > 0 else info.fps,
        duration_s=info.duration_s,
        num_frames=scene.num_frames,
        looked_at_s=(float(scene.time_s[0]), float(scene.time_s[-1]) + step_s),
        rotation_deg=info.rotation_deg,
        steady_rate=bool(np.all(np.abs(steps_s - step_s) < _SLACK_S)),
        provenance=info.provenance,
    )


@dataclass(frozen=True, eq=False)
class Viewed:
    """What came of one video out of several.

    Attributes:
        path: the file.
        viewing: what was seen; None if the file cannot be used.
        reason: why not, in one sentence.
        spent_s: seconds by stage, if that was in a process of its own.
    """

    path: Path
    viewing: Viewing | None
    reason: str
    spent_s: dict[str, float]


def view_all(videos: Sequence[Path], *, max_s: float, watch: Stopwatch) -> Iterator[Viewed]:
    """Look at the first `max_s` seconds of videos; in order.

    Perceiving is Python and small pictures, which more threads hardly speed up, but a process per
    video does. What they take is waited for in the stage "Perceive". A single video is looked at
    in this process. (This module must not import PyTorch: each process would load it.)
    """
    num_workers = min(len(videos), len(os.sched_getaffinity(0)))
    if num_workers < 2:
        for path in videos:
            yield _view(path, max_s, watch)
        return
    look = partial(_view_apart, max_s=max_s)
    yield from watch.pull("Perceive", spread_in_order(look, videos, num_workers=num_workers))


def _view_apart(path: Path, max_s: float) -> Viewed:
    cv2.setNumThreads(1)
    watch = Stopwatch()
    viewed = _view(path, max_s, watch)
    spent_s = {stage.name: stage.seconds for stage in watch.stages}
    return Viewed(viewed.path, viewed.viewing, viewed.reason, spent_s)


def _view(path: Path, max_s: float, watch: Stopwatch) -> Viewed:
    try:
        return Viewed(path, view_footage(path, max_s=max_s, watch=watch), "", {})
    except InputError as error:
        return Viewed(path, None, " ".join(str(error).split()), {})
