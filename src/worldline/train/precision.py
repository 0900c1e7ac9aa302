"""In which number type a machine computes best, and a copy of a model to compute in it."""

from __future__ import annotations

import copy

import torch
from torch import nn

from worldline.scale import ALONE, Team

__all__ = ["WorkingCopy", "working_type"]

_CPU_UNITS = ("avx512_bf16", "amx_bf16", "bf16")
"""Names that PyTorch gives to a processor's instructions for bfloat16: two of x86, one of ARM."""


def working_type(half: bool, device: str) -> torch.dtype:
    """bfloat16 if asked for and the device has instructions for it, else float32.

    A processor without them computes products of bfloat16 matrices number by number: 20 times
    slower than in float32 where it was measured (`benchmarks/training_efficiency.py`).
    """
    if not half:
        return torch.float32
    kind = torch.device(device).type
    if kind == "cpu":
        known = torch.cpu.get_capabilities()
        native = any(known.get(unit, False) for unit in _CPU_UNITS)
    else:
        native = kind != "cuda" or torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.bfloat16 if native else torch.float32


class WorkingCopy:
    """What a training step computes with: a model in another number type, or the model itself.

    Both are sharded over the team.

    Attributes:
        model: to compute losses with; its gradients are handed back to the original's.
        trained: parameters of the original that are trained.
        master: this worker's part of each of them, which is all of it in a process by itself.
    """

    def __init__(self, original: nn.Module, dtype: torch.dtype, team: Team = ALONE) -> None:
        self._same, self._team = dtype == torch.float32, team
        self.model = original if self._same else copy.deepcopy(original).to(dtype)
        team.shard(original, self.model)
        self._all = (
            [team.local(p) for p in original.parameters()],
            [team.local(p) for p in self.model.parameters()],
        )
        self.trained = [p for p in original.parameters() if p.requires_grad]
        self.master = [team.local(p) for p in self.trained]
        self._working = [p for p in self.model.parameters() if p.requires_grad]

    @torch.no_grad()
    def refresh(self) -> None:
        """Take over the original's weights as they are now, and forget gradients."""
        if not self._same:
            for own, other in zip(*self._all, strict=True):
                other.copy_(own)
        for parameter in self._working:
            parameter.grad = None

    def hand_back(self) -> None:
        """Give the gradients to the original."""
        for own, other in zip(self.master, self._working, strict=True):
            grad = self._team.gradient(other)
            own.grad = None if grad is None else grad.float()
