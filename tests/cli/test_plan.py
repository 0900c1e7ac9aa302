"""`worldline plan` and `worldline eval planning`: tables, files, exit codes."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest
from tests.planning.worlds import tiny_world

from worldline.cli import eval_planning
from worldline.cli.plan import doubts, open_task, open_world
from worldline.planning.imagination import Imagination
from worldline.planning.tasks import RoomsTask
from worldline.planning.trials import Course

TOLD = {"names": ["right", "down"], "num_actions": [], "low": [-1, -1], "high": [1, 1]}
ROWS = ["tiny-vector", "untrained", "random", "zero", "greedy on the true state", "true dynamics"]


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("world") / "tiny"
    tiny_world("vector").finished({"actions": TOLD}, "").save(folder, dtype=None)
    return folder


def test_a_task_is_planned_in_beside_every_row(world: Path, call):
    done = call(
        "plan", "tworoom", "--world", world, "--gaps", 6, "--episodes", 2, "--samples", 12,
        "--rounds", 1, "--horizon", 2, "--planner", "cem", "--distance", "logarithms", "--json",
    )  # fmt: skip
    assert done.code == 0, done.err
    told = [line for line in done.err.splitlines() if line.startswith("6/12 across, ")]
    assert [line.split(": ")[0].removeprefix("6/12 across, ") for line in told] == ROWS
    assert "6/12 across, zero: 0 of 2 reached, 0 there at the end" in told
    (result,) = done.answer["results"]
    success, final, times = result["tables"]
    assert (success["name"], final["name"]) == ("success", "success_final")
    assert {row["name"] for row in success["rows"]} == set(ROWS)
    assert success["rows"][0]["name"] == "tiny-vector"
    cell = success["rows"][0]["cells"]["6/12 across"]
    assert cell["n"] == 2
    assert cell["low"] <= cell["value"] <= cell["high"]
    assert times["rows"][0]["cells"]["p95"]["value"] > 0
    assert result["facts"]["planner"] == "cem"
    assert result["facts"]["closely"]
    assert done.answer["made_by"].startswith("worldline")
    assert done.answer["made_at"]


def test_what_was_played_before_a_stop_was_told(world: Path, call, monkeypatch):
    def stopped(truth: object, goals: object):
        raise KeyboardInterrupt

    monkeypatch.setattr("worldline.planning.tasks._straight", stopped)
    done = call(
        "plan", "tworoom", "--world", world, "--gaps", 6, "--episodes", 2, "--samples", 12,
        "--rounds", 1, "--horizon", 2,
    )  # fmt: skip
    assert (done.code, done.out) == (130, "")
    bare, first, *told, last = [x for x in done.err.splitlines() if not x.startswith("planning in")]
    assert bare.startswith("no openings.npz lies beside the weights of tiny-vector")
    assert first == "rows as they come, by steps to the goal / steps allowed:"
    assert [x.split(": ")[0] for x in told] == [f"6/12 across, {row}" for row in ROWS[:4]]
    assert last.startswith("worldline: stopped; rows that are told above were played to the end")


def test_the_suite_is_written_and_shown(world: Path, tmp_path: Path, call, monkeypatch):
    monkeypatch.setattr(eval_planning, "_QUICK_EPISODES", 1)
    monkeypatch.setattr(RoomsTask, "courses", (Course(4, 4),))
    done = call("eval", "planning", "--world", world, "--quick", "--out", tmp_path)
    assert done.code == 0, done.err
    assert "Goals reached at any time" in done.out
    assert "4/4, zero: 0 of 1 reached, 0 there at the end" in done.err.splitlines()
    record = json.loads((tmp_path / "planning.json").read_text())
    assert record["made_by"].startswith("worldline")
    assert "cores" in record["machine"]
    assert "tiny-vector" in (tmp_path / "planning.html").read_text()


def test_pusht_needs_its_extra_and_has_a_world(call):
    if importlib.util.find_spec("pymunk") is None:
        done = call("plan", "pusht")
        assert done.code == 2
        assert "pymunk, which pusht is simulated with" in done.error_lines[0]
    else:
        task = open_task("pusht")
        world = open_world(task, None)
        assert world.name == "pusht-plan"
        assert Imagination(world).space == task.space
        assert task.looking["closely"]


def test_a_world_from_elsewhere_or_of_unknown_actions_is_doubted(tmp_path: Path):
    pytest.importorskip("gymnasium")
    task, place = RoomsTask(), tmp_path / "world"

    def doubted(**calibration) -> list[str]:
        world = tiny_world("vector").finished(calibration, "")
        world.save(place, dtype=None)
        (place / "openings.npz").touch()
        return doubts(task, world, str(place))

    at_home = {"scheme": "stick", "environment": "worldline/TwoRooms-v0"}
    assert doubted(actions=TOLD, play=at_home) == []
    assert doubted(actions=TOLD, play={"scheme": "stick"}) == [], "nothing is known"
    (elsewhere,) = doubted(actions=TOLD, play={**at_home, "environment": "worldline/PushTee-v0"})
    assert "recorded in worldline/PushTee-v0, but tworoom is played in worldline/Two" in elsewhere
    (unknown,) = doubted()
    assert "no calibration.json that says what its actions mean" in unknown
    (place / "openings.npz").unlink()
    (bare,) = doubts(task, tiny_world("vector").finished({"actions": TOLD}, ""), str(place))
    assert "not along landmarks" in bare


def test_every_task_knows_where_its_bundled_world_was_recorded():
    for name in ("tworoom", "walls"):
        task = open_task(name)
        assert doubts(task, open_world(task, None), None) == []
    task = open_task("tworoom")
    (doubt,) = doubts(task, open_world(task, "pusht-plan"), "pusht-plan")
    assert "pusht-plan was recorded in worldline/PushTee-v0" in doubt


def test_a_task_without_a_bundled_world_says_so(call):
    pytest.importorskip("mujoco")
    done = call("plan", "push")
    assert done.code == 2
    assert "no world is bundled for push: train one" in done.error_lines[0]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["plan", "maze"], "no task maze; there are: tworoom, walls, pusht, push"),
        (["plan", "tworoom", "--planner", "guess"], "no planner guess"),
        (["plan", "tworoom", "--over", "never"], "--over is never"),
        (["plan", "tworoom", "--distance", "far"], "--distance is far; it can be squares, log"),
        (["plan", "tworoom", "--episodes", "0"], "--episodes is 0; it must be at least 1"),
        (["plan", "tworoom", "--samples", "0"], "--samples is 0; it must be at least 1"),
        (["plan", "tworoom", "--rounds", "-1"], "--rounds is -1; it must be at least 1"),
        (["plan", "tworoom", "--horizon", "0"], "--horizon is 0; it must be at least 1"),
        (["plan", "tworoom", "--budget-s", "nan"], "--budget-s is nan; it must be above 0"),
        (["plan", "tworoom", "--gaps", "5", "0"], "--gaps has 0; each must be at least 1"),
        (["plan", "tworoom", "--gaps", "25", "10000"], "--gaps has 10000; episodes have 200 steps"),
        (
            ["plan", "tworoom", "--horizon", "1000000"],
            "--horizon is 1000000; it can be at most 200",
        ),
        (["plan", "tworoom", "--samples", "1"], "--samples is 1; it must be at least 2"),
        (["plan", "tworoom", "--world", "small"], "takes no actions"),
        (["eval", "planning", "--data", "x"], "--data: planning takes --world alone"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(words, reason, call):
    done = call(*words)
    assert done.code == 2
    assert reason in done.error_lines[0]
