from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from worldline.core import STATIC, Outcome
from worldline.physics import detect_events
from worldline.sim import FAMILIES, make_clip
from worldline.sim.families.laws import truth_of


@pytest.mark.parametrize("index", range(4))
def test_a_slab_is_whole_until_it_is_hit_and_then_in_pieces(index: int):
    clip = make_clip("break", index, seed=0, events=False)
    truth = truth_of(clip)
    row, broken_s = truth.rows[-1], truth.fact("broken_s")
    parts = truth.scene.num_parts
    assert parts is not None
    assert (parts[row, truth.time_s < broken_s] == 1).all()
    assert 2 <= parts[row, -1] <= truth.fact("num_pieces")
    (event,) = (e for e in detect_events(truth.scene) if e.type == "break")
    step_s = float(np.diff(truth.time_s)[0])
    assert broken_s - 1.01 * step_s <= event.start_s <= broken_s + 3 * step_s
    assert event.quantities["num_pieces"] == parts[row].max()
    assert event.roles == {"object": row, "against": STATIC if row == 0 else 0}
    assert str(int(truth.fact("num_pieces"))) in clip.caption


def test_the_whole_is_as_long_as_its_pieces_together():
    scene = make_clip("break", 0, seed=0, events=False).scene
    assert scene is not None
    assert scene.extent_m is not None
    assert scene.size_px is not None
    assert (scene.extent_m[-1] > 2 * 0.7 * 0.28).all()
    assert (scene.extent_m[-1] < 2 * 1.1 * 0.42).all()


@pytest.mark.parametrize("law", ["wholeness", "pieces", "energy"])
def test_the_self_test_sees_early_breaks_too_few_pieces_and_gained_energy(law: str):
    clip = make_clip("break", 0, seed=0, events=False)
    scene = clip.scene
    assert scene is not None
    assert scene.num_parts is not None
    parts = scene.num_parts.copy()
    details = dict(scene.provenance.details)
    if law == "wholeness":
        parts[:, 1] = 3
    elif law == "pieces":
        parts[:] = 1
    else:
        details["energy_growth"] = "0.5"
    told = replace(scene.provenance, details=tuple(sorted(details.items())))
    wrong = replace(clip, scene=replace(scene, num_parts=parts, provenance=told))
    verdicts = {v.law: v.outcome for v in FAMILIES["break"].self_check(wrong)}
    assert verdicts[law] is Outcome.FAIL
