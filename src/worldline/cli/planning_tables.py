"""What was measured of planning, as a suite's result; for `plan` and `eval planning`."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from worldline.cli.process import complain

if TYPE_CHECKING:
    import numpy as np

    from worldline.audit.suites.result import Cell, Row, SuiteResult, Table
    from worldline.planning.measure import Looking, Measured
    from worldline.planning.trials import Outcome

__all__ = ["PUBLISHED", "planning_result", "tell_rows"]

PUBLISHED = {
    "tworoom": {"LeWM": 0.87, "PLDM": 0.97, "DINO-WM": 1.00},
    "pusht": {"LeWM": 0.96, "DINO-WM": 0.74},
}
"""Success at 25/50 in stable-worldmodel's environments as papers report it, after training on
thousands of episodes (of PushT 20,000, by experts) at 224x224 pixels. The rooms are alike, not the
same; PushT moves alike, and its episodes are others."""

_GOALS = {
    "tworoom": {"25/50 across": 1.0, "40/80 across": 0.98, "50/100 across": 0.95},
    "pusht": {"25/50": 0.6},
}
_WALLS = (
    "across: the goal is in the other room. In the true dynamics the same planner goes by straight "
    "distance in metres"
)
_ROOMS = f"{_WALLS}, so that a way along landmarks can be the better guide."
_PUSH = (
    "past: pushed straight, the block would meet the obstacle. The greedy row is a scripted pusher "
    "that knows the true state. The world's own row goes by places that are read off latents."
)
_CATCH = (
    "fast: the ball lands farther from the cup than the cup is wide. The greedy row stays under "
    "the ball. The goal is a picture of a ball in a cup elsewhere; the world's own row goes by how "
    "far one is from the other, read off latents."
)
_NOTES = {
    "tworoom": _ROOMS,
    "walls": f"{_WALLS}.",
    "pusht": "pushed: it is not enough to go where the pusher went; most episodes of the first "
    "column are such, and stand in both, so the two are no separate tests. The world's own "
    "row goes by places and angles that are read off latents, from the goal's picture too; the "
    "row below it by latents alone.",
    **dict.fromkeys(("push", "push-heavy", "push-slippery", "push-moved"), _PUSH),
    **dict.fromkeys(("catch", "catch-high"), _CATCH),
    "throw": "far: the bin stands more than 1.35 m along. The greedy row throws by the law of free "
    "fall, from the true state. The goal is a picture of a ball in a bin elsewhere; the world's "
    "own row goes by how far one is from the other, read off latents.",
}
_GOAL_S = 0.1


def tell_rows() -> Callable[[str, str, Outcome], None]:
    """Tells on standard error what came of each row, as soon as it was played."""
    told: set[str] = set()

    def tell(row: str, course: str, done: Outcome) -> None:
        if not told:
            complain("rows as they come, by steps to the goal / steps allowed:")
        told.add(row)
        complain(
            f"{course}, {row}: {done.any_time.sum()} of {len(done.any_time)} reached, "
            f"{done.final.sum()} there at the end"
        )

    return tell


def planning_result(
    name: str, task: str, measured: Measured, looking: Looking, seed: int, facts: Mapping[str, Any]
) -> SuiteResult:
    """Tables of success, at any time and at the end, and of the time of an action.

    Args:
        name: of the world.
        task: that was planned in.
        measured: what came of it.
        looking: how plans were looked for.
        seed: of the first episodes.
        facts: what else a reader needs.
    """
    from worldline.audit.suites.result import SuiteResult

    courses = tuple(next(iter(measured.outcomes.values())))
    tables = (
        _success(name, task, measured, courses, final=False),
        _success(name, task, measured, courses, final=True),
        _times(name, measured),
    )
    outcome = measured.outcomes[name][courses[0]]
    plain = {
        "task": task,
        "planner": looking.planner,
        "num_samples": looking.num_samples,
        "num_rounds": looking.num_rounds,
        "horizon": looking.horizon or "as far as the goal",
        "over": str(looking.over),
        "closely": looking.closely,
        **facts,
    }
    digest = hashlib.sha256(repr((task, courses, len(outcome.final), seed)).encode()).hexdigest()
    return SuiteResult(
        suite="planning",
        subject=name,
        tables=tables,
        scenarios=digest[:16],
        num_scenarios=len(outcome.final) * len(courses),
        seed=seed,
        facts=plain,
        notes=_breakdowns(measured),
    )


def _success(
    name: str, task: str, measured: Measured, courses: tuple[str, ...], *, final: bool
) -> Table:
    from worldline.audit.suites.result import Better, Cell, Report, Row, RowKind, Table

    rows = [
        Row(
            row,
            _kind(row, name),
            {course: _share(found, final) for course, found in by_course.items()},
        )
        for row, by_course in measured.outcomes.items()
    ]
    if not final and "25/50" in courses:
        rows += [
            Row(paper, RowKind.PUBLISHED, {"25/50": Cell(value)})
            for paper, value in PUBLISHED.get(task, {}).items()
        ]
    when = "when the budget was used up" if final else "at any time"
    goals = {} if final else _GOALS.get(task, {})
    return Table(
        name="success_final" if final else "success",
        title=f"Goals reached {when}",
        report=Report.PHYSICAL,
        unit="",
        better=Better.HIGHER,
        columns=courses,
        rows=tuple(sorted(rows, key=_order)),
        goals={course: goal for course, goal in goals.items() if course in courses},
        note="Share of held-out episodes, with Wilson's interval. Columns: steps to the goal on "
        f"the way on which it was reached before, and steps allowed; {_NOTES[task]}",
    )


def _order(row: Row) -> int:
    from worldline.audit.suites.result import RowKind

    return list(RowKind).index(row.kind)


def _kind(row: str, name: str) -> Any:
    from worldline.audit.suites.result import RowKind
    from worldline.planning.agents import TRUTH
    from worldline.planning.measure import UNGUIDED

    if row == name or row in UNGUIDED.values():
        return RowKind.SUBJECT
    return RowKind.CEILING if row == TRUTH else RowKind.BASELINE


def _share(outcome: Outcome, final: bool) -> Cell:
    from worldline.audit.suites.result import share_cell

    return share_cell((outcome.final if final else outcome.any_time).astype(float))


def _times(name: str, measured: Measured) -> Table:
    from worldline.audit.suites.result import Better, Report, Row, RowKind, Table

    return Table(
        name="time",
        title="Time of an action",
        report=Report.PHYSICAL,
        unit="s",
        better=Better.LOWER,
        columns=("p50", "p95"),
        rows=tuple(
            Row(
                row if i else name, RowKind.BASELINE if i > 1 else RowKind.SUBJECT, _quantiles(took)
            )
            for i, (row, took) in enumerate(measured.act_s.items())
        ),
        goals={"p50": _GOAL_S},
        note="From a picture to what is to be done, one episode alone, on the machine that this "
        "ran on; the first row as it was planned here, the second with as many plans and actions "
        "ahead as papers have, the third with a predictor as large as theirs besides. What else "
        "ran there counts too.",
    )


def _quantiles(took_s: np.ndarray) -> dict[str, Cell]:
    import numpy as np

    from worldline.audit.suites.result import Cell

    values = (float(np.quantile(took_s, q)) for q in (0.5, 0.95))
    return {
        column: Cell(value, n=len(took_s))
        for column, value in zip(("p50", "p95"), values, strict=True)
    }


def _breakdowns(measured: Measured) -> tuple[str, ...]:
    """How many episodes broke down, and the reason given most often."""
    told = []
    for row, by_course in measured.outcomes.items():
        reasons = Counter(r for found in by_course.values() for r in found.failed if r is not None)
        if reasons:
            ((reason, _),) = reasons.most_common(1)
            told.append(
                f"{row}: {reasons.total()} episodes broke down and count as not reached; most "
                f"often because {reason}"
            )
    return tuple(told)
