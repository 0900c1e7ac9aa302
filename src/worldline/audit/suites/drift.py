"""The suite `drift`: what becomes of a world's frames when it goes on for long.

Sessions begin with clips of held-out episodes and take recorded actions, one clip's after
another's, for up to a thousand frames. There is no truth to compare them with after so long; what
is asked is whether frames still look like the data: how far they are from it
(`worldline.world.familiarity`), how much contrast they have, and how many patches of one colour, of
what size. Clips with a truth for longer say besides whether trust tells where sessions go astray,
and whether what leaves the picture comes back as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8
from scipy import ndimage

from worldline.audit.long_play import actions_after, play_together, resampled
from worldline.audit.suites.result import (
    Better,
    Report,
    Row,
    RowKind,
    SuiteResult,
    Table,
    hash_scenarios,
    mean_cell,
)
from worldline.audit.suites.return_table import return_table
from worldline.audit.suites.straying_table import trust_table
from worldline.core.clip import Clip
from worldline.core.errors import InputError
from worldline.dynamics import FlowDynamics
from worldline.world import World
from worldline.world.familiarity import Familiarity

__all__ = ["MARKS", "Settings", "measure_patches", "run_drift"]

MARKS = (1, 10, 30, 60, 100, 200, 300, 500, 700, 1000)
"""Frames after the opening at which is looked."""

_SHORT = 2
"""Frames that the same network remembers in the row beside: it has to forget what was seen."""

_LEAST_PX = 8
_LEVEL = 32
"""Patches have one colour, in steps of so many levels a channel, and so many pixels or more."""


@dataclass(frozen=True)
class Settings:
    """How much is looked at.

    Attributes:
        seed: of noise, actions and true frames.
        num_clips: sessions, at most.
        marks: frames after the opening, rising.
        sink: first frames that stay in the cache in one of the rows beside.
        num_judged: longer clips that trust and memory are judged on, at most.
    """

    seed: int = 0
    num_clips: int = 8
    marks: tuple[int, ...] = MARKS
    sink: int = 4
    num_judged: int = 32


@dataclass(frozen=True)
class _Measure:
    name: str
    title: str
    unit: str
    better: Better
    note: str


_MEASURES = (
    _Measure(
        "distance",
        "Distance from the data",
        "usual distances of true frames",
        Better.LOWER,
        "By shares of 64 colours and of 8 classes of sharpness, which says nothing of where things "
        "are. Repeating the last frame stays near the data and moves nothing.",
    ),
    _Measure(
        "contrast",
        "Contrast",
        "levels of 255",
        Better.NEITHER,
        "Standard deviation of brightness over the picture; it should stay near that of the truth.",
    ),
    _Measure(
        "patches",
        "Patches of one colour",
        "",
        Better.NEITHER,
        f"Connected pixels of one colour, in steps of {_LEVEL} levels, {_LEAST_PX} pixels or more, "
        "the largest left out: what is a body to the eye, and fragments. Trails and dissolving "
        "ground make more of them, bodies that vanish fewer.",
    ),
    _Measure(
        "size",
        "Size of patches",
        "% of the picture",
        Better.NEITHER,
        "Median of these patches.",
    ),
)


def run_drift(
    world: World,
    clips: Sequence[Clip],
    settings: Settings | None = None,
    *,
    longer: Sequence[Clip] = (),
    on_progress: Callable[[float], None] = lambda share: None,
) -> SuiteResult:
    """Measure how frames drift.

    Args:
        world: that can be played in.
        clips: of held-out episodes, as the world takes them, of its context and one frame more at
            least; one half is begun with, true frames of the other say what is usual.
        settings: how much.
        longer: clips of held-out episodes, all of one length, on which it is judged whether trust
            tells where sessions go astray, and what comes back; no such tables without any.
        on_progress: told the share that is done.

    Raises:
        InputError: there are fewer than four clips, or one is too short or lacks actions.
    """
    settings = settings or Settings()
    if (
        not settings.marks
        or min(settings.marks) < 1
        or list(settings.marks) != sorted(set(settings.marks))
    ):
        raise InputError(f"marks are {settings.marks}; give rising numbers of frames, from 1 on")
    if len(clips) < 4:
        raise InputError(f"{len(clips)} clips; two to begin with and two to know the data by")
    for i, clip in enumerate(clips):
        if clip.num_frames <= world.context:
            raise InputError(
                f"clip {i} has {clip.num_frames} frames, {world.context + 1} are needed"
            )
        if world.action_size and clip.actions is None:
            raise InputError(f"clip {i} has no actions to go on with")
    starts = clips[: min(len(clips) // 2, settings.num_clips)]
    rest = clips[len(clips) // 2 :]
    known, others = rest[::2], rest[1::2]
    familiarity = Familiarity.fit(
        np.concatenate([clip.frames for clip in known]),
        np.concatenate([clip.frames for clip in others]),
    )
    players = {world.name: world} | _others(world, settings.sink)
    drawn: dict[str, list[np.ndarray]] = {}
    done, whole = 0, len(players) * max(settings.marks)
    actions = resampled(clips, len(starts), max(settings.marks), settings.seed)
    for name, player in players.items():
        kept = []
        films = play_together(player, starts, actions, settings.seed)
        for number, frames in enumerate(films, start=1):
            if number in settings.marks:
                kept.append(frames)
            done += 1
            on_progress(done / whole)
        drawn[name] = list(np.stack(kept, axis=1))
    rng = np.random.default_rng(settings.seed)
    pool = np.concatenate([clip.frames for clip in others])
    num = len(settings.marks)
    drawn["copy-last"] = [np.repeat(c.frames[world.context - 1][None], num, 0) for c in starts]
    drawn["truth"] = [pool[rng.integers(len(pool), size=num)] for _ in starts]
    measured = {
        name: np.stack([_measure(frames, familiarity) for frames in films])
        for name, films in drawn.items()
    }
    tables = [
        _table(measure, world.name, {name: m[:, k] for name, m in measured.items()}, settings)
        for k, measure in enumerate(_MEASURES)
    ]
    if longer:
        tables += _judge(world, longer[: settings.num_judged], settings)
    return SuiteResult(
        suite="drift",
        subject=world.name,
        tables=tuple(tables),
        scenarios=hash_scenarios(starts, settings),
        num_scenarios=len(starts),
        seed=settings.seed,
        facts={"context": world.context, "marks": list(settings.marks)},
        notes=(
            "Rows of the truth are frames of other recordings, drawn anew for every mark, since "
            "none is so long.",
        ),
    )


def _judge(world: World, clips: Sequence[Clip], settings: Settings) -> list[Table]:
    """What can be asked while there is a truth: whether trust tells what is wrong, and whether what
    was seen is remembered."""
    players, dynamics = {world.name: world}, world.dynamics
    if isinstance(dynamics, FlowDynamics):
        name = f"remembers {_SHORT} frames"
        players[name] = _sampled(world, dynamics, window=_SHORT + 1, sink=0)
    actions = actions_after(clips, world.context)
    films = {
        name: np.stack(list(play_together(player, clips, actions, settings.seed)), axis=1)
        for name, player in players.items()
    }
    tables = [trust_table(world, clips, films[world.name], settings.seed)]
    back = return_table(films, world.name, clips, world.context, settings.seed)
    return tables if back is None else [*tables, back]


def measure_patches(frame: UInt8[np.ndarray, "h w 3"]) -> tuple[int, float]:
    """How many patches of one colour there are beside the largest, and their median size as a share
    of the picture; 0 and NaN where there are none."""
    coarse = (frame // _LEVEL).astype(int)
    codes = (coarse[..., 0] * 8 + coarse[..., 1]) * 8 + coarse[..., 2]
    sizes: list[int] = []
    for code in np.flatnonzero(np.bincount(codes.ravel()) >= _LEAST_PX):
        labels, _ = ndimage.label(codes == code)  # type: ignore[misc]
        found = np.bincount(labels.ravel())[1:]
        sizes += found[found >= _LEAST_PX].tolist()
    others = sorted(sizes)[:-1]
    if not others:
        return 0, float("nan")
    return len(others), float(np.median(others)) / codes.size


def _measure(
    frames: UInt8[np.ndarray, "m h w 3"], familiarity: Familiarity
) -> Float[np.ndarray, "k m"]:
    patches = [measure_patches(frame) for frame in frames]
    contrast = frames.astype(np.float64).mean(axis=-1).std(axis=(1, 2))
    counts, sizes = (np.array(column, np.float64) for column in zip(*patches, strict=True))
    return np.stack([familiarity.distances(frames), contrast, counts, 100 * sizes])


def _others(world: World, sink: int) -> dict[str, World]:
    """The same network, sampled in other ways."""
    dynamics = world.dynamics
    if not isinstance(dynamics, FlowDynamics):
        return {}
    found = {}
    if dynamics.config.shrinkage > 0:
        found["without its threshold of change"] = _sampled(
            world, dynamics, shrinkage=0.0, onset=0.0
        )
    if dynamics.config.sink:
        found["without its first frames kept"] = _sampled(world, dynamics, sink=0)
    elif sink < dynamics.config.window - 1:
        name = f"its first {sink} frames kept in the cache"
        found[name] = _sampled(world, dynamics, sink=sink)
    return found


def _sampled(world: World, dynamics: FlowDynamics, **changes: Any) -> World:
    twin = dynamics.sampled(**changes)
    config = replace(world.config, dynamics=twin.config)
    return World(config, replace(world.whole, dynamics=twin), world.calibration, world.card)


def _table(
    measure: _Measure, subject: str, values: dict[str, np.ndarray], settings: Settings
) -> Table:
    columns = tuple(f"+{mark}" for mark in settings.marks)
    kinds = {subject: RowKind.SUBJECT, "truth": RowKind.CEILING}
    rows = [
        Row(
            name,
            kinds.get(name, RowKind.BASELINE),
            {
                column: mean_cell(each, seed=settings.seed)
                for column, each in zip(columns, found.T, strict=True)
            },
        )
        for name, found in values.items()
    ]
    return Table(
        name=measure.name,
        title=measure.title,
        report=Report.VISUAL,
        unit=measure.unit,
        better=measure.better,
        columns=columns,
        rows=tuple(rows),
        note=measure.note,
    )
