"""The suite `control`: whether a world follows actions.

Clips of held-out episodes are continued frame by frame under their own actions, under those of
another clip, and under none; see `worldline.audit.control`. It needs episodes with actions, and so
it runs on what a world was trained on (`--data`) or on the clips beside its weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from worldline.audit.control import HORIZONS, Followed, follow_actions, seeded_untrained
from worldline.audit.inverse import InverseModel
from worldline.audit.suites.control_tables import (
    check_table,
    held_table,
    rare_table,
    reward_table,
)
from worldline.audit.suites.result import (
    Better,
    Cell,
    Report,
    Row,
    RowKind,
    SuiteResult,
    Table,
    hash_scenarios,
    mean_cell,
)
from worldline.audit.suites.running import OnProgress, ignore_progress, part
from worldline.core.clip import Clip
from worldline.world import World

__all__ = ["Settings", "run_control"]

PUBLISHED_DELTA_DB = 1.91
"""Genie's latent action model on Platformers (Bruce et al. 2024, table 2), PSNR at 4 frames."""

_FOLLOWING, _CHECKED = 0.7, 0.8
"""About which share of the time the clips take, and with the checks; keys that are held take the
rest."""

_KINDS = {
    "true actions": RowKind.SUBJECT,
    "another's actions": RowKind.BASELINE,
    "no actions": RowKind.BASELINE,
    "untrained": RowKind.BASELINE,
    "persistence": RowKind.BASELINE,
    "flow warp": RowKind.BASELINE,
    "truth": RowKind.CEILING,
}


@dataclass(frozen=True)
class Settings:
    """How much is looked at.

    Attributes:
        seed: of noise.
        num_clips: at most.
        horizons: frames ahead.
    """

    seed: int = 0
    num_clips: int = 48
    horizons: tuple[int, ...] = HORIZONS


def run_control(
    world: World,
    clips: Sequence[Clip],
    settings: Settings | None = None,
    *,
    inverse: InverseModel | None = None,
    on_progress: OnProgress = ignore_progress,
) -> SuiteResult:
    """Measure how a world follows actions.

    Args:
        world: that takes actions.
        clips: of held-out episodes, as the world takes them; see `follow_actions`.
        settings: how much.
        inverse: fitted on true frames of other episodes; without one no actions are read off.
        on_progress: told the share that is done.

    Raises:
        InputError: clips are too few, too short, or lack actions.
    """
    settings = settings or Settings()
    clips = clips[: settings.num_clips]
    untrained = seeded_untrained(world, settings.seed)
    found = follow_actions(
        world,
        clips,
        untrained=untrained,
        inverse=inverse,
        seed=settings.seed,
        horizons=settings.horizons,
        on_progress=part(on_progress, 0.0, _FOLLOWING),
    )
    tables = [_quality(world, found, settings), _effect(world, found, settings)]
    if found.action_score:
        tables.append(_told(world, found, inverse, settings))
    seed = settings.seed
    others = (
        check_table(world, untrained, found, clips, seed, part(on_progress, _FOLLOWING, _CHECKED)),
        held_table(world, untrained, clips, seed, part(on_progress, _CHECKED, 1.0)),
        rare_table(world, found, clips, seed),
        reward_table(world, found, seed),
    )
    tables += [table for table in others if table is not None]
    on_progress(1.0)
    return SuiteResult(
        suite="control",
        subject=world.name,
        tables=tuple(tables),
        scenarios=hash_scenarios(clips, settings),
        num_scenarios=len(clips),
        seed=settings.seed,
        facts={"context": world.context, "horizons": list(settings.horizons)},
    )


def _named(world: World, name: str) -> str:
    return world.name if name == "true actions" else name


def _columns(settings: Settings) -> tuple[str, ...]:
    return tuple(f"+{h}" for h in settings.horizons)


def _cells(values: np.ndarray, settings: Settings) -> dict[str, Cell]:
    pairs = zip(_columns(settings), values.T, strict=True)
    return {column: mean_cell(each, seed=settings.seed) for column, each in pairs}


def _quality(world: World, found: Followed, settings: Settings) -> Table:
    rows = [
        Row(_named(world, name), _KINDS[name], _cells(values, settings))
        for name, values in found.psnr_db.items()
    ]
    return Table(
        name="quality",
        title="Quality of frames under actions",
        report=Report.VISUAL,
        unit="dB",
        better=Better.HIGHER,
        columns=_columns(settings),
        rows=tuple(rows),
        note="PSNR against the true frames of held-out episodes; persistence repeats the last "
        "frame.",
    )


def _effect(world: World, found: Followed, settings: Settings) -> Table:
    """Differences of the world's own rows, clip by clip."""
    own = found.psnr_db["true actions"]
    rows = [
        Row(
            f"gain over {name}",
            RowKind.SUBJECT,
            _cells(own - found.psnr_db[name], settings),
        )
        for name in ("another's actions", "no actions", "persistence")
    ]
    rows.append(
        Row(
            "Genie (Platformers), over random actions",
            RowKind.PUBLISHED,
            {"+8": Cell(PUBLISHED_DELTA_DB)},
        )
    )
    return Table(
        name="effect",
        title="What true actions are worth",
        report=Report.PHYSICAL,
        unit="dB",
        better=Better.HIGHER,
        columns=_columns(settings),
        rows=tuple(rows),
        note="Difference of PSNR, clip by clip, from the same start with the same noise. Genie's "
        "number is at 4 frames of another data set.",
    )


def _told(world: World, found: Followed, inverse: InverseModel | None, settings: Settings) -> Table:
    discrete = inverse is not None and inverse.is_discrete
    rows = [
        Row(
            _named(world, name),
            _KINDS[name],
            {"score": mean_cell(values, seed=settings.seed)},
        )
        for name, values in found.action_score.items()
    ]
    return Table(
        name="actions",
        title="Actions read off the frames",
        report=Report.PHYSICAL,
        unit="share of choices" if discrete else "R2",
        better=Better.HIGHER,
        columns=("score",),
        rows=tuple(sorted(rows, key=lambda row: row.kind is RowKind.CEILING)),
        note="By an inverse model that was fitted to true frames of other episodes. For the row of "
        "another's actions the clip's own are asked for, which were not given.",
    )
