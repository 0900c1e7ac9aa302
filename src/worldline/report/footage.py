"""From a video file to what was seen in it: decode once, perceive, audit, draw."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from worldline.audit import audit_scene
from worldline.core import Scene
from worldline.data import VideoInfo, iter_frames, probe
from worldline.readout import CutDetector, PixelReadout, draw_world_lines
from worldline.report.facts import ClipFacts, Film, Footage
from worldline.report.media import encode_film
from worldline.report.stopwatch import Stopwatch

__all__ = ["Viewing", "draw_frames", "examine", "view_footage"]

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


def examine(viewing: Viewing, *, watch: Stopwatch) -> ClipFacts:
    """Audit a scene and draw it on its video."""
    with watch.stage("Audit"):
        verdicts = audit_scene(viewing.scene)
    with watch.stage("Draw"):
        film = _draw(viewing)
    return ClipFacts(
        footage=viewing.footage,
        scene=viewing.scene,
        verdicts=verdicts,
        film=film,
        cuts_s=viewing.cuts_s,
        damage=viewing.damage,
    )


def _draw(viewing: Viewing) -> Film | None:
    if len(viewing.kept) < 2:
        return None
    scene = viewing.scene
    times_s = [float(scene.time_s[index]) for index, _ in viewing.kept]
    # The picture to show first is the one with the most world lines in sight.
    visible = scene.visible.sum(axis=0)
    poster = int(np.argmax([visible[index] for index, _ in viewing.kept]))
    details = (*scene.provenance.details, ("drawn", "world lines"))
    return encode_film(
        draw_frames(viewing),
        times_s,
        alt=f"{viewing.footage.name} with the paths of {scene.num_objects} objects drawn on it",
        provenance=replace(scene.provenance, details=details),
        poster=poster,
    )


def draw_frames(viewing: Viewing) -> Iterator[np.ndarray]:
    """Frames with world lines on them; a cut wipes away those of the shot before."""
    scene = viewing.scene
    starts = [0, *(int(np.searchsorted(scene.time_s, cut - _SLACK_S)) for cut in viewing.cuts_s)]
    shots = {start: scene.after(start) for start in starts}
    for index, frame in viewing.kept:
        start = max(s for s in starts if s <= index)
        yield draw_world_lines(frame, shots[start], index - start)
