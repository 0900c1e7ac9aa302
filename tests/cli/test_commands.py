"""Each command on good input: what it answers and writes, and that it does so twice alike."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import av
import numpy as np
import pytest
from rich.console import Console

from worldline.cli.files import stems
from worldline.cli.perceive import events_table
from worldline.core import Origin, Provenance, Scene
from worldline.data import probe, read_clip, write_video
from worldline.dynamics import FlowDynamics, TrajectoryForecaster
from worldline.physics import check_laws
from worldline.readout.latent import LatentReadout
from worldline.sim import FAMILIES
from worldline.tokenizer import ContinuousTokenizer
from worldline.world import World

CARD = "# Tiny\n\n## Data\n\nNone: never trained.\n\n## Limits\n\nKnows nothing.\n"


@pytest.fixture(scope="session")
def tiny_world(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Folder of a world of a few thousand parameters that was never trained."""
    config = World.Config(
        name="tiny",
        tokenizer=ContinuousTokenizer.Config(fine_width=8, coarse_width=16),
        dynamics=FlowDynamics.Config(stem_width=16, width=32, depth=3, heads=2),
        readout=LatentReadout.Config(width=16, depth=1),
        trajectory=TrajectoryForecaster.Config(
            fine_width=8, width=16, depth=2, late_depth=1, heads=1
        ),
        context=4,
    )
    folder = tmp_path_factory.mktemp("world")
    config.build().finished({"note": 1.5}, CARD).save(folder)
    return str(folder)


def test_info(tiny_world: str, call):
    answer = call("info", tiny_world, "--json").answer
    assert answer["name"] == "tiny"
    assert answer["num_parameters"] == World.from_pretrained(tiny_world).num_parameters
    assert (answer["size_px"], answer["context"]) == (64, 4)
    assert answer["calibration"] == {"note": 1.5}
    assert answer["card"] == CARD
    assert answer["sections"] == {"data": "None: never trained.", "limits": "Knows nothing."}
    shown = call("info", tiny_world).out
    assert "tiny" in shown
    assert "Knows nothing." in shown


def test_sim_make(tmp_path: Path, call):
    arguments = ["sim", "make", "drop", "disc_uniform", "--clips", "3", "--seed", "5", "--json"]
    first = call(*arguments, "--out", tmp_path / "a").answer
    again = call(*arguments, "--out", tmp_path / "b").answer
    stems = ["drop-5-0000", "disc_uniform-5-0001", "drop-5-0002"]
    assert sorted(file.name for file in (tmp_path / "a").iterdir()) == sorted(
        f"{stem}{end}" for stem in stems for end in (".mp4", ".scene.json")
    )
    for stem, record, same in zip(stems, first["clips"], again["clips"], strict=True):
        assert record["video"] == str(tmp_path / "a" / f"{stem}.mp4")
        for key in ("video", "scene"):
            assert Path(record[key]).read_bytes() == Path(same[key]).read_bytes()
        scene = Scene.read(record["scene"])
        clip = read_clip(record["video"])
        assert record["frames"] == scene.num_frames == clip.num_frames
        np.testing.assert_allclose(clip.time_s, scene.time_s - scene.time_s[0], atol=2e-5)
        assert clip.provenance.origin is Origin.SIMULATED
        assert (clip.provenance.source, clip.provenance.seed) == (stem.split("-")[0], 5)
        assert record["caption"] == scene.caption != ""
        assert np.ptp(clip.frames.astype(int), axis=0).max() > 50, "nothing moves"


def test_sim_make_tells_its_families(tmp_path: Path, call):
    told = " ".join(call("sim", "make", "--help").out.replace("│", " ").split())
    assert all(family in told for family in FAMILIES)
    for wrong, near in {"colide": "collide", "disc": "disc_uniform", "U-Slope": "u_slope"}.items():
        done = call("sim", "make", wrong, "--out", tmp_path / "none")
        assert done.code == 2
        (line,) = done.error_lines
        assert f"no family {wrong}; did you mean {near}" in line
    assert "did you mean" not in call("sim", "make", "xyzzy", "--out", tmp_path / "none").err
    assert not (tmp_path / "none").exists()


