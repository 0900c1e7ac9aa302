"""A recipe: all that is needed to train a world again, from its data to its last step."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch

from worldline.core.clip import Clip
from worldline.core.config import Config, config_from_json, register
from worldline.core.errors import ArtifactError, InputError
from worldline.data.recorded import Recorded, open_recording
from worldline.data.shards import Shards, Tracking, write_shards
from worldline.sim import FIRST_FAMILIES, Split, make_clips
from worldline.train.bodies import BodyTask
from worldline.train.checkpoint import Checkpoint
from worldline.train.drive import measure_state
from worldline.train.ledger import Ledger
from worldline.train.loop import Task, Trainer
from worldline.train.many import Workers, require_shares, run_by_many
from worldline.train.rewards import RewardTask
from worldline.train.tasks import ObjectiveTask, TokenizerTask, TrajectoryTask
from worldline.world import World

__all__ = ["Data", "Progress", "Recipe", "Stage", "train_world"]

Progress = Callable[[str, int, int, Mapping[str, float]], None]
"""Called as (stage, step, steps, losses)."""


@register("train/data", version=2, upgrades={1: {"moving_camera": False}})
@dataclass(frozen=True)
class Data(Config):
    """A set of simulated clips.

    Attributes:
        name: of the set and of its folder in a run.
        families: simulator families, in equal shares.
        num_clips: how many clips in all.
        tracked: keep how everything that is seen moves, for the forecaster of trajectories.
        moving_camera: the camera goes round the action, or pans, instead of standing still; not for
            flat families, nor for tracked data.
    """

    name: str = "data"
    families: tuple[str, ...] = FIRST_FAMILIES
    num_clips: int = 1000
    tracked: bool = False
    moving_camera: bool = False

    def __post_init__(self) -> None:
        if self.tracked and self.moving_camera:
            raise ValueError(f"data {self.name}: apparent motion needs a camera that stands still")


@register("train/stage", version=2)
@dataclass(frozen=True)
class Stage(Config):
    """One of the trainings that make a world.

    Attributes:
        name: of the stage and of its folder in a run.
        task: config of a task: which parts learn, and what for.
        data: name of the set of clips.
        trainer: schedule and optimiser.
        batch, length: clips of a batch, and frames of each where the task does not fix them.
    """

    name: str = "dynamics"
    task: (
        TokenizerTask.Config
        | TrajectoryTask.Config
        | BodyTask.Config
        | RewardTask.Config
        | ObjectiveTask.Config
    ) = ObjectiveTask.Config()
    data: str = "data"
    trainer: Trainer.Config = Trainer.Config()
    batch: int = 16
    length: int = 32


@register("train/recipe", version=2)
@dataclass(frozen=True)
class Recipe(Config):
    """Data, parts and schedules of a world.

    Attributes:
        world: config of the world to train.
        data: sets of clips, simulated or recorded, of one kind.
        stages: trainings, in order.
        seed: of data, initial weights, order and noise.
        held_out: clips that the finished world is evaluated on, unless told otherwise.
    """

    world: World.Config = World.Config()
    data: tuple[Data | Recorded, ...] = (Data(),)
    stages: tuple[Stage, ...] = (Stage(),)
    seed: int = 0
    held_out: int = 78

    def __post_init__(self) -> None:
        names = [item.name for item in self.data]
        stages = [stage.name for stage in self.stages]
        if len(set(names)) < len(names) or len(set(stages)) < len(stages) or not stages:
            raise ValueError("data and stages need names of their own, and one stage at least")
        if set(names) & set(stages) or "world" in (*names, *stages):
            raise ValueError("data, stages and the finished world share a folder: use other names")
        if 0 < sum(isinstance(item, Recorded) for item in self.data) < len(self.data):
            raise ValueError("data must be all simulated or all recorded")
        for stage in self.stages:
            if stage.data not in names:
                raise ValueError(f"stage {stage.name}: there is no data {stage.data} to learn from")

    @property
    def families(self) -> tuple[str, ...]:
        """All families that are learned from, in order of their first mention."""
        simulated = [item for item in self.data if isinstance(item, Data)]
        return tuple(dict.fromkeys(name for item in simulated for name in item.families))

    @property
    def recorded(self) -> Recorded | None:
        """The first recorded set, by whose held-out episodes the world is judged."""
        return next((item for item in self.data if isinstance(item, Recorded)), None)

    @property
    def moving_camera(self) -> bool:
        """The camera moves in all that is learned from."""
        return all(isinstance(item, Data) and item.moving_camera for item in self.data)

    def digest(self) -> str:
        """Short hash of everything in the recipe."""
        text = json.dumps(self.to_json(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def train_world(
    recipe: Recipe,
    folder: Path,
    *,
    device: str = "cpu",
    num_workers: int = 1,
    workers: Workers | None = None,
    on_step: Progress | None = None,
    on_checkpoint: Callable[[str, int, World], None] | None = None,
    reuse: World | None = None,
    start: World | None = None,
) -> tuple[World, dict[str, Ledger]]:
    """Make the data and run the stages, each resumable.

    All lies below `folder`: a folder per set of data and one per stage, with its checkpoint.
    Starting again with the same recipe goes on where the last run stopped.

    Args:
        recipe: what to train.
        folder: of the run.
        device: where to train.
        num_workers: processes that make data.
        workers: who trains, if not this process alone; see `run_by_many`. The data is made here,
            before they start.
        on_step: told of progress.
        on_checkpoint: called as (stage, steps done, world as it would be if training ended now)
            where a stage that trains the dynamics has written a checkpoint; not with `workers`.
        reuse: a world whose finished parts are taken as they are, with their ledgers, instead of
            being trained again.
        start: a world of the recipe's config that is trained further, in place, instead of an
            untrained one.

    Returns:
        the world, not yet calibrated, and the cost ledger of each stage.

    Raises:
        InputError: a part to reuse, or the world to start from, has another config than the
            recipe's, the folder holds a run of another recipe, or there are more workers than
            clips in a batch.
    """
    if workers is not None:
        require_shares({stage.name: stage.batch for stage in recipe.stages}, workers.num)
    progress = on_step or (lambda stage, step, steps, losses: None)
    with torch.random.fork_rng():
        torch.manual_seed(recipe.seed)
        world = recipe.world.build() if start is None else start
    if world.config != recipe.world:
        raise InputError(f"the world {world.name} has another config than the recipe's")
    kept = _take_over(world, recipe, reuse) if reuse is not None else {}
    if reuse is not None and "state" in reuse.calibration:
        # what was trained on readings of one scale goes on with it
        world = world.finished({"state": reuse.calibration["state"]}, "")
    _claim(folder, recipe)
    sets = {item.name: item for item in recipe.data}
    ledgers: dict[str, Ledger] = {}
    for stage in recipe.stages:
        if stage.name in kept:
            ledgers[stage.name] = kept[stage.name]
            continue
        shards = _make_shards(
            sets[stage.data], world, recipe.seed, folder / stage.data, num_workers, progress
        )
        names = world.controls.state_names
        if names and "state" not in world.calibration and set(names) <= set(shards.state_names):
            world = world.with_state(*measure_state(shards, names))
        with torch.random.fork_rng():
            torch.manual_seed(recipe.seed)
            learns = stage.task
            if start is not None and isinstance(learns, ObjectiveTask.Config):
                learns = replace(learns, settled=False)  # what has learned stays as it is
            task: Task = learns.build(
                world, shards, seed=recipe.seed, batch=stage.batch, length=stage.length
            )
        trainer = replace(stage.trainer, seed=recipe.seed).build()
        own = folder / stage.name
        told = partial(_report, progress, stage.name, trainer.config.steps)
        if on_checkpoint is not None and "dynamics" in stage.task.parts:
            told = partial(_look, told, on_checkpoint, world, stage, own)
        if workers is None:
            ledgers[stage.name] = trainer.run(task, own, device=device, on_step=told)
        else:
            ledgers[stage.name] = run_by_many(trainer, task, own, workers, on_step=told)
    return world, ledgers


def _report(
    progress: Progress, name: str, steps: int, step: int, losses: Mapping[str, float]
) -> None:
    progress(name, step + 1, steps, losses)


def _look(
    told: Callable[[int, Mapping[str, float]], None],
    on_checkpoint: Callable[[str, int, World], None],
    world: World,
    stage: Stage,
    folder: Path,
    step: int,
    losses: Mapping[str, float],
) -> None:
    """Tell of progress, and show the averaged world after each checkpoint."""
    told(step, losses)
    if (step + 1) % stage.trainer.checkpoint_every and step + 1 < stage.trainer.steps:
        return
    kept = Checkpoint.load(folder)
    assert kept is not None
    twin = copy.deepcopy(world)
    for name in stage.task.parts:
        twin.parts[name].load_state_dict(kept.part(f"average.parts.{name}."))
        twin.parts[name].eval()
    on_checkpoint(stage.name, step + 1, twin)


def _claim(folder: Path, recipe: Recipe) -> None:
    """Note the recipe in a run's folder. Raises `InputError` if it is the folder of another."""
    folder.mkdir(parents=True, exist_ok=True)
    note, text = folder / "recipe.json", json.dumps(recipe.to_json(), sort_keys=True)
    if note.is_file() and note.read_text() != text and not _is_same(note, recipe):
        raise InputError(f"{folder}: holds a run of another recipe; choose another folder")
    partial = folder / "recipe.json.partial"
    partial.write_text(text)
    partial.replace(note)


