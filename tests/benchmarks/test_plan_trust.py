"""What the trust benchmark measures: errors along what was done, and actions that do less."""

from __future__ import annotations

import importlib
import math
from typing import Any

import numpy as np
import pytest
import torch
from tests.planning.worlds import tiny_world

from worldline.core.clip import Clip
from worldline.core.errors import InputError
from worldline.planning import Familiarity, Imagination
from worldline.planning.agents import WorldAgent
from worldline.planning.icem import ICEM
from worldline.planning.tasks import RoomsTask


@pytest.fixture
def trust() -> Any:
    return importlib.import_module("plan_trust")


def witness(trust: Any, imagination: Imagination) -> Any:
    return trust.Witness(WorldAgent(imagination, ICEM(num_samples=4, num_elites=1), horizon=2))


def test_a_future_as_imagined_has_no_error_and_a_still_one_that_of_copying(trust: Any):
    imagination = Imagination(tiny_world("vector"))
    seen = witness(trust, imagination)
    draw = torch.Generator().manual_seed(0)
    done = [2 * torch.rand(3, 2, generator=draw) - 1 for _ in range(trust.AHEAD + 1)]
    start = torch.randn(3, 1, 6, generator=draw)
    plan = torch.stack(done[: trust.AHEAD], dim=1)[:, None]
    ahead = imagination.imagine(imagination.begin_from(start[:, None]), plan).latents[:, 0]
    seen.seen, seen.done = [start, *ahead.unbind(dim=1)], done
    assert seen.error() == pytest.approx(0.0, abs=1e-8)
    seen.seen = [start] * trust.AHEAD + [2 * start - ahead[:, -1]]  # as far, the other way
    assert seen.error() == pytest.approx(4.0, rel=1e-4)
    seen.seen = seen.seen[:2]
    assert math.isnan(seen.error())


def test_a_weakened_action_does_its_share(trust: Any):
    task = RoomsTask()
    weak = trust.Weakened(task, 0.5)
    assert weak.own_action(np.array([1.0, -0.4])) == pytest.approx([0.5, -0.2])
    moved = []
    for each in (task, weak):
        env = each.make()
        env.reset(options={"position_m": (0.5, 1.5)})
        moved.append(env.step(each.own_action(np.array([1.0, 0.0])))[0][0] - 0.5)
    assert moved[1] == pytest.approx(moved[0] / 2, rel=1e-4)


def test_a_bank_needs_clips_with_actions(trust: Any):
    clip = Clip(frames=np.zeros((3, 16, 16, 3), np.uint8), time_s=np.arange(3.0))
    with pytest.raises(InputError, match="have no actions"):
        trust.familiarity(Imagination(tiny_world("vector")), [clip])


def test_a_shift_is_played_without_the_penalty_and_with_it(trust: Any):
    world = tiny_world("vector")
    bank = torch.zeros(1, world.config.dynamics.channels)
    penalty = Familiarity(bank, limit=1.0)
    shift = trust.Shift("walls", strength=0.5)
    told = trust.play(shift, world, penalty, [0.0, 2.0], 2, 0)
    assert (told["task"], told["course"]) == ("walls", "50/100 across")
    for weight in ("0", "2"):
        found = told[f"penalty {weight}"]
        assert found["low"] <= found["any_time"] <= found["high"]
        assert found["error_over_copying"] > 0


def test_a_task_without_a_bundled_world_asks_for_one(trust: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sys.argv", ["plan_trust.py", "--shifts", "push-heavy"])
    monkeypatch.setattr(trust, "write_record", lambda *given: pytest.fail("nothing was measured"))
    with pytest.raises(InputError, match="no world is bundled for push-heavy"):
        trust.main()
