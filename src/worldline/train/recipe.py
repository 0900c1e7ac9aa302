"""A recipe: all that is needed to train a world again, from its data to its last step."""

from __future__ import annotations

import hashlib
import json
import runpy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from worldline.core.clip import Clip
from worldline.core.config import Config, register
from worldline.core.errors import InputError
from worldline.data.shards import Shards, Tracking, write_shards
from worldline.sim import FIRST_FAMILIES, Split, make_clips
from worldline.train.ledger import Ledger
from worldline.train.loop import Task, Trainer, step_generator
from worldline.train.tasks import DynamicsTask, ReadoutTask, TokenizerTask, TrajectoryTask
from worldline.world import World

__all__ = ["Recipe", "Stage", "load_recipe", "train_world"]

Progress = Callable[[str, int, int, Mapping[str, float]], None]
"""Called as (stage, step, steps, losses)."""


@dataclass(frozen=True)
class Stage(Config):
    """One of the four trainings that make a world: its schedule and batch."""

    trainer: Trainer.Config = Trainer.Config()
    batch: int = 16
    length: int = 32


register("train/stage")(Stage)


@register("train/recipe")
@dataclass(frozen=True)
class Recipe(Config):
    """Data, parts and schedules of a world.

    Attributes:
        world: config of the world to train.
        families: simulator families that dynamics and readout learn from, in equal shares.
        num_clips: how many clips of them.
        look_families, num_look_clips: the same for the tokenizer, which learns how things look and
            needs fewer clips.
        num_motion_clips: how many clips of `families` the forecaster of trajectories learns from.
        seed: of data, initial weights, order and noise.
        tokenizer, dynamics, readout, trajectory: the four stages.
        object_weight: extra weight of moving objects' pixels in the tokenizer's loss.
        readout_noise: largest noise on latents in the readout's training.
    """

    world: World.Config = World.Config()
    families: tuple[str, ...] = FIRST_FAMILIES
    num_clips: int = 1000
    look_families: tuple[str, ...] = FIRST_FAMILIES
    num_look_clips: int = 1000
    num_motion_clips: int = 1000
    seed: int = 0
    tokenizer: Stage = Stage()
    dynamics: Stage = Stage()
    readout: Stage = Stage()
    trajectory: Stage = Stage()
    object_weight: float = 3.0
    readout_noise: float = 0.3

    def digest(self) -> str:
        """Short hash of everything in the recipe."""
        text = json.dumps(self.to_json(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def load_recipe(name_or_path: str) -> Recipe:
    """A recipe from a Python file that defines `recipe()`; a bare name means `recipes/NAME.py`.

    The file is run, so it must be one that you trust.

    Raises:
        InputError: there is no such file, or it does not define `recipe()`.
    """
    path = Path(name_or_path)
    if path.suffix != ".py":
        path = Path("recipes") / f"{name_or_path}.py"
    if not path.is_file():
        raise InputError(f"{path}: no such recipe; give a Python file that defines recipe()")
    try:
        maker = runpy.run_path(str(path)).get("recipe")
        found = maker() if callable(maker) else None
    except (Exception, SystemExit) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{path}: cannot be run ({type(error).__name__}: {reason})") from None
    if not isinstance(found, Recipe):
        raise InputError(f"{path}: must define recipe() that returns a worldline.train.Recipe")
    return found


def train_world(
    recipe: Recipe,
    folder: Path,
    *,
    device: str = "cpu",
    num_workers: int = 1,
    on_step: Progress | None = None,
    reuse: World | None = None,
) -> tuple[World, dict[str, Ledger]]:
    """Make the data, then train tokenizer, dynamics, readout and trajectories, each resumable.

    All lies below `folder`: data in `look/`, `data/` and `motion/`, checkpoints in a folder per
    part. Starting again with the same recipe goes on where the last run stopped.

    Args:
        recipe: what to train.
        folder: of the run.
        device: where to train.
        num_workers: processes that make data.
        on_step: told of progress.
        reuse: a world whose finished parts are taken as they are, with their ledgers, instead of
            being trained again.

    Returns:
        the world, not yet calibrated, and the cost ledger of each stage.

    Raises:
        InputError: a part to reuse has another config than the recipe's, or the folder holds a
            run of another recipe.
    """
    progress = on_step or (lambda stage, step, steps, losses: None)
    with torch.random.fork_rng():
        torch.manual_seed(recipe.seed)
        world = recipe.world.build()
    kept = _take_over(world, reuse) if reuse is not None else {}
    _claim(folder, recipe)
    ledgers: dict[str, Ledger] = {}
    seed, tokenizer = recipe.seed, world.tokenizer

    def run(name: str, make_task: Callable[[], Task], stage: Stage) -> None:
        if name in kept:
            ledgers[name] = kept[name]
            return
        config = replace(stage.trainer, seed=seed)
        ledgers[name] = config.build().run(
            make_task(),
            folder / name,
            device=device,
            on_step=lambda step, losses: progress(name, step + 1, config.steps, losses),
        )

    def shards(name: str, families: tuple[str, ...], num: int, tracking: Tracking | None) -> Shards:
        return _make_shards(recipe, families, num, folder / name, num_workers, progress, tracking)

    def tokenizer_task() -> Task:
        stage = recipe.tokenizer
        data = shards("look", recipe.look_families, recipe.num_look_clips, None)
        weight = recipe.object_weight
        return TokenizerTask(tokenizer, data, seed=seed, batch=stage.batch, object_weight=weight)

    def dynamics_task() -> Task:
        stage = recipe.dynamics
        data = shards("data", recipe.families, recipe.num_clips, None)
        return DynamicsTask(
            world.dynamics, tokenizer, data, seed=seed, batch=stage.batch, length=stage.length
        )

    def readout_task() -> Task:
        stage = recipe.readout
        return ReadoutTask(
            world.readout,
            tokenizer,
            shards("data", recipe.families, recipe.num_clips, None),
            seed=seed,
            batch=stage.batch,
            length=stage.length,
            noise=recipe.readout_noise,
        )

    def trajectory_task() -> Task:
        config = world.trajectory.config
        tracking = Tracking(config.context, config.horizon, config.cell_px)
        data = shards("motion", recipe.families, recipe.num_motion_clips, tracking)
        return TrajectoryTask(world.trajectory, data, seed=seed, batch=recipe.trajectory.batch)

    run("tokenizer", tokenizer_task, recipe.tokenizer)
    if "tokenizer" not in kept:
        tokenizer.eval()
        frames = _sample_frames(tokenizer_task(), seed, steps=16)
        tokenizer.measure_latents(frames.to(device))
    run("dynamics", dynamics_task, recipe.dynamics)
    run("readout", readout_task, recipe.readout)
    run("trajectory", trajectory_task, recipe.trajectory)
    return world, ledgers


def _claim(folder: Path, recipe: Recipe) -> None:
    """Note the recipe in a run's folder. Raises `InputError` if it is the folder of another."""
    folder.mkdir(parents=True, exist_ok=True)
    note, text = folder / "recipe.json", json.dumps(recipe.to_json(), sort_keys=True)
    if note.is_file() and note.read_text() != text:
        raise InputError(f"{folder}: holds a run of another recipe; choose another folder")
    partial = folder / "recipe.json.partial"
    partial.write_text(text)
    partial.replace(note)


def _take_over(world: World, source: World) -> dict[str, Ledger]:
    """Copy the trained parts of another world; those that it has a ledger of."""
    ledgers = source.calibration.get("ledgers", {})
    if not ledgers:
        raise InputError(
            f"the world {source.name} keeps no ledgers of its training, so none of its parts can "
            "be reused"
        )
    for name in ledgers:
        own, other = world.parts[name], source.parts[name]
        if own.config != other.config:
            raise InputError(
                f"the {name} of the world {source.name} has another config than the recipe's, so "
                "it cannot be reused"
            )
        own.load_state_dict(other.state_dict())
    return {name: Ledger.from_json(record) for name, record in ledgers.items()}


def _make_shards(
    recipe: Recipe,
    families: tuple[str, ...],
    num_clips: int,
    folder: Path,
    num_workers: int,
    progress: Progress,
    tracking: Tracking | None,
) -> Shards:
    size_px = recipe.world.tokenizer.size_px

    def count() -> Iterator[Clip]:
        clips = make_clips(
            families,
            num_clips=num_clips,
            seed=recipe.seed,
            split=Split.TRAIN,
            size_px=size_px,
            num_workers=num_workers,
            events=False,
        )
        for i, clip in enumerate(clips):
            yield clip
            progress(folder.name, i + 1, num_clips, {})

    key = {
        "families": list(families),
        "num_clips": num_clips,
        "seed": recipe.seed,
        "size_px": size_px,
    }
    return write_shards(folder, count(), num_clips=num_clips, recipe=key, tracking=tracking)


def _sample_frames(task: Task, seed: int, *, steps: int) -> torch.Tensor:
    batches = [task.batch(10**8 + i, step_generator(seed, 10**8 + i))[0] for i in range(steps)]
    return torch.cat(batches)
