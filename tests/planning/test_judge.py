"""The outside judge, where it is installed: its own solver plans in a world of ours."""

from __future__ import annotations

import importlib
import importlib.util
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.planning.worlds import tiny_world

from worldline.planning import OutsideCost

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def swm(monkeypatch: pytest.MonkeyPatch) -> Any:
    if importlib.util.find_spec("stable_worldmodel") is None:
        pytest.skip("stable-worldmodel is not installed; benchmarks/outside_judge.py says how")
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    library = importlib.import_module("outside_judge").declare_operators()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of games that it could play and that are not there
        module = importlib.import_module("stable_worldmodel")
    yield module
    del library


def test_its_solver_lowers_our_cost(swm: Any):
    import gymnasium

    world = tiny_world("vector")
    cost = OutsideCost(world, block=2)
    solver = swm.solver.CEMSolver(
        cost, batch_size=2, num_samples=32, var_scale=1.0, n_steps=3, topk=4, seed=0
    )
    space = gymnasium.spaces.Box(-1.0, 1.0, (2, 2), np.float32)
    config = swm.PlanConfig(horizon=3, receding_horizon=1, action_block=2)
    solver.configure(action_space=space, n_envs=2, config=config)
    draw = torch.Generator().manual_seed(1)
    info = {
        name: torch.randint(0, 256, (2, 1, 16, 16, 3), generator=draw).to(torch.uint8)
        for name in ("pixels", "goal")
    }
    found = solver.solve(info)["actions"]
    assert found.shape == (2, 3, 4)
    spread = {name: value[:, None] for name, value in info.items()}
    plans = torch.stack([torch.zeros_like(found), found], dim=1)
    costs = cost.get_cost({k: v.expand(-1, 2, -1, -1, -1, -1) for k, v in spread.items()}, plans)
    assert (costs[:, 1] <= costs[:, 0]).all()
