"""`--detector` and `--depth` of `perceive` and `ingest`: names become searchable."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from worldline.core import Origin, Provenance
from worldline.data import write_video

PLUGIN = '''
import numpy as np
from worldline.readout import Detections

class Red:
    """Calls what is red what it is told to."""
    is_metric = True
    def __init__(self, text):
        self.label = text
    def detect(self, frames):
        found = []
        for frame in frames:
            red = (frame[..., 0] > 150) & (frame[..., 1] < 90)
            y, x = np.nonzero(red)
            if not len(x):
                found.append(Detections(np.zeros((0, 4)), (), np.zeros(0)))
                continue
            box = np.array([[x.min(), y.min(), x.max() + 1, y.max() + 1]], dtype=float)
            found.append(Detections(box, (self.label,), np.array([0.9])))
        return found
    def estimate(self, frames):
        return [np.full((9, 16), 4.0) for _ in frames]
'''


@pytest.fixture
def video(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A red square that drives up and stops, and a plug-in that knows it."""
    (tmp_path / "sees_red.py").write_text(PLUGIN)
    info = tmp_path / "sees_red-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: sees-red\nVersion: 1.0\n")
    points = "".join(
        f"[worldline.{kind}]\nred = sees_red:Red\n\n" for kind in ("detectors", "depths")
    )
    (info / "entry_points.txt").write_text(points)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "sees_red", raising=False)
    ground = np.random.default_rng(0).integers(90, 130, (96, 128, 3)).astype(np.uint8)
    frames = []
    for k in range(60):
        image = ground.copy()
        x = 10 + 3 * min(k, 25)
        image[60:76, x : x + 20] = (210, 30, 30)
        frames.append(image)
    path = tmp_path / "drive.mp4"
    write_video(path, iter(frames), fps=20, provenance=Provenance(Origin.RECORDED))
    return path


def test_names_and_depth_come_with_the_tracks(call, video):
    done = call("perceive", video, "--detector", "red:car", "--depth", "red", "--json")
    (track,) = done.answer["results"][0]["tracks"]
    assert track["label"] == "car"
    known = [d for d in track["depth_m"] if d is not None]
    assert len(known) > 40
    assert known == pytest.approx([4.0] * len(known))
    assert len(track["depth_m_std"]) == len(track["time_s"])
    (track,) = call("perceive", video, "--json").answer["results"][0]["tracks"]
    assert track["label"] == "object"
    assert "depth_m" not in track


def test_what_is_named_is_found(call, video, tmp_path):
    library = str(tmp_path / "library")
    ingest = ["ingest", video, "--library", library, "--workers", "1", "--json", "--detector"]
    assert call(*ingest, "red:car").answer["added"] == 1

    def find(query: str) -> set[str]:
        hits = call("search", query, "--library", library, "--json").answer["hits"]
        return {Path(hit["source"]).name for hit in hits}

    assert find("a car stops") == {"drive.mp4"}
    assert find("a person stops") == set()
    assert call(*ingest, "red:person", "--again").answer["updated"] == 1
    assert find("a person stops") == {"drive.mp4"}


def test_an_unknown_name_is_one_line(call, video, tmp_path):
    for command in (["perceive", video], ["ingest", video, "--library", str(tmp_path / "lib")]):
        done = call(*command, "--detector", "yolo")
        assert done.code == 2
        (line,) = done.error_lines
        assert "no detector is called 'yolo'; installed: " in line
    assert not (tmp_path / "lib").exists()
