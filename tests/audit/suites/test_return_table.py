"""What leaves the picture and comes back."""

from __future__ import annotations

import numpy as np
import pytest

from worldline.audit.suites.return_table import find_returns, return_table
from worldline.core import Clip


def view(places: list[int]) -> np.ndarray:
    """A wall of stripes, seen from so many columns to the side."""
    wall = np.random.default_rng(0).integers(0, 255, (12, 40, 3), np.uint8)
    return np.stack([wall[:, at : at + 12] for at in places])


def clip(places: list[int]) -> Clip:
    return Clip(frames=view(places), time_s=0.1 * np.arange(len(places)))


THERE = [0, 0, 4, 8, 12, 8, 4, 0, 0]
STAYS = [0, 0, 0, 0, 0, 0, 0, 0, 0]
GOES = [0, 0, 4, 8, 12, 12, 12, 12, 12]


def test_going_and_coming_back_is_found_in_the_truth():
    usual = float(np.square(view([0]).astype(float) - view([12])).mean())
    away, back = find_returns(view(THERE), 2, usual)
    assert away in (2, 3, 4, 5, 6)
    assert back == 7
    assert find_returns(view(STAYS), 2, usual) is None
    assert find_returns(view(GOES), 2, usual) is None


def test_who_remembers_is_right_away_and_back():
    clips = [clip(THERE), clip(STAYS), clip(THERE), clip(GOES)]
    truth = np.stack([each.frames[2:] for each in clips])
    forgets = truth.copy()
    forgets[:, 5:] = 255 - forgets[:, 5:]
    table = return_table({"w": truth, "forgets": forgets}, "w", clips, 2, 0)
    assert "in 2 of 4 clips, back after 6 to 6 frames" in table.note
    cells = {row.name: row.cells for row in table.rows}
    assert cells["w"]["back"].n == 2
    assert cells["w"]["back"].value == cells["copy-last"]["back"].value
    assert cells["forgets"]["back"].value < 10
    assert cells["forgets"]["away"].value == cells["w"]["away"].value
    assert cells["copy-last"]["away"].value < 15
    assert return_table({"w": truth[1:2]}, "w", [clips[1]], 2, 0) is None
    with pytest.raises(IndexError):
        return_table({"w": truth[:, :2]}, "w", clips, 2, 0)
