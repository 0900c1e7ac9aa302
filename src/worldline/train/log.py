"""The log of a run's losses."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from worldline.core.errors import InputError

__all__ = ["LossLog"]


class LossLog:
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
        """Add a line."""
        self._file.write(json.dumps({"step": step, **values}) + "\n")
        self._file.flush()
        for name, value in values.items():
            self._board.add_scalar(name, value, step)

    def close(self) -> None:
        """Close the files."""
        self._file.close()
        self._board.close()


def _tensorboard(folder: Path, first_step: int) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise InputError(
            "training logs need TensorBoard: pip install -e '.[train]' in Worldline's folder"
        ) from None
    return SummaryWriter(str(folder / "tensorboard"), purge_step=first_step)
