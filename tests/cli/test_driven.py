"""`predict` with what lies beside a video, and what it says where that does not fit."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from worldline.dynamics import ControlEncoder, FlowDynamics
from worldline.readout.latent import LatentReadout
from worldline.tokenizer import ContinuousTokenizer
from worldline.world import World

TAKES = ControlEncoder.Config.of(
    map_names=("segmentation", "depth"), state_names=("push_force_n",), rays=True, action_size=2
)


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("driven")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        made = World.Config(
            name="driven",
            tokenizer=ContinuousTokenizer.Config(
                fine_width=8, coarse_width=8, fine_depth=1, coarse_depth=1
            ),
            dynamics=FlowDynamics.Config(
                stem_width=8, width=16, depth=3, heads=2, controls=TAKES, shrinkage=0.0
            ),
            readout=LatentReadout.Config(width=8, depth=1),
            trajectory=None,
        ).build()
        with torch.no_grad():
            for parameter in made.parts["dynamics"].parameters():
                parameter.add_(0.2 * torch.randn_like(parameter))
    made.save(folder)
    return str(folder)


@pytest.fixture
def video(tmp_path: Path, call) -> Path:
    beside = ("--moving-camera", "--maps", "--readings")
    done = call("sim", "make", "push", *beside, "--out", str(tmp_path), "--json")
    assert done.code == 0
    return Path(done.answer["clips"][0]["video"])


def predict(call, video: Path, world: str):
    numbers = ("--end-s", "0.4", "--horizon", "2", "--samples", "1", "--context", "3")
    out = str(video.parent / "out")
    return call("predict", str(video), "--world", world, "--out", out, *numbers, "--json")


def test_what_lies_beside_a_video_drives_its_forecast(video, world, call):
    done = predict(call, video, world)
    assert done.code == 0, done.err
    assert done.answer["results"][0]["driven_by"] == ["actions", "rays", "maps", "state"]
    frames = np.load(video.parent / "out" / video.stem / "forecast.npz")["frames"]
    for kind in ("actions.json", "state.json", "scene.json", "maps.npz"):
        video.with_suffix(f".{kind}").unlink()
    done = predict(call, video, world)
    assert done.answer["results"][0]["driven_by"] == []
    longest = video.with_name("x" * 251 + ".mp4")  # no longer name, such as a sidecar's, can be
    shutil.copy(video, longest)
    done = predict(call, longest, world)
    assert done.code == 0, done.err
    assert done.answer["results"][0]["driven_by"] == []
    bare = np.load(video.parent / "out" / video.stem / "forecast.npz")["frames"]
    assert (bare != frames).any()


def rewrite(file: Path, change) -> None:
    record = json.loads(file.read_text())
    change(record)
    file.write_text(json.dumps(record))


def test_what_does_not_fit_is_one_sentence_with_the_file(video, world, call):
    def refused(kind: str, change, message: str) -> None:
        file = video.with_suffix(f".{kind}.json")
        kept = file.read_bytes()
        rewrite(file, change)
        done = predict(call, video, world)
        file.write_bytes(kept)
        assert done.code == 2
        (line,) = done.error_lines
        assert message in line
        assert file.name in line or video.name in line

    def put(name, value):
        return lambda record: record.__setitem__(name, value)

    refused("actions", put("actions", [[0.0] * 3] * 32), "actions have 3 numbers")
    refused("actions", put("actions", [[0.0] * 2] * 5), "but time_s has 32 rows")
    refused("actions", lambda r: r["actions"][4].__setitem__(1, None), "not finite")
    refused("state", lambda r: (r.pop("names"), r.__setitem__("names", ["a"])), "for 1 columns")
    refused(
        "scene", lambda r: r["camera"]["world_from_camera"][3][0].__setitem__(0, None), "pose 3"
    )
    refused("scene", lambda r: r["camera"]["world_from_camera"].pop(), "31 camera poses for 32")
    short = [0.05 * i for i in range(3)]

    def cut(record):
        record["time_s"], record["actions"] = short, record["actions"][:3]

    refused("actions", cut, "none for the frame at")
    maps = video.with_suffix(".maps.npz")
    arrays = dict(np.load(maps))
    np.savez(maps, time_s=arrays["time_s"], depth_m=arrays["depth_m"][:, :32])
    (line,) = predict(call, video, world).error_lines
    assert "depth_m is (32, 32, 64), expected (32, 64, 64)" in line


def test_info_says_which_controls_a_world_takes(world, call):
    told = call("info", world, "--json").answer["controls"]
    assert told["actions"] == {"size": 2, "embodiments": 1}
    assert told["maps"]["names"] == ["segmentation", "depth"]
    assert told["state"]["names"] == ["push_force_n"]
    shown = " ".join(call("info", world).out.split())
    assert "maps (segmentation, depth)" in shown
    assert call("info", "small", "--json").answer["controls"] == {}
