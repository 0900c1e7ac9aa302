"""Each row leaves one term out, and a row's world is judged by what it tells and reaches."""

from __future__ import annotations

import importlib
from dataclasses import replace
from typing import Any

import pytest
from tests.planning.worlds import tiny_world

from worldline.planning.trials import Course


@pytest.fixture
def ablations() -> Any:
    return importlib.import_module("plan_ablations")


def test_each_row_leaves_one_term_out(ablations: Any):
    missing = [
        [name for name, weight in row.items() if weight != ablations.FULL[name]]
        for row in ablations.ROWS.values()
    ]
    assert missing == [[], ["variance"], ["covariance"], ["slowness"], ["inverse"]]
    assert all(0 in row.values() for row in ablations.ROWS.values())  # SIGReg has no part in any


def test_a_world_is_judged_by_places_and_success(ablations: Any, monkeypatch: pytest.MonkeyPatch):
    few = replace(ablations.LOOKING, num_samples=4, num_rounds=1)
    monkeypatch.setattr(ablations, "LOOKING", few)
    told = ablations.judge(tiny_world("vector"), [Course(10, 10, "across")], 2, 0)
    assert 0 < told["wall_cm"] < 100
    # who knows nothing is off by the places' own spread, and no more
    assert told["door_cm"] < 1.1 * told["door_by_mean_cm"]
    found = told["10/10 across"]
    assert found["low"] <= found["any_time"] <= found["high"]
    assert found["final"] <= found["any_time"]
