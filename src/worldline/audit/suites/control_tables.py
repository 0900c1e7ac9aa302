"""Tables of the suite `control` beside frames: scripted checks, rare events, rewards."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from worldline.audit.checks import known_of, name_environment, run_checks
from worldline.audit.control import Followed
from worldline.audit.held import HELD, HELD_STEPS, hold_keys
from worldline.audit.rare import count_recalls
from worldline.audit.suites.result import (
    Better,
    Cell,
    Report,
    Row,
    RowKind,
    Table,
    mean_cell,
    share_cell,
)
from worldline.audit.suites.running import OnProgress, ignore_progress
from worldline.core.clip import Clip
from worldline.world import World

__all__ = ["check_table", "held_table", "rare_table", "reward_table"]

_KINDS = {
    "true actions": RowKind.SUBJECT,
    "own frames": RowKind.SUBJECT,
    "untrained": RowKind.BASELINE,
    "persistence": RowKind.BASELINE,
    "true frames": RowKind.CEILING,
    "truth": RowKind.CEILING,
}
_ORDER = (RowKind.SUBJECT, RowKind.BASELINE, RowKind.CEILING)


def check_table(
    world: World,
    untrained: World,
    found: Followed,
    clips: Sequence[Clip],
    seed: int,
    on_progress: OnProgress = ignore_progress,
) -> Table | None:
    """Scripted checks, one row each; None for an environment of which nothing is written down."""
    known = known_of(world, clips)
    if known is None or not known.scripts:
        return None
    worlds = {"true actions": world, "untrained": untrained}
    results = run_checks(
        known, found.films, found.actions, worlds, clips, seed=seed, on_progress=on_progress
    )
    rows = []
    for result in results:
        for name, hits in result.recorded.items():
            cells = {"recorded": share_cell(hits)}
            if name in result.held:
                cells["held"] = share_cell(result.held[name])
            rows.append(Row(f"{_named(world, name)}: {result.script}", _KINDS[name], cells))
    return Table(
        name="checks",
        title="Scripted checks",
        report=Report.PHYSICAL,
        unit="",
        better=Better.HIGHER,
        columns=("recorded", "held"),
        rows=_sorted(rows),
        note="Share in which it happens, by one instrument for all rows. Recorded: stretches of "
        "held-out episodes whose actions ask for it. Held: the action is held from an opening on; "
        "who is at a wall or blocked does not pass, nor does the truth.",
    )


_HELD_CLIPS = 24
"""Openings from which keys are held."""


def held_table(
    world: World,
    untrained: World,
    clips: Sequence[Clip],
    seed: int,
    on_progress: OnProgress = ignore_progress,
) -> Table | None:
    """Keys held for seconds, a column each; None for an environment in which none is known."""
    keys = HELD.get(name_environment(world, clips))
    if keys is None:
        return None
    worlds = {"true actions": world, "untrained": untrained}
    results = hold_keys(keys, worlds, clips[:_HELD_CLIPS], seed=seed, on_progress=on_progress)
    rows = []
    for name in results[0].stays:
        cells = {result.key: share_cell(result.stays[name]) for result in results}
        grain = np.mean([result.grain[name] for result in results], axis=0)
        cells["grain"] = mean_cell(grain, seed=seed)
        rows.append(Row(_named(world, name), _KINDS[name], cells))
    return Table(
        name="held",
        title="A key held down",
        report=Report.PHYSICAL,
        unit="",
        better=Better.NEITHER,
        columns=(*(result.key for result in results), "grain"),
        rows=_sorted(rows),
        note=f"Share of openings in which the agent is in sight at the edge where the key leads, "
        f"after {HELD_STEPS} frames, and how far the ground is from plain then (root mean square, "
        "levels of 255, over all keys). The truth is the environment itself, played on from the "
        "same moments; without their state there is no such row. Who is blocked does not pass.",
    )


def rare_table(world: World, found: Followed, clips: Sequence[Clip], seed: int) -> Table | None:
    """Recall of what happens seldom and false alarms; None where there is nothing such."""
    recalls = count_recalls(found.films, found.told, known_of(world, clips))
    if not recalls:
        return None
    rows = []
    for recall in recalls:
        share = recall.true.mean(axis=1)
        cells = {
            "share of steps": mean_cell(share, seed=seed),
            "recall": share_cell(recall.hits),
            "false alarms": mean_cell(recall.alarms, seed=seed),
        }
        if recall.told is not None:
            cells["area"] = Cell(recall.area, n=int(recall.true.sum()))
        name = f"{_named(world, recall.row)}: {recall.event}"
        rows.append(Row(name, _KINDS[recall.row], cells))
    return Table(
        name="rare",
        title="Rare events",
        report=Report.PHYSICAL,
        unit="",
        better=Better.NEITHER,
        columns=("share of steps", "recall", "false alarms", "area"),
        rows=_sorted(rows),
        note="Under true actions. Recall: share of true events that are shown, or told with more "
        "than half of what they earn (ends: a probability above one half), up to two frames off. "
        "False alarms: share of the steps far from any. Area: under the ROC curve of what is told. "
        "Rows of true frames are the readout's, shown the recording.",
    )


def reward_table(world: World, found: Followed, seed: int) -> Table | None:
    """What the world says that its frames earned, beside what they did; None where none is told."""
    if "true" not in found.told:
        return None
    true = found.told["true"][..., 0].sum(axis=1)
    others = (true.sum() - true) / max(1, len(true) - 1)
    rows = [
        _reward_row(f"{_named(world, name)}", _KINDS[name], each[..., 0].sum(axis=1), true, seed)
        for name, each in found.told.items()
        if name != "true"
    ]
    rows += [
        _reward_row("no reward", RowKind.BASELINE, np.zeros_like(true), true, seed),
        _reward_row("mean of the other clips", RowKind.BASELINE, others, true, seed),
    ]
    return Table(
        name="reward",
        title=f"Reward of {max(found.horizons) + 1} actions",
        report=Report.PHYSICAL,
        unit="",
        better=Better.NEITHER,
        columns=("true", "told", "error", "correlation"),
        rows=_sorted(rows),
        note="Sum of what is said to be earned under the true actions beside the true sum, mean "
        "absolute error, and correlation over clips. The row of true frames is the readout's, "
        "shown the recording.",
    )


def _reward_row(
    name: str,
    kind: RowKind,
    told: Float[np.ndarray, " c"],
    true: Float[np.ndarray, " c"],
    seed: int,
) -> Row:
    varied = len(true) > 2 and true.std() > 0 and told.std() > 1e-9
    # the mean of the others is lower where a clip's own reward is higher, which says nothing
    cells = {
        "true": mean_cell(true, seed=seed),
        "told": mean_cell(told, seed=seed),
        "error": mean_cell(np.abs(told - true), seed=seed),
    }
    if varied and kind is not RowKind.BASELINE:
        cells["correlation"] = Cell(float(np.corrcoef(told, true)[0, 1]), n=len(true))
    return Row(name, kind, cells)


def _named(world: World, name: str) -> str:
    return world.name if name in ("true actions", "own frames") else name


def _sorted(rows: list[Row]) -> tuple[Row, ...]:
    return tuple(sorted(rows, key=lambda row: _ORDER.index(row.kind)))
