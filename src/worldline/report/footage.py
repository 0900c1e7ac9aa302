"""What was seen in a video, judged and drawn: audit, world lines, film."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from worldline.audit import audit_scene
from worldline.readout import draw_world_lines
from worldline.report.facts import ClipFacts, Film
from worldline.report.media import encode_film
from worldline.report.stopwatch import Stopwatch
from worldline.report.viewing import Viewing

__all__ = ["draw_frames", "examine"]

_SLACK_S = 1e-3


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
