"""What the spotter has to answer: the events of the truth, laid on the tracks that were seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from worldline.core.scene import STATIC, Scene
from worldline.retrieval.benchmark.relevance import Happening
from worldline.retrieval.colors import COLORS, color_name
from worldline.retrieval.spotting.keep import STEP_S
from worldline.retrieval.spotting.learn import UNCLEAR, Lesson
from worldline.retrieval.spotting.tokens import Tokens

__all__ = ["lesson_of"]

_AROUND_S = 0.5 * STEP_S + 0.05
_NEAR_SIZES = 0.6
_ALIKE = ("collide", "contact", "near_miss", "cross")  # types whose roles are the same


def lesson_of(
    tokens: Tokens,
    seen: Scene,
    truth: Scene,
    happenings: Sequence[Happening],
    types: Sequence[str],
) -> Lesson:
    """A window of a scene that was seen, with the answers that its truth gives."""
    num = len(types)
    grid_s = tokens.grid_s
    owner = _owners(tokens, seen, truth)
    track = np.zeros((len(tokens.tracks), len(grid_s), 2 * num), np.int8)
    step = np.zeros((len(grid_s), num), np.int8)
    for happening in sorted(happenings, key=lambda h: h.is_plain):  # plain ones have the last word
        event = happening.event
        if event.type not in types:
            continue
        value = 1 if happening.is_plain else UNCLEAR
        column = types.index(event.type)
        during = (grid_s >= event.start_s - _AROUND_S) & (grid_s <= event.end_s + _AROUND_S)
        step[during, column] = value
        for number, object_id in enumerate(event.roles.values()):
            if object_id == STATIC:
                continue
            own = owner[:, truth.index(object_id)] & during
            columns = [column + (num if number else 0)]
            if event.type in _ALIKE:
                columns = [column, column + num]
            for k in columns:
                track[..., k][own] = value
    window = np.where((step == 1).any(axis=0), 1, np.where(step.any(axis=0), UNCLEAR, 0))
    return Lesson(
        tokens,
        track,
        step,
        window.astype(np.int8),
        _again(happenings, grid_s, types),
        _colors(owner, truth),
    )


def _again(happenings: Sequence[Happening], grid_s: np.ndarray, types: Sequence[str]) -> np.ndarray:
    """`[K]` whether an event of each type begins twice or more in a window."""
    plain, every = np.zeros(len(types), int), np.zeros(len(types), int)
    for happening in happenings:
        event = happening.event
        if event.type in types and event.start_s <= grid_s[-1] and event.end_s >= grid_s[0]:
            every[types.index(event.type)] += 1
            plain[types.index(event.type)] += happening.is_plain
    return np.where(plain >= 2, 1, np.where(every >= 2, UNCLEAR, 0)).astype(np.int8)


def _colors(owner: np.ndarray, truth: Scene) -> np.ndarray:
    """`[N]` number of each track's colour among `COLORS`; -1 where it follows several or none."""
    share = owner.mean(axis=2)
    found = np.full(len(owner), -1, np.int8)
    for n, row in enumerate(share.argmax(axis=1) if share.shape[1] else []):
        alone = share[n, row] > 0.6 * owner[n].any(axis=0).mean() > 0
        if alone and truth.color_rgb is not None:
            name = color_name(truth.color_rgb[row])
            found[n] = COLORS.index(name) if name else -1
    return found


def _owners(tokens: Tokens, seen: Scene, truth: Scene) -> np.ndarray:
    """`[N, M, S]` whether a true object is what a track follows in a step, or part of it."""
    index = np.abs(truth.time_s[:, None] - tokens.grid_s).argmin(axis=0)
    there = truth.visible[:, index]
    center, size = truth.center_px[:, index], truth.size_px[:, index]
    found = np.zeros((len(tokens.tracks), len(center), len(index)), bool)
    for n, track in enumerate(tokens.tracks):
        row = seen.index(int(track))
        own = np.flatnonzero(seen.visible[row])
        for s in np.flatnonzero(tokens.seen[n]):
            i = own[np.abs(seen.time_s[own] - tokens.grid_s[s]).argmin()]
            away = np.abs(center[:, s] - seen.center_px[row, i])
            side = np.sqrt(size[:, s].prod(axis=1))
            near = np.linalg.norm(away, axis=1) <= _NEAR_SIZES * side
            box = seen.size_px[row, i]
            inside = (away <= box / 2).all(axis=1) & (size[:, s] <= 1.3 * box).all(axis=1)
            found[n, :, s] = there[:, s] & (near | inside)
    return found