def test_sim_make_depends_on_seed_and_split(tmp_path: Path, call):
    variants = {"a": ["--seed", "1"], "b": ["--seed", "2"], "c": ["--split", "out-of-distribution"]}
    for name, options in variants.items():
        done = call("sim", "make", "disc_parabola", "--out", tmp_path / name, *options)
        assert done.code == 0, done.err
    scenes = [next((tmp_path / name).glob("*.json")).read_text() for name in variants]
    assert len(set(scenes)) == 3


def test_sim_make_writes_actions_and_can_move_the_camera(tmp_path: Path, call):
    options = ["--size-px", "16", "--moving-camera", "--json"]
    made = call("sim", "make", "push", "--out", tmp_path, *options)
    assert made.code == 0, made.err
    actions = json.loads((tmp_path / "push-0-0000.actions.json").read_text())
    assert np.array(actions["actions"]).shape == (32, 2)
    assert len(actions["time_s"]) == 32
    scene = Scene.read(tmp_path / "push-0-0000.scene.json")
    assert scene.camera is not None
    assert len(scene.camera.world_from_camera) == 32
    flat = call("sim", "make", "disc_uniform", "--out", tmp_path, "--moving-camera")
    assert flat.code == 2
    assert "have no camera" in flat.err


def test_perceive(videos: Path, tmp_path: Path, call):
    source = str(videos / "ball.mp4")
    (result,) = call("perceive", source, "--json", "--overlay", tmp_path).answer["results"]
    assert result["source"] == source
    assert (result["fps"], result["size"]) == (25.0, [128, 96])
    assert (result["num_frames"], result["origin"]) == (40, "recorded")
    (track,) = result["tracks"]
    lengths = {name: len(track[name]) for name in ("time_s", "x", "y", "w", "h", "x_std", "y_std")}
    assert len(set(lengths.values())) == 1
    assert lengths["time_s"] >= 35
    # The ball rolls at 3 pixels a frame, 75 a second, 48 pixels below the upper edge, 18 wide.
    time_s, x = np.array(track["time_s"]), np.array(track["x"])
    whole = (x > 15) & (x < 113)
    error_px = x[whole] - (5.0 + 75.0 * time_s[whole])
    assert np.median(np.abs(error_px)) < 2.5
    assert np.abs(error_px).max() < 6.0
    np.testing.assert_allclose(np.array(track["y"])[whole], 48.0, atol=3.0)
    assert 15 < np.median(np.array(track["w"])[whole]) < 28
    assert all(std > 0 for std in track["x_std"])
    red, green, blue = track["color"]
    assert red > green > blue
    assert red > 0.5
    for event in result["events"]:
        assert {"type", "start_s", "end_s", "roles", "quantities"} <= set(event)
    overlay = read_clip(result["overlay"])
    original = read_clip(source)
    np.testing.assert_allclose(overlay.time_s, original.time_s, atol=2e-5)
    changed = np.abs(overlay.frames[20].astype(int) - original.frames[20]).max(axis=-1) > 60
    assert 10 < changed.sum() < 2000, "the box and the path, and not much else"


def test_perceive_shows_tracks_to_a_person(videos: Path, call, monkeypatch):
    monkeypatch.chdir(videos)  # a long path leaves no room for the rest of the line
    done = call("perceive", "ball.mp4")
    assert (done.code, done.err) == (0, "")
    assert "ball.mp4  128 x 96  25 frames/s" in done.out


def test_perceive_says_that_a_video_is_too_short_to_tell(tmp_path: Path, call):
    path, frames = tmp_path / "short.mp4", np.full((8, 64, 64, 3), 90, np.uint8)
    write_video(path, frames, fps=25, provenance=Provenance(Origin.RECORDED, "test"))
    said = " ".join(call("perceive", path).out.split())
    assert "too short to tell what moves (8 frames, 0." in said
    (result,) = call("perceive", path, "--json").answer["results"]
    assert result["note"].startswith("too short to tell")


def test_perceive_says_where_it_drew_and_who_touched_what(videos: Path, tmp_path: Path, call):
    out = call("perceive", videos / "ball.mp4", "--overlay", tmp_path).out
    assert f"drawn in {tmp_path / 'ball.mp4'}" in out.replace("\n", "")
    event = {"type": "contact", "start_s": 0.5, "end_s": 0.5, "roles": {"a": 2, "b": -1}}
    console = Console(width=200, file=(shown := StringIO()))
    console.print(events_table([{**event, "quantities": {"duration_s": 0.0}}]))
    assert "object 2 and the static world" in shown.getvalue()


