"""An artifact on disk: weights (safetensors) and their checksum, config, calibration (JSON), card.

No pickle.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from worldline.core.errors import ArtifactError

__all__ = ["Artifact"]

MODEL, CONFIG, CALIBRATION, CARD, SUMS = (
    "model.safetensors",
    "config.json",
    "calibration.json",
    "card.md",
    "SHA256SUMS",
)


@dataclass(frozen=True, eq=False)
class Artifact:
    """A trained thing as it is stored.

    Attributes:
        config: JSON record with "type" and "version".
        tensors: parameter name to tensor.
        calibration: plain JSON numbers measured on held-out data after training.
        card: markdown: data, cost, metrics, limits.
    """

    config: Mapping[str, Any]
    tensors: Mapping[str, Tensor]
    calibration: Mapping[str, Any] = field(default_factory=dict)
    card: str = ""

    def save(self, folder: str | Path, *, dtype: torch.dtype | None = None) -> None:
        """Write to a folder; `dtype` casts floating-point tensors (bf16 halves the size)."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        tensors = {
            name: (t.to(dtype) if dtype is not None and t.is_floating_point() else t)
            .detach()
            .cpu()
            .contiguous()
            for name, t in self.tensors.items()
        }
        # Not by `save_file`, which leaves a file that only its owner can read.
        weights = save(tensors)
        contents = {
            CONFIG: (json.dumps(self.config, indent=2) + "\n").encode(),
            CALIBRATION: (json.dumps(self.calibration, indent=1) + "\n").encode(),
            CARD: self.card.encode(),
            MODEL: weights,
            SUMS: f"{sha256(weights).hexdigest()}  {MODEL}\n".encode(),  # for `sha256sum -c` too
        }
        for name, content in contents.items():
            partial = folder / (name + ".partial")
            partial.write_bytes(content)
            partial.replace(folder / name)

    @classmethod
    def load(cls, folder: str | Path) -> Artifact:
        """Read a folder.

        Raises:
            ArtifactError: a file is missing or damaged; the message names it.
        """
        folder = Path(folder)
        for name in (MODEL, CONFIG):
            if not (folder / name).is_file():
                raise ArtifactError(f"{folder}: no {name}; is this the folder of a saved world?")
        config = _read_json(folder / CONFIG)
        calibration_file = folder / CALIBRATION
        calibration = _read_json(calibration_file) if calibration_file.is_file() else {}
        card = _read_text(folder / CARD) if (folder / CARD).is_file() else ""
        _check_sum(folder)
        try:
            tensors = load_file(folder / MODEL)
        except (ValueError, SafetensorError) as error:
            raise ArtifactError(f"{folder}: damaged artifact ({MODEL}: {error})") from None
        return cls(config=config, tensors=tensors, calibration=calibration, card=card)


def _check_sum(folder: Path) -> None:
    """A flipped bit in a weight is a number like any other: only its sum tells."""
    if not (folder / SUMS).is_file():  # of a world that was saved before there were any
        return
    kept = {line[66:].strip(): line[:64] for line in _read_text(folder / SUMS).splitlines()}
    with (folder / MODEL).open("rb") as file:
        if kept.get(MODEL) != file_digest(file, "sha256").hexdigest():
            raise _damaged(
                folder / MODEL, f"other bytes than were saved, by {SUMS}; copy the world anew"
            )


def _read_json(file: Path) -> dict[str, Any]:
    try:
        record = json.loads(_read_text(file))
    except ValueError as error:
        raise _damaged(file, str(error)) from None
    except RecursionError:
        raise _damaged(file, "nested too deep") from None
    if not isinstance(record, dict):
        raise _damaged(file, "expected a JSON object")
    return record


def _read_text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (ValueError, OSError) as error:
        reason = "not UTF-8" if isinstance(error, ValueError) else str(error.strerror)
        raise _damaged(file, reason) from None


def _damaged(file: Path, reason: str) -> ArtifactError:
    return ArtifactError(f"{file.parent}: damaged artifact ({file.name}: {reason})")
