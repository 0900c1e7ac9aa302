"""`spot`: what the bundled spotter thinks of a video, and the guesses at events that follow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Float, Int

from worldline.core.config import Config
from worldline.core.scene import STATIC, Event, Scene
from worldline.physics import ONTOLOGY
from worldline.retrieval.bundled import name_of_weights, open_network
from worldline.retrieval.spotting.course import Course

if TYPE_CHECKING:
    from worldline.retrieval.spotting.keep import Kept
    from worldline.retrieval.spotting.tokens import Tokens

__all__ = [
    "AGAIN",
    "BUNDLED",
    "MOST_STRANGE",
    "Spot",
    "Spots",
    "course_vector",
    "load_spotter",
    "spot",
    "spotter_name",
]

BUNDLED = Path(__file__).parent / "pretrained"

_BATCH = 8
LEAST = -3.2
"""Log odds of a step, below which nothing is proposed (4 %)."""

AGAIN = "again"
"""Quantity of a guess that one more event of a type happens somewhere, where only one is told."""

MOST_STRANGE = 1.0
"""Of windows stranger than this the spotter knows nothing."""

_DROP = 1.5
"""An event goes on while the log odds are within so much of its best step, or even."""

_SURE = 0.5
"""Probability of a colour that is told."""

_ALIKE = frozenset({"collide", "contact", "near_miss", "cross"})


@dataclass(frozen=True, eq=False)
class Spots:
    """Log odds by the spotter, window by window, see `Odds`.

    Attributes:
        types: event types, in the order of the columns.
        windows: of the video.
    """

    types: tuple[str, ...]
    windows: tuple[Spot, ...]

    def events(self) -> Iterator[Event]:
        """Guesses, with confidence 0: each time that a track seems to take part in an event, and,
        where no track is likely to but the picture tells of one, an event of nobody."""
        for window in self.windows:
            for column, name in enumerate(self.types):
                yield from window.events(name, column, len(self.types))

    def course(self) -> Course:
        """How likely each type goes on, over the whole video, in strange windows too: here odds are
        compared with those of other videos, and not believed."""
        time_s = np.unique(np.concatenate([w.grid_s for w in self.windows] or [np.zeros(0)]))
        chance = np.zeros((len(time_s), len(self.types)))
        for window in self.windows:
            at = np.searchsorted(time_s, window.grid_s)
            chance[at] = np.maximum(chance[at], 1 / (1 + np.exp(-window.step)))
        return Course(time_s, chance)

    def color_of(self, track: int) -> str:
        """A track's colour, where a window that is not strange tells it; else ""."""
        for window in self.windows:
            if window.strangeness <= MOST_STRANGE and track in window.tracks:
                name = window.color[int(np.flatnonzero(window.tracks == track)[0])]
                if name:
                    return name
        return ""

    def strangeness(self, event: Event) -> float:
        """That of the least strange window which an event begins in; 0 without any."""
        inside = [w for w in self.windows if w.grid_s[0] <= event.start_s <= w.grid_s[-1]]
        return min((w.strangeness for w in inside), default=0.0)

    def about(self, event: Event) -> tuple[float, float, float]:
        """Log odds that bear on an event, greatest over its time: of its tracks, of the picture,
        and of the whole window; NaN where nothing is known."""
        if event.type not in self.types:
            return np.nan, np.nan, np.nan
        column = self.types.index(event.type)
        if AGAIN in event.quantities:
            inside = [w for w in self.windows if w.grid_s[0] <= event.start_s <= w.grid_s[-1]]
            again = max((float(w.again[column]) for w in inside), default=np.nan)
            return again, again, again
        found = [w.about(event, column, len(self.types)) for w in self.windows]
        table = [row for row in found if row is not None] or [(np.nan,) * 3]
        track, step, window = np.fmax.reduce(np.array(table), axis=0).tolist()
        return track, step, window