def test_predict(videos: Path, tmp_path: Path, tiny_world: str, call):
    source = str(videos / "ball.mp4")
    arguments = ["predict", source, "--world", tiny_world, "--json", "--context", "5"]
    arguments += ["--horizon", "6", "--samples", "2", "--seed", "3"]
    (result,) = call(*arguments, "--out", tmp_path / "a").answer["results"]
    folder = tmp_path / "a" / "ball"
    assert result["out"] == str(folder)
    assert set(result["files"]) == {file.name for file in folder.iterdir()}
    with np.load(folder / "forecast.npz") as arrays:
        frames, time_s = arrays["frames"], arrays["time_s"]
        assert arrays["context_frames"].shape == (5, 64, 64, 3)
        assert arrays["uncertainty_px"].shape == (6, 64, 64)
    assert (frames.dtype, frames.shape) == (np.uint8, (2, 6, 64, 64, 3))
    stored = json.loads((folder / "forecast.json").read_text())
    assert stored["source"] == source
    assert {"uncertainty", "trust", "audit", "scene"} <= set(stored)
    assert 0.0 <= stored["trust"] <= 1.0
    assert len(stored["uncertainty"]) == 6
    assert Scene.from_json(stored["scene"]).num_frames == 6
    for i in range(2):
        clip = read_clip(folder / f"sample-{i}.mp4")
        assert clip.provenance.origin is Origin.GENERATED
        assert clip.size_px == (256, 256)
        np.testing.assert_allclose(clip.time_s, time_s - time_s[0], atol=2e-5)
        written = clip.frames[:, 2::4, 2::4].astype(float)
        assert np.abs(written - frames[i]).mean() < 6.0
    # The same call writes the same pixels; another seed other ones.
    call(*arguments, "--out", tmp_path / "b")
    call(*arguments[:-1], "4", "--out", tmp_path / "c")
    np.testing.assert_array_equal(np.load(tmp_path / "b/ball/forecast.npz")["frames"], frames)
    assert (tmp_path / "c/ball/forecast.npz").is_file()


def test_predict_is_what_the_library_predicts(videos: Path, tmp_path: Path, tiny_world: str, call):
    source = videos / "ball.mp4"
    options = ["--world", tiny_world, "--samples", "1", "--horizon", "3", "--end-s", "1.0"]
    assert call("predict", source, *options, "--out", tmp_path).code == 0
    expected = World.from_pretrained(tiny_world).predict(
        read_clip(source, end_s=1.0), horizon=3, samples=1, seed=0
    )
    with np.load(tmp_path / "ball" / "forecast.npz") as arrays:
        np.testing.assert_array_equal(arrays["frames"], expected.frames)
        assert arrays["time_s"][0] == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("option", ["--context", "--horizon", "--samples"])
def test_predict_refuses_numbers_below_one(option: str, videos: Path, tiny_world: str, call):
    done = call("predict", videos / "ball.mp4", "--world", tiny_world, "--out", "x", option, "0")
    assert done.code == 2
    assert done.err == f"worldline: error: {option} is 0; it must be at least 1\n"


def test_predict_needs_a_clip_as_long_as_its_context(videos: Path, tiny_world: str, call, tmp_path):
    options = ["--world", tiny_world, "--context", "1000", "--out", tmp_path, "--json"]
    done = call("predict", videos / "ball.mp4", *options)
    (result,) = done.answer["results"]
    assert done.code == 2
    assert "1000 context frames" in result["error"]
    assert result["error"].startswith(str(videos / "ball.mp4"))
    assert not list(tmp_path.iterdir())


def test_predict_names_twins_apart(videos: Path, tmp_path: Path, tiny_world: str, call):
    twin = tmp_path / "other" / "ball.mp4"
    twin.parent.mkdir()
    twin.write_bytes((videos / "ball.mp4").read_bytes())
    options = ["--world", tiny_world, "--samples", "1", "--horizon", "1", "--out", tmp_path / "out"]
    assert call("predict", videos / "ball.mp4", twin, *options).code == 0
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["ball", "ball-2"]


def test_stems():
    assert stems(["a/x.mp4", "b/x.mov", "y.mp4", "a/x.mp4", "c/x-2.mp4"]) == {
        "a/x.mp4": "x",
        "b/x.mov": "x-2",
        "y.mp4": "y",
        "c/x-2.mp4": "x-2-2",
    }


