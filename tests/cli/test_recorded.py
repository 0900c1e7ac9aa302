"""From episodes to a world that takes actions, and how it follows them: the whole way."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import numpy as np
import pytest
from tests.playing import playable
from tests.tiny_env import TinyEnv

from worldline.audit import checks
from worldline.audit.scripts import Known, Script
from worldline.audit.straying import long_clips
from worldline.audit.suites.straying_table import trust_table
from worldline.cli.train import CheckLog, Train, TrainingLog
from worldline.core import InputError
from worldline.data.lerobot_write import write_lerobot
from worldline.data.record import record
from worldline.data.recorded import Recorded, open_recording
from worldline.train import load_recipe, train_world
from worldline.train.objectives import SelfForcing
from worldline.world import World
from worldline.world.env import WorldEnv
from worldline.world.openings import load_openings

RECIPE = """
from dataclasses import replace
from tests.playing import playable
from worldline.data.recorded import Recorded, open_recording
from worldline.tokenizer import PatchTokenizer
from worldline.train import ObjectiveTask, Recipe, RewardTask, Stage, TokenizerTask, Trainer
from worldline.train.objectives import NextFrame

def recipe(data):
    recording = open_recording(Recorded(folder=data, num_frames=8, stride=8, held_out=0.5))
    trainer = Trainer.Config(steps=2, warmup=1)
    task = lambda part, objective: ObjectiveTask.Config((part,), (objective,), augmented=False)
    world = playable(recording.spec).config
    return Recipe(
        held_out=4,
        world=replace(world, name="tiny"),
        data=(recording.config,),
        stages=(
            Stage("tokenizer", TokenizerTask.Config(), "data", trainer, batch=4, length=1),
            Stage("dynamics", task("dynamics", NextFrame.Config()), "data", trainer, 2, 8),
            Stage("reward", RewardTask.Config(), "data", trainer, batch=8, length=4),
        ),
    )
