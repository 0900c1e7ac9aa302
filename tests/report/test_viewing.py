from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from worldline.core import MediaError, Provenance
from worldline.data import write_video
from worldline.report import viewing as module
from worldline.report.stopwatch import Stopwatch
from worldline.report.viewing import view_all, view_footage

from .conftest import paint_walk


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


def test_a_cut_is_found(tmp_path: Path) -> None:
    red, blue = paint_walk(20, tint=90), paint_walk(20, tint=-90)[:, ::-1, ::-1]
    path = tmp_path / "cut.mp4"
    write_video(path, np.concatenate([red, blue]), fps=10, provenance=Provenance(source="test"))
    assert view_footage(path, max_s=60.0, watch=Stopwatch()).cuts_s == pytest.approx((2.0,))


def test_what_is_no_video_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.mp4"
    path.write_bytes(b"nothing")
    with pytest.raises(MediaError, match=r"x\.mp4"):
        view_footage(path, max_s=5.0, watch=Stopwatch())


def test_videos_are_looked_at_side_by_side(
    walk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the same outcome as one after the other; one that cannot be used holds up nothing."""
    monkeypatch.setattr(module.os, "sched_getaffinity", lambda _: {0, 1})
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"nothing")
    watch = Stopwatch()
    found = list(view_all([walk, broken], max_s=1.0, watch=watch))
    assert [viewed.path for viewed in found] == [walk, broken]
    alone = view_footage(walk, max_s=1.0, watch=Stopwatch())
    apart = found[0].viewing
    assert apart is not None
    assert apart.scene.to_json() == alone.scene.to_json()
    assert apart.footage == alone.footage
    assert set(found[0].spent_s) == {"Decode", "Perceive"}
    assert found[1].viewing is None
    assert "broken.mp4" in found[1].reason
    assert [stage.name for stage in watch.stages] == ["Perceive"]


def test_a_single_video_needs_no_other_process(walk: Path) -> None:
    watch = Stopwatch()
    (viewed,) = view_all([walk], max_s=1.0, watch=watch)
    assert viewed.viewing is not None
    assert viewed.spent_s == {}
    assert {stage.name for stage in watch.stages} == {"Decode", "Perceive"}


def test_what_a_process_per_video_loads_is_light() -> None:
    """PyTorch would take each of them longer to load than many a video to look at."""
    code = "import sys, worldline.report.viewing; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
