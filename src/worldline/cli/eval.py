"""`worldline eval`: how good the program is at what it says it does, one suite at a time."""

from __future__ import annotations

import importlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from worldline.cli.files import write_json
from worldline.cli.output import Answer, JsonFlag, Seed, progress
from worldline.cli.places import make_folder
from worldline.core.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["SUITES", "Eval"]

SUITES = {"retrieval": "worldline.cli.eval_retrieval"}
"""Suite to the module with its `evaluate(command, set_done)` and `show(answer, console)`; adding
one is adding a line."""


@dataclass(frozen=True)
class Eval:
    """Measure how good the program is, beside baselines. Suites: retrieval.

    retrieval: mean average precision of search over simulated clips, perceived from their pixels.
    """

    suite: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="SUITE", help="What.")]
    out: Path | None = None
    """Folder for SUITE.json."""
    world: Annotated[
        str | None,
        tyro.conf.arg(metavar="WORLD", help="A world, where the suite is about one."),
    ] = None
    cache: Path = Path(".cache/eval")
    """Folder that keeps clips and what is computed of them for the next run."""
    quick: bool = False
    """A few clips, to see that all works; the numbers mean little."""
    calibrate: bool = False
    """retrieval: learn the probabilities of events anew, and keep them in the package."""
    workers: int = os.cpu_count() or 1
    """Processes; the answer does not depend on it."""
    json: JsonFlag = False
    seed: Seed = 0

    def run(self) -> Answer:
        """Evaluate. Raises `InputError` for an unknown suite, or folders that cannot be."""
        if self.suite not in SUITES:
            raise InputError(f"no suite {self.suite}; there are: {', '.join(SUITES)}")
        if self.workers < 1:
            raise InputError(f"--workers is {self.workers}; it must be at least 1")
        make_folder("--cache", self.cache)
        if self.out is not None:
            make_folder("--out", self.out)
        with progress(f"evaluating {self.suite}", 1.0) as set_done:
            answer = self._suite().evaluate(self, set_done)
        if self.out is not None:
            write_json(self.out / f"{self.suite}.json", answer)
        return answer

    def show(self, answer: Answer, console: Console) -> None:
        """Print the suite's table."""
        self._suite().show(answer, console)

    def _suite(self) -> Any:
        return importlib.import_module(SUITES[self.suite])
