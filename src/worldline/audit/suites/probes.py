"""The suite `probes`: what of the physical state can be read linearly off frozen latents.

Ridge regression (`worldline.audit.probe`) from the latents of a frame, and their change since the
frame before, to the state of the clip's main object, which is the one that moves farthest in the
picture, and to how it stands to another body. Clips to fit and clips to test are different ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from jaxtyping import Bool, Float
from scipy.stats import rankdata

from worldline.audit.probe import TARGETS, LinearProbe, main_object, pair_features, state_of
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
from worldline.audit.suites.running import OnProgress, for_each, ignore_progress, part
from worldline.audit.suites.subject import Encode, Subject, untrained
from worldline.core.clip import Clip
from worldline.core.errors import InputError
from worldline.sim import FIRST_FAMILIES, Split, make_clips

__all__ = [
    "RELATIONS",
    "STATES",
    "Settings",
    "coarse_pixels",
    "explained",
    "placements",
    "relations_of",
    "run",
]

STATES: dict[str, tuple[str, ...]] = {
    "position": ("x_px", "y_px"),
    "occluded position": ("hidden_x_px", "hidden_y_px"),
    "depth": ("depth_m",),
    "velocity": ("vx_px", "vy_px"),
    "mass": ("log_mass",),
}
"""Columns read as numbers, and the targets of `worldline.audit.probe` behind them."""

RELATIONS = ("left of", "above", "in front of")
"""The main object to the other body that is largest in the picture, in the picture's own terms."""

_CONTACT = "contact"
_NAMES = (*TARGETS, *RELATIONS)
_MARGIN_PX, _MARGIN_M = 1.0, 0.05
_COARSE = 16
_LEAST_CLIPS = 5
_NUM_RESAMPLES = 300
_EXTRA = ("occlude", "collide", "occlude", "disc_collision")

Features = Float[np.ndarray, "t f"]


@dataclass(frozen=True)
class Settings:
    """How much is looked at.

    Attributes:
        seed: of the clips.
        quick: a handful of clips of five families.
        num_workers: processes that make clips, and threads that encode.
        num_fit, num_test: clips of all families of the bundled worlds in equal shares.
        num_extra: clips on top, in each of the two sets, of bodies that go behind something and of
            bodies that meet, in turn: elsewhere both are rare.
    """

    seed: int = 0
    quick: bool = False
    num_workers: int = 1
    num_fit: int = 195
    num_test: int = 52
    num_extra: int = 52


def run(
    subject: Subject,
    settings: Settings | None = None,
    on_progress: OnProgress = ignore_progress,
) -> SuiteResult:
    """Read the state off the subject's latents.

    Raises:
        InputError: the subject has no `encode`, or there are too few clips.
    """
    settings = settings or Settings()
    encode = subject.need("encode", "probes")
    fitting, testing = _clips(settings, subject.size_px)
    on_progress(0.2)
    encoders: list[tuple[str, RowKind, Encode]] = [(subject.name, RowKind.SUBJECT, encode)]
    if subject.world is not None:
        fresh = untrained(subject.world).need("encode", "probes")
        encoders.append(("untrained", RowKind.BASELINE, fresh))
    encoders.append(("coarse pixels", RowKind.BASELINE, coarse_pixels))
    found: list[tuple[str, RowKind, dict[str, Cell]]] = []
    chance: dict[str, Cell] = {}
    for index, (name, kind, function) in enumerate(encoders):
        start = 0.2 + 0.8 * index / len(encoders)
        work = partial(_features, encode=function)
        looks = for_each(
            work,
            [*fitting, *testing],
            num_workers=settings.num_workers,
            on_progress=part(on_progress, start, start + 0.6 / len(encoders)),
        )
        seen, new = looks[: len(fitting)], looks[len(fitting) :]
        found.append((name, kind, _read(fitting, seen, testing, new)))
        if not index:
            # as good a reader as any that sees other clips than those it is asked about
            chance = _read(fitting, _moved_on(seen), testing, new)
    found.append(("chance", RowKind.FLOOR, chance))
    on_progress(1.0)
    return SuiteResult(
        suite="probes",
        subject=subject.name,
        tables=(
            _table(
                "states",
                "state of the main object, read linearly",
                "R2",
                tuple(STATES),
                found,
                "Share of the variance over all frames of the test clips; every clip counts alike. "
                "0 is always saying the mean, less is worse than that, 1 is the truth.",
            ),
            _table(
                "relations",
                "what the main object does with other bodies, read linearly",
                "AUROC",
                (_CONTACT, *RELATIONS),
                found,
                "Mean placement of a frame among those of the other answer; every clip counts "
                "alike. 0.5 is guessing, 1 is the truth. Contact is with another body that moves; "
                "its frames are placed among those of the same clip: when, not in what scene.",
            ),
        ),
        scenarios=hash_scenarios([*fitting, *testing], _NAMES),
        num_scenarios=len(testing),
        seed=settings.seed,
        facts={
            "clips_to_fit": len(fitting),
            "clips_to_test": len(testing),
            "size_px": subject.size_px,
            "features": int(encode(testing[0].frames[:2]).shape[1]),
        },
        notes=(
            "The chance row is the same reader, fitted to the subject's latents of other clips.",
            f"Coarse pixels are {_COARSE} x {_COARSE} means of colours and their change.",
        ),
    )


