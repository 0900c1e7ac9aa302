"""Training by many workers: what the loop does in one process, sent out through Ray Train."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from worldline.core.errors import InputError
from worldline.scale import Team, launch
from worldline.train.ledger import Ledger
from worldline.train.loop import Task, Trainer
from worldline.train.state import conclude

__all__ = ["Workers", "require_shares", "run_by_many"]

_LOOK_S = 0.5


@dataclass(frozen=True)
class Workers:
    """Who trains, within `worldline.scale.ray_session`.

    Attributes:
        num: processes that each do their share of every batch.
        use_gpu: with a GPU each.
        retries: how many times they are started again, from the last checkpoint, after one died.
    """

    num: int
    use_gpu: bool = False
    retries: int = 2


def run_by_many(
    trainer: Trainer,
    task: Task,
    folder: Path,
    workers: Workers,
    *,
    on_step: Callable[[int, Mapping[str, float]], None] | None = None,
) -> Ledger:
    """As `Trainer.run`, by several workers; on return `task.model` holds the averaged weights.

    The task is pickled and sent to every worker, which keeps a share of its parameters and does its
    share of each batch. Losses, gradients and noise are those of one process, up to the order of
    sums (and, with `half`, to rounding to bfloat16, which then differs too). Checkpoints are the
    same, so a run can go from one process to many and back.

    Args:
        trainer: schedule and optimiser.
        task: what is trained.
        folder: of the run, which all machines share.
        workers: who trains.
        on_step: told of steps as they are logged.

    Raises:
        InputError: as `Trainer.run`, or `folder` is not shared.
        WorkersLostError: workers died again and again.
    """
    folder = folder.absolute()
    work = _Work(trainer, task, folder)
    with _followed(folder / "losses.jsonl", on_step):
        launch(
            work,
            num_workers=workers.num,
            folder=folder / "ray",
            use_gpu=workers.use_gpu,
            retries=workers.retries,
        )
    ledger = conclude(task.model, folder, trainer.config)
    task.finish()
    return ledger


def require_shares(batches: Mapping[str, int], num_workers: int) -> None:
    """Raise `InputError` if some worker had nothing to do, given stages' numbers of clips."""
    for stage, batch in batches.items():
        if batch < num_workers:
            raise InputError(
                f"--workers is {num_workers}, but a batch of the stage {stage} has {batch} clips; "
                "each worker needs one at least"
            )


@dataclass(frozen=True)
class _Work:
    trainer: Trainer
    task: Task
    folder: Path

    def __call__(self, team: Team, device: str) -> None:
        self.trainer.run(self.task, self.folder, device=device, team=team)


@contextmanager
def _followed(
    path: Path, on_step: Callable[[int, Mapping[str, float]], None] | None
) -> Iterator[None]:
    """Tell of lines that are added to a log of losses, while the body runs."""
    done = threading.Event()
    if on_step is None:
        yield
        return
    tell, told = on_step, _last_step(path)

    def look() -> None:
        nonlocal told
        for record in _records(path):
            step = int(record.pop("step"))
            if step > told:
                told = step
                tell(step, record)

    def follow() -> None:
        while not done.wait(_LOOK_S):
            look()

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
    look()


def _last_step(path: Path) -> int:
    return max((int(record["step"]) for record in _records(path)), default=-1)


def _records(path: Path) -> list[dict[str, float]]:
    found: list[dict[str, float]] = []
    if path.is_file():
        for line in path.read_text().splitlines():
            try:
                found.append(json.loads(line))
            except ValueError:  # being written
                break
    return found