"""


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    TinyEnv.num_resets = 0
    folder = tmp_path / "data"
    episodes = record(TINY, num_episodes=16, size_px=16, options={"length": 40}, hold=3)
    write_lerobot(folder, episodes)
    return folder


TINY = "worldline-tests/Tiny-v0"


def test_episodes_become_a_world_that_is_judged_and_lived_in(tmp_path: Path, dataset: Path, call):
    (tmp_path / "tiny.py").write_text(RECIPE)
    out = tmp_path / "run"
    told = call("train", tmp_path / "tiny.py", "--data", dataset, "--out", out, "--json").answer
    assert set(told["ledgers"]) == {"tokenizer", "dynamics", "reward"}
    assert {table["name"] for table in told["held_out"]["tables"]} >= {"quality", "effect"}
    world = World.from_pretrained(out / "world")
    assert world.calibration["play"] == {"scheme": "keys", "environment": TINY}
    assert "Driven by actions: action_0, action_1, action_2" in world.card
    clips = load_openings(out / "world")
    assert clips[0].actions is not None
    assert WorldEnv(out / "world").reset(seed=0)[0].shape == (16, 16, 3)
    done = call("eval", "control", "--world", out / "world", "--quick", "--json")
    (result,) = done.answer["results"]
    assert result["suite"] == "control"
    assert result["num_scenarios"] == 2
    assert "actions" not in {table["name"] for table in result["tables"]}  # a quick run
    page = tmp_path / "page"
    done = call("eval", "drift", "--world", out / "world", "--quick", "--out", page, "--json")
    assert done.code == 0, done.err
    rows = {row["name"] for row in done.answer["results"][0]["tables"][0]["rows"]}
    assert {world.name, "copy-last", "truth"} <= rows
    recording = open_recording(Recorded(folder=str(dataset), held_out=0.5))
    found = long_clips(recording, world, seed=0)[:2]
    assert found[0].num_frames == world.context + 24
    table = trust_table(world, found, np.stack([clip.frames[4:] for clip in found]), 0)
    assert table.rows[0].cells["pictures: trust if right"].n == 4
    assert world.calibration["familiarity"]["usual"] > 0
    assert json.loads((page / "drift.json").read_text())["made_at"]
    assert "copy-last" in (page / "drift.html").read_text()


def test_checks_are_noted_at_every_checkpoint(tmp_path: Path, dataset: Path, monkeypatch):
    happened = lambda film, actions: float(film[-1].mean() >= 0)  # noqa: E731
    script = Script("left: it is there", (1.0, 0.0, 0.0), 2, lambda actions: True, happened)
    monkeypatch.setattr(checks, "SCRIPTS", {TINY: Known((script,))})
    (tmp_path / "tiny.py").write_text(RECIPE)
    recipe = load_recipe(str(tmp_path / "tiny.py"), data=dataset)
    log = CheckLog(recipe, tmp_path / "run")
    train_world(recipe, tmp_path / "run", on_checkpoint=log)
    (line,) = (tmp_path / "run" / "checks.jsonl").read_text().splitlines()
    told = json.loads(line)
    assert (told["stage"], told["step"]) == ("dynamics", 2)
    assert told["checks"] == {"left: it is there": {"truth": 1, "recorded": 1, "held": 1}}


def test_what_cannot_be_judged_is_said_before_training(tmp_path: Path, call):
    TinyEnv.num_resets = 0
    short = tmp_path / "short"
    write_lerobot(short, record(TINY, num_episodes=3, size_px=16, options={"length": 12}))
    (tmp_path / "tiny.py").write_text(RECIPE)
    failed = call("train", tmp_path / "tiny.py", "--data", short, "--out", tmp_path / "run")
    assert failed.code == 2
    assert "give 0 clips of 28 frames, and 4 are needed: 8 episodes of at least 28" in failed.err
    assert not (tmp_path / "run" / "dynamics").exists()


def test_data_and_recipes_must_fit(tmp_path: Path, dataset: Path, call):
    (tmp_path / "tiny.py").write_text(RECIPE)
    without = call("train", tmp_path / "tiny.py", "--out", tmp_path / "run")
    assert "--data FOLDER" in without.err
    (tmp_path / "own.py").write_text("def recipe(): pass")
    own = call("train", tmp_path / "own.py", "--data", dataset, "--out", tmp_path / "run")
    assert "makes its own data" in own.err


def test_control_needs_a_world_that_takes_actions(call):
    assert "takes no actions" in call("eval", "control", "--world", "small").err
    other = call("eval", "control", "--model", "x.py:y")
    assert "control takes --world alone" in other.err


def test_a_policy_and_options_are_named_on_the_command_line(tmp_path: Path, call):
    answer = call(
        "record",
        *("--env", TINY, "--policy", "tests.cli.test_recorded:to_the_left"),
        *("--option", "kind=box", "length=6", "--out", tmp_path / "data", "--json"),
    ).answer
    assert answer["frames"] == 6
    wrong = call("record", "--env", TINY, "--policy", "tests:nobody", "--out", tmp_path / "no")
    assert "policy tests:nobody: there is none" in wrong.err
    wrong = call("record", "--env", TINY, "--option", "kind", "--out", tmp_path / "no")
    assert "write it as NAME=VALUE" in wrong.err


def to_the_left(rng: np.random.Generator):
    """A policy."""
    return lambda seen: np.array([-1.0, 0.0], np.float32)


def test_the_recipe_learns_from_its_own_rollouts_if_asked(dataset: Path):
    made = runpy.run_path("recipes/play.py")["recipe"]
    plain, forced = made(str(dataset)), made(str(dataset), forced_steps=9)
    names = [stage.name for stage in plain.stages]
    first = names.index("dynamics") + 1
    added = forced.stages[first : first + 2]
    wanted = [*names[:first], "short", "long", *names[first:]]
    assert [stage.name for stage in forced.stages] == wanted
    assert [(s.trainer.steps, s.batch, s.length) for s in added] == [(6, 8, 16), (3, 4, 32)]
    assert all(s.task.objectives == (SelfForcing.Config(context=4),) for s in added)


def test_the_recipe_makes_as_many_cells_of_larger_pictures(dataset: Path):
    made = runpy.run_path("recipes/play.py")["recipe"]
    usual, larger = made(str(dataset)).world, made(str(dataset), size="96").world
    assert (usual.tokenizer.size_px, larger.tokenizer.size_px) == (64, 96)
    assert usual.dynamics.rows == larger.dynamics.rows == 16
    assert larger.dynamics.channels == larger.tokenizer.build().channels == 108
    for wrong in ("100", "0", "large"):
        with pytest.raises(InputError, match="multiple of 16"):
            made(str(dataset), size=wrong)


def test_the_recipe_draws_moments_of_contact_more_often_if_asked(dataset: Path):
    made = runpy.run_path("recipes/play.py")["recipe"]
    recipe = made(str(dataset), stirred_share=0.5, onset=0.4)
    stages = {stage.name: stage for stage in recipe.stages}
    assert stages["dynamics"].task.stirred_share == 0.5
    assert recipe.world.dynamics.onset == 0.4


def test_a_world_is_trained_on_from_its_own_weights(
    tmp_path: Path, dataset: Path, call, monkeypatch
):
    first, out = playable(open_recording(Recorded(folder=str(dataset))).spec), tmp_path / "run"
    first.save(tmp_path / "first")
    play_on = runpy.run_path("recipes/play_on.py")["recipe"]
    begun = {"start": str(tmp_path / "first"), "steps": 9}
    assert _steps(play_on(str(dataset), **begun)) == {"dynamics": 9, "reward": 9}
    recipe = play_on(str(dataset), **begun, forced_steps=3)
    assert _steps(recipe) == {"dynamics": 9, "forced": 3, "reward": 9}
    names = [type(objective).__qualname__ for objective in recipe.stages[1].task.objectives]
    assert names == ["NextFrame.Config", "SelfForcing.Config"]
    own, given = recipe.world.dynamics, first.config.dynamics
    assert own.onset > own.shrinkage > 0
    assert (own.width, own.depth) == (given.width, given.depth)
    with pytest.raises(InputError, match="no flow dynamics"):
        play_on(str(dataset), start="tworoom")
    with pytest.raises(InputError, match=r"name their world with --start WORLD"):
        load_recipe("play_on", data=dataset)
    (tmp_path / "tiny.py").write_text(RECIPE)

    def judged(self, world, recipe, facts, folder, set_done):
        world.finished({}, facts["command"]).save(folder)
        return world, {}

    monkeypatch.setattr(Train, "_judge_recorded", judged)
    arguments = ("--data", dataset, "--out", out, "--start", tmp_path / "first")
    both = call("train", tmp_path / "tiny.py", *arguments, "--reuse", tmp_path / "first")
    assert "--start and --reuse both say" in both.err
    done = call("train", tmp_path / "tiny.py", *arguments, "--json")
    assert done.code == 0, done.err
    begun = World.from_pretrained(out / "world")
    assert f"--start {tmp_path / 'first'}" in begun.card
    # two steps from where it was, not from nothing
    fresh = first.config.build()
    way = {
        name: sum(
            float((a - b).detach().square().sum())
            for a, b in zip(begun.dynamics.parameters(), other.dynamics.parameters(), strict=True)
        )
        for name, other in (("first", first), ("fresh", fresh))
    }
    assert way["first"] < 0.1 * way["fresh"]


def _steps(recipe) -> dict[str, int]:
    return {stage.name: stage.trainer.steps for stage in recipe.stages}


def test_fewer_steps_shorten_every_stage(dataset: Path):
    play = runpy.run_path("recipes/play.py")["recipe"]
    assert _steps(play(str(dataset))) == {"tokenizer": 10, "dynamics": 2800, "reward": 1200}
    assert _steps(play(str(dataset), steps=2000))["reward"] == 1200
    shorter = _steps(play(str(dataset), steps=150))
    assert shorter == {"tokenizer": 10, "dynamics": 150, "reward": 150}
    plan = runpy.run_path("recipes/plan.py")["recipe"]
    assert _steps(plan(str(dataset))) == {"latents": 1200, "dynamics": 2400, "decoder": 300}
    shorter = _steps(plan(str(dataset), steps=150))
    assert shorter == {"latents": 150, "dynamics": 300, "decoder": 150}


@pytest.mark.parametrize("ends", [False, True])
def test_rewards_that_are_all_nothing_take_no_stage(tmp_path: Path, capfd, monkeypatch, ends):
    step = TinyEnv.step

    def unpaid(self: TinyEnv, action):
        state, _, ended, *rest = step(self, action)
        return (state, 0.0, ended and ends, *rest)

    monkeypatch.setattr(TinyEnv, "step", unpaid)
    played = record(TINY, num_episodes=3, size_px=64, max_frames=34, options={"length": 33})
    write_lerobot(tmp_path / "set", played)
    recipe = runpy.run_path("recipes/play.py")["recipe"](str(tmp_path / "set"))
    assert ("reward" in _steps(recipe)) == ends
    assert (recipe.world.reward is not None) == ends
    told = "all rewards are 0 and no episode ends by itself: none are learned\n"
    assert capfd.readouterr().err == ("" if ends else told)


def test_data_takes_a_line_per_twentieth_and_losses_one_per_hundredth(capfd):
    log = TrainingLog()
    for name, losses, lines in (("data", {}, 21), ("dynamics", {"total": 1.0}, 101)):
        for step in range(1, 1001):
            log(name, step, 1000, losses)
        assert len(capfd.readouterr().err.splitlines()) == lines


def test_the_recipe_to_plan_in_draws_what_seldom_moves_more_often(dataset: Path):
    made = runpy.run_path("recipes/plan.py")["recipe"]
    usual, seldom = (made(str(dataset), size=size).stages for size in ("told", "seldom"))
    assert [stage.name for stage in seldom] == ["latents", "dynamics", "decoder"]
    assert [stage.task.stirred_share for stage in usual[:2]] == [0, 0]
    assert [stage.task.stirred_share for stage in seldom[:2]] == [0.5, 0.5]
    assert [stage.trainer.half for stage in seldom] == [False, True, False]
    asked = made(str(dataset), size="told", stirred_share=0.2).stages
    assert asked[1].task.stirred_share == 0.2


def test_the_recipe_to_plan_in_learns_from_images_of_clips_where_asked(
    dataset: Path, tmp_path: Path, monkeypatch
):
    made = runpy.run_path("recipes/plan.py")["recipe"]
    assert made(str(dataset)).data[0].images == 1
    assert made(str(dataset), size="told", images=8).data[0].images == 8
    with pytest.raises(InputError, match="seen_"):
        made(str(dataset), size="turned")
    monkeypatch.setattr(TinyEnv, "state_names", ("seen_x_px", "seen_y_px"), raising=False)
    played = record(TINY, num_episodes=3, size_px=32, options={"length": 24})
    write_lerobot(tmp_path / "set", played)
    turned = made(str(tmp_path / "set"), size="turned")
    assert turned.data[0].images == 4
    # the encoder learns alone from single frames, in as many numbers as are told
    assert turned.world.tokenizer.channels == turned.world.dynamics.channels == 2
    first, second, _ = turned.stages
    assert first.task.parts == ("tokenizer",)
    assert first.task.settled
    (told,) = first.task.objectives
    assert told.plainly
    assert [stage.length for stage in turned.stages] == [1, 4, 1]
    assert made(str(tmp_path / "set"), size="turned", rollout_steps=3).stages[1].length == 5
    assert second.task.stirred_share == 0.5
