"""`worldline demo`: the whole chain on real footage, and a page that tells what came out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from worldline.cli.output import Answer, JsonFlag, Seed, WorldName
from worldline.cli.places import make_folder
from worldline.cli.process import complain
from worldline.core.errors import InputError
from worldline.core.wording import printable

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["Demo", "default_footage"]

FOOTAGE = Path(".cache/footage")
NAMES = ("demo.mp4", "bikes.mp4")


@dataclass(frozen=True)
class Demo:
    """Run the whole chain on video: decode, perceive, forecast, audit, index, search, report.

    Writes OUT/index.html, one page that needs nothing else, and OUT/report.json with the same
    facts; the searched library and its simulated clips stay in OUT.
    """

    video: tuple[Path, ...] = ()
    """Your own footage, one file or more; the footage that `make data` fetches if absent."""
    out: Path = Path("out/demo")
    """Folder to write to; made if need be."""
    max_s: float = 20.0
    """Only so much of each video is looked at, in seconds."""
    simulated: int = 40
    """Number of simulated clips in the searched library."""
    world: WorldName = "small"
    json: JsonFlag = False
    seed: Seed = 0

    def run(self) -> Answer:
        """Do everything.

        Raises:
            InputError: no video could be used, a number is out of range, or there is no world.
        """
        for name, value, least in (("max-s", self.max_s, 1.0), ("simulated", self.simulated, 1)):
            if not value >= least:
                raise InputError(f"--{name} is {value}; it must be at least {least:g}")
        if self.seed < 0:
            raise InputError(f"--seed is {self.seed}; it must be 0 or more")
        videos = self.video or default_footage()
        make_folder("--out", self.out)
        with _Narrator() as narrator:
            return self._run(videos, narrator)

    def _run(self, videos: tuple[Path, ...], narrator: _Narrator) -> Answer:
        from worldline.report.stopwatch import Stopwatch

        watch = Stopwatch(on_enter=narrator.say)
        with watch.stage("Start"):
            from worldline import World
            from worldline.report import describe_report, write_report
            from worldline.report.chain import ChainOptions, run_chain
        options = ChainOptions(
            videos=videos,
            folder=self.out,
            max_s=self.max_s,
            num_simulated=self.simulated,
            seed=self.seed,
        )
        facts, failures = run_chain(options, lambda: World.from_pretrained(self.world), watch=watch)
        page = write_report(self.out, facts)
        for reason in failures.values():
            complain(f"worldline: error: {printable(reason)}")
        results = [
            {"source": str(path), **({"error": failures[path]} if path in failures else {})}
            for path in videos
        ]
        return {**describe_report(facts), "report": str(page), "results": results}

    def show(self, answer: Answer, console: Console) -> None:
        """Print the findings and where the page is."""
        console.print()
        for finding in answer["findings"]:
            console.print(f"  • {finding}", markup=False)
        console.print(f"\nThe report: {Path(answer['report']).absolute()}", markup=False)


def default_footage() -> tuple[Path, ...]:
    """The demo's own footage, as far as it is there.

    Raises:
        InputError: none is there; says what to do.
    """
    found = tuple(FOOTAGE / name for name in NAMES if (FOOTAGE / name).is_file())
    if not found:
        raise InputError(
            f"the demo's footage is not in {FOOTAGE}; run `make data` in the project's folder, or "
            "pass your own with --video FILE"
        )
    return found


class _Narrator:
    """Says on standard error what is being done: live on a terminal, else a line per stage."""

    def __init__(self) -> None:
        from rich.console import Console

        self._console = Console(stderr=True)
        self._status = self._console.status("Starting")
        self._said: set[str] = set()

    def __enter__(self) -> _Narrator:
        if self._console.is_terminal:
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._status.stop()

    def say(self, stage: str) -> None:
        """A stage begins."""
        self._status.update(f"{stage} …")
        if not self._console.is_terminal and stage not in self._said:
            self._console.print(f"worldline demo: {stage}", markup=False, highlight=False)
        self._said.add(stage)
