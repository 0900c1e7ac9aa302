"""The page of `worldline eval`: two reports beside each other, each number with its interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from html import escape
from pathlib import Path

from worldline.audit.suites import Report, Run, SuiteResult
from worldline.audit.suites.runs import QUESTIONS
from worldline.audit.suites.telling import Goal, goals_of, tell_goal
from worldline.core.wording import plain, write_number
from worldline.report.elements import show_folded, show_list, show_table
from worldline.report.numbers import show_numbers
from worldline.report.shell import asset, wrap_page
from worldline.report.words import count, join
from worldline.report.write import replace_file

__all__ = ["build_suites", "write_suites"]

_REPORTS = {
    Report.PHYSICAL: (
        "Physical report",
        "What moves where, when it should, and what the model knows of it. It says nothing of "
        "how the pictures look.",
    ),
    Report.VISUAL: (
        "Visual report",
        "How close the pictures are, pixel by pixel. A model can do well here and know no physics: "
        "copying the last frame often does.",
    ),
}
_MOST_GOALS = 6
"""More are folded away."""

_READING = (
    "Rows: what is tested stands first; baselines know nothing of physics or were never trained; "
    "the ceiling is the truth measured with the same instruments, the floor what the instruments' "
    "own noise amounts to; rows measured elsewhere are quoted and cannot be compared closely.",
    "Intervals are 95 % and come from drawing the scenarios again, so they say how much the number "
    "depends on the scenarios that happened to be drawn.",
    "A smaller difference than the detectable one would be found between two such runs in less "
    "than four cases of five. Runs over the same scenarios are compared pair by pair, which finds "
    "smaller ones: worldline eval diff.",
    "Equal scenario hashes mean the same pixels and the same questions.",
)


def write_suites(folder: str | Path, run: Run, name: str = "index") -> Path:
    """Write the page `NAME.html`, complete or not at all. Returns its path."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    return replace_file(folder / f"{name}.html", build_suites(run))


def build_suites(run: Run) -> str:
    """The page as HTML; styles and drawings are inside."""
    sections = [(r, _report(run, r)) for r in _REPORTS]
    links = "".join(
        f'<li><a href="#{report}">{_REPORTS[report][0]}</a></li>'
        for report, html in sections
        if html
    )
    links += '<li><a href="#made">How it was made</a></li>'
    body = (
        f"{_header(run)}\n<main>\n{_summary(run)}\n"
        f'<nav aria-label="Sections"><ul>{links}</ul></nav>\n'
        f"{chr(10).join(html for _, html in sections)}\n{_made(run)}\n</main>\n"
        f"<footer><p>Made by {escape(run.made_by)} on {escape(run.made_at)}, seed "
        f"{run.settings.seed}. The same numbers, scenario by scenario, are in the JSON file beside "
        "this page.</p></footer>"
    )
    title = f"Worldline: physics of {run.subject}"
    return wrap_page(body, title=title, made_by=run.made_by, style=asset("suites.css"))


def _header(run: Run) -> str:
    names = join(plain(result.suite) for result in run.results) or "no suite"
    physical = not run.results or any(
        _only(result, Report.PHYSICAL).tables for result in run.results
    )
    of_what = " of physics" if physical else ""
    return (
        '<header><div class="title"><p class="brand">Worldline</p>'
        f"<h1>What {escape(run.subject)} gets right{of_what}</h1>"
        f"<p>Measured by {escape(names)}, beside trivial baselines, with intervals over scenarios. "
        "Two reports, physical and visual, which are never summed.</p></div></header>"
    )


def _summary(run: Run) -> str:
    warnings = []
    if run.settings.quick:
        warnings.append("A quick run: a handful of scenarios each. The numbers mean little.")
    if run.pending:
        warnings.append(f"Not finished: {join(run.pending)} still to come.")
    warnings += [f"{a.suite} failed: {a.error}" for a in run.attempts if a.error]
    warnings += [f"{a.suite} was left out: {a.left_out}" for a in run.attempts if a.left_out]
    lines = "".join(f'<p class="warning">{escape(text)}</p>' for text in warnings)
    cards = "".join(_card(run, report) for report in _REPORTS)
    num_scenarios = sum(result.num_scenarios for result in run.results)
    lead = f"{count(len(run.results), 'suite')} on {count(num_scenarios, 'scenario')}."
    return (
        f'<section id="findings" class="findings"><h2>In short</h2><p class="lead">{lead}</p>'
        f'{lines}<div class="reports">{cards}</div></section>'
    )


