from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from worldline.core import Clip, Event, Origin, Provenance, Scene
from worldline.data import probe
from worldline.report.answers import ask, build_library, pick, simulate_clips
from worldline.report.facts import Footage
from worldline.report.stopwatch import Stopwatch
from worldline.report.viewing import Viewing
from worldline.retrieval import Hit

from .conftest import make_scene, paint


def make_hit(source: str, origin: Origin = Origin.SIMULATED) -> Hit:
    return Hit(source, 0.0, 1.0, 1.0, {}, origin)


def make_clip(family: str) -> Clip:
    """A clip of six frames in which object 0 falls by 1.2 m from the first frame to the last."""
    scene = make_scene(6)
    provenance = Provenance(Origin.SIMULATED, family, "worldline.sim", 0)
    fall = Event("fall", 0.1, 0.4, {"object": 4}, {"height_m": 1.2, "height_m_std": 0.01})
    scene = replace(scene, events=(fall,), contacts=(), provenance=provenance)
    return Clip(frames=paint(6), time_s=np.arange(6) * 0.1, provenance=provenance, scene=scene)


def make_viewing(path: Path, scene: Scene) -> Viewing:
    footage = Footage(
        name=path.name,
        codec="h264",
        width_px=32,
        height_px=32,
        fps=10.0,
        duration_s=0.6,
        num_frames=6,
        looked_at_s=(0.0, 0.6),
    )
    return Viewing(path, footage, scene, (), ())


def test_each_video_is_shown_once_and_footage_always() -> None:
    hits = [make_hit("a"), make_hit("a"), *(make_hit(s) for s in "bcde")]
    shown = [(rank, hit.source) for rank, hit in pick(hits, {})]
    assert shown == [(1, "a"), (3, "b"), (4, "c"), (5, "d")]
    hits.append(make_hit("real", Origin.RECORDED))
    assert [(rank, hit.source) for rank, hit in pick(hits, {})][-1] == (7, "real")
    assert pick([], {}) == []
    assert [hit.source for _, hit in pick(hits[:1], {})] == ["a"]


def test_different_kinds_come_first() -> None:
    hits = [make_hit(source) for source in ("d1", "d2", "d3", "d4", "t1", "t2")]
    kinds = {hit.source: hit.source[0] for hit in hits}
    shown = [(rank, hit.source) for rank, hit in pick(hits, kinds)]
    assert shown == [(1, "d1"), (2, "d2"), (5, "t1"), (6, "t2")]


def test_simulated_clips_are_written_with_their_truth(tmp_path: Path) -> None:
    written = simulate_clips([make_clip("drop"), make_clip("roll")], tmp_path, seed=7)
    assert [path.name for path in written] == ["drop-7-0000.mp4", "roll-7-0001.mp4"]
    for path in written:
        assert probe(path).provenance.origin is Origin.SIMULATED
        assert path.with_suffix(".scene.json").is_file()


def test_a_library_is_asked_and_forgets_what_left(tmp_path: Path) -> None:
    folder, watch = tmp_path / "clips", Stopwatch()
    first = simulate_clips([make_clip("drop")], folder, seed=1)
    second = simulate_clips([make_clip("throw")], folder, seed=2)
    (real,) = simulate_clips([make_clip("camera")], tmp_path / "own", seed=0)
    real.with_suffix(".scene.json").unlink()
    seen = replace(make_scene(6), events=(), provenance=Provenance(source=str(real)))
    build_library(tmp_path / "library", [], first)
    library, origins = build_library(tmp_path / "library", [make_viewing(real, seen)], second)
    assert origins == {"recorded": 1, "simulated": 1}
    assert {Path(v["uri"]).name for v in library.videos()} == {
        "throw-2-0000.mp4",
        "camera-0-0000.mp4",
    }

    scenes = {str(path): scene for path, scene in second.items()}
    answer = ask(library, "a fall from more than 1 m", scenes, watch=watch)
    (hit,) = answer.hits
    assert (answer.num_found, hit.rank, hit.source) == (1, 1, "throw-2-0000.mp4")
    assert (hit.start_s, hit.end_s) == pytest.approx((0.1, 0.4))
    assert hit.synthetic
    assert hit.film is not None
    assert hit.film.start_s == 0.0  # there is no more than 0.1 s before it
    assert max(hit.film.width_px, hit.film.height_px) == 256
    assert hit.film.provenance.origin is Origin.SIMULATED
    assert answer.plan["sentence"]

    next(iter(second)).unlink()
    (gone,) = ask(library, "a fall", scenes, watch=watch).hits
    assert gone.film is None
