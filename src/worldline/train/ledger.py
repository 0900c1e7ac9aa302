"""Cost ledger: what a training run has used up."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch

__all__ = ["Ledger", "describe_machine"]


@dataclass(frozen=True)
class Ledger:
    """Running totals over all sessions of a run.

    Attributes:
        steps: optimiser steps.
        frames_seen: frames that went through the loss, repetitions included.
        flop: floating-point operations of forward and backward passes, as counted by PyTorch.
        wall_s: wall time spent in steps.
        sessions: how many times the run was started or resumed.
    """

    steps: int = 0
    frames_seen: int = 0
    flop: float = 0.0
    wall_s: float = 0.0
    sessions: int = 0

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary for JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Ledger:
        """Inverse of `to_json`."""
        return cls(**record)

    @property
    def flop_per_s(self) -> float:
        """Achieved rate."""
        return self.flop / self.wall_s if self.wall_s else 0.0


def describe_machine() -> str:
    """Processor, cores and accelerator in a few words."""
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    capability = torch.backends.cpu.get_cpu_capability()
    return f"{os.cpu_count()}-core {platform.machine()} CPU ({capability})"
