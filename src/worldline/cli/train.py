"""`worldline train`: make a world by a recipe."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from worldline.cli.output import Answer, JsonFlag, progress
from worldline.cli.places import make_folder
from worldline.core.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from worldline.audit.checks import CheckResult
    from worldline.core.clip import Clip
    from worldline.train import Recipe
    from worldline.world import World

__all__ = ["CheckLog", "Train", "TrainingLog", "check_device"]


@dataclass(frozen=True)
class Train:
    """Train a world by a recipe: data, all its parts, calibration, evaluation, card.

    Start the same command again to go on where a run was interrupted.
    """

    recipe: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="RECIPE")]
    """Name of a file in recipes/ (here, or in Worldline's folder), or a Python file that defines
    recipe()."""
    out: Path
    """Folder of the run; the finished world lies in OUT/world."""
    workers: int = 1
    """Processes that make the simulated data and, with --ray, that train."""
    ray: Annotated[str | None, tyro.conf.arg(metavar="ADDRESS")] = None
    """Train by WORKERS processes through Ray: local, auto, or HOST:PORT of a cluster."""
    size: str | None = None
    """Size of the world, for recipes that have such a dial: nano, small, base or large; of its
    pictures, in pixels, for worlds to play in."""
    data: Path | None = None
    """Recorded episodes to learn from, for recipes that take them: what `worldline record` wrote,
    another LeRobot dataset, or a folder of videos with tables of actions."""
    steps: int | None = None
    """Shortens (or lengthens) a training, for recipes that have such a dial. play: steps of the
    dynamics, 2800 if absent; no other stage takes more. plan: of encoder and predictor together,
    1000 to 1500 by size; the predictor then takes 1 to 3 times as many alone."""
    device: str = "cpu"
    """Where to train: cpu or cuda."""
    reuse: str | None = None
    """A trained world whose finished parts are taken over as they are; only others are trained."""
    start: str | None = None
    """A world, bundled or a folder, whose weights the training begins from, as for play_on."""
    held_out: int | None = None
    """Held-out clips to evaluate on at the end, instead of as many as the recipe names."""
    json: JsonFlag = False
    seed: int | None = None
    """Random seed instead of the one that the recipe names."""

    def run(self) -> Answer:
        """Train. Raises `InputError` on an unusable recipe or folder."""
        from worldline.scale import ray_session
        from worldline.train import Workers, describe_machine, load_recipe, train_world
        from worldline.train.estimate import estimate_training
        from worldline.train.onward import begin_from
        from worldline.world import World

        if self.start is not None and self.reuse is not None:
            raise InputError("--start and --reuse both say where weights come from; name one")
        if self.workers < 1:
            raise InputError(f"--workers is {self.workers}; it must be at least 1")
        if self.held_out is not None and self.held_out < 2:
            raise InputError(
                f"--held-out is {self.held_out}; trust is calibrated on 2 clips or more"
            )
        if self.steps is not None and self.steps < 1:
            raise InputError(f"--steps is {self.steps}; it must be at least 1")
        if self.ray is None:
            check_device(self.device)
        elif self.device not in ("cpu", "cuda"):
            raise InputError(f"--device is {self.device}; the workers' can be cpu or cuda")
        recipe = load_recipe(self.recipe, self.size, self.data, self.steps, self.start)
        command = f"worldline train {self.recipe} --out {self.out}"
        if self.data is not None:
            command += f" --data {self.data}"
        if self.size is not None:
            command += f" --size {self.size}"
        if self.steps is not None:
            command += f" --steps {self.steps}"
        if self.seed is not None:
            recipe = replace(recipe, seed=self.seed)
            command += f" --seed {self.seed}"
        if self.reuse is not None:
            command += f" --reuse {self.reuse}"
        begun = None
        if self.start is not None:
            command += f" --start {self.start}"
            begun = begin_from(recipe, World.from_pretrained(self.start))
        for item in estimate_training(recipe):
            print(
                f"{item.stage:10} {item.parameters / 1e6:8.2f} M parameters  about "
                f"{item.flop / 1e15:.3g} PFLOP  {item.state_bytes / 1e9:.2g} GB beside activations",
                file=sys.stderr,
            )
        if recipe.recorded is not None:
            self._require_held_out(recipe)
        reused = None if self.reuse is None else World.from_pretrained(self.reuse)
        make_folder("--out", self.out)
        use_gpu = self.device != "cpu"
        train = partial(
            train_world,
            recipe,
            self.out,
            device=self.device,
            num_workers=self.workers,
            on_step=TrainingLog(),
            on_checkpoint=None if recipe.recorded is None else CheckLog(recipe, self.out),
            reuse=reused,
            start=begun,
        )
        if self.ray is None:
            world, ledgers = train()
        else:
            with ray_session(self.ray, num_workers=self.workers, use_gpu=use_gpu):
                world, ledgers = train(workers=Workers(self.workers, use_gpu))
        world = world.to("cpu")
        facts = {
            "command": command,
            "reused": [] if reused is None else _finished(reused, recipe),
            "recipe": recipe.digest(),
            "seed": recipe.seed,
            "machine": describe_machine(),
            "clips": {stage.name: stage.data for stage in recipe.stages},
            "ledgers": {name: ledger.to_json() for name, ledger in ledgers.items()},
        }
        folder = self.out / "world"
        judge = self._judge_recorded if recipe.recorded is not None else self._judge_simulated
        with progress("calibrating and evaluating", 1.0, lines=True) as set_done:
            set_done(0.0)
            world, held_out = judge(world, recipe, facts, folder, set_done)
        return {
            "world": str(folder),
            "num_parameters": world.num_parameters,
            "ledgers": facts["ledgers"],
            "held_out": held_out,
        }

    def _require_held_out(self, recipe: Recipe) -> None:
        """Raise `InputError` now, not after hours, if nothing could be judged by."""
        from worldline.audit.held_out import held_out_clips
        from worldline.data.recorded import open_recording

        assert recipe.recorded is not None
        size_px = recipe.world.tokenizer.size_px  # type: ignore[attr-defined]
        recording = open_recording(recipe.recorded)
        held_out_clips(recording, size_px=size_px, context=recipe.world.context, seed=recipe.seed)

    def _judge_simulated(
        self,
        world: World,
        recipe: Recipe,
        facts: dict[str, Any],
        folder: Path,
        set_done: Callable[[float], None],
    ) -> tuple[World, Any]:
        from worldline.audit.finish import finish_world
        from worldline.train import Data

        sets = [item for item in recipe.data if isinstance(item, Data)]
        world, table = finish_world(
            world,
            families=recipe.families,
            num_clips=self.held_out or recipe.held_out,
            seed=recipe.seed,
            moving_camera=recipe.moving_camera,
            facts={**facts, "data": {item.name: item.num_clips for item in sets}},
            on_progress=set_done,
        )
        world.save(folder)
        return world, table.to_json()

    def _judge_recorded(
        self,
        world: World,
        recipe: Recipe,
        facts: dict[str, Any],
        folder: Path,
        set_done: Callable[[float], None],
    ) -> tuple[World, Any]:
        from worldline.audit.driven import finish_driven
        from worldline.data.recorded import open_recording
        from worldline.world.openings import save_openings

        assert recipe.recorded is not None
        recording = open_recording(recipe.recorded)
        world, result, clips = finish_driven(
            world,
            recording,
            num_clips=self.held_out or recipe.held_out,
            seed=recipe.seed,
            facts={**facts, "source": recording.config.folder},
            on_progress=set_done,
        )
        world.save(folder)
        save_openings(folder, clips)
        return world, result.to_json()

    def show(self, answer: Answer, console: Console) -> None:
        """Say where the world is."""
        console.print(f"world: {answer['world']}  ({answer['num_parameters'] / 1e6:.2f} M)")
        console.print(f"read its card with: worldline info {answer['world']}")


def _finished(reused: World, recipe: Recipe) -> list[str]:
    """Stages of the recipe that the world has behind it."""
    done = reused.calibration.get("ledgers", {})
    return [stage.name for stage in recipe.stages if stage.name in done]


def check_device(name: str) -> None:
    """Raise `InputError` for a device that is not here."""
    if name == "cpu":
        return
    import torch

    known = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
    if name not in known:
        raise InputError(f"--device is {name}; here it can be {' or '.join(known)}")


class TrainingLog:
    """One line per hundredth of a stage, on standard error: a training log should be greppable.

    Data that is made, which has no losses to follow, takes a line per twentieth.
    """

    def __init__(self) -> None:
        self._shown = ("", -1)

    def __call__(self, stage: str, step: int, steps: int, losses: Mapping[str, float]) -> None:
        """Print, if another hundredth of the stage is done."""
        percent = math.floor(100 * step / max(1, steps))
        if not losses:
            percent -= percent % 5
        if (stage, percent) == self._shown:
            return
        self._shown = (stage, percent)
        numbers = "  ".join(f"{name} {value:.4f}" for name, value in losses.items())
        print(f"{stage:10} {percent:3d}%  step {step}/{steps}  {numbers}", file=sys.stderr)


class CheckLog:
    """Scripted checks at each checkpoint of a world that learns from a known environment.

    A line per checkpoint on standard error, and in `checks.jsonl` in the run's folder: for each
    check in which share of the recorded stretches it passes, the truth beside it, and in which
    share of the openings from which the action is held. Other environments have none.

    Args:
        recipe: whose held-out episodes are looked at.
        folder: of the run.
    """

    _CLIPS = 8

    def __init__(self, recipe: Recipe, folder: Path) -> None:
        self._recipe, self._file = recipe, folder / "checks.jsonl"
        self._clips: list[Clip] | None = None

    def __call__(self, stage: str, step: int, world: World) -> None:
        """Look at the world as it is after a step."""
        from worldline.audit.checks import check_world, known_of
        from worldline.audit.held_out import held_out_clips
        from worldline.data.recorded import open_recording

        if self._clips is None:
            assert self._recipe.recorded is not None
            self._clips = held_out_clips(
                open_recording(self._recipe.recorded),
                size_px=world.size_px,
                context=world.context,
                seed=self._recipe.seed,
            )[: self._CLIPS]
        known = known_of(world, self._clips)
        if known is None:
            return
        shares = {
            each.script: _shares(each) for each in check_world(known, world, self._clips, seed=step)
        }
        with self._file.open("a") as file:
            file.write(json.dumps({"stage": stage, "step": step, "checks": shares}) + "\n")
        told = "; ".join(
            f"{name} {each['recorded']} of {each['truth']}" for name, each in shares.items()
        )
        print(f"{stage:10} checks at {step}: {told}", file=sys.stderr)


def _shares(result: CheckResult) -> dict[str, float | None]:
    parts = {
        "truth": result.recorded["truth"],
        "recorded": result.recorded["true actions"],
        "held": result.held["true actions"],
    }
    known = {name: each[each == each] for name, each in parts.items()}
    return {
        name: round(float(each.mean()), 2) if len(each) else None for name, each in known.items()
    }
