"""Trust beside what was known before, and beside counting frames."""

from __future__ import annotations

import numpy as np
import pytest
from tests.playing import block_clips, playable

from worldline.audit.suites import straying_table
from worldline.audit.suites.straying_table import trust_table


def test_trust_is_judged_by_pictures_and_places(monkeypatch):
    """Sessions of every other clip are made to go wrong from their 16th frame on, and to say so."""
    world, clips = playable(), block_clips(6, 36)

    films = np.stack([clip.frames[4:] for clip in clips])
    films[::2, 15:] = 255 - films[::2, 15:]

    def judged(world, moments, seed):
        if "familiarity" not in world.calibration:
            return 0.5, "no idea"
        return (0.1 if moments[-1].frame[0, 0, 0] > 128 else 0.9), "by its ground"

    monkeypatch.setattr(straying_table, "judge_moments", judged)
    monkeypatch.setattr(straying_table, "unrelated_error", lambda clips, seed: 1000.0)
    off = {"": lambda true, made: float(np.abs(true[0, 0].astype(int) - made[0, 0]).sum())}
    monkeypatch.setattr(straying_table, "OFFSETS", off)
    world = world.finished({"familiarity": {}}, "")
    table = trust_table(world, clips, films, 0)
    assert "18 moments up to +32" in table.note
    assert "0.33 by pictures, 0.33 by places" in table.note
    own, evidence, counted = (row.cells for row in table.rows)
    for kind in ("pictures", "places"):
        assert own[f"{kind}: all moments"].value == 1
        assert own[f"{kind}: at one moment"].value == 1
        assert own[f"{kind}: trust if right"].value == pytest.approx(0.9)
        assert own[f"{kind}: trust if wrong"].value == pytest.approx(0.1)
        assert evidence[f"{kind}: all moments"].value == 0.5
        assert counted[f"{kind}: at one moment"].value == 0.5
        assert counted[f"{kind}: all moments"].value == pytest.approx(0.75)
    monkeypatch.setattr(straying_table, "OFFSETS", {})
    assert not any(
        column.startswith("places") for column in trust_table(world, clips, films, 0).columns
    )


def test_a_real_world_is_judged_as_its_sessions_are():
    clips = block_clips(3, 8)
    films = np.stack([clip.frames[4:] for clip in clips])
    table = trust_table(playable(), clips, films, 0)
    assert "3 moments up to +1" in table.note
    assert table.rows[0].cells["pictures: trust if right"].n <= 3
