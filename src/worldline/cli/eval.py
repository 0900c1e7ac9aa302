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

_PHYSICS = ("laws", "expectation", "align", "probes", "transfer", "monitor", "all")

SUITES = {
    **dict.fromkeys(_PHYSICS, "worldline.cli.eval_suites"),
    "control": "worldline.cli.eval_control",
    "planning": "worldline.cli.eval_planning",
    "drift": "worldline.cli.eval_drift",
    "retrieval": "worldline.cli.eval_retrieval",
}
"""Suite to the module with its `evaluate(command, set_done)` and `show(answer, console)`; adding
one is adding a line."""


@dataclass(frozen=True)
class Eval:
    """Measure how good a world model, or the search, is, beside baselines.

    Suites of physics, on a world or anybody's model (docs/suites.md): laws, expectation, align,
    probes, transfer, monitor; all of them: all. With --out also as one page.

    control: whether a world that takes actions follows them. drift: what becomes of a world's
    frames when one plays in it for long.

    planning: how often goals are reached by planning in a world.

    retrieval: mean average precision of search over simulated clips, perceived from their pixels.
    """

    suite: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="SUITE", help="What.")]
    out: Path | None = None
    """Folder for SUITE.json, and the page index.html."""
    world: Annotated[
        str | None,
        tyro.conf.arg(metavar="WORLD", help="The world to test: small, or the folder of one."),
    ] = None
    model: Annotated[
        str | None,
        tyro.conf.arg(
            metavar="FILE.py:NAME",
            help="Somebody's model instead: a function predict(frames, n), or an object with any "
            "of predict, surprise and encode.",
        ),
    ] = None
    contexts: Annotated[
        Path | None,
        tyro.conf.arg(metavar="DIR", help="Write the videos to be continued here; score nothing."),
    ] = None
    videos: Annotated[
        Path | None,
        tyro.conf.arg(metavar="DIR", help="Score the continuations put into that same folder."),
    ] = None
    size_px: int = 64
    """Side of the frames that --contexts writes."""
    data: Path | None = None
    """control, drift: recorded episodes, the last tenth held out; else clips beside the world."""
    cache: Path = Path(".cache/eval")
    """retrieval: folder that keeps clips and what is computed of them for the next run."""
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
        if self.out is not None:
            make_folder("--out", self.out)
        with progress(f"evaluating {self.suite}", 1.0, lines=True) as set_done:
            answer = self._suite().evaluate(self, set_done)
        if self.out is not None:
            write_json(self.out / f"{self.suite}.json", answer)
        return answer

    def show(self, answer: Answer, console: Console) -> None:
        """Print the suite's table."""
        self._suite().show(answer, console)

    def _suite(self) -> Any:
        return importlib.import_module(SUITES[self.suite])
