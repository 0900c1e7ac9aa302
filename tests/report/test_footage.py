from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from worldline.core import MediaError, Provenance
from worldline.data import write_video
from worldline.report.footage import draw_frames, examine, view_footage
from worldline.report.stopwatch import Stopwatch

from .conftest import make_scene


def paint_walk(num_frames: int, *, tint: int) -> np.ndarray:
    """A dark block walks right at 2 px a frame before a textured wall; 80 x 120 pixels."""
    wall = np.random.default_rng(0).integers(100, 130, size=(80, 120, 3))
    wall += np.array([tint, 0, -tint])
    frames = np.repeat(wall[None].astype(np.uint8), num_frames, axis=0)
    for k in range(num_frames):
        frames[k, 25:60, 4 + 2 * k : 20 + 2 * k] = (20, 30, 25)
    return frames


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("walk") / "walk.mp4"
    provenance = Provenance(source="test")
    write_video(path, paint_walk(48, tint=0), fps=24, provenance=provenance)
    return path


def test_one_pass_tells_what_the_file_is_and_what_moves(walk: Path) -> None:
    watch = Stopwatch()
    viewing = view_footage(walk, max_s=60.0, watch=watch)
    footage = viewing.footage
    assert (footage.name, footage.codec) == ("walk.mp4", "h264")
    assert (footage.width_px, footage.height_px, footage.num_frames) == (120, 80, 48)
    assert footage.fps == pytest.approx(24)
    assert footage.looked_at_s == pytest.approx((0.0, 2.0))
    assert footage.steady_rate
    assert viewing.cuts_s == ()
    assert [index for index, _ in viewing.kept] == list(range(0, 48, 2))
    scene = viewing.scene
    row = int(np.argmax(scene.visible.sum(axis=1)))
    seen = scene.visible[row].copy()
    seen[:6] = seen[-6:] = False
    slope = np.polyfit(scene.time_s[seen], scene.center_px[row, seen, 0], 1)[0]
    assert slope == pytest.approx(48, rel=0.05)
    assert {stage.name for stage in watch.stages} == {"Decode", "Perceive"}


def test_only_so_much_is_looked_at(walk: Path) -> None:
    viewing = view_footage(walk, max_s=1.0, watch=Stopwatch())
    assert viewing.footage.num_frames == 24
    assert viewing.footage.looked_at_s == pytest.approx((0.0, 1.0))
    assert viewing.footage.duration_s == pytest.approx(2.0, abs=0.05)


def test_examined_footage_has_verdicts_and_a_film(walk: Path) -> None:
    clip = examine(view_footage(walk, max_s=60.0, watch=Stopwatch()), watch=Stopwatch())
    assert {verdict.law for verdict in clip.verdicts} >= {"inertia", "permanence"}
    assert clip.film is not None
    assert clip.film.num_frames == 24
    assert clip.film.duration_s == pytest.approx(2.0)
    assert ("drawn", "world lines") in clip.film.provenance.details


def test_a_cut_is_found(tmp_path: Path) -> None:
    red, blue = paint_walk(20, tint=90), paint_walk(20, tint=-90)[:, ::-1, ::-1]
    path = tmp_path / "cut.mp4"
    write_video(path, np.concatenate([red, blue]), fps=10, provenance=Provenance(source="test"))
    assert view_footage(path, max_s=60.0, watch=Stopwatch()).cuts_s == pytest.approx((2.0,))


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


def test_what_is_no_video_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.mp4"
    path.write_bytes(b"nothing")
    with pytest.raises(MediaError, match=r"x\.mp4"):
        view_footage(path, max_s=5.0, watch=Stopwatch())