def coarse_pixels(frames: np.ndarray) -> Float[np.ndarray, "t f"]:
    """Colours averaged over 16 x 16 parts of the picture: the row to beat."""
    t, height, width, _ = frames.shape
    cut = frames[:, : height // _COARSE * _COARSE, : width // _COARSE * _COARSE]
    parts = cut.reshape(t, _COARSE, height // _COARSE, _COARSE, width // _COARSE, 3)
    return parts.mean(axis=(2, 4)).reshape(t, -1) / 255


def relations_of(clip: Clip) -> tuple[Float[np.ndarray, "t r"], Bool[np.ndarray, "t r"]]:
    """Whether each of `RELATIONS` holds (0 or 1) in each frame, and where that is clear.

    Unclear are frames in which one of the two cannot be seen, or the difference is less than a
    pixel or 5 cm.

    Raises:
        InputError: the clip has no scene, or that has no objects.
    """
    scene = clip.scene
    if scene is None:
        raise InputError("a probe needs clips with a scene; simulated clips have one")
    row = main_object(scene)
    holds = np.zeros((scene.num_frames, len(RELATIONS)))
    clear = np.zeros(holds.shape, dtype=bool)
    areas = np.where(scene.visible, scene.size_px.prod(axis=-1), 0.0).sum(axis=1)
    areas[row] = -1.0
    if scene.num_objects < 2 or areas.max() <= 0:
        return holds, clear
    other = int(areas.argmax())
    both = scene.visible[row] & scene.visible[other]
    gaps = [
        (scene.center_px[other, :, axis] - scene.center_px[row, :, axis]) / _MARGIN_PX
        for axis in (0, 1)
    ]
    nothing = np.full(scene.num_frames, np.nan)
    depth = scene.depth_m
    gaps.append(nothing if depth is None else (depth[other] - depth[row]) / _MARGIN_M)
    gap = np.stack(gaps, axis=1)
    clear = both[:, None] & np.isfinite(gap) & (np.abs(np.nan_to_num(gap)) >= 1)
    return np.where(clear, gap > 0, 0.0), clear


def _state(clip: Clip) -> tuple[Float[np.ndarray, "t k"], Bool[np.ndarray, "t k"]]:
    state, known = state_of(clip)
    holds, clear = relations_of(clip)
    return np.column_stack([state, holds]), np.column_stack([known, clear])


def _clips(settings: Settings, size_px: int) -> tuple[list[Clip], list[Clip]]:
    families = FIRST_FAMILIES
    counts = [settings.num_fit, settings.num_test]
    extra = settings.num_extra
    if settings.quick:
        families, counts, extra = ("drop", "collide", "roll", "disc_collision"), [12, 8], 4
    if min(counts) + extra < _LEAST_CLIPS or settings.num_workers < 1:
        raise InputError("probes need at least five clips in each set, and one worker")
    sets = []
    for index, count in enumerate(counts):
        clips: list[Clip] = []
        for part_index, (names, number) in enumerate(((families, count), (_EXTRA, extra))):
            clips += make_clips(
                names,
                num_clips=number,
                seed=4 * settings.seed + 2 * index + part_index,
                split=Split.HELD_OUT,
                size_px=size_px,
                num_workers=settings.num_workers,
                events=False,
            )
        # strengths are chosen on the last quarter, which should be like the rest
        order = np.random.default_rng((settings.seed, index)).permutation(len(clips))
        sets.append([clips[i] for i in order])
    return sets[0], sets[1]


def _features(clip: Clip, encode: Encode) -> Features:
    seen = encode(clip.frames)
    return pair_features(seen[:, None])


def _moved_on(looks: Sequence[Features]) -> list[Features]:
    """Each clip with the features of the next one, cut or held to its own length."""
    others = [*looks[1:], looks[0]]
    return [
        other[np.minimum(np.arange(len(look)), len(other) - 1)]
        for look, other in zip(looks, others, strict=True)
    ]


def _read(
    fitting: Sequence[Clip],
    seen: Sequence[Features],
    testing: Sequence[Clip],
    new: Sequence[Features],
) -> dict[str, Cell]:
    """A cell for every column."""
    looks = {id(clip): look for clip, look in zip(fitting, seen, strict=True)}
    probe = LinearProbe.fit(fitting, _lookup(looks), _state)
    answers = [probe.read(look) for look in new]
    truths = [_state(clip) for clip in testing]
    cells = {
        column: mean_cell(explained(answers, truths, [_NAMES.index(name) for name in names]))
        for column, names in STATES.items()
    }
    for column in RELATIONS:
        cells[column] = _placed(answers, truths, _NAMES.index(column))
    cells[_CONTACT] = mean_cell(
        [
            placements([answer], [truth], _NAMES.index(_CONTACT))[0]
            for answer, truth in zip(answers, truths, strict=True)
        ]
    )
    return cells


def _lookup(looks: dict[int, Features]) -> Callable[[Clip], Features]:
    return lambda clip: looks[id(clip)]


def explained(
    answers: Sequence[Float[np.ndarray, "_ k"]],
    truths: Sequence[tuple[Float[np.ndarray, "_ k"], Bool[np.ndarray, "_ k"]]],
    targets: Sequence[int],
) -> list[float]:
    """For each clip `1 - error / variance`, the mean of which is R2 with clips counted alike.

    The variance is about the mean over clips, so it is the same for all; NaN for clips in which
    nothing is known.
    """
    errors, squares = [], []
    known = [there[:, targets].all(axis=1) for _, there in truths]
    means = [
        y[rows][:, targets].mean(0)
        for (y, _), rows in zip(truths, known, strict=True)
        if rows.any()
    ]
    if not means:
        return [float("nan")] * len(truths)
    middle = np.mean(means, axis=0)
    for (y, _), answer, rows in zip(truths, answers, known, strict=True):
        if not rows.any():
            errors.append(np.nan)
            continue
        true, said = y[rows][:, targets], answer[rows][:, targets]
        errors.append(float(((said - true) ** 2).sum(1).mean()))
        squares.append(float(((true - middle) ** 2).sum(1).mean()))
    variance = float(np.mean(squares))
    if variance <= 0:
        return [float("nan")] * len(truths)
    return [1 - error / variance for error in errors]


def placements(
    answers: Sequence[Float[np.ndarray, "_ k"]],
    truths: Sequence[tuple[Float[np.ndarray, "_ k"], Bool[np.ndarray, "_ k"]]],
    target: int,
) -> list[float]:
    """For each clip the mean placement of its frames among the frames of the other answer.

    Placements are what AUROC is the mean of (DeLong, DeLong and Clarke-Pearson 1988): the share of
    frames where it does not hold that score lower than one where it does, and the other way round.
    """
    known = [there[:, target] for _, there in truths]
    owner = np.concatenate([np.full(rows.sum(), i) for i, rows in enumerate(known)])
    score = np.concatenate([a[rows, target] for a, rows in zip(answers, known, strict=True)])
    true = [y[rows, target] for (y, _), rows in zip(truths, known, strict=True)]
    holds = np.concatenate(true) > 0.5
    num_yes, num_no = int(holds.sum()), int((~holds).sum())
    if not num_yes or not num_no:
        return [float("nan")] * len(truths)
    rank = rankdata(score)
    place = np.zeros(len(score))
    place[holds] = (rank[holds] - rankdata(score[holds])) / num_no
    place[~holds] = 1 - (rank[~holds] - rankdata(score[~holds])) / num_yes
    return [
        float(place[owner == i].mean()) if (owner == i).any() else float("nan")
        for i in range(len(truths))
    ]


def _placed(
    answers: Sequence[Float[np.ndarray, "_ k"]],
    truths: Sequence[tuple[Float[np.ndarray, "_ k"], Bool[np.ndarray, "_ k"]]],
    target: int,
) -> Cell:
    """Placements over clips, with a bootstrap that draws anew whom they are placed among, too."""
    whole = mean_cell(placements(answers, truths, target))
    asked = [i for i, (_, there) in enumerate(truths) if there[:, target].any()]
    if whole.n < 2:
        return whole
    rng = np.random.default_rng(whole.n)
    drawn = []
    for rows in rng.choice(asked, size=(_NUM_RESAMPLES, len(asked))):
        found = placements([answers[i] for i in rows], [truths[i] for i in rows], target)
        drawn.append(np.mean(found) if np.isfinite(found).all() else np.nan)
    low, high = np.nanquantile(drawn, (0.025, 0.975))
    return replace(whole, low=float(low), high=float(high))


def _table(
    name: str,
    title: str,
    unit: str,
    columns: tuple[str, ...],
    found: Sequence[tuple[str, RowKind, dict[str, Cell]]],
    note: str,
) -> Table:
    return Table(
        name=name,
        title=title,
        report=Report.PHYSICAL,
        unit=unit,
        better=Better.HIGHER,
        columns=columns,
        rows=tuple(
            Row(row, kind, {column: cells[column] for column in columns})
            for row, kind, cells in found
        ),
        note=note,
    )
