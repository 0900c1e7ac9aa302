"""Watch a video that anybody has generated: at which frame does it hallucinate, and how?

The signals of `worldline.audit.continuity`, each against its largest value in generated videos
without any hallucination put in: conformal p-values of the running maximum, combined by the least
of them times their number (Bonferroni), so that the risk of a false alarm anywhere in a video stays
below the level at which it is raised.

Beyond the largest value that is known p-values fall on as a power law fitted to the largest ones
(Hill 1975), so that what is far out can be ranked. Levels of 1 / (n + 1) and more do not feel it,
so that what is promised of alarms still holds for any distribution.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from worldline.audit.continuity import SIGNALS, measure_continuity
from worldline.audit.following import follow
from worldline.audit.injection import (
    CONTEXT,
    Generated,
    Hallucination,
    Target,
    carry_forecast,
    carry_lawfully,
    find_target,
    inject,
)
from worldline.core.clip import Clip
from worldline.core.errors import InputError
from worldline.core.monitor import Alarm
from worldline.dynamics import TrajectoryWarp
from worldline.dynamics.lift import Lifter

__all__ = ["Hallucination", "Pair", "VideoReport", "VideoWatch", "draw_pairs", "watch_video"]

HORIZON = 16
_STARTS = (7, 11, 15)
"""Last frames of the context that are tried, until something can be put in after one."""
_LEAST_POINTS = 160
_LEAST_TAIL = 5
"""Values from which the tail of a signal is judged, or a tenth if that is more."""


@dataclass(frozen=True, eq=False)
class VideoReport:
    """What speaks against each frame of a continuation.

    Attributes:
        signals: `[T]` each, by name.
        p_values: `[T]` each, by name: share of sound generated videos in which the signal is
            anywhere as large as it has been up to this frame.
        p_value: `[T]` of all signals together.
        alarms: signals with a p-value of at most 5 %, the first to speak first.
    """

    signals: Mapping[str, Float[np.ndarray, " t"]]
    p_values: Mapping[str, Float[np.ndarray, " t"]]
    p_value: Float[np.ndarray, " t"]
    alarms: tuple[Alarm, ...]


@dataclass(frozen=True, eq=False)
class VideoWatch:
    """Largest signals of sound generated videos.

    Attributes:
        largest: `[S, V]` of each signal in each video, in rising order.
    """

    largest: Float[np.ndarray, "s v"]

    @classmethod
    def fit(cls, signals: Sequence[Float[np.ndarray, "t s"]]) -> VideoWatch:
        """From the signals of sound videos. Raises `InputError` if there are fewer than two."""
        if len(signals) < 2:
            raise InputError("to watch videos at least two sound ones have to be known")
        return cls(np.sort(np.stack([rows.max(axis=0) for rows in signals]).T, axis=1))

    def p_values(self, signals: Float[np.ndarray, "t s"]) -> Float[np.ndarray, "t s"]:
        """Conformal p-values of the running maxima; 1 where a signal has said nothing yet."""
        most = np.maximum.accumulate(signals, axis=0)
        num = self.largest.shape[1]
        found = np.ones(most.shape)
        for s, known in enumerate(self.largest):
            above = num - np.searchsorted(known, most[:, s] * (1 - 1e-9), side="left")
            p_value = (1 + above) / (num + 1)
            if known[-1] > 0:
                beyond = np.maximum(most[:, s] / known[-1], 1.0)
                p_value = p_value * beyond ** (-1 / _tail(known))
            found[:, s] = np.where(most[:, s] > 0, p_value, 1.0)
        return found

    def report(self, signals: Float[np.ndarray, "t s"], level: float = 0.05) -> VideoReport:
        """What the signals of a video mean; alarms at `level`."""
        p_values = self.p_values(signals)
        alarms = []
        for (name, reason), column in zip(SIGNALS.items(), p_values.T, strict=True):
            late = np.flatnonzero(column <= level)
            if len(late):
                frame = int(late[0])
                alarms.append(Alarm(name, frame, float(frame), float(column.min()), reason))
        together = np.minimum(p_values.min(axis=1) * p_values.shape[1], 1.0)
        return VideoReport(
            dict(zip(SIGNALS, signals.T, strict=True)),
            dict(zip(SIGNALS, p_values.T, strict=True)),
            together,
            tuple(sorted(alarms, key=lambda alarm: (alarm.frame, alarm.p_value))),
        )

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary for JSON."""
        rows = [[float(f"{v:.5g}") for v in row] for row in self.largest]
        return {"signals": list(SIGNALS), "largest": rows}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> VideoWatch:
        """Inverse of `to_json`. Raises `InputError` for a record of other signals."""
        if tuple(record["signals"]) != tuple(SIGNALS):
            raise InputError("the watch over videos was calibrated for other signals")
        return cls(np.array(record["largest"], dtype=np.float64))


