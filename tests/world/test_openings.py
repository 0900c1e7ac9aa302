"""Clips that sessions begin with, beside a world's weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.discs import disc_clips

from worldline.core import ArtifactError, Clip, InputError, Origin
from worldline.world.openings import FILE, load_openings, save_openings


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


def test_a_world_without_openings_says_what_to_give(tmp_path):
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
    with np.load(tmp_path / FILE) as stored:
        arrays = {**dict(stored), **changed}
    np.savez(tmp_path / FILE, **arrays)
    with pytest.raises(ArtifactError, match=reason):
        load_openings(tmp_path)
    (tmp_path / FILE).write_bytes(b"PK\x03\x04 no archive")
    with pytest.raises(ArtifactError, match="damaged openings"):
        load_openings(tmp_path)
