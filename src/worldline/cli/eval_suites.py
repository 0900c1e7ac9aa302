"""The suites of physics in `worldline eval`: what is tested, the record, the tables, the page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from worldline.cli.files import write_json
from worldline.cli.output import Answer
from worldline.cli.places import make_folder
from worldline.core.errors import InputError
from worldline.core.wording import plain

if TYPE_CHECKING:
    from rich.console import Console

    from worldline.audit.suites import Run, RunSettings, Subject, SuiteResult
    from worldline.cli.eval import Eval

__all__ = ["answer_alone", "evaluate", "show"]

_NAME_WIDTH = 12
"""Characters that names of rows have at least, so that their words are not broken."""

_CELL_WIDTH = 13


def evaluate(command: Eval, set_done: Callable[[float], None]) -> Answer:
    """Run one suite, or all; with `--out` what is done is written after each.

    Raises:
        InputError: options that exclude each other, or what is to be tested cannot be loaded, or
            lacks what the one suite asks for.
    """
    from worldline.audit.suites import RunSettings, run_suites
    from worldline.audit.suites.runs import SUITES
    from worldline.report.suites import write_suites

    if command.calibrate:
        raise InputError("--calibrate: is for the suite retrieval; leave it out")
    names = tuple(SUITES) if command.suite == "all" else (command.suite,)
    settings = RunSettings(command.seed, command.quick, command.workers)
    if command.contexts is not None:
        return _write_contexts(command, command.contexts, names, settings, set_done)

    def keep(run: Run) -> None:
        if command.out is not None:
            write_json(command.out / f"{command.suite}.json", run.to_json())
            page = "index" if command.suite == "all" else command.suite
            write_suites(command.out, run, page)

    run = run_suites(_open_subject(command), names, settings, on_progress=set_done, on_suite=keep)
    if command.suite != "all" and (reason := run.attempts[0].left_out):
        raise InputError(reason)
    return run.to_json()


def answer_alone(command: Eval, begun: Run, result: SuiteResult) -> Answer:
    """The answer of a suite with a module of its own; with `--out` its page is written too."""
    from worldline.audit.suites.runs import Attempt
    from worldline.report.suites import write_suites

    run = replace(begun, attempts=(Attempt(command.suite, result=result),))
    if command.out is not None:
        write_suites(command.out, run, command.suite)
    return run.to_json()


def _open_subject(command: Eval) -> Subject:
    from worldline.audit.suites import load_subject, of_world

    _require_one(command, "world", "model", "videos")
    if command.videos is not None:
        return _open_videos(command, command.videos)
    if command.model is not None:
        return load_subject(command.model)
    from worldline.world import World

    return of_world(World.from_pretrained(command.world or "small"))


def _open_videos(command: Eval, folder: Path) -> Subject:
    from worldline.audit.suites.folder import VideoFolder

    opened = VideoFolder.open(folder)
    told = (" ".join(opened.suites), opened.seed, opened.quick)
    asked = (command.suite, command.seed, command.quick)
    if told != asked:
        quick = " --quick" if opened.quick else ""
        raise InputError(
            f"--videos {folder}: its contexts were written for `eval {told[0]} --seed {told[1]}"
            f"{quick}`; ask the same, or write others"
        )
    return opened.subject()


def _write_contexts(
    command: Eval,
    folder: Path,
    names: tuple[str, ...],
    settings: RunSettings,
    set_done: Callable[[float], None],
) -> Answer:
    from worldline.audit.suites import run_suites
    from worldline.audit.suites.folder import record_contexts, write_manifest
    from worldline.audit.suites.subject import MAX_SIZE_PX

    _require_one(command, "contexts", "world", "model", "videos")
    if not 16 <= command.size_px <= MAX_SIZE_PX:
        raise InputError(f"--size-px is {command.size_px}; it must be from 16 to {MAX_SIZE_PX}")
    make_folder("--contexts", folder)
    recorder = record_contexts(folder, size_px=command.size_px)
    run = run_suites(recorder, names, settings, on_progress=set_done)
    failed = [f"{done.suite}: {done.error}" for done in run.attempts if done.error]
    if failed:
        raise InputError(failed[0])
    number = write_manifest(folder, recorder, (command.suite,), settings)
    left_out = {done.suite: done.left_out for done in run.attempts if done.left_out}
    return {"contexts": str(folder), "num_contexts": number, "left_out": left_out, "results": []}


def _require_one(command: Eval, *names: str) -> None:
    given = [name for name in names if getattr(command, name) is not None]
    if len(given) > 1:
        raise InputError(f"--{' and --'.join(given)}: one thing is tested at a time; leave one out")


def show(answer: Answer, console: Console) -> None:
    """Print the two reports, one after the other: physical, then visual."""
    from worldline.audit.suites import Report, Run

    if "contexts" in answer:
        console.print(
            f"{answer['num_contexts']} videos to be continued are in {answer['contexts']}; "
            "contexts.json there says by how much, and where the continuations go"
        )
        for suite, reason in answer["left_out"].items():
            console.print(f"{suite}: left out; {reason}", style="yellow")
        return

    run = Run.from_json(answer)
    if run.settings.quick:
        console.print("A quick run: a few scenarios each, to see that all works.", style="yellow")
    for report in (Report.PHYSICAL, Report.VISUAL):
        shown = [r for r in run.results if any(t.report is report for t in r.tables)]
        if shown:
            console.rule(f"{report} report of {run.subject}")
        for result in shown:
            _show_result(result, report, console)
    for done in run.attempts:
        if done.left_out:
            console.print(f"{done.suite}: left out; {done.left_out}", style="yellow")
        elif done.error:
            console.print(f"{done.suite}: failed; {done.error}", style="bold red")


def _show_result(result: SuiteResult, report: object, console: Console) -> None:
    from rich.table import Table as RichTable

    from worldline.audit.suites import RowKind
    from worldline.audit.suites.telling import (
        goals_of,
        tell_cell,
        tell_direction,
        tell_goal,
        tell_kind,
    )

    for table in result.tables:
        if table.report is not report:
            continue
        unit = f", {table.unit}" if table.unit else ""
        console.print(f"\n{result.suite}: {table.title}{unit}; {tell_direction(table.better)}")
        kinds = [tell_kind(row.kind) for row in table.rows]
        names = [
            f"{row.name}\n({kind})" if kind and kind != row.name else row.name
            for row, kind in zip(table.rows, kinds, strict=True)
        ]
        # Long tables are easier to read than wide ones.
        tall = len(table.columns) > len(table.rows)
        num_columns = min(len(table.columns), len(table.rows))
        crowded = _NAME_WIDTH + _CELL_WIDTH * num_columns > console.width
        grid = []
        for row in table.rows:
            cells = [tell_cell(row.cells.get(column)) for column in table.columns]
            if crowded and row.kind is not RowKind.SUBJECT:
                cells = [cell.partition(" (")[0] for cell in cells]
            grid.append([cell.replace(" (", "\n(") for cell in cells])
        columns = [plain(column) for column in table.columns]
        drawn = RichTable(box=None)
        heads, sides = (names, columns) if tall else (columns, names)
        # Left to itself rich takes too much for the first column, and cuts off the last.
        most = max(6, (console.width - _NAME_WIDTH - 2) // max(1, len(heads)) - 2)
        drawn.add_column("", overflow="fold", min_width=_NAME_WIDTH, max_width=2 * _NAME_WIDTH)
        for head in heads:
            drawn.add_column(head, overflow="fold", max_width=most)
        for side, cells in zip(sides, zip(*grid, strict=True) if tall else grid, strict=True):
            drawn.add_row(side, *cells)
        console.print(drawn)
        if crowded:
            console.print(
                "The other intervals have no room here: see --json, or the page of --out.",
                style="dim",
            )
        for goal in goals_of(result):
            if goal.table == table.title:
                style = "green" if goal.reached else "red"
                console.print(tell_goal(goal), style=style)
        if table.note:
            console.print(table.note, style="dim")
    console.print(
        f"{result.num_scenarios} scenarios {result.scenarios}, seed {result.seed}", style="dim"
    )
    for note in result.notes:
        console.print(note, style="dim")
