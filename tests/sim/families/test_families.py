from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from worldline.core import Clip, Outcome
from worldline.sim import FAMILIES, Split, make_clip
from worldline.sim.families.hidden import hidden_frames
from worldline.sim.families.laws import judge


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("split", Split)
def test_each_family_keeps_its_own_law(name: str, split: Split):
    outcomes = []
    for index in range(3 if split is Split.TRAIN else 2):
        clip = make_clip(name, index, seed=11, split=split, events=False)
        verdicts = FAMILIES[name].self_check(clip)
        failed = [v.reason for v in verdicts if v.outcome is Outcome.FAIL]
        assert not failed
        outcomes += [v.outcome for v in verdicts]
    assert Outcome.PASS in outcomes


@pytest.mark.parametrize("name", FAMILIES)
def test_clips_are_lively_visible_and_well_lit(name: str):
    moving, seen, widths = [], [], []
    for index in range(4):
        clip = make_clip(name, index, seed=5, events=False)
        scene = clip.scene
        assert scene is not None
        change = np.abs(np.diff(clip.frames.astype(int), axis=0)).max(axis=-1) > 12
        moving.append((change.sum(axis=(1, 2)) > 3).mean())
        seen.append(scene.visible.mean())
        widths += np.nanmedian(scene.size_px.max(axis=-1), axis=1).tolist()
        assert 8 < clip.frames.mean() < 250 or name.startswith("disc")
        assert clip.caption.endswith(".")
    assert np.median(moving) > 0.5
    assert np.median(seen) > 0.4
    assert 6 < np.median(widths) < 24


def tampered(clip: Clip, **arrays) -> Clip:
    assert clip.scene is not None
    return replace(clip, scene=replace(clip.scene, **arrays))


@pytest.mark.parametrize("name", ["drop", "throw", "bounce", "disc_parabola"])
def test_the_self_test_sees_wrong_gravity(name: str):
    clip = make_clip(name, 0, seed=0, events=False)
    wrong = tampered(clip, gravity_mps2=np.array([0.0, 0.0, -8.0]))
    assert FAMILIES[name].self_check(wrong)[0].outcome is Outcome.FAIL


@pytest.mark.parametrize("name", ["slide", "roll", "pendulum", "disc_collision", "disc_uniform"])
def test_the_self_test_sees_wrong_motion(name: str):
    clip = make_clip(name, 0, seed=0, events=False)
    assert clip.scene is not None
    assert clip.scene.velocity_mps is not None
    assert clip.scene.position_m is not None
    growth = np.linspace(1, 1.4, 32)[None, :, None]
    wrong = tampered(
        clip,
        velocity_mps=clip.scene.velocity_mps * growth,
        position_m=clip.scene.position_m * growth,
    )
    outcomes = {v.outcome for v in FAMILIES[name].self_check(wrong)}
    assert Outcome.FAIL in outcomes


def test_hidden_frames_count_only_between_sightings():
    assert hidden_frames(np.array([1, 1, 0, 0, 0, 1, 0, 1], dtype=bool)) == 3
    assert hidden_frames(np.array([0, 0, 1, 1, 0, 0], dtype=bool)) == 0
    assert hidden_frames(np.zeros(4, dtype=bool)) == 0


def test_judging_nothing_is_untestable():
    assert judge("law", [], 1.0, "it").outcome is Outcome.UNTESTABLE
    assert judge("law", [0.5, -2.0], 1.0, "it").outcome is Outcome.FAIL
    assert judge("law", [0.5, -0.9], 1.0, "it").outcome is Outcome.PASS
