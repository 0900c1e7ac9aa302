"""The one training loop: fp32 weights, bf16 compute where it is fast, AdamW, EMA, exact resume."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from worldline.core.config import Config, register
from worldline.core.errors import InputError
from worldline.nn import Average
from worldline.train.checkpoint import Checkpoint
from worldline.train.ledger import Ledger
from worldline.train.precision import WorkingCopy, working_type

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
    as one that was not, because data order and noise depend only on the seed and the step.
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
    ) -> Ledger:
        """Train from the folder's checkpoint (or from the start) to the end.

        On return `task.model` holds the averaged weights.

        Raises:
            DivergenceError: loss, gradient or weights became NaN or infinite; names the step.
            InputError: the folder belongs to a run with another configuration.
        """
        config = self.config
        stored = Checkpoint.load(folder)
        dtype = working_type(config.half, device) if stored is None else _type_of(stored, config)
        model = task.model.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        worker = WorkingCopy(model, dtype)
        master = worker.master
        optimizer = torch.optim.AdamW(
            master,
            lr=config.learning_rate,
            betas=(config.beta1, config.beta2),
            weight_decay=config.weight_decay,
            fused=True,
        )
        average = Average(model, config.average_decay)
        first, ledger = self._restore(folder, stored, model, average, optimizer, master)
        ledger = replace(ledger, sessions=ledger.sessions + 1)
        flop = 0.0
        with closing(_LossLog(folder, first)) as log:
            for step in range(first, config.steps):
                started = time.perf_counter()
                batch, generator = self._draw(task, step, device)
                worker.refresh()
                if flop == 0.0:
                    flop = self._count_flop(task, worker.model, step, device)
                losses = task.loss(worker.model, batch, generator)
                losses["total"].backward()
                total = float(losses["total"].detach())
                if not math.isfinite(total):
                    raise DivergenceError(
                        f"{folder}: the loss is {total} at step {step} (batch {step} of seed "
                        f"{config.seed}); the checkpoint before it is kept"
                    )
                worker.hand_back()
                norm = float(torch.nn.utils.clip_grad_norm_(master, config.clip_norm))
                if not math.isfinite(norm):
                    # AdamW would carry it into every weight; the loss shows it a step later
                    raise DivergenceError(
                        f"{folder}: the gradient is {norm} at step {step} (batch {step} of seed "
                        f"{config.seed}), loss {total:g}; the checkpoint before it is kept"
                    )
                for group in optimizer.param_groups:
                    group["lr"] = self.learning_rate(step)
                optimizer.step()
                task.after_step(model)
                average.update(model, step)
                ledger = replace(
                    ledger,
                    steps=step + 1,
                    frames_seen=ledger.frames_seen + task.num_frames(batch),
                    flop=ledger.flop + flop,
                    wall_s=ledger.wall_s + time.perf_counter() - started,
                )
                values = {name: float(value.detach()) for name, value in losses.items()}
                if step % config.log_every == 0 or step + 1 == config.steps:
                    log.write(step, {**values, "learning_rate": self.learning_rate(step)})
                if (step + 1) % config.checkpoint_every == 0 or step + 1 == config.steps:
                    kept = self._gather(model, average, optimizer, master)
                    notes = {
                        "trainer": config.to_json(),
                        "ledger": ledger.to_json(),
                        "number_type": str(dtype).removeprefix("torch."),
                    }
                    self._require_finite(kept, folder, step)
                    Checkpoint(step + 1, kept, notes).save(folder)
                if on_step is not None:
                    on_step(step, values)
        model.load_state_dict(average.tensors)
        model.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
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

    def _count_flop(self, task: Task, worker: nn.Module, step: int, device: str) -> float:
        """Operations of a step; every step does the same work, so one count per session will do.

        Counted on a pass of its own, because PyTorch takes other kernels while it counts, and the
        results of a resumed run must not depend on where it was interrupted.
        """
        batch, generator = self._draw(task, step, device)
        with FlopCounterMode(display=False) as counter:
            task.loss(worker, batch, generator)["total"].backward()
        for parameter in worker.parameters():
            parameter.grad = None
        return float(counter.get_total_flops())

    def _require_finite(self, tensors: Mapping[str, Tensor], folder: Path, step: int) -> None:
        for name, value in tensors.items():
            if not torch.isfinite(value).all():
                raise DivergenceError(
                    f"{folder}: {name} is no longer finite after step {step} (seed "
                    f"{self.config.seed}); the checkpoint before it is kept"
                )

    def _gather(
        self,
        model: nn.Module,
        average: Average,
        optimizer: torch.optim.Optimizer,
        master: list[nn.Parameter],
    ) -> dict[str, Tensor]:
        tensors: dict[str, Tensor] = {f"model.{k}": v for k, v in model.state_dict().items()}
        tensors |= {f"average.{k}": v for k, v in average.tensors.items()}
        for i, parameter in enumerate(master):
            for name, value in optimizer.state[parameter].items():
                tensors[f"optimizer.{i}.{name}"] = torch.as_tensor(value)
        return tensors

    def _restore(
        self,
        folder: Path,
        stored: Checkpoint | None,
        model: nn.Module,
        average: Average,
        optimizer: torch.optim.Optimizer,
        master: list[nn.Parameter],
    ) -> tuple[int, Ledger]:
        if stored is None:
            return 0, Ledger()
        if stored.notes["trainer"] != self.config.to_json():
            raise InputError(
                f"{folder}: holds a run with other settings; choose another folder or delete it"
            )
        model.load_state_dict(stored.part("model."))
        average.load(stored.part("average."))
        state = stored.part("optimizer.")
        for i, parameter in enumerate(master):
            prefix = f"{i}."
            # Moments must lie in memory as their parameter does: the fused step walks both at once.
            optimizer.state[parameter] = {
                k.removeprefix(prefix): torch.empty_like(parameter).copy_(v)
                if v.dim()
                else v.to(parameter.device)
                for k, v in state.items()
                if k.startswith(prefix)
            }
        return stored.step, Ledger.from_json(stored.notes["ledger"])


def _type_of(stored: Checkpoint, config: Trainer.Config) -> torch.dtype:
    """Number type that a run began in; older checkpoints do not tell, but kept to their config."""
    name = stored.notes.get("number_type", "bfloat16" if config.half else "float32")
    return torch.bfloat16 if name == "bfloat16" else torch.float32


def to_device(batch: Any, device: str) -> Any:
    """A copy of tensors on a device, however they are nested in containers and dataclasses."""
    if isinstance(batch, Tensor):
        return batch.to(device)
    if isinstance(batch, tuple | list):
        return type(batch)(to_device(part, device) for part in batch)
    if isinstance(batch, Mapping):
        return {name: to_device(part, device) for name, part in batch.items()}
    if is_dataclass(batch) and not isinstance(batch, type):
        return replace(
            batch, **{f.name: to_device(getattr(batch, f.name), device) for f in fields(batch)}
        )
    return batch


def step_generator(seed: int, step: int, device: str = "cpu") -> torch.Generator:
    """Generator of one step: independent of how often the run was interrupted before it."""
    generator = torch.Generator(device=device)
    generator.manual_seed((seed * 1_000_003 + step) & 0x7FFF_FFFF_FFFF_FFFF)
    return generator


class _LossLog:
    """`losses.jsonl` and TensorBoard events; on resume, lines past the checkpoint are dropped."""

    def __init__(self, folder: Path, first_step: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "losses.jsonl"
        kept: list[str] = []
        if path.is_file() and first_step > 0:
            for line in path.read_text().splitlines():
                try:
                    if json.loads(line)["step"] < first_step:
                        kept.append(line)
                except (ValueError, KeyError):  # torn last line of a killed run
                    break
        path.write_text("".join(line + "\n" for line in kept))
        self._file = path.open("a")
        self._board = _tensorboard(folder, first_step)

    def write(self, step: int, values: Mapping[str, float]) -> None:
        self._file.write(json.dumps({"step": step, **values}) + "\n")
        self._file.flush()
        for name, value in values.items():
            self._board.add_scalar(name, value, step)

    def close(self) -> None:
        self._file.close()
        self._board.close()


def _tensorboard(folder: Path, first_step: int) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise InputError("training logs need TensorBoard: pip install 'worldline[train]'") from None
    return SummaryWriter(str(folder / "tensorboard"), purge_step=first_step)
