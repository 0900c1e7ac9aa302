"""Checkpoints that survive kill -9: one safetensors file, replaced in one step."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from worldline.core.errors import ArtifactError

__all__ = ["Checkpoint"]

_NAME = "checkpoint.safetensors"


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """Everything that a run needs to go on exactly where it stood.

    Attributes:
        step: optimiser steps done. Data order and noise are functions of (seed, step), so that
            no generator state has to be kept.
        tensors: weights ("model."), their average ("average.") and optimiser state ("optimizer.").
        notes: plain JSON: config, ledger.
    """

    step: int
    tensors: Mapping[str, Tensor]
    notes: Mapping[str, Any]

    def save(self, folder: Path) -> None:
        """Write beside the old one, then replace it."""
        folder.mkdir(parents=True, exist_ok=True)
        partial = folder / (_NAME + ".partial")
        tensors = {k: v.detach().contiguous() for k, v in self.tensors.items()}
        save_file(
            tensors, partial, metadata={"step": str(self.step), "notes": json.dumps(self.notes)}
        )
        partial.replace(folder / _NAME)

    @classmethod
    def load(cls, folder: Path) -> Checkpoint | None:
        """Latest checkpoint, or None if the run has none yet. Raises `ArtifactError` if damaged."""
        path = folder / _NAME
        if not path.is_file():
            return None
        try:
            with safe_open(path, framework="pt") as stored:
                metadata = stored.metadata()
                tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
            return cls(int(metadata["step"]), tensors, json.loads(metadata["notes"]))
        except (SafetensorError, KeyError, ValueError) as error:
            raise ArtifactError(f"{path}: damaged checkpoint ({error})") from None

    def part(self, prefix: str) -> dict[str, Tensor]:
        """Tensors whose name starts with `prefix`, without it."""
        return {k.removeprefix(prefix): v for k, v in self.tensors.items() if k.startswith(prefix)}
