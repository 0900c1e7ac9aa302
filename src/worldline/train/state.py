"""What a run trains, as its team holds it, and the checkpoint that it all goes into."""

from __future__ import annotations

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
from worldline.train.precision import WorkingCopy, working_type

__all__ = ["State", "conclude"]


class State:
    """fp32 master weights, the copy that computes, optimiser and average.

    Checkpoints hold whole tensors, whatever the team, so a run can go on with another number of
    workers.

    Attributes:
        model: master weights.
        copy: what computes, in `dtype`.
        dtype: number type of the run, from its beginning on.
        average: of the model's state.
    """

    def __init__(
        self, model: nn.Module, settings: Any, team: Team, folder: Path, device: str
    ) -> None:
        self.settings, self.team, self.folder = settings, team, folder
        self.stored = Checkpoint.load(folder)
        if self.stored is None:
            self.dtype = working_type(settings.half, device)
        else:
            self.dtype = _type_of(self.stored, settings)
        self.model = model.to(device)
        if team.size == 1:  # FSDP lays parameters out by itself
            self.model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.copy = WorkingCopy(self.model, self.dtype, team)
        self.optimizer = torch.optim.AdamW(
            self.copy.master,
            lr=settings.learning_rate,
            betas=(settings.beta1, settings.beta2),
            weight_decay=settings.weight_decay,
            fused=True,
        )
        self.average = Average(self.model, settings.average_decay)

    def clip(self) -> float:
        """Take over the working copy's gradients, no longer than they may be; their norm before."""
        self.copy.hand_back()
        return self.team.clip_grad_norm(self.copy.master, self.settings.clip_norm)

    def not_finite(self) -> list[str]:
        """Names of what is stored of the model and holds a number that is none."""
        held = {**self.model.state_dict(), **self.average.tensors}
        names = [
            name for name, value in held.items() if not torch.isfinite(self.team.local(value)).all()
        ]
        # all stop together, since those that went on would wait for the one that stopped
        if self.team.total(float(len(names))) and not names:
            names = ["a weight of another worker"]
        return names

    def step(self, learning_rate: float) -> None:
        """One step of the optimiser along the gradients."""
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate
        self.optimizer.step()

    def store(self, step: int, ledger: Ledger) -> None:
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
        for i, (own, like) in enumerate(zip(self.copy.master, self.copy.trained, strict=True)):
            for name, value in self.optimizer.state[own].items():
                keep(f"optimizer.{i}.{name}", torch.as_tensor(value), like)
        if self.team.rank == 0:
            notes = {
                "trainer": self.settings.to_json(),
                "ledger": ledger.to_json(),
                "number_type": str(self.dtype).removeprefix("torch."),
            }
            Checkpoint(step, tensors, notes).save(self.folder)

    def restore(self) -> tuple[int, Ledger]:
        """Take up the folder's checkpoint, if there is one.

        Raises:
            InputError: it belongs to a run with other settings.
        """
        stored, self.stored = self.stored, None
        if stored is None:
            return 0, Ledger()
        _check(stored, self.folder, self.settings)
        own = self.model.state_dict()
        self.model.load_state_dict(self._parts(stored.part("model."), own))
        self.average.load(self._parts(stored.part("average."), own))
        state = stored.part("optimizer.")
        for i, (parameter, like) in enumerate(
            zip(self.copy.master, self.copy.trained, strict=True)
        ):
            prefix = f"{i}."
            # Moments must lie in memory as their parameter does: fused steps walk both at once.
            self.optimizer.state[parameter] = {
                k.removeprefix(prefix): torch.empty_like(parameter, requires_grad=False).copy_(
                    self.team.local(self.team.part(v, like))
                )
                if v.dim()
                else v.to(parameter.device)
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


def _type_of(stored: Checkpoint, settings: Any) -> torch.dtype:
    """Number type that a run began in; older checkpoints do not tell, but kept to their config."""
    name = stored.notes.get("number_type", "bfloat16" if settings.half else "float32")
    return torch.bfloat16 if name == "bfloat16" else torch.float32
