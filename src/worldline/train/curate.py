"""Curation: which clips are worth learning from, what was left out and why.

It stands in this room because it needs both the shot cuts that the readout finds and the clips that
`data` brings in, and rooms of one layer do not import each other; choosing what to learn from is
the first step of training anyway.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np

from worldline.core.clip import Clip
from worldline.core.errors import InputError
from worldline.core.wording import counted
from worldline.data.cache import hash_frames
from worldline.readout.cuts import CutDetector
from worldline.train.coverage import Coverage, CoverageTable, domain_of
from worldline.train.measure import ClipMeasure, distance_bits, measure

__all__ = ["CurationReport", "Curator", "Drop", "DroppedClip"]

BLACK_LIGHT = 0.08
"""A clip is black if no frame has 5 % of its pixels lighter than this (about 20 of 255): noise of a
covered lens is below it, night scenes with a lamp are above."""

STATIC_CHANGE = 0.001
"""A clip is static if never more than this share of its pixels changes: 4 of 64 x 64, less than a
ball of Pong, more than single pixels that flicker."""

DUPLICATE_BITS = 12
"""Of the 192 bits of the hash, so many may differ in a copy. Copies that were coded again, shrunk
to a third or stored as JPEG of quality 40 differed in 5 at most (12 filmed clips)."""

DUPLICATE_LEVELS = 20
"""No pixel of the thumbnails may differ by more than this (of 255) in a copy. Such copies differed
by 14 at most, two stretches of Pong, whose hashes are the same, by more in 4 pixels or more."""

MIN_FRAMES = 8
"""Shortest clip: the frames of context that the worlds here start from."""

NUM_EXAMPLES = 5
"""So many dropped clips are named for each reason."""


class Drop(StrEnum):
    """Why a clip was dropped."""

    TOO_SHORT = "too short"
    BLACK = "black"
    STATIC = "static"
    DUPLICATE = "exact duplicate"
    NEAR_DUPLICATE = "near duplicate"


@dataclass(frozen=True)
class DroppedClip:
    """An example of a dropped clip.

    Attributes:
        source: where it comes from.
        details: what else its provenance says, such as episode and start.
        why: the number that decided, or the clip that it repeats.
    """

    source: str
    details: dict[str, str]
    why: str


@dataclass(frozen=True)
class CurationReport:
    """What a curation did.

    Attributes:
        num_in: clips that came.
        num_cuts: shot cuts found in them; each makes two clips of one.
        num_kept: clips that went on.
        dropped: reason to number of clips.
        examples: reason to the first few of them.
        coverage: what was kept, by domain, with warnings where it is narrow.
    """

    num_in: int
    num_cuts: int
    num_kept: int
    dropped: dict[Drop, int]
    examples: dict[Drop, tuple[DroppedClip, ...]]
    coverage: CoverageTable

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary for JSON."""
        return {
            "num_in": self.num_in,
            "num_cuts": self.num_cuts,
            "num_kept": self.num_kept,
            "dropped": {str(reason): num for reason, num in self.dropped.items()},
            "examples": {
                str(reason): [vars(clip) for clip in clips]
                for reason, clips in self.examples.items()
            },
            "coverage": self.coverage.to_json(),
        }

    def __str__(self) -> str:
        lines = [f"{self.num_in} clips, {self.num_cuts} shot cuts, {self.num_kept} kept"]
        for reason, num in self.dropped.items():
            example = self.examples[reason][0]
            lines.append(f"dropped {num} as {reason}, such as {example.source} ({example.why})")
        return "\n".join([*lines, str(self.coverage)])


