"""The one training loop: fp32 weights, bf16 compute where it is fast, AdamW, EMA, exact resume."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from worldline.core.config import Config, register
from worldline.core.errors import InputError
from worldline.scale import ALONE, Team, map_tensors
from worldline.train.ledger import Ledger
from worldline.train.log import LossLog
from worldline.train.state import State

__all__ = ["DivergenceError", "Task", "Trainer", "step_generator", "to_device"]


class DivergenceError(InputError):
    """Loss, gradient or weights stopped being numbers; the last good checkpoint is kept."""


@runtime_checkable
class Task(Protocol):
    """What is being trained: where batches come from and what their loss is."""

    model: nn.Module

    def batch(self, step: int, generator: torch.Generator) -> Any:
        """Data of a step; a function of the step and the generator alone."""
        ...

    def loss(
        self, model: nn.Module, batch: Any, generator: torch.Generator
    ) -> Mapping[str, Tensor]:
        """Scalars by name, among them "total"."""
        ...

    def num_frames(self, batch: Any) -> int:
        """Frames in a batch, for the ledger."""
        ...

    def after_step(self, model: nn.Module) -> None:
        """What follows each step, such as moving averages within the model."""
        ...

    def finish(self) -> None:
        """What follows the last step, once `model` holds the final weights."""
        ...


class Trainer:
    """Runs a task for a number of steps and keeps a folder from which it can go on.

    The folder holds `checkpoint.safetensors`, `losses.jsonl` (one line per logged step) and
    TensorBoard events. A run that is killed at any moment and started again gives the same losses
    as one that was not, because data order and noise depend only on the seed and the step. One that
    is asked to stop (Ctrl-C, SIGTERM) writes a checkpoint of the last whole step before it does.
    """

    @register("train/trainer")
    @dataclass(frozen=True)
    class Config(Config):
        """Schedule and optimiser.

        Attributes:
            steps: optimiser steps in all.
            learning_rate: peak, reached after `warmup` steps, then cosine to 2% of it.
            weight_decay, beta1, beta2, clip_norm: AdamW (Loshchilov & Hutter 2019).
            average_decay: of the exponential moving average of the weights, which is what is kept.
            seed: of data order and noise.
            half: compute in bfloat16 (weights stay fp32) where the device has instructions for it;
                see `working_type`. A run goes on in the number type that it began in.
            checkpoint_every, log_every: in steps.
        """

        steps: int = 1000
        learning_rate: float = 1e-3
        warmup: int = 100
        weight_decay: float = 0.01
        beta1: float = 0.9
        beta2: float = 0.98
        clip_norm: float = 1.0
        average_decay: float = 0.998
        seed: int = 0
        half: bool = True
        checkpoint_every: int = 200
        log_every: int = 10

        def build(self) -> Trainer:
            """Make the trainer."""
            return Trainer(self)

    def __init__(self, config: Trainer.Config) -> None:
        self.config = config

    def run(
        self,
        task: Task,
        folder: Path,
        *,
        device: str = "cpu",
        on_step: Callable[[int, Mapping[str, float]], None] | None = None,
        team: Team = ALONE,
    ) -> Ledger:
        """Train from the folder's checkpoint (or from the start) to the end.

        On return `task.model` holds the averaged weights; those of a team of several workers are in
        the checkpoint alone. Each worker of a team calls this with the same arguments and draws the
        same batches; see `worldline.scale.rows` for who does what.

        Raises:
            DivergenceError: loss, gradient or weights became NaN or infinite; names the step.
            InputError: the folder belongs to a run with another configuration.
        """
        config = self.config
        state = State(task.model, config, team, folder, device)
        first, ledger = state.restore()
        ledger = replace(ledger, sessions=ledger.sessions + 1)
        flop = 0.0
        whole = stored = first  # steps that are done in full, and those in the checkpoint
        with (
            closing(LossLog(folder, first)) if team.rank == 0 else nullcontext() as log,
            _when_stopped(lambda: self._keep(state, whole, stored, ledger)),
        ):
            for step in range(first, config.steps):
                started = time.perf_counter()
                batch, generator = self._draw(task, step, device)
                state.copy.refresh()
                if flop == 0.0:
                    flop = self._count_flop(task, state, step, device)
                losses = team.run(task.loss, state.copy.model, batch, generator)
                losses["total"].backward()
                total = float(losses["total"].detach())
                if not math.isfinite(total):
                    raise DivergenceError(
                        f"{folder}: the loss is {total} at step {step} (batch {step} of seed "
                        f"{config.seed}); the checkpoint before it is kept"
                    )
                norm = state.clip()
                if not math.isfinite(norm):
                    # AdamW would carry it into every weight; the loss shows it a step later
                    raise DivergenceError(
                        f"{folder}: the gradient is {norm} at step {step} (batch {step} of seed "
                        f"{config.seed}), loss {total:g}; the checkpoint before it is kept"
                    )
                whole = -1  # until weights, averages, ledger and log agree again
                state.step(self.learning_rate(step))
                task.after_step(state.model)
                state.average.update(state.model, step)
                ledger = replace(
                    ledger,
                    steps=step + 1,
                    frames_seen=ledger.frames_seen + task.num_frames(batch),
                    flop=ledger.flop + flop,
                    wall_s=ledger.wall_s + time.perf_counter() - started,
                )
                values = {name: float(value.detach()) for name, value in losses.items()}
                last = step + 1 == config.steps
                if log is not None and (step % config.log_every == 0 or last):
                    log.write(step, {**values, "learning_rate": self.learning_rate(step)})
                whole = step + 1
                if whole % config.checkpoint_every == 0 or last:
                    self._require_finite(state, folder, step)
                    state.store(whole, ledger)
                    stored = whole
                if on_step is not None:
                    on_step(step, values)
        if team.size == 1:
            state.model.load_state_dict(state.average.tensors)
            state.model.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
            task.finish()
        return ledger

    def learning_rate(self, step: int) -> float:
        """Linear warm-up, then half a cosine down to 2%."""
        config = self.config
        if step < config.warmup:
            return config.learning_rate * (step + 1) / config.warmup
        done = (step - config.warmup) / max(1, config.steps - config.warmup)
        return config.learning_rate * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done)))

    def _draw(self, task: Task, step: int, device: str) -> tuple[Any, torch.Generator]:
        """Batch of a step on the device, and the generator for its loss.

        Data is always drawn on the CPU, so that it is the same everywhere.
        """
        generator = step_generator(self.config.seed, step)
        batch = task.batch(step, generator)
        if device == "cpu":
            return batch, generator
        return to_device(batch, device), step_generator(self.config.seed, step, device)

    def _count_flop(self, task: Task, state: State, step: int, device: str) -> float:
        """Operations of a step, of all workers; every step does the same work, so one count per
        session will do.

        Counted on a pass of its own, because PyTorch takes other kernels while it counts, and the
        results of a resumed run must not depend on where it was interrupted. Attention is written
        out meanwhile, because PyTorch does not count its fused kernel on a CPU.
        """
        batch, generator = self._draw(task, step, device)
        with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
            state.team.run(task.loss, state.copy.model, batch, generator)["total"].backward()
        for parameter in state.copy.model.parameters():
            parameter.grad = None
        return state.team.total(float(counter.get_total_flops()))

    def _keep(self, state: State, whole: int, stored: int, ledger: Ledger) -> None:
        """Write the checkpoint of a run that is stopped, where it can be taken up again.

        Not within a step, whose changes are half made; the last checkpoint stands then. Nor in a
        team: all of its workers would have to be stopped after the same step.
        """
        if whole > stored and state.team.size == 1 and not state.not_finite():
            state.store(whole, ledger)

    def _require_finite(self, state: State, folder: Path, step: int) -> None:
        for name in state.not_finite():
            raise DivergenceError(
                f"{folder}: {name} is no longer finite after step {step} (seed "
                f"{self.config.seed}); the checkpoint before it is kept"
            )


@contextmanager
def _when_stopped(keep: Callable[[], None]) -> Iterator[None]:
    """Call `keep` where the process is asked to stop, not where something fails."""
    try:
        yield
    except Exception:
        raise
    except BaseException:
        keep()
        raise


def to_device(batch: Any, device: str) -> Any:
    """A copy of tensors on a device, however they are nested."""
    return map_tensors(lambda tensor: tensor.to(device), batch)


def step_generator(seed: int, step: int, device: str = "cpu") -> torch.Generator:
    """Generator of one step: independent of how often the run was interrupted before it."""
    generator = torch.Generator(device=device)
    generator.manual_seed((seed * 1_000_003 + step) & 0x7FFF_FFFF_FFFF_FFFF)
    return generator
