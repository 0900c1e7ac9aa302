"""`worldline distill`: a many-step flow world becomes one of few steps."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from worldline.cli.output import Answer, JsonFlag, Seed, progress
from worldline.cli.places import make_folder
from worldline.core.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["Distill"]


@dataclass(frozen=True)
class Distill:
    """Train a student that makes a frame in one or few steps, as its teacher does in many.

    Progressive distillation: each round halves the number of steps. Start the same command again
    to go on where a run was interrupted. It ends with a table of what was lost and gained.
    """

    world: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="WORLD")]
    """The teacher: name of a bundled flow world, or the folder of a saved one."""
    out: Path
    """Folder of the run; the student lies in OUT/world, the table in OUT/comparison.json."""
    steps: int = 1
    """Denoising steps per frame of the student."""
    teacher_steps: int = 8
    """Denoising steps per frame of the teacher."""
    families: tuple[str, ...] = ()
    """Simulator families to learn from; those on the teacher's card unless told otherwise."""
    clips: int = 1200
    """Simulated clips to learn from."""
    updates: int = 400
    """Optimiser steps of each round."""
    batch: int = 16
    """Clips of a batch."""
    length: int = 16
    """Frames of each."""
    learning_rate: float = 5e-4
    """Peak of each round's learning rate."""
    held_out: int = 78
    """Held-out clips of the table and of the card."""
    workers: int = 1
    """Processes that make the simulated data."""
    device: str = "cpu"
    """Where to train: cpu or cuda."""
    json: JsonFlag = False
    seed: Seed = 0

    def run(self) -> Answer:
        """Distil. Raises `InputError` for a world that has no steps, or on an unusable option."""
        from worldline.audit.card import families_on
        from worldline.audit.distilled import compare_student
        from worldline.audit.finish import finish_world
        from worldline.cli.files import write_json
        from worldline.cli.train import TrainingLog, check_device
        from worldline.train import (
            Data,
            Trainer,
            describe_machine,
            distill_world,
            distillation_recipe,
        )
        from worldline.world import World

        self._check()
        check_device(self.device)
        teacher = World.from_pretrained(self.world)
        families = self.families or families_on(teacher.card)
        recipe = distillation_recipe(
            teacher,
            steps=self.steps,
            teacher_steps=self.teacher_steps,
            families=families,
            num_clips=self.clips,
            trainer=Trainer.Config(
                steps=self.updates,
                learning_rate=self.learning_rate,
                warmup=min(20, self.updates),
                checkpoint_every=50,
            ),
            batch=self.batch,
            length=self.length,
            seed=self.seed,
        )
        if not families:
            raise InputError(
                f"the card of {teacher.name} names no simulator families; give some by --families"
            )
        make_folder("--out", self.out)
        student, ledgers = distill_world(
            teacher,
            recipe,
            self.out,
            device=self.device,
            num_workers=self.workers,
            on_step=TrainingLog(),
        )
        student = student.to("cpu")
        costs = {name: ledger.to_json() for name, ledger in ledgers.items()}
        earlier = teacher.calibration.get("ledgers", {})
        with progress("calibrating and evaluating", 1.0, lines=True) as set_done:
            set_done(0.0)
            student, _ = finish_world(
                student,
                families=families,
                num_clips=self.held_out,
                seed=self.seed,
                facts={
                    "command": self._command(),
                    "reused": sorted(earlier),
                    "recipe": recipe.digest(),
                    "seed": self.seed,
                    "machine": describe_machine(),
                    "clips": {stage.name: stage.data for stage in recipe.stages},
                    "data": {
                        item.name: item.num_clips for item in recipe.data if isinstance(item, Data)
                    },
                    "ledgers": {**earlier, **costs},
                },
                on_progress=set_done,
            )
        comparison = compare_student(
            teacher,
            student,
            teacher_steps=self.teacher_steps,
            families=families,
            num_clips=self.held_out,
            seed=self.seed + 2,
        )
        record = comparison.to_json()
        card = f"{student.card}\n{comparison.to_markdown()}"
        student = student.finished(student.calibration, card)
        student.save(self.out / "world")
        write_json(self.out / "comparison.json", record)
        return {
            "world": str(self.out / "world"),
            "num_parameters": student.num_parameters,
            "steps": self.steps,
            "ledgers": costs,
            "comparison": record,
            "card": comparison.to_markdown(),
        }

    def _command(self) -> str:
        """The command that makes this student: every option that was not left as it is."""
        words = ["worldline distill", self.world, f"--out {self.out}"]
        for item in fields(self)[2:]:
            value = getattr(self, item.name)
            if value != item.default and item.name not in ("json", "workers"):
                shown = " ".join(value) if isinstance(value, tuple) else value
                words.append(f"--{item.name.replace('_', '-')} {shown}")
        return " ".join(words)

    def _check(self) -> None:
        numbers = {
            "steps": self.steps,
            "teacher-steps": self.teacher_steps,
            "clips": self.clips,
            "updates": self.updates,
            "batch": self.batch,
            "length": self.length,
            "held-out": self.held_out,
            "workers": self.workers,
        }
        for name, value in numbers.items():
            if value < 1:
                raise InputError(f"--{name} is {value}; it must be at least 1")
        if self.length < 2:
            raise InputError("--length is 1; a clip needs 2 frames or more to have a next one")
        if self.held_out < 2:
            raise InputError("--held-out is 1; trust is calibrated on 2 clips or more")
        if not 0 < self.learning_rate < math.inf:
            raise InputError(f"--learning-rate is {self.learning_rate}; it must be above 0")

    def show(self, answer: Answer, console: Console) -> None:
        """Print what was lost and gained, and say where the student is."""
        from rich.markdown import Markdown

        console.print(Markdown(answer["card"]))
        console.print(f"world: {answer['world']}  ({answer['num_parameters'] / 1e6:.2f} M)")
