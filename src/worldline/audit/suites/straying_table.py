"""Table of the suite `drift`: does trust tell which moments of a session are wrong?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, UInt8

from worldline.audit.checks import environment_of
from worldline.audit.places import OFFSETS
from worldline.audit.straying import are_wrong, area_at_once, unrelated_error
from worldline.audit.suites.result import Better, Cell, Report, Row, RowKind, Table
from worldline.core.clip import Clip
from worldline.world import World
from worldline.world.hindsight import Moment, judge_moments

__all__ = ["OFF", "trust_table"]

OFF = 5 / 64
"""A thing that is farther from its true place (in sides of the picture) is in the wrong one: half a
ball of the sandbox, a third of a block of PushT."""

_EVERY = 16
"""Frames between the moments that are judged."""

_NUM_RESAMPLES = 400


def trust_table(
    world: World, clips: Sequence[Clip], films: UInt8[np.ndarray, "c t h w 3"], seed: int
) -> Table:
    """Areas under the ROC curve of what should tell wrong moments from others.

    Sessions go on from the first `world.context` frames of each clip under its actions. A moment is
    wrong in two ways, neither of which trust was shown: by its picture (`are_wrong`), and by where
    things are, in environments that are known by name (`worldline.audit.places`).

    Args:
        world: that is played.
        clips: of held-out episodes, all of one length.
        films: what the world made after their contexts.
        seed: of noise and resampling.
    """
    context, ahead = world.context, clips[0].num_frames - world.context
    marks = [1, *range(_EVERY, ahead + 1, _EVERY)]
    usual = unrelated_error(clips, seed)
    told = world.calibration.get("play") or {}
    offset = OFFSETS.get(told.get("environment") or environment_of(clips[0]))
    kept = {name: entry for name, entry in world.calibration.items() if name != "familiarity"}
    alone = world.finished(kept, "")
    trust, evidence = np.zeros((2, len(clips), len(marks)))
    wrong = {name: np.zeros(trust.shape, bool) for name in ("pictures", "places")}
    for i, (clip, film) in enumerate(zip(clips, films, strict=True)):
        shown = [*clip.frames[:context], *film]
        for k, mark in enumerate(marks):
            last = context + mark
            moments = [
                Moment(shown[t], clip.actions[t - 1] if t and clip.actions is not None else None)
                for t in range(last - context, last)
            ]
            trust[i, k] = judge_moments(world, moments, seed + i)[0]
            evidence[i, k] = judge_moments(alone, moments, seed + i)[0]
            made, true = film[mark - 1], clip.frames[last - 1]
            wrong["pictures"][i, k] = are_wrong(made[None], true[None], usual)[0]
            wrong["places"][i, k] = offset is not None and offset(true, made) > OFF
    if offset is None:
        del wrong["places"]
    doubts = {
        world.name: -trust,
        "context evidence alone": -evidence,
        "frames since the opening": np.broadcast_to(np.array(marks, float), trust.shape),
    }
    rows = []
    for name, doubt in doubts.items():
        cells: dict[str, Cell] = {}
        for kind, bad in wrong.items():
            cells |= _cells(kind, doubt, bad, seed)
        if name == world.name:
            for kind, bad in wrong.items():
                cells[f"{kind}: trust if right"] = _mean(trust, ~bad)
                cells[f"{kind}: trust if wrong"] = _mean(trust, bad)
        kind = RowKind.SUBJECT if name == world.name else RowKind.BASELINE
        rows.append(Row(name, kind, cells))
    shares = ", ".join(f"{bad.mean():.2f} by {kind}" for kind, bad in wrong.items())
    parts = ("all moments", "at one moment", "trust if right", "trust if wrong")
    return Table(
        name="trust",
        title="Does trust tell which moments are wrong?",
        report=Report.VISUAL,
        unit="",
        better=Better.HIGHER,
        columns=tuple(f"{kind}: {part}" for kind in wrong for part in parts),
        rows=tuple(rows),
        note=f"Area under the ROC curve over {trust.size} moments up to +{marks[-1]}, of which "
        f"a share is wrong ({shares}): by pictures where the mean square difference from the truth "
        "is more than a quarter of that of unrelated frames, by places where a thing is gone or "
        "more than 5/64 of the side off. At one moment: pairs equally far from the opening alone, "
        "where counting frames is worth .5.",
    )


def _cells(
    kind: str, doubt: Float[np.ndarray, "c m"], bad: Bool[np.ndarray, "c m"], seed: int
) -> dict[str, Cell]:
    """Both areas, with percentile intervals over clips drawn again."""
    found = area_at_once(doubt, bad)
    rng = np.random.default_rng(seed)
    drawn = [
        area_at_once(doubt[rows], bad[rows])
        for rows in rng.integers(len(doubt), size=(_NUM_RESAMPLES, len(doubt)))
    ]
    cells = {}
    for name, value, again in (
        ("all moments", found.area, [each.area for each in drawn]),
        ("at one moment", found.at_once, [each.at_once for each in drawn]),
    ):
        known = np.array(again)[np.isfinite(again)]
        low, high = np.quantile(known, (0.025, 0.975)) if len(known) else (np.nan, np.nan)
        cells[f"{kind}: {name}"] = Cell(value, float(low), float(high), len(doubt))
    return cells


def _mean(values: Float[np.ndarray, "c m"], where: Bool[np.ndarray, "c m"]) -> Cell:
    return Cell(float(values[where].mean()) if where.any() else float("nan"), n=int(where.sum()))