def _card(run: Run, report: Report) -> str:
    goals = [g for result in run.results for g in goals_of(_only(result, report))]
    if not any(_only(result, report).tables for result in run.results):
        return ""
    reached = sum(goal.reached for goal in goals)
    head = f"{reached} of {count(len(goals), 'goal')} reached" if goals else "No goals are set here"
    return (
        f'<div class="report"><h3>{_REPORTS[report][0]}</h3><p>{head}. '
        f"{escape(_power(run, report))}</p>{_goals(goals)}</div>"
    )


def _goals(goals: Sequence[Goal]) -> str:
    """What was reached; where there are many goals, suite by suite and folded."""
    if len(goals) <= _MOST_GOALS:
        return _list_goals(goals)
    parts = []
    for suite in dict.fromkeys(goal.suite for goal in goals):
        own = [goal for goal in goals if goal.suite == suite]
        reached = sum(goal.reached for goal in own)
        title = f"{plain(suite)}: {reached} of {count(len(own), 'goal')} reached"
        parts.append(show_folded(title, _list_goals(own)))
    return "".join(parts)


def _list_goals(goals: Sequence[Goal]) -> str:
    items = "".join(f"<li>{_sign(goal)}{escape(_place(goal))}</li>" for goal in goals)
    return f"<ul>{items}</ul>"


def _sign(goal: Goal) -> str:
    kind, sign = ("reached", "✓") if goal.reached else ("missed", "✗")
    kind = kind if goal.sure and not (goal.reached and goal.baselines) else "open"
    return f'<i class="sign {kind}" aria-hidden="true">{sign}</i>'


def _place(goal: Goal) -> str:
    return f"{goal.suite}, {goal.table}, {tell_goal(goal)}"


def _power(run: Run, report: Report) -> str:
    """How far apart two such runs have to be."""
    shares = []
    for result in run.results:
        for table in _only(result, report).tables:
            for cell in table.rows[0].cells.values() if table.rows else ():
                share = cell.detectable / abs(cell.value) if cell.value else math.nan
                if math.isfinite(share) and share > 0:
                    shares.append(share)
    if not shares:
        return ""
    middle = 100 * sorted(shares)[len(shares) // 2]
    return (
        "Another model on other scenarios is told apart (5 % level, 80 % power) where it differs "
        f"by {write_number(middle, 2)} % of the value (median of {count(len(shares), 'number')}); "
        "each table says its own."
    )


def _only(result: SuiteResult, report: Report) -> SuiteResult:
    return replace(result, tables=tuple(t for t in result.tables if t.report is report))


def _report(run: Run, report: Report) -> str:
    parts = [_only(result, report) for result in run.results]
    articles = "".join(_suite(part) for part in parts if part.tables)
    if not articles:
        return ""
    title, lead = _REPORTS[report]
    return f'<section id="{report}"><h2>{title}</h2><p class="lead">{lead}</p>{articles}</section>'


def _suite(result: SuiteResult) -> str:
    tables = "".join(show_numbers(table) for table in result.tables)
    notes = "".join(f"<p>{escape(note)}</p>" for note in result.notes)
    lead = f"{count(result.num_scenarios, 'scenario')}, hash {result.scenarios}, seed {result.seed}"
    question = QUESTIONS.get(result.suite, "")
    return (
        f'<article class="suite"><h3>{escape(plain(result.suite).capitalize())}</h3>'
        + (f'<p class="question">{escape(question)}</p>' if question else "")
        + f'<p class="lead">{escape(lead)}.</p>{tables}'
        + (f'<div class="notes">{notes}</div>' if notes else "")
        + "</article>"
    )


def _made(run: Run) -> str:
    rows = []
    for done in run.attempts:
        result = done.result
        what = (
            f"{result.num_scenarios}" if result is not None else escape(done.error or done.left_out)
        )
        rows.append(
            (
                escape(done.suite),
                what,
                f"<code>{escape(result.scenarios)}</code>" if result is not None else "",
                f"{done.wall_s:.1f}\u202fs",
                f"{done.processor_s:.1f}\u202fs",
            )
        )
    header = ("Suite", "Scenarios", "Hash", "Time", "Processor time")
    caption = f"{run.made_by}; {run.machine}; {count(run.settings.num_workers, 'worker')}"
    facts = [
        f"{result.suite}: {plain(str(key))} {_fact(value)}"
        for result in run.results
        for key, value in result.facts.items()
    ]
    settings = show_folded("Settings of the suites", show_list(facts)) if facts else ""
    return (
        f'<section id="made"><h2>How it was made</h2>{show_table(caption, header, rows)}'
        f"{settings}<h3>How to read it</h3>{show_list(_READING, kind='limits')}</section>"
    )


def _fact(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value)
