from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from worldline.core import STATIC, Clip, Outcome
from worldline.sim import FAMILIES, make_clip
from worldline.sim.families.laws import truth_of


@cache
def clip_of(name: str, index: int) -> Clip:
    return make_clip(name, index, seed=0, size_px=16, events=False)


def clips(name: str, count: int) -> list[Clip]:
    return [clip_of(name, index) for index in range(count)]


def told(clip: Clip, **facts: float) -> Clip:
    assert clip.scene is not None
    details = dict(clip.scene.provenance.details) | {k: repr(v) for k, v in facts.items()}
    provenance = replace(clip.scene.provenance, details=tuple(sorted(details.items())))
    return replace(clip, scene=replace(clip.scene, provenance=provenance))


def test_ball_and_sheet_meet_as_the_caption_says():
    seen = set()
    for clip in clips("cloth", 2):
        scene = truth_of(clip).scene
        assert scene.labels == ("ball", "sheet")
        pairs = {(c.a, c.b) for c in scene.contacts}
        assert (0, 1) in pairs
        hangs = "hangs from two posts" in clip.caption
        assert hangs == (truth_of(clip).fact("num_pinned") == 2)
        if not hangs:
            assert "falls over" in clip.caption
            assert scene.position_m is not None
            assert scene.position_m[1, 0, 2] > scene.position_m[1, -1, 2] + 0.3
        seen.add(hangs)
    assert seen == {True, False}


def test_soft_bodies_give_way_as_the_caption_says():
    seen = set()
    for clip in clips("soft", 3):
        scene = truth_of(clip).scene
        falls = "is squashed" in clip.caption
        assert scene.num_objects == (1 if falls else 2)
        assert scene.labels[-1] in ("soft ball", "soft block")
        last = scene.num_objects - 1
        assert any({c.a, c.b} == {last, STATIC} for c in scene.contacts)
        assert falls or any((c.a, c.b) == (0, 1) for c in scene.contacts)
        assert truth_of(clip).fact("least_cell") < 0.98
        seen.add(falls)
    assert seen == {True, False}


@pytest.mark.parametrize(
    ("name", "fact", "value", "law"),
    [
        ("cloth", "stretch", 0.2, "length"),
        ("cloth", "energy_growth", 0.05, "energy"),
        ("soft", "volume_change", 0.3, "volume"),
        ("soft", "least_cell", -0.1, "orientation"),
    ],
)
def test_the_self_test_sees_what_vertices_must_not_do(name, fact, value, law):
    (clip,) = clips(name, 1)
    outcomes = {v.law: v.outcome for v in FAMILIES[name].self_check(clip)}
    assert outcomes[law] is Outcome.PASS
    outcomes = {v.law: v.outcome for v in FAMILIES[name].self_check(told(clip, **{fact: value}))}
    assert outcomes[law] is Outcome.FAIL


@pytest.mark.parametrize("name", ["cloth", "soft"])
def test_the_self_test_sees_a_motion_with_too_much_energy(name):
    (clip,) = clips(name, 1)
    assert clip.scene is not None
    assert clip.scene.velocity_mps is not None
    faster = clip.scene.velocity_mps * np.linspace(1, 12, 32)[None, :, None] + 2
    wrong = replace(clip, scene=replace(clip.scene, velocity_mps=faster))
    outcomes = {v.law: v.outcome for v in FAMILIES[name].self_check(wrong)}
    assert outcomes["motion"] is Outcome.FAIL
