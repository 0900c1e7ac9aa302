"""The flow world imagines as told, errors are shares of copying's, and all play the same."""

from __future__ import annotations

import importlib
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from tests.planning.worlds import tiny_world

from worldline.core.clip import Clip
from worldline.data.lerobot_write import write_lerobot
from worldline.data.record import record
from worldline.planning import Imagination
from worldline.planning.measure import Looking
from worldline.planning.tasks import RoomsTask
from worldline.planning.trials import Course, run_trials
from worldline.train import Recipe, load_recipe


@pytest.fixture
def families() -> Any:
    return importlib.import_module("plan_families")


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Recipe:
    folder = tmp_path_factory.mktemp("data") / "tiny"
    options = {"kind": "box", "length": 24}
    played = record(
        "tests.tiny_env:worldline-tests/Tiny-v0", num_episodes=3, size_px=32, options=options
    )
    write_lerobot(folder, played)
    return load_recipe("plan", data=folder)


@pytest.fixture
def flow_world(families: Any, plan: Recipe) -> Any:
    made = families.flow_recipe(plan, tiny_world("vector").config.tokenizer, 3)
    return replace(made.world, step_min_s=0.5, step_max_s=0.5).build()  # as `clips`


def test_flow_learns_as_the_predictor_of_the_recipe_does(families: Any, plan: Recipe):
    made = families.flow_recipe(plan, tiny_world("vector").config.tokenizer, 3)
    usual = next(stage for stage in plan.stages if stage.name == "dynamics")
    assert made.stages == (replace(usual, trainer=replace(usual.trainer, steps=3)),)
    assert (made.data, made.held_out, made.seed) == (plan.data, plan.held_out, plan.seed)
    assert made.world.dynamics.channels == made.world.readout.channels == 6


def clips(num: int, length: int) -> list[Clip]:
    rng = np.random.default_rng(0)
    return [
        Clip(
            frames=rng.integers(0, 256, (length, 16, 16, 3), dtype=np.uint8),
            time_s=np.arange(length) / 2,
            actions=rng.uniform(-1, 1, (length, 2)).astype(np.float32),
        )
        for _ in range(num)
    ]


def test_the_flow_world_imagines_vectors(flow_world: Any):
    imagination = Imagination(flow_world)
    begin = imagination.begin_from(torch.randn(2, 2, 1, 6))
    found = imagination.imagine(begin, torch.zeros(2, 3, 4, 2)).latents
    assert found.shape == (2, 3, 4, 1, 6)


def test_an_untrained_flow_copies_and_errs_as_copying_does(families: Any, flow_world: Any):
    told = families.errors(Imagination(flow_world), clips(3, 10))
    assert told == pytest.approx({f"error_{num}": 1.0 for num in families.AHEAD})


def test_what_is_imagined_as_it_came_has_no_error(families: Any, monkeypatch: pytest.MonkeyPatch):
    imagination, shown = Imagination(tiny_world("vector")), clips(2, 10)
    seen = imagination.encode(np.stack([clip.frames for clip in shown]))
    plans: list[torch.Tensor] = []
    usual = imagination.imagine

    def foresee(situation: Any, plan: torch.Tensor) -> Any:
        plans.append(plan)
        return replace(usual(situation, plan), latents=seen[:, None, 2:])

    monkeypatch.setattr(imagination, "imagine", foresee)
    assert families.errors(imagination, shown) == {f"error_{num}": 0.0 for num in families.AHEAD}
    wanted = np.stack([clip.actions for clip in shown])[:, 1:9]  # what is done after frame 1
    np.testing.assert_array_equal(plans[0][:, 0].numpy(), wanted)


def test_a_number_type_is_that_of_dynamics_alone(families: Any, flow_world: Any):
    twin = families.in_type(flow_world, torch.bfloat16)
    assert next(twin.dynamics.parameters()).dtype == torch.bfloat16
    assert next(twin.tokenizer.parameters()).dtype == torch.float32
    assert next(flow_world.dynamics.parameters()).dtype == torch.float32


def test_all_rows_play_the_same_episodes(
    families: Any, flow_world: Any, monkeypatch: pytest.MonkeyPatch
):
    jepa = replace(tiny_world("vector").config, step_min_s=0.5, step_max_s=0.5).build()
    worlds = {"jepa": jepa, "flow": flow_world}
    monkeypatch.setattr(families, "COURSES", (Course(6, 12, "across"),))
    monkeypatch.setattr(families, "RoomsTask", lambda: RoomsTask(size_px=16))
    monkeypatch.setattr(families, "Looking", partial(Looking, num_samples=4, num_rounds=1))
    shown = clips(4, 10)
    agents = families.agents_of(worlds, shown)
    seen: dict[str, Any] = {}

    def watched(task: Any, trials: Any, agent: Any, *, budget: int) -> Any:
        row = next(name for name, each in agents["6/12 across"].items() if each is agent)
        seen[row] = trials
        return run_trials(task, trials, agent, budget=budget)

    monkeypatch.setattr(families, "run_trials", watched)
    told = families.play(agents, 3)
    ways = ["jepa, landmarks", "jepa, straight", "flow, landmarks", "flow, straight"]
    few = [f"{way}, {families.FEW} plans" for way in ways[2:]]
    knowing = ["random", "zero", "greedy on the true state", "true dynamics"]
    assert list(told) == list(seen) == [*ways, *few, *knowing]
    assert len({id(trials) for trials in seen.values()}) == 1
    assert told["zero"]["6/12 across"]["any_time"]["share"] == 0.0
    assert told["zero"]["6/12 across"]["any_time"]["high"] == pytest.approx(0.5615, abs=1e-3)
    assert agents["6/12 across"]["flow, straight"].context == 2
