"""`worldline eval diff`: what differs between two runs of suites by more than chance."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from worldline.cli.output import Answer, JsonFlag, Seed
from worldline.core.wording import plain, write_number

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["EvalDiff"]

_STYLES = {"better": "green", "worse": "bold red", "different": "yellow"}


@dataclass(frozen=True)
class EvalDiff:
    """Compare two results of `worldline eval`: is B better or worse than A, or is it chance?

    Scenario by scenario where both were asked the same, which finds small differences; the p-values
    are corrected for the number of comparisons.
    """

    a: Annotated[
        Path, tyro.conf.Positional, tyro.conf.arg(metavar="A.json", help="What to compare with.")
    ]
    b: Annotated[
        Path, tyro.conf.Positional, tyro.conf.arg(metavar="B.json", help="What is judged.")
    ]
    json: JsonFlag = False
    seed: Seed = 0

    def run(self) -> Answer:
        """Compare. Raises `InputError` for a file that holds no results of suites."""
        from worldline.audit.suites import read_run
        from worldline.audit.suites.compare import compare_runs

        return compare_runs(read_run(self.a), read_run(self.b), seed=self.seed).to_json()

    def show(self, answer: Answer, console: Console) -> None:
        """Print a table per suite of what was tested, and what else has changed."""
        from rich.table import Table
        from rich.text import Text

        from worldline.audit.suites.compare import Judgement

        console.print(f"A: {answer['a']}   B: {answer['b']}")
        own = [d for d in answer["differences"] if d["kind"] == "subject"]
        for suite in dict.fromkeys(d["suite"] for d in own):
            console.rule(suite)
            table = Table("number", "A", "B", "B - A", "corrected p", "B is", box=None)
            for d in own:
                if d["suite"] == suite:
                    table.add_row(
                        f"{plain(d['table'])}, {plain(d['column'])}",
                        _number(d["a"]),
                        _number(d["b"]),
                        _interval(d),
                        _number(d["p_corrected"], 2),
                        Text(d["judgement"], style=_STYLES.get(d["judgement"], "dim")),
                    )
            console.print(table)
        paired = sum(d["paired"] for d in own)
        console.print(
            f"{paired} of {len(own)} numbers compared scenario by scenario; p-values are corrected "
            "for their number (Holm), the 95 % intervals are not."
        )
        few = [d["num_pairs"] for d in own if d["judgement"] == Judgement.FEW]
        if few:
            console.print(
                f"{len(few)} of the numbers: {max(few)} scenarios or fewer, which cannot show a "
                "difference of any size. Ask both without --quick.",
                style="yellow",
            )
        changed = [
            d for d in answer["differences"] if d["kind"] != "subject" and d["judgement"] in _STYLES
        ]
        for d in changed:
            console.print(
                f"{d['suite']}, {plain(d['table'])}, {plain(d['column'])}: the {d['kind']} "
                f"{d['row_a']} differs too ({_number(d['a'])}, {_number(d['b'])})",
                style="yellow",
            )
        for note in answer["notes"]:
            console.print(note, style="yellow")


def _interval(difference: Answer) -> str:
    text = _number(difference["difference"])
    if difference["low"] is None:
        return text
    return f"{text} ({_number(difference['low'])} to {_number(difference['high'])})"


def _number(value: float | None, digits: int = 3) -> str:
    return "\u2013" if value is None else write_number(value, digits)