def test_surprise(videos: Path, tiny_world: str, call):
    source = str(videos / "ball.mp4")
    arguments = ["surprise", source, str(videos / "empty.mp4"), "--world", tiny_world, "--json"]
    done = call(*arguments)
    good, bad = done.answer["results"]
    assert done.code == 2
    assert bad == {"source": str(videos / "empty.mp4"), "error": bad["error"]}
    assert len(good["per_frame"]) == len(good["time_s"]) > 10
    assert good["max"] == pytest.approx(max(good["per_frame"]))
    assert 0.0 <= good["quantile"] <= 1.0
    assert call(*arguments).answer == done.answer
    shown = call("surprise", source, "--world", tiny_world)
    assert shown.code == 0
    assert "most surprising at" in shown.out


def test_audit_gives_a_verdict_for_every_law(videos: Path, call):
    (result,) = call("audit", videos / "ball.mp4", "--json").answer["results"]
    (perceived,) = call("perceive", videos / "ball.mp4", "--json").answer["results"]
    assert result["origin"] == perceived["origin"] == "recorded"
    laws = [verdict["law"] for verdict in result["verdicts"]]
    empty = Scene.empty(np.arange(3.0), 8, 8, probe(videos / "ball.mp4").provenance)
    assert laws == [verdict.law for verdict in check_laws(empty)]
    for verdict in result["verdicts"]:
        assert verdict["outcome"] in ("pass", "fail", "untestable")
        assert verdict["reason"]
    shown = call("audit", videos / "ball.mp4")
    assert shown.code == 0
    assert all(law in shown.out for law in laws)


def test_audit_against_the_truth(tmp_path: Path, call):
    call("sim", "make", "disc_uniform", "disc_parabola", "--clips", "2", "--out", tmp_path)
    video, other = (str(tmp_path / f"disc_{n}.mp4") for n in ("uniform-0-0000", "parabola-0-0001"))
    own, strange = (path.replace(".mp4", ".scene.json") for path in (video, other))
    alone = call("audit", video, "--json").answer["results"][0]["verdicts"]
    with_truth = call("audit", video, "--against", own, "--json").answer["results"][0]["verdicts"]
    assert [v["law"] for v in with_truth][: len(alone)] == [v["law"] for v in alone]
    extra = [v["law"] for v in with_truth][len(alone) :]
    assert extra == ["reference_permanence", "reference_position", "reference_count"]
    mixed = call("audit", video, "--against", strange, "--json").answer["results"][0]["verdicts"]
    assert "fail" in [v["outcome"] for v in mixed if v["law"].startswith("reference_")]
    (result,) = call("audit", video, "--against", strange, "--json").answer["results"]
    assert result["accepted"] is False
    assert result["law"] in [v["law"] for v in mixed if v["outcome"] == "fail"]
    assert "Rejected: " in call("audit", video, "--against", strange).out
    (result,) = call("audit", video, "--against", own, "--json").answer["results"]
    assert result["accepted"] is ("fail" not in [v["outcome"] for v in with_truth])


@pytest.mark.parametrize(
    "content", ["", "{", "[1]", "{}", '{"ids": 3}', '{"version": 1, "ids": [1], "time_s": [0]}']
)
def test_audit_refuses_a_file_that_is_no_scene(content: str, videos: Path, tmp_path: Path, call):
    (tmp_path / "truth.json").write_text(content)
    done = call("audit", videos / "ball.mp4", "--against", tmp_path / "truth.json")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"worldline: error: {tmp_path / 'truth.json'}: not a scene (")
    assert len(done.err.splitlines()) == 1


def test_a_file_that_lost_its_end_is_read_as_far_as_it_goes(tmp_path: Path, videos: Path, call):
    """Matroska has no index that has to be whole, so a part of it can be seen."""
    whole, part = tmp_path / "whole.mkv", tmp_path / "part.mkv"
    with av.open(str(videos / "ball.mp4")) as source, av.open(str(whole), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    assert call("perceive", whole).code == 0
    part.write_bytes(whole.read_bytes()[: whole.stat().st_size * 3 // 4])
    done = call("perceive", part, "--json")
    (result,) = done.answer["results"]
    assert "bug" not in result
    assert 0 < result["num_frames"] < 40