@dataclass(frozen=True, eq=False)
class Spot:
    """Log odds of one window.

    Attributes:
        grid_s: `[S]` times of the steps.
        tracks: `[N]` object ids.
        seen: `[N, S]`.
        track: `[N, S, 2K]` that a track takes part in its first role, or in another.
        step: `[S, K]` that an event goes on.
        window: `[K]` that there is one.
        again: `[K]` that there are two or more.
        color: `[N]` colour of each track; "" where it is not told.
        strangeness: how far the window is from all that the spotter learned from; see `Odds`.
    """

    grid_s: Float[np.ndarray, " s"]
    tracks: Int[np.ndarray, " n"]
    seen: Bool[np.ndarray, "n s"]
    track: Float[np.ndarray, "n s k2"]
    step: Float[np.ndarray, "s k"]
    window: Float[np.ndarray, " k"]
    again: Float[np.ndarray, " k"]
    color: tuple[str, ...]
    strangeness: float = 0.0

    def events(self, name: str, column: int, num_types: int) -> Iterator[Event]:
        """Guesses of one type."""
        first, other = self._odds(column), self._odds(num_types + column)
        roles = list(ONTOLOGY[name].roles)
        if name in _ALIKE:
            first = other = np.fmax(first, other)
        num_likely = 0
        for n in range(len(self.tracks)):
            for start, end in _runs(first[n]):
                who: dict[str, int] = {roles[0]: int(self.tracks[n])}
                if len(roles) > 1 and (partner := self._partner(other, n, start, end)) is not None:
                    who[roles[1]] = partner
                    if name in _ALIKE and self._has_told(first, n, partner, start, end):
                        continue
                num_likely += bool(first[n, start : end + 1].max() > 0)
                yield self._event(name, start, end, who)
        times = _runs(self.step[:, column]) or _runs(self.step[:, column], low=-np.inf)
        if not num_likely and self.window[column] > LEAST:
            for start, end in times:
                yield self._event(name, start, end, {})
        if num_likely < 2 and self.again[column] > LEAST and times:
            more = self._event(name, times[0][0], times[-1][1], {})
            yield replace(more, quantities={AGAIN: 1.0})

    def _odds(self, column: int) -> np.ndarray:
        return np.where(self.seen, self.track[..., column], -np.inf)

    def _partner(self, odds: np.ndarray, n: int, start: int, end: int) -> int | None:
        best = odds[:, start : end + 1].max(axis=1, initial=-np.inf)
        best[n] = -np.inf
        return int(self.tracks[best.argmax()]) if best.max(initial=-np.inf) > LEAST / 2 else None

    def _has_told(self, odds: np.ndarray, n: int, partner: int, start: int, end: int) -> bool:
        """Whether the partner's own guess at the same time has come already."""
        other = int(np.flatnonzero(self.tracks == partner)[0])
        near = [run for run in _runs(odds[other]) if run[0] <= end and run[1] >= start]
        return other < n and any(self._partner(odds, other, *run) == self.tracks[n] for run in near)

    def _event(self, name: str, start: int, end: int, roles: dict[str, int]) -> Event:
        times = float(self.grid_s[start]), float(self.grid_s[end])
        return Event(name, *times, roles, confidence=0.0)

    def about(self, event: Event, column: int, num_types: int) -> tuple[float, float, float] | None:
        """See `Spots.about`; None where the event is not in the window."""
        during = (self.grid_s >= event.start_s - 0.13) & (self.grid_s <= event.end_s + 0.13)
        if not during.any():
            return None
        tracks = [t for t in event.roles.values() if t != STATIC]
        both = np.fmax(self._odds(column), self._odds(num_types + column))
        rows = [n for n, track in enumerate(self.tracks) if int(track) in tracks]
        own = both[rows][:, during]
        best = float(own.max(axis=1).max()) if own.size else np.nan
        best = best if np.isfinite(best) else np.nan
        return best, float(self.step[during, column].max()), float(self.window[column])


def _runs(odds: np.ndarray, low: float = LEAST) -> list[tuple[int, int]]:
    """First and last steps of stretches round each summit, from likely to less likely."""
    left = np.where(np.isfinite(odds), odds, -np.inf)
    runs = []
    while len(left) and len(runs) < 6:
        top = int(left.argmax())
        if not left[top] > low:
            break
        bound = min(left[top] - _DROP, 0.0)
        first = last = top
        while first > 0 and left[first - 1] > bound:
            first -= 1
        while last < len(left) - 1 and left[last + 1] > bound:
            last += 1
        runs.append((first, last))
        left[max(first - 1, 0) : last + 2] = -np.inf
    return sorted(runs)


def spot(scene: Scene, kept: Kept, *, network: Any = None) -> Spots:
    """Look at a video again, track by track.

    Args:
        scene: in pixels, with the events that definitions found.
        kept: small frames of the video.
        network: a `SpotterNetwork`; the bundled one by default.
    """
    import torch

    from worldline.retrieval.spotting.batching import collate
    from worldline.retrieval.spotting.tokens import look_again

    network = load_spotter() if network is None else network
    colors = network.config.colors
    windows: list[Spot] = []
    pending: list[Tokens] = []

    def ask() -> None:
        with torch.inference_mode():
            odds = network(collate(pending))
        for row, tokens in enumerate(pending):
            n, s = tokens.seen.shape
            windows.append(
                Spot(
                    tokens.grid_s,
                    tokens.tracks,
                    tokens.seen,
                    odds.track[row, :n, :s].double().numpy(),
                    odds.step[row, :s].double().numpy(),
                    odds.window[row].double().numpy(),
                    odds.again[row].double().numpy(),
                    _names(odds.color[row, :n].softmax(dim=-1).double().numpy(), colors),
                    float(odds.strangeness[row]),
                )
            )
        pending.clear()

    for tokens in look_again(scene, kept, network.config.types):
        pending.append(tokens)
        if len(pending) == _BATCH:
            ask()
    if pending:
        ask()
    return Spots(network.config.types, tuple(windows))


def _names(chance: np.ndarray, colors: Sequence[str]) -> tuple[str, ...]:
    return tuple(colors[k] if row[k] > _SURE else "" for row in chance for k in [int(row.argmax())])


def course_vector(course: Course, start_s: float) -> Float[np.ndarray, " f"] | None:
    """Unit vector of what happens from a moment on, along the bundled spotter's principal axes of
    courses; None where there is nothing to tell."""
    if not len(course.time_s):
        return None
    spotter = load_spotter()
    given = course.from_moment(start_s) - spotter.course_mean.double().numpy()
    vector = spotter.course_axes.double().numpy() @ given
    length = float(np.linalg.norm(vector))
    return vector / length if length > 1e-6 else None


@cache
def spotter_name(folder: Path = BUNDLED) -> str:
    """Version of the spotter: other weights, other name.

    Raises:
        ArtifactError: there are no weights.
    """
    return name_of_weights("spotting", folder)


@cache
def load_spotter(folder: Path = BUNDLED) -> Any:
    """The trained `SpotterNetwork`.

    Raises:
        ArtifactError: it is missing, damaged, or knows an event that the ontology does not.
    """
    from worldline.retrieval.spotting.network import SpotterNetworkConfig

    def fits(config: Config) -> bool:
        return isinstance(config, SpotterNetworkConfig) and set(config.types) <= set(ONTOLOGY)

    return open_network(folder, fits, "a spotter of the events that this version knows")
