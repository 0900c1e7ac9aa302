"""What a run trains, as its team holds it, and the checkpoint that it all goes into."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from worldline.core.errors import InputError
from worldline.nn import Average
from worldline.scale import Team
from worldline.train.checkpoint import Checkpoint
from worldline.train.ledger import Ledger

__all__ = ["State", "conclude"]


class State:
    """fp32 master weights, the copy that computes, optimiser and average.

    Checkpoints hold whole tensors, whatever the team, so a run can go on with another number of
    workers.

    Attributes:
        model: master weights.
        worker: what computes: a bf16 copy, or the model itself.
        master: this worker's part of each trained parameter.
        working: the same parameters of `worker`.
        average: of the model's state.
    """

    def __init__(self, model: nn.Module, settings: Any, team: Team) -> None:
        self.model, self.settings, self.team = model, settings, team
        self.worker = model
        if settings.half:
            half: Any = copy.deepcopy(model).to(torch.bfloat16)
            self.worker = half.to(memory_format=torch.channels_last)
        team.shard(self.model, self.worker)
        trained = [p for p in model.parameters() if p.requires_grad]
        self.master = [team.local(p) for p in trained]
        self.working = [p for p in self.worker.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(
            self.master,
            lr=settings.learning_rate,
            betas=(settings.beta1, settings.beta2),
            weight_decay=settings.weight_decay,
        )
        self.average = Average(model, settings.average_decay)
        self._trained = trained
        self._copies = [
            (team.local(own), team.local(other))
            for own, other in zip(model.parameters(), self.worker.parameters(), strict=True)
        ]

    def begin(self) -> None:
        """Bring the working copy up to date and forget gradients."""
        if self.worker is not self.model:
            with torch.no_grad():
                for own, other in self._copies:
                    other.copy_(own)
        for parameter in self.working:
            parameter.grad = None

    def step(self, learning_rate: float) -> None:
        """One step of the optimiser along the working copy's gradients."""
        for own, other in zip(self.master, self.working, strict=True):
            grad = self.team.gradient(other)
            own.grad = None if grad is None else grad.float()
        self.team.clip_grad_norm(self.master, self.settings.clip_norm)
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate
        self.optimizer.step()

    def store(self, folder: Path, step: int, ledger: Ledger) -> None:
        """Write the checkpoint; every worker takes part, the first one writes."""
        tensors: dict[str, Tensor] = {}

        def keep(name: str, part: Tensor, like: Tensor) -> None:
            whole = self.team.whole(part, like)
            if self.team.rank == 0:
                tensors[name] = whole

        for name, value in self.model.state_dict().items():
            keep(f"model.{name}", value, value)
        for name, value in self.average.tensors.items():
            keep(f"average.{name}", value, value)
        for i, (own, like) in enumerate(zip(self.master, self._trained, strict=True)):
            for name, value in self.optimizer.state[own].items():
                keep(f"optimizer.{i}.{name}", torch.as_tensor(value), like)
        if self.team.rank == 0:
            notes = {"trainer": self.settings.to_json(), "ledger": ledger.to_json()}
            Checkpoint(step, tensors, notes).save(folder)

    def restore(self, folder: Path) -> tuple[int, Ledger]:
        """Take up the folder's checkpoint, if there is one.

        Raises:
            InputError: it belongs to a run with other settings.
        """
        stored = Checkpoint.load(folder)
        if stored is None:
            return 0, Ledger()
        _check(stored, folder, self.settings)
        own = self.model.state_dict()
        self.model.load_state_dict(self._parts(stored.part("model."), own))
        self.average.load(self._parts(stored.part("average."), own))
        state = stored.part("optimizer.")
        for i, (parameter, like) in enumerate(zip(self.master, self._trained, strict=True)):
            prefix = f"{i}."
            self.optimizer.state[parameter] = {
                k.removeprefix(prefix): self.team.local(self.team.part(v, like)).to(like.device)
                if v.dim()
                else v
                for k, v in state.items()
                if k.startswith(prefix)
            }
        return stored.step, Ledger.from_json(stored.notes["ledger"])

    def _parts(self, whole: Mapping[str, Tensor], like: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {name: self.team.part(value, like[name]) for name, value in whole.items()}


def conclude(model: nn.Module, folder: Path, settings: Any) -> Ledger:
    """Give a model the averaged weights of a run that others have brought to its end.

    Raises:
        InputError: the folder holds no such run, or one that is not at its end.
    """
    stored = Checkpoint.load(folder)
    if stored is None or stored.step < settings.steps:
        raise InputError(
            f"{folder}: the workers left no finished run there; it must be a folder that all "
            "machines of the cluster share"
        )
    _check(stored, folder, settings)
    model.load_state_dict(stored.part("average."))
    return Ledger.from_json(stored.notes["ledger"])


def _check(stored: Checkpoint, folder: Path, settings: Any) -> None:
    if stored.notes["trainer"] != settings.to_json():
        raise InputError(
            f"{folder}: holds a run with other settings; choose another folder or delete it"
        )