def _tail(known: Float[np.ndarray, " v"]) -> float:
    """Hill's estimate of how heavy the tail of some values in rising order is, at least .05."""
    top = known[known > 0][-max(_LEAST_TAIL, len(known) // 10) :]
    return max(float(np.log(top / top[0]).mean()), 0.05)


def watch_video(
    calibration: Mapping[str, Any],
    context: UInt8[np.ndarray, "k h w 3"],
    frames: UInt8[np.ndarray, "t h w 3"],
) -> VideoReport:
    """Score a continuation frame by frame, whoever made it.

    Args:
        calibration: of a world whose monitor was calibrated, for frames of its size.
        context: true frames, the camera standing still; eight are what was calibrated with.
        frames: what a model made of them.

    Raises:
        InputError: there is no such calibration, or the frames do not fit each other.
    """
    if "monitor_video" not in calibration:
        raise InputError(
            "the watch over videos has not been calibrated for this world; see "
            "python -m worldline.audit.monitoring"
        )
    known = VideoWatch.from_json(calibration["monitor_video"])
    return known.report(measure_continuity(follow(context, frames)))


@dataclass(frozen=True, eq=False)
class Pair:
    """A generated video, and the same with a hallucination.

    Attributes:
        clip: number of the clip that it began as.
        kind, target: of the hallucination.
        sound, false: signals `[T, S]` of the two.
        change: of the two, `[T]` each, the mean absolute change of pixels since the frame before.
    """

    clip: int
    kind: Hallucination
    target: Target
    sound: Float[np.ndarray, "t s"]
    false: Float[np.ndarray, "t s"]
    change: tuple[Float[np.ndarray, " t"], Float[np.ndarray, " t"]]


def draw_pairs(
    clip: Clip,
    number: int,
    *,
    seed: int,
    warp: TrajectoryWarp | None,
    sound_only: bool = False,
) -> Iterator[Pair]:
    """Every hallucination that can be put into what goes on from a clip.

    Args:
        clip: simulated, of at least 32 frames.
        number: of the clip.
        seed: of the choice of what is false, and of the forecast.
        warp: draws the forecast that is the sound video; None to carry along the true paths.
        sound_only: put nothing in; the two are the same then.
    """
    drawn: dict[tuple[int, int], Generated] = {}
    known: dict[tuple[int, int, int], tuple[np.ndarray, np.ndarray]] = {}
    for order, kind in enumerate(Hallucination):
        for last in _STARTS:
            rng = np.random.default_rng((seed, number, order, last))
            target = find_target(clip, kind, last=last, horizon=HORIZON, generator=rng)
            if target is None:
                continue
            key = (last, target.index)
            if key not in drawn:
                drawn[key] = _generate(clip, *key, seed=seed + number, warp=warp)
            sound = drawn[key]
            if sound.body.sum() < _LEAST_POINTS:
                continue
            seen = clip.frames[last + 1 - CONTEXT : last + 1]

            measure = partial(_measure, seen, target.num_frames)
            if (*key, target.num_frames) not in known:
                known[(*key, target.num_frames)] = measure(sound)
            plain = known[(*key, target.num_frames)]
            false = plain if sound_only else measure(inject(sound, kind, target, rng))
            yield Pair(number, kind, target, plain[0], false[0], (plain[1], false[1]))
            break


def _measure(
    seen: UInt8[np.ndarray, "k h w 3"], num_frames: int, video: Generated
) -> tuple[Float[np.ndarray, "t s"], Float[np.ndarray, " t"]]:
    """Signals, and mean absolute change since the frame before."""
    frames = video.draw(num_frames)
    step = np.diff(np.concatenate([seen[-1:], frames]).astype(np.float64), axis=0)
    signals = measure_continuity(follow(seen, frames, video.lifted))
    return signals, np.abs(step).mean((1, 2, 3))


def _generate(
    clip: Clip, last: int, index: int, *, seed: int, warp: TrajectoryWarp | None
) -> Generated:
    if warp is not None:
        return carry_forecast(clip, warp, last, HORIZON, index, seed=seed)
    lifted = Lifter().lift(clip.frames[last + 1 - CONTEXT : last + 1])
    return carry_lawfully(clip, lifted, last, HORIZON, index)
