"""The suite `retrieval` of `worldline eval`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from worldline.cli.output import Answer
from worldline.cli.places import make_folder
from worldline.core.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from worldline.cli.eval import Eval

__all__ = ["evaluate", "show"]


def evaluate(command: Eval, set_done: Callable[[float], None]) -> Answer:
    """Run the benchmark. Raises `InputError` where a world or a model is named."""
    from worldline.retrieval.benchmark import Settings, run_benchmark

    for name in ("world", "model", "contexts", "videos"):
        if getattr(command, name) is not None:
            raise InputError(f"--{name}: the suite retrieval is not about a world; leave it out")
    make_folder("--cache", command.cache)
    settings = Settings(
        cache=command.cache,
        seed=command.seed,
        quick=command.quick,
        num_workers=command.workers,
        calibrate=command.calibrate,
    )
    return run_benchmark(settings, lambda _, share: set_done(share))


def show(answer: Answer, console: Console) -> None:
    """Print mean average precision per group of queries and system."""
    from rich.table import Table

    systems = answer["systems"]
    present = [name for name, row in systems.items() if "missing" not in row]
    table = Table("queries", "n", *present, box=None)
    groups = dict.fromkeys(query["group"] for query in answer["queries"])
    for group in groups:
        own = [query for query in answer["queries"] if query["group"] == group]
        values = [_number(systems[name]["by_group"][group]) for name in present]
        table.add_row(group.replace("_", " "), str(len(own)), *values)
    totals = []
    for name in present:
        low, high = systems[name]["interval"]
        mean = systems[name]["mean_average_precision"]
        totals.append(f"{_number(mean)} ({_number(low)} to {_number(high)})")
    table.add_row("all", str(answer["num_queries"]), *totals)
    console.print(table)
    for name, row in systems.items():
        if "missing" in row:
            console.print(f"{name}: not measured; {row['missing']}", style="yellow")
    if answer["without_relevant"]:
        console.print(f"without a relevant clip: {', '.join(answer['without_relevant'])}")
    for name, row in answer["reliability"].items():
        console.print(
            f"events {name.replace('_', ', ')}: {row['num_events']}, calibration error "
            f"{_number(row['calibration_error'])}, Brier {_number(row['brier'])}"
        )
    console.print(
        f"{answer['num_clips']} clips; {answer['unclear_share']:.0%} of the judgements unclear"
    )


def _number(value: float | None) -> str:
    return "-" if value is None or value != value else f"{value:.3f}"
