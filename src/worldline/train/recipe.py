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
from worldline.data.shards import Shards, write_shards
from worldline.sim import FAMILIES, Split, make_clips
from worldline.train.ledger import Ledger
from worldline.train.loop import Trainer, step_generator
from worldline.train.tasks import DynamicsTask, ReadoutTask, TokenizerTask
from worldline.world import World

__all__ = ["Recipe", "Stage", "load_recipe", "train_world"]

Progress = Callable[[str, int, int, Mapping[str, float]], None]
"""Called as (stage, step, steps, losses)."""


@dataclass(frozen=True)
class Stage(Config):
    """One of the three trainings that make a world: its schedule and batch."""

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
        seed: of data, initial weights, order and noise.
        tokenizer, dynamics, readout: the three stages.
        object_weight: extra weight of moving objects' pixels in the tokenizer's loss.
        readout_noise: largest noise on latents in the readout's training.
    """

    world: World.Config = World.Config()
    families: tuple[str, ...] = tuple(FAMILIES)
    num_clips: int = 1000
    look_families: tuple[str, ...] = tuple(FAMILIES)
    num_look_clips: int = 1000
    seed: int = 0
    tokenizer: Stage = Stage()
    dynamics: Stage = Stage()
    readout: Stage = Stage()
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
    maker = runpy.run_path(str(path)).get("recipe")
    if not callable(maker) or not isinstance(found := maker(), Recipe):
        raise InputError(f"{path}: must define recipe() that returns a worldline.train.Recipe")
    return found


def train_world(
    recipe: Recipe,
    folder: Path,
    *,
    device: str = "cpu",
    num_workers: int = 1,
    on_step: Progress | None = None,
) -> tuple[World, dict[str, Ledger]]:
    """Make the data, then train tokenizer, dynamics and readout, each resumable.

    All lies below `folder`: `look/`, `data/`, `tokenizer/`, `dynamics/`, `readout/`. Starting
    again with the same recipe goes on where the last run stopped.

    Returns:
        the world, not yet calibrated, and the cost ledger of each stage.
    """
    progress = on_step or (lambda stage, step, steps, losses: None)
    shards = _make_shards(
        recipe, recipe.look_families, recipe.num_look_clips, folder / "look", num_workers, progress
    )
    with torch.random.fork_rng():
        torch.manual_seed(recipe.seed)
        world = recipe.world.build()
    ledgers: dict[str, Ledger] = {}

    def run(name: str, task: TokenizerTask | DynamicsTask | ReadoutTask, stage: Stage) -> None:
        steps = stage.trainer.steps
        config = replace(stage.trainer, seed=recipe.seed)
        ledgers[name] = config.build().run(
            task,
            folder / name,
            device=device,
            on_step=lambda step, losses: progress(name, step + 1, steps, losses),
        )

    tokenizer, seed = world.tokenizer, recipe.seed
    stage = recipe.tokenizer
    first = TokenizerTask(
        tokenizer, shards, seed=seed, batch=stage.batch, object_weight=recipe.object_weight
    )
    run("tokenizer", first, stage)
    tokenizer.eval()
    tokenizer.measure_latents(_sample_frames(first, steps=16))
    shards = _make_shards(
        recipe, recipe.families, recipe.num_clips, folder / "data", num_workers, progress
    )
    stage = recipe.dynamics
    run(
        "dynamics",
        DynamicsTask(
            world.dynamics, tokenizer, shards, seed=seed, batch=stage.batch, length=stage.length
        ),
        stage,
    )
    stage = recipe.readout
    run(
        "readout",
        ReadoutTask(
            world.readout,
            tokenizer,
            shards,
            seed=seed,
            batch=stage.batch,
            length=stage.length,
            noise=recipe.readout_noise,
        ),
        stage,
    )
    return world, ledgers


def _make_shards(
    recipe: Recipe,
    families: tuple[str, ...],
    num_clips: int,
    folder: Path,
    num_workers: int,
    progress: Progress,
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
    return write_shards(folder, count(), num_clips=num_clips, recipe=key)


def _sample_frames(task: TokenizerTask, *, steps: int) -> torch.Tensor:
    batches = [task.batch(10**8 + i, step_generator(task.seed, 10**8 + i))[0] for i in range(steps)]
    return torch.cat(batches)
