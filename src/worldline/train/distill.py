"""Distil a many-step flow world into one that needs few steps per frame."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from worldline.core.errors import InputError
from worldline.sim import FAMILIES, make_clip
from worldline.train.ledger import Ledger
from worldline.train.loop import Trainer
from worldline.train.objectives import Distillation
from worldline.train.recipe import Data, Progress, Recipe, Stage, train_world
from worldline.train.tasks import ObjectiveTask
from worldline.world import World
from worldline.world.steps import at_steps
from worldline.world.storage import gather_tensors

__all__ = ["distill_world", "distillation_recipe", "halvings"]


def halvings(teacher_steps: int, student_steps: int) -> tuple[tuple[int, int], ...]:
    """Rounds of (teacher's, student's) steps: halved as long as that comes out even.

    Raises:
        InputError: the student's steps are not fewer, or do not divide the teacher's.
    """
    if not 1 <= student_steps < teacher_steps or teacher_steps % student_steps:
        raise InputError(
            f"{student_steps} steps cannot be distilled from {teacher_steps}; the student's must "
            "be fewer and divide the teacher's"
        )
    rounds, now = [], teacher_steps
    while now > student_steps:
        rest = now // student_steps
        after = now // (2 if rest % 2 == 0 else rest)
        rounds.append((now, after))
        now = after
    return tuple(rounds)


def distillation_recipe(
    teacher: World,
    *,
    steps: int,
    teacher_steps: int,
    families: Sequence[str],
    num_clips: int,
    trainer: Trainer.Config,
    batch: int,
    length: int,
    seed: int,
) -> Recipe:
    """A stage of progressive distillation per halving, on clips of the simulator.

    Args:
        teacher: a flow world.
        steps, teacher_steps: per frame, of the student at the end and the teacher at the start.
        families, num_clips: of the data.
        trainer: schedule of each stage.
        batch, length: clips of a batch, and frames of each.
        seed: of data, order and noise.

    Raises:
        InputError: the world is no flow world, takes controls that clips of the families do not
            have, or cannot do with such steps; or a family is not known.
    """
    if unknown := sorted(set(families) - set(FAMILIES)):
        raise InputError(f"no simulator family {unknown[0]!r}; known: {', '.join(FAMILIES)}")
    student = at_steps(teacher, steps)
    at_steps(teacher, teacher_steps)
    driven = _require_driven(teacher, families, seed)
    config = replace(student.config, name=f"{teacher.name}-{steps}-step")
    stages = tuple(
        Stage(
            f"distil-{more}-to-{fewer}",
            ObjectiveTask.Config(
                ("dynamics",),
                (Distillation.Config(teacher_steps=more, student_steps=fewer),),
                augmented=not driven,  # actions say where things go
                cached=driven,
            ),
            "data",
            trainer,
            batch,
            length,
        )
        for more, fewer in halvings(teacher_steps, steps)
    )
    return Recipe(config, (Data("data", tuple(families), num_clips),), stages, seed)


def _require_driven(teacher: World, families: Sequence[str], seed: int) -> bool:
    """Whether the world takes actions. Raises `InputError` if it would unlearn what it takes."""
    controls = teacher.dynamics.config.controls
    if replace(controls, action_size=0).any:
        raise InputError(
            f"the world {teacher.name} takes controls beside actions; distillation feeds actions "
            "alone, so it would unlearn the others"
        )
    if controls.action_size == 0:
        return False
    for family in families:
        actions = make_clip(family, 0, seed=seed, events=False).actions
        width = 0 if actions is None else actions.shape[1]
        if width != controls.action_size:
            raise InputError(
                f"the world {teacher.name} takes actions of {controls.action_size} numbers, but "
                f"clips of {family} have {width}; give --families that it is driven in"
            )
    return True


def distill_world(
    teacher: World,
    recipe: Recipe,
    folder: Path,
    *,
    device: str = "cpu",
    num_workers: int = 1,
    on_step: Progress | None = None,
) -> tuple[World, dict[str, Ledger]]:
    """Train the student of a recipe of `distillation_recipe`; resumable as `train_world`.

    The teacher is left as it is.

    Returns:
        the student, not yet calibrated, and the cost ledger of each stage.

    Raises:
        InputError: the folder holds a run of another recipe or from another teacher.
    """
    _claim(folder, teacher)
    parts = copy.deepcopy(teacher.whole)
    parts.dynamics.config = recipe.world.dynamics
    student = World(recipe.world, parts, {}, "")
    return train_world(
        recipe, folder, device=device, num_workers=num_workers, on_step=on_step, start=student
    )


def _claim(folder: Path, teacher: World) -> None:
    """Note the teacher in a run's folder. Raises `InputError` if it is that of another."""
    digest = hashlib.sha256()
    for name, value in sorted(gather_tensors(teacher.parts).items()):
        digest.update(name.encode())
        digest.update(
            value.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes()
        )
    text = json.dumps({"world": teacher.name, "weights": digest.hexdigest()})
    folder.mkdir(parents=True, exist_ok=True)
    note = folder / "teacher.json"
    if note.is_file() and note.read_text() != text:
        raise InputError(f"{folder}: holds a run from another teacher; choose another folder")
    partial = folder / "teacher.json.partial"
    partial.write_text(text)
    partial.replace(note)