class Curator:
    """Lets through the clips that are worth learning from, and keeps count of the others.

    Clips are looked at one by one; of each that is kept, 4 kB stay in memory.
    """

    def __init__(self, *, min_frames: int = MIN_FRAMES) -> None:
        if min_frames < 2:
            raise InputError(f"min_frames is {min_frames}, expected 2 or more")
        self._min_frames = min_frames
        self._num_in = self._num_cuts = self._num_kept = 0
        self._dropped: Counter[Drop] = Counter()
        self._examples: dict[Drop, list[DroppedClip]] = {}
        self._coverage = Coverage()
        self._seen: dict[str, list[np.ndarray | None]] = {}
        self._kept: list[tuple[ClipMeasure, np.ndarray | None, str]] = []
        self._hashes = np.zeros((0, 3), np.uint64)

    def keep(self, clips: Iterable[Clip]) -> Iterator[Clip]:
        """Go through clips and yield those that are kept, cut where their shots change.

        Frames that come again count as a duplicate only where the actions are the same too.
        """
        for clip in clips:
            self._num_in += 1
            for shot in self._shots(clip):
                looked = measure(shot)
                fault = self._fault(shot, looked)
                if fault is not None:
                    self._drop(shot, *fault)
                    continue
                self._num_kept += 1
                self._coverage.add(shot, looked)
                yield shot

    @property
    def report(self) -> CurationReport:
        """What was done so far."""
        return CurationReport(
            num_in=self._num_in,
            num_cuts=self._num_cuts,
            num_kept=self._num_kept,
            dropped=dict(self._dropped),
            examples={reason: tuple(clips) for reason, clips in self._examples.items()},
            coverage=self._coverage.table,
        )

    def _shots(self, clip: Clip) -> Iterator[Clip]:
        detector = CutDetector()
        cuts = [i for i, frame in enumerate(clip.frames) if detector.update(frame)]
        if not cuts:
            yield clip
            return
        self._num_cuts += len(cuts)
        for number, (start, stop) in enumerate(
            zip([0, *cuts], [*cuts, clip.num_frames], strict=True)
        ):
            shot = clip.slice(start, stop)
            details = {**dict(clip.provenance.details), "shot": str(number)}
            provenance = replace(clip.provenance, details=tuple(sorted(details.items())))
            yield replace(shot, provenance=provenance)

    def _fault(self, clip: Clip, looked: ClipMeasure) -> tuple[Drop, str] | None:
        if clip.num_frames < self._min_frames:
            return Drop.TOO_SHORT, counted(clip.num_frames, "frame")
        if looked.light < BLACK_LIGHT:
            return Drop.BLACK, f"light {looked.light:.3f}"
        if looked.change <= STATIC_CHANGE:
            return Drop.STATIC, f"{looked.change:.2%} of the pixels change"
        content = hash_frames(clip.frames)
        if any(_same_actions(clip.actions, other) for other in self._seen.get(content, ())):
            return Drop.DUPLICATE, "the same frames have come before"
        twin = self._twin(clip, looked)
        if twin is not None:
            return Drop.NEAR_DUPLICATE, f"like {twin}"
        self._seen.setdefault(content, []).append(clip.actions)
        self._remember(clip, looked)
        return None

    def _twin(self, clip: Clip, looked: ClipMeasure) -> str | None:
        apart = distance_bits(self._hashes[: len(self._kept)], looked.hashes[None]).sum(axis=-1)
        for index in np.flatnonzero(apart <= DUPLICATE_BITS):
            other, actions, name = self._kept[index]
            levels = np.abs(other.thumbnails.astype(np.int16) - looked.thumbnails).max()
            if levels <= DUPLICATE_LEVELS and _same_actions(clip.actions, actions):
                return name
        return None

    def _remember(self, clip: Clip, looked: ClipMeasure) -> None:
        count = len(self._kept)
        if count == len(self._hashes):  # grows by doubling, so that adding stays cheap
            more = np.zeros((max(64, count), 3), np.uint64)
            self._hashes = np.concatenate([self._hashes, more])
        self._hashes[count] = looked.hashes
        self._kept.append((looked, clip.actions, _name(clip)))

    def _drop(self, clip: Clip, reason: Drop, why: str) -> None:
        self._dropped[reason] += 1
        examples = self._examples.setdefault(reason, [])
        if len(examples) < NUM_EXAMPLES:
            details = dict(clip.provenance.details)
            examples.append(DroppedClip(source=domain_of(clip), details=details, why=why))


def _same_actions(one: np.ndarray | None, other: np.ndarray | None) -> bool:
    if one is None or other is None:
        return one is other
    return one.shape == other.shape and bool(np.allclose(one, other, atol=1e-6))


def _name(clip: Clip) -> str:
    details = dict(clip.provenance.details)
    parts = [
        f"{name} {details[name]}" for name in ("episode", "start_s", "part") if name in details
    ]
    return " ".join([domain_of(clip), *parts])
