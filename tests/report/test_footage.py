from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from worldline.report.footage import draw_frames, examine
from worldline.report.stopwatch import Stopwatch
from worldline.report.viewing import view_footage

from .conftest import make_scene


def test_examined_footage_has_verdicts_and_a_film(walk: Path) -> None:
    clip = examine(view_footage(walk, max_s=60.0, watch=Stopwatch()), watch=Stopwatch())
    assert {verdict.law for verdict in clip.verdicts} >= {"inertia", "permanence"}
    assert clip.film is not None
    assert clip.film.num_frames == 24
    assert clip.film.duration_s == pytest.approx(2.0)
    assert ("drawn", "world lines") in clip.film.provenance.details


def test_world_lines_end_at_a_cut(walk: Path) -> None:
    viewing = view_footage(walk, max_s=0.4, watch=Stopwatch())
    scene = make_scene()  # frames 0.1 s apart; the second shot begins with frame 5
    there = scene.present & (np.arange(scene.num_frames) < 5)
    scene = replace(scene, present=there, visible=scene.visible & there, contacts=(), events=())
    plain = np.full((50, 100, 3), 128, dtype=np.uint8)
    kept = tuple((index, plain) for index in range(scene.num_frames))
    frames = list(draw_frames(replace(viewing, scene=scene, cuts_s=(0.5,), kept=kept)))
    assert not np.array_equal(frames[4], plain)
    assert all(np.array_equal(frame, plain) for frame in frames[5:])


def test_a_film_needs_two_frames(walk: Path) -> None:
    viewing = view_footage(walk, max_s=60.0, watch=Stopwatch())
    assert examine(replace(viewing, kept=viewing.kept[:1]), watch=Stopwatch()).film is None
