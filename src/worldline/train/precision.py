"""In which number type a machine computes best, and a copy of a model to compute in it."""

from __future__ import annotations

import copy

import torch
from torch import nn

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

    Attributes:
        model: to compute losses with; its gradients are handed back to the original's.
    """

    def __init__(self, original: nn.Module, dtype: torch.dtype) -> None:
        self._same = dtype == torch.float32
        self.model = original if self._same else copy.deepcopy(original).to(dtype)
        self._all = list(original.parameters()), list(self.model.parameters())
        self.master = [p for p in self._all[0] if p.requires_grad]
        self._working = [p for p in self._all[1] if p.requires_grad]

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
        if not self._same:
            for own, other in zip(self.master, self._working, strict=True):
                own.grad = None if other.grad is None else other.grad.float()
