"""Several seeds of episodes are told together and each."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

from worldline.planning.trials import Outcome


def outcome(*reached: bool) -> Outcome:
    once = np.array(reached)
    return Outcome(once, np.zeros(len(once), bool), ("",) * len(once), np.zeros(1))


def test_seeds_are_counted_together_and_each():
    row = importlib.import_module("plan_seeds").told([outcome(True, True), outcome(False, True)])
    assert row["any_time"]["share"] == pytest.approx(0.75)
    assert row["any_time"]["of_seeds"] == [1.0, 0.5]
    assert row["any_time"]["low"] < 0.75 < row["any_time"]["high"] < 1
    assert row["final"]["share"] == 0
