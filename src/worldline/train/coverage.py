"""What a set of clips covers, by domain, and where it is narrow."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from worldline.core.clip import Clip
from worldline.core.errors import InputError
from worldline.data.actions import ACTION_DETAIL, ActionSpec
from worldline.train.measure import ClipMeasure, distance_bits

__all__ = ["Coverage", "CoverageTable", "Domain", "domain_of"]

MAX_SHARE = 0.8
"""More than this share of all seconds from one source: what a world learns is then that source, and
a random batch of 16 clips has but three others in it."""

MIN_SCENES = 5
"""With fewer different views a world can learn the pictures by heart instead of what moves."""

MIN_RATE_RATIO = 1.1
"""Frame rates that are all within a tenth of each other count as one, and with a single frame rate
a world cannot know how motion depends on the time between frames."""

MIN_ACTION_COVERAGE = 0.5
"""A planner asks for actions from all over their range; a world that has seen less than half of it
is guessing for most of them."""

ACTION_BINS = 20
"""Parts into which the range of a continuous action is divided to see which of them occur."""

MIN_ACTION_SHARE = 0.001
"""A choice, or a part of the range, counts as covered from this share of the frames on."""

SCENE_BITS = 12
"""Of the 64 bits of the first frame's hash, so many differ at least between two scenes: stretches
of one filmed place differed by 3 to 11 of them, other places by 23 or more."""

_MAX_SCENES = 64  # more are not told apart; the warning asks for a handful


def domain_of(clip: Clip) -> str:
    """Name of the domain that a clip belongs to: its source."""
    return clip.provenance.source or "unknown"


@dataclass(frozen=True)
class Domain:
    """One row of the table.

    Attributes:
        name: source or scene family.
        clips, frames, seconds: how much there is.
        sizes: "WIDTHxHEIGHT" of the frames.
        fps: frame rates, rounded to tenths.
        motion: mean share of pixels that change from frame to frame.
        brightness: mean in [0, 1].
        scenes: different first views; 64 means 64 or more.
        action_coverage: share of the choices, or of the range of continuous actions averaged over
            columns, that occurs; None where there are no actions or no limits are known.
        idle_actions: columns of continuous actions that never change.
    """

    name: str
    clips: int
    frames: int
    seconds: float
    sizes: tuple[str, ...]
    fps: tuple[float, ...]
    motion: float
    brightness: float
    scenes: int
    action_coverage: float | None
    idle_actions: tuple[str, ...] = ()


@dataclass(frozen=True)
class CoverageTable:
    """All domains, the largest first."""

    domains: tuple[Domain, ...]

    @property
    def seconds(self) -> float:
        """In all."""
        return sum(domain.seconds for domain in self.domains)

    @property
    def warnings(self) -> tuple[str, ...]:
        """One sentence for each way in which the set is narrow."""
        found = []
        total = self.seconds
        for domain in self.domains:
            if total > 0 and domain.seconds > MAX_SHARE * total:
                found.append(
                    f"{domain.name} is {domain.seconds / total:.0%} of all seconds "
                    f"(more than {MAX_SHARE:.0%}): add other sources"
                )
            if domain.scenes < MIN_SCENES:
                found.append(
                    f"{domain.name} has {domain.scenes} different scenes "
                    f"(fewer than {MIN_SCENES}): vary the view or the place"
                )
            coverage = domain.action_coverage
            if coverage is not None and coverage < MIN_ACTION_COVERAGE:
                found.append(
                    f"{domain.name} covers {coverage:.0%} of its range of actions "
                    f"(less than {MIN_ACTION_COVERAGE:.0%}): act more widely"
                )
            if domain.idle_actions:
                names = ", ".join(domain.idle_actions)
                found.append(f"{domain.name} never changes {names}: its effect cannot be learned")
        rates = [rate for domain in self.domains for rate in domain.fps]
        if rates and max(rates) < MIN_RATE_RATIO * min(rates):
            found.append(f"all clips have {min(rates):g} frames/s: add another frame rate")
        return tuple(found)

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary for JSON."""
        return {
            "domains": [asdict(domain) for domain in self.domains],
            "warnings": list(self.warnings),
        }

    def __str__(self) -> str:
        rows = [
            ("domain", "clips", "seconds", "size", "fps", "motion", "light", "scenes", "actions")
        ]
        for domain in self.domains:
            coverage = domain.action_coverage
            rows.append(
                (
                    domain.name,
                    str(domain.clips),
                    f"{domain.seconds:.1f}",
                    " ".join(domain.sizes),
                    " ".join(f"{rate:g}" for rate in domain.fps),
                    f"{domain.motion:.2%}",
                    f"{domain.brightness:.2f}",
                    str(domain.scenes),
                    "-" if coverage is None else f"{coverage:.0%}",
                )
            )
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
        return "\n".join([*lines, *(f"warning: {sentence}" for sentence in self.warnings)])


