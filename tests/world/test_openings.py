"""Clips that sessions begin with, beside a world's weights."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from tests.discs import disc_clips

from worldline.core import ArtifactError, Clip, InputError, Origin
from worldline.dynamics import ControlEncoder
from worldline.sim.sandbox_scene import to_scene
from worldline.sim.sandbox_words import read_sentence
from worldline.world import World
from worldline.world.folders import OPENINGS
from worldline.world.openings import as_clip, load_openings, save_openings


@pytest.fixture
def clips() -> list[Clip]:
    rng = np.random.default_rng(0)
    made = [clip.slice(0, 6) for clip in disc_clips(3)]
    return [replace(clip, actions=rng.normal(size=(6, 2))) for clip in made]


def test_what_is_saved_is_loaded(tmp_path, clips):
    save_openings(tmp_path, clips)
    again = load_openings(tmp_path)
    assert len(again) == 3
    for clip, other in zip(clips, again, strict=True):
        np.testing.assert_array_equal(clip.frames, other.frames)
        np.testing.assert_allclose(clip.actions, other.actions, rtol=1e-6)
        np.testing.assert_allclose(np.diff(clip.time_s), np.diff(other.time_s))
    assert {clip.provenance.origin for clip in again} == {clips[0].provenance.origin}
    assert again[0].provenance.origin is Origin.SIMULATED
    assert dict(again[2].provenance.details) == {"opening": "2"}
    save_openings(tmp_path, [replace(clip, actions=None) for clip in clips])
    assert all(clip.actions is None for clip in load_openings(tmp_path))


def test_clips_that_differ_are_refused(tmp_path, clips):
    with pytest.raises(InputError, match="no clips"):
        save_openings(tmp_path, [])
    with pytest.raises(InputError, match="one length and size"):
        save_openings(tmp_path, [clips[0], clips[1].slice(0, 4)])
    with pytest.raises(InputError, match="all clips need actions"):
        save_openings(tmp_path, [clips[0], replace(clips[1], actions=None)])
    with pytest.raises(InputError, match="at one frame spacing"):
        save_openings(tmp_path, [clips[0], replace(clips[1], time_s=9 * clips[1].time_s)])
    assert not list(tmp_path.iterdir())


def test_a_run_is_no_world_and_says_where_its_world_is(tmp_path, nano):
    run = tmp_path / "run"
    run.mkdir()
    with pytest.raises(
        ArtifactError, match=r"run: is not the folder of a world \(no config\.json\)"
    ):
        load_openings(run)
    (run / "recipe.json").write_text("{}")
    for opened in (load_openings, World.from_pretrained):
        with pytest.raises(ArtifactError, match="a run that has not ended"):
            opened(run)
    nano.save(run / "world")
    for opened in (load_openings, World.from_pretrained):
        with pytest.raises(ArtifactError) as told:
            opened(run)
        assert str(told.value) == f"{run}: is the folder of a run; its world is {run / 'world'}"


def test_a_sentence_says_which_worlds_take_one(nano):
    with pytest.raises(InputError, match="neither: leave --text out for its own openings"):
        as_clip(nano, "a ball", 4, 0)


def test_a_world_without_openings_says_what_to_give(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ArtifactError, match="give a video with --clip"):
        load_openings(tmp_path)
    with pytest.raises(ArtifactError, match="no world 'nowhere'"):
        load_openings("nowhere")


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"frames": np.zeros((1, 2, 4, 4))}, "frames must be uint8"),
        ({"frames": np.zeros((0, 2, 4, 4, 3), np.uint8)}, "no clip in it"),
        ({"step_s": np.float64("nan")}, "step_s must be a positive number"),
        ({"actions": np.full((3, 6, 2), np.inf)}, "actions must be finite"),
        ({"actions": np.zeros((3, 5, 2))}, "actions must be finite"),
        ({"origin": np.str_("dreamt")}, "dreamt"),
        ({"frames": np.array([{}], dtype=object)}, "damaged openings"),
    ],
)
def test_damage_is_told(tmp_path, clips, changed, reason):
    save_openings(tmp_path, clips)
    with np.load(tmp_path / OPENINGS) as stored:
        arrays = {**dict(stored), **changed}
    np.savez(tmp_path / OPENINGS, **arrays)
    with pytest.raises(ArtifactError, match=reason):
        load_openings(tmp_path)
    (tmp_path / OPENINGS).write_bytes(b"PK\x03\x04 no archive")
    with pytest.raises(ArtifactError, match="damaged openings"):
        load_openings(tmp_path)


@pytest.fixture(scope="module")
def boxed(nano):
    """A world that says it learned from the sandbox."""
    controls = ControlEncoder.Config(action_size=3)
    dynamics = replace(nano.config.dynamics, controls=controls)
    config = replace(nano.config, dynamics=dynamics, step_min_s=1 / 15, step_max_s=1 / 15)
    told = {"play": {"scheme": "stick", "environment": "worldline/Sandbox-v0"}}
    return config.build().finished(told, "")


def test_scene_file_and_sentence_open_the_sandbox_alike(tmp_path, boxed):
    text = "the ball on the left, the hand above the ball"
    scene = read_sentence(text, 5, boxed.size_px)
    file = tmp_path / "one.scene.json"
    file.write_text(json.dumps(scene.to_json()))
    clips = [as_clip(boxed, source, 4, 5) for source in (scene, file, str(file), text)]
    assert clips[0].frames.shape == (4, boxed.size_px, boxed.size_px, 3)
    for clip in clips[1:]:
        apart = np.abs(clip.frames.astype(int) - clips[0].frames.astype(int))
        assert apart.mean() < 0.05
    assert clips[0].provenance.origin is Origin.SIMULATED
    assert np.abs(as_clip(boxed, text, 4, 6).frames.astype(int) - clips[3].frames).mean() > 0.5


def test_a_session_of_a_scene_steps_forks_and_goes_back(boxed):
    session = boxed.open(read_sentence("a box in the air", 0), context=4, seed=1)
    before = session.snapshot()
    action = np.array([1.0, 0.0, -1.0], np.float32)
    twin = session.fork()
    frame = session.step(action)
    np.testing.assert_array_equal(twin.step(action), frame)
    session.restore(before)
    np.testing.assert_array_equal(session.step(action), frame)
    assert session.state().num_frames == 5
    assert [m.action.tolist() for m in before.recent[1:]] == [[0.0, 0.0, -1.0]] * 3


def test_scenes_that_cannot_be_read_are_told(tmp_path, nano):
    with pytest.raises(InputError, match=r"none\.scene\.json: No such file"):
        as_clip(nano, str(tmp_path / "none.scene.json"), 4, 0)
    for text in ("{", "[]", "{}", '{"time_s": 3}'):
        (tmp_path / "bad.json").write_text(text)
        with pytest.raises(InputError, match=r"bad\.json: not a scene"):
            as_clip(nano, tmp_path / "bad.json", 4, 0)
    with pytest.raises(InputError, match="knows no simulator that would draw it"):
        as_clip(nano, to_scene(np.zeros(22)), 4, 0)