def _is_same(note: Path, recipe: Recipe) -> bool:
    """Whether a recipe that an older program wrote down is this one."""
    try:
        return config_from_json(json.loads(note.read_text())) == recipe
    except (ValueError, ArtifactError):
        return False


def _take_over(world: World, recipe: Recipe, source: World) -> dict[str, Ledger]:
    """Copy the trained parts of another world: of those stages that it has a ledger of."""
    ledgers = source.calibration.get("ledgers", {})
    if not ledgers:
        raise InputError(
            f"the world {source.name} keeps no ledgers of its training, so none of its parts can "
            "be reused"
        )
    kept = [stage for stage in recipe.stages if stage.name in ledgers]
    for name in {name for stage in kept for name in stage.task.parts}:
        own, other = world.parts[name], source.parts.get(name)
        if other is None or own.config != other.config:
            raise InputError(
                f"the {name} of the world {source.name} has another config than the recipe's, so "
                "it cannot be reused"
            )
        own.load_state_dict(other.state_dict())
    return {stage.name: Ledger.from_json(ledgers[stage.name]) for stage in kept}


def _make_shards(
    data: Data | Recorded,
    world: World,
    seed: int,
    folder: Path,
    num_workers: int,
    progress: Progress,
) -> Shards:
    if isinstance(data, Recorded):

        def tell(done: int, num: int) -> None:
            progress(folder.name, done, num, {})

        return open_recording(data).write(folder, world.size_px, tell)

    def count() -> Iterator[Clip]:
        clips = make_clips(
            data.families,
            num_clips=data.num_clips,
            seed=seed,
            split=Split.TRAIN,
            size_px=world.size_px,
            num_workers=num_workers,
            events=False,
            moving_camera=data.moving_camera,
        )
        for i, clip in enumerate(clips):
            yield clip
            progress(folder.name, i + 1, data.num_clips, {})

    tracking = None
    if data.tracked:
        if world.trajectory is None:
            raise InputError(f"data {data.name} is tracked, but no trajectories are forecast")
        config = world.trajectory.config
        tracking = Tracking(config.context, config.horizon, config.cell_px)
    key = {
        "families": list(data.families),
        "num_clips": data.num_clips,
        "seed": seed,
        "size_px": world.size_px,
        **({"moving_camera": True} if data.moving_camera else {}),
    }
    return write_shards(
        folder,
        count(),
        num_clips=data.num_clips,
        recipe=key,
        tracking=tracking,
        maps=world.controls.map_names,
    )