@dataclass
class _Tally:
    """Running totals of a domain."""

    clips: int = 0
    frames: int = 0
    seconds: float = 0.0
    motion: float = 0.0
    brightness: float = 0.0
    sizes: Counter[str] = field(default_factory=Counter)
    fps: Counter[float] = field(default_factory=Counter)
    scenes: np.ndarray = field(default_factory=lambda: np.zeros(0, np.uint64))
    spec: ActionSpec | None = None
    actions: int = 0
    bins: np.ndarray | None = None
    least: np.ndarray | None = None
    most: np.ndarray | None = None


class Coverage:
    """Adds clips up to a `CoverageTable`; memory does not grow with their number."""

    def __init__(self) -> None:
        self._tallies: dict[str, _Tally] = {}

    def add(self, clip: Clip, looked: ClipMeasure) -> None:
        """Count one clip."""
        tally = self._tallies.setdefault(domain_of(clip), _Tally())
        tally.clips += 1
        tally.frames += clip.num_frames
        tally.seconds += clip.num_frames / clip.fps if clip.fps > 0 else 0.0
        tally.motion += looked.motion * clip.num_frames
        tally.brightness += looked.brightness * clip.num_frames
        tally.sizes["{}x{}".format(*clip.size_px)] += 1
        tally.fps[round(clip.fps, 1)] += 1
        first = looked.hashes[:1]
        if len(tally.scenes) < _MAX_SCENES:
            apart = distance_bits(tally.scenes, first)
            if (apart >= SCENE_BITS).all():
                tally.scenes = np.concatenate([tally.scenes, first])
        if clip.actions is not None:
            _add_actions(tally, clip)

    @property
    def table(self) -> CoverageTable:
        """What was counted so far."""
        rows = [_row(name, tally) for name, tally in self._tallies.items()]
        return CoverageTable(tuple(sorted(rows, key=lambda row: -row.seconds)))


def _add_actions(tally: _Tally, clip: Clip) -> None:
    actions = clip.actions
    assert actions is not None
    text = dict(clip.provenance.details).get(ACTION_DETAIL)
    width = actions.shape[1]
    spec = ActionSpec(tuple(f"action_{i}" for i in range(width)))
    if text is not None:
        spec = ActionSpec.from_text(text)
    if tally.spec is None:
        tally.spec = spec
    if spec != tally.spec or width != spec.width:
        raise InputError(f"{domain_of(clip)}: its clips have actions of different meanings")
    tally.actions += len(actions)
    least, most = actions.min(axis=0), actions.max(axis=0)
    tally.least = least if tally.least is None else np.minimum(tally.least, least)
    tally.most = most if tally.most is None else np.maximum(tally.most, most)
    if spec.is_discrete:
        found = actions.sum(axis=0)
    elif spec.low:
        low, high = np.asarray(spec.low), np.asarray(spec.high)
        place = (actions - low) / np.where(high > low, high - low, 1.0)
        index = np.clip((place * ACTION_BINS).astype(int), 0, ACTION_BINS - 1)
        found = (index[:, :, None] == np.arange(ACTION_BINS)).sum(axis=0).astype(np.float64)
    else:
        return
    tally.bins = found if tally.bins is None else tally.bins + found


def _row(name: str, tally: _Tally) -> Domain:
    covered = idle = None
    if tally.bins is not None:
        covered = float((tally.bins >= MIN_ACTION_SHARE * tally.actions).mean())
    if tally.spec is not None and not tally.spec.is_discrete:
        still = np.asarray(tally.most) - np.asarray(tally.least) == 0
        idle = tuple(
            label for label, is_still in zip(tally.spec.names, still, strict=True) if is_still
        )
    return Domain(
        name=name,
        clips=tally.clips,
        frames=tally.frames,
        seconds=tally.seconds,
        sizes=tuple(sorted(tally.sizes)),
        fps=tuple(sorted(tally.fps)),
        motion=tally.motion / tally.frames,
        brightness=tally.brightness / tally.frames,
        scenes=len(tally.scenes),
        action_coverage=covered,
        idle_actions=idle or (),
    )
