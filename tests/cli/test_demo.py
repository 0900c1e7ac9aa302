from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from worldline.core import Provenance
from worldline.data import write_video
from worldline.dynamics import FlowDynamics, TrajectoryForecaster
from worldline.readout.latent import LatentReadout
from worldline.tokenizer import ContinuousTokenizer
from worldline.world import World

from .conftest import Done, strict_json


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Folder of a world of a few thousand parameters that was never trained."""
    config = World.Config(
        name="tiny",
        tokenizer=ContinuousTokenizer.Config(
            fine_width=16, coarse_width=16, fine_depth=1, coarse_depth=1
        ),
        dynamics=FlowDynamics.Config(stem_width=16, width=32, depth=3, heads=2),
        readout=LatentReadout.Config(width=16, depth=1),
        trajectory=TrajectoryForecaster.Config(
            fine_width=8, width=16, depth=2, late_depth=1, heads=1
        ),
    )
    folder = tmp_path_factory.mktemp("world")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config.build().save(folder)
    return str(folder)


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ball crosses the picture in 2.4 s; the name of the file is not to be trusted."""
    y, x = np.mgrid[:72, :120] + 0.5
    wall = np.random.default_rng(0).integers(60, 80, size=(72, 120, 3))
    frames = [
        np.where(np.hypot(x - (4 + 1.8 * t), y - 36)[..., None] < 8, (230, 200, 40), wall)
        for t in range(60)
    ]
    path = tmp_path_factory.mktemp("footage") / "<b>ball.mp4"
    pixels = np.asarray(frames, dtype=np.uint8)
    write_video(path, pixels, fps=25, provenance=Provenance(source="test"))
    return path


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bad") / "bad.mp4"
    path.write_bytes(b"no video")
    return path


def test_the_whole_chain(
    call: Callable[..., Done], footage: Path, bad: Path, world: str, tmp_path: Path
) -> None:
    arguments = ("demo", "--video", footage, bad, "--out", tmp_path, "--world", world)
    done = call(*arguments, "--simulated", "2", "--json", "--seed", "5")
    assert done.code == 2  # because of the one bad file
    assert len(done.error_lines) == 1
    assert "bad.mp4" in done.error_lines[0]
    answer = done.answer
    assert [("error" in result) for result in answer["results"]] == [False, True]
    record = strict_json((tmp_path / "report.json").read_text())
    assert {k: v for k, v in answer.items() if k not in ("report", "results")} == record
    assert answer["report"] == str(tmp_path / "index.html")

    (clip,) = record["clips"]
    assert clip["footage"]["name"] == "<b>ball.mp4"
    assert clip["footage"]["num_frames"] == 60
    assert clip["size"] == [120, 72]
    ball = max(clip["tracks"], key=lambda track: len(track["x"]))
    # 1.8 px a frame at 25 frames a second.
    speed = np.polyfit(ball["time_s"][5:-5], ball["x"][5:-5], 1)[0]
    assert speed == pytest.approx(45, rel=0.05)
    assert {law["law"] for law in clip["laws"]} >= {"inertia", "permanence", "rigidity"}

    real, home = record["forecasts"]
    assert real["familiar"] is False
    assert home["familiar"] is True
    assert real["forecast"]["samples"] == 3
    assert len(real["forecast"]["uncertainty"]) == real["forecast"]["horizon"] == 16
    assert set(real["psnr_db"]) == {"tiny", "copying the last frame", "constant velocity"}
    names = [panel["name"] for panel in real["panels"]]
    assert names[:2] == ["What happened", "Future 1"]
    origins = [panel["film"]["provenance"]["origin"] for panel in home["panels"]]
    assert origins == ["simulated"] + ["generated"] * 5

    assert record["library"] == {"recorded": 1, "simulated": 2}
    assert len(list((tmp_path / "library-clips").glob("*.scene.json"))) == 2
    assert [search["query"] for search in record["searches"]][:2] == [
        "something falls from a height",
        "near-miss",
    ]
    for search in record["searches"]:
        for hit in search["hits"]:
            assert hit["start_s"] <= hit["end_s"]
            assert hit["film"]["num_frames"] >= 2
    stages = {stage["name"] for stage in record["stages"]}
    assert stages >= {"Start", "Decode", "Perceive", "Forecast", "Audit", "Index", "Search"}
    assert record["failures"] == [answer["results"][1]["error"]]
    html = (tmp_path / "index.html").read_text()
    assert "<b>ball" not in html
    assert "&lt;b&gt;ball.mp4" in html


def test_without_footage_it_says_what_to_do(
    call: Callable[..., Done], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = call("demo")
    assert done.code == 2
    assert done.out == ""
    (line,) = done.error_lines
    assert "make data" in line
    assert "--video" in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--max-s", "0"), "--max-s is 0"),
        (("--max-s", "nan"), "--max-s is nan"),
        (("--simulated", "0"), "--simulated is 0"),
        (("--seed", "-1"), "--seed is -1"),
        (("--world", "no-such-world"), "no-such-world"),
    ],
)
def test_bad_arguments(
    call: Callable[..., Done], footage: Path, tmp_path: Path, arguments: tuple, words: str
) -> None:
    done = call("demo", "--video", footage, "--out", tmp_path / "out", "--json", *arguments)
    assert done.code == 2
    assert words in done.answer["error"]
    assert not (tmp_path / "out" / "index.html").exists()


def test_only_bad_files(call: Callable[..., Done], bad: Path, world: str, tmp_path: Path) -> None:
    done = call("demo", "--video", bad, "--out", tmp_path / "out", "--world", world, "--json")
    assert done.code == 2
    assert str(bad) in done.answer["error"]
    assert len(done.error_lines) == 1
