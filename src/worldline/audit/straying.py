"""Does a session's trust tell when it has gone astray? Fitting it after training, and judging it.

What a picture must look like is learned from true frames alone (`worldline.world.familiarity`).
What distance from them means is learned from sessions: clips of held-out episodes are played
under their own actions, and pictures that are too far from the truth are wrong. As a program this
adds it to the calibration of a world that lacks it:

    python -m worldline.audit.straying WORLD --data FOLDER
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
import tyro
from jaxtyping import Bool, Float, UInt8

from worldline.audit.calibration import TrustCurve, auroc
from worldline.audit.control import play_clip
from worldline.audit.held_out import calibration_clips
from worldline.audit.monitoring import find_calibration, store_entries
from worldline.core.clip import Clip
from worldline.core.errors import InputError
from worldline.data.recorded import Recorded, Recording, open_recording
from worldline.world import World
from worldline.world.familiarity import Familiarity
from worldline.world.hindsight import Moment, judge_moments

__all__ = [
    "WRONG",
    "Told",
    "are_wrong",
    "area_at_once",
    "fit_familiarity",
    "long_clips",
    "unrelated_error",
]

WRONG = 0.25
"""From this share of the mean square difference of unrelated true frames on, a picture is wrong."""

_MOST_LEARNED = 160
"""Training clips that the data are known by, at most."""

_EVERY = 4
"""Frames of these that are used: one in so many; neighbours say the same."""

_LENGTHS = (96, 64, 24)
"""Frames ahead that a world is judged on: the most that there are clips enough of."""

_ENOUGH = 8

_HEEDED = 0.05
"""Share of true clips that are trusted so little by the evidence of their context that it counts
beside their looks."""


def fit_familiarity(
    world: World, learned: Iterable[Clip], clips: Sequence[Clip], *, seed: int
) -> Familiarity:
    """What a world's data look like, and how far from them its pictures are still right.

    Args:
        world: trained, as it will be played; what evidence of the context is heeded is found where
            it has been calibrated.
        learned: clips of training episodes.
        clips: of other episodes, with their actions; all that follows `world.context` is played.
        seed: of noise.

    Raises:
        InputError: there are no clips.
    """
    kept = [clip.frames[::_EVERY] for clip in islice(learned, _MOST_LEARNED)]
    if not kept or not clips:
        raise InputError("the data are known by clips of training episodes and of others")
    others = np.concatenate([clip.frames[::_EVERY] for clip in clips])
    known = Familiarity.fit(np.concatenate(kept), others)
    usual = unrelated_error(clips, seed)
    distances, wrong = [], []
    for i, clip in enumerate(clips):
        ahead = clip.num_frames - world.context
        film = play_clip(world, clip, seed + i, ahead)
        shown = known.distances(np.concatenate([clip.frames[: world.context], film]))
        distances.append(_running_mean(shown, world.context)[1:])
        wrong.append(are_wrong(film, clip.frames[world.context :], usual))
    far, bad = np.concatenate(distances), np.concatenate(wrong)
    if len(set(bad.tolist())) < 2:  # always right, or never: the distance says nothing
        return known
    curve = TrustCurve.fit(far[~bad], far[bad]).to_json()
    return replace(known, **curve, heeded=_heeded(world, clips, seed))


def _heeded(world: World, clips: Sequence[Clip], seed: int) -> float:
    """What few true clips are not trusted more than, by the evidence of their context; 1 in a world
    that has not been calibrated."""
    if "trust" not in world.calibration:
        return 1.0
    kept = {name: entry for name, entry in world.calibration.items() if name != "familiarity"}
    alone, told = world.finished(kept, ""), []
    for i, clip in enumerate(clips):
        actions = [None] * world.context
        if clip.actions is not None:
            actions = [None, *clip.actions[: world.context - 1]]
        pairs = zip(clip.frames[: world.context], actions, strict=True)
        told.append(judge_moments(alone, [Moment(*pair) for pair in pairs], seed + i)[0])
    return float(np.quantile(told, _HEEDED))


def unrelated_error(clips: Sequence[Clip], seed: int) -> float:
    """Mean square difference of two frames of different clips, in levels squared."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(512):
        a, b = rng.choice(len(clips), 2, replace=len(clips) < 2)
        pair = [clips[k].frames[int(rng.integers(clips[k].num_frames))] for k in (a, b)]
        found.append(np.square(pair[0].astype(np.float64) - pair[1]).mean())
    return max(float(np.mean(found)), 1e-6)  # clips may all show one still picture


def are_wrong(
    frames: UInt8[np.ndarray, "t h w 3"], truth: UInt8[np.ndarray, "t h w 3"], usual: float
) -> Bool[np.ndarray, " t"]:
    """Which pictures are farther from the truth than a share `WRONG` of what is usual for frames
    that have nothing to do with each other."""
    error = np.square(frames.astype(np.float64) - truth).mean(axis=(1, 2, 3))
    return error > WRONG * usual


@dataclass(frozen=True, eq=False)
class Told:
    """How well a number tells what is wrong.

    Attributes:
        area: under the ROC curve over all moments, C clips of M moments each.
        at_once: over pairs of moments that are as far from the beginning as each other, so that
            counting frames is worth one half.
    """

    area: float
    at_once: float


def area_at_once(doubt: Float[np.ndarray, "c m"], wrong: Bool[np.ndarray, "c m"]) -> Told:
    """Areas under ROC curves of a doubt that should be greater where it is wrong; NaN for those of
    moments that are all right, or all wrong."""
    area = float("nan")
    if wrong.any() and not wrong.all():
        area = auroc(doubt[~wrong], doubt[wrong])
    pairs = hits = 0.0
    for column, bad in zip(doubt.T, wrong.T, strict=True):
        num = int(bad.sum()) * int((~bad).sum())
        if num:
            hits += num * auroc(column[~bad], column[bad])
            pairs += num
    return Told(area, hits / pairs if pairs else float("nan"))


def long_clips(recording: Recording, world: World, *, seed: int) -> list[Clip]:
    """Clips of the held-out episodes to judge by, the longest that there are eight of.

    Raises:
        InputError: there are fewer than two.
    """
    clips: list[Clip] = []
    for ahead in _LENGTHS:
        length = world.context + ahead
        clips = list(recording.clips(world.size_px, held_out=True, num_frames=length))
        if len(clips) >= _ENOUGH:
            break
    if len(clips) < 2:
        raise InputError(
            f"{recording.config.folder}: {len(clips)} held-out clips of "
            f"{world.context + _LENGTHS[-1]} frames; 2 are needed"
        )
    order = np.random.default_rng(seed).permutation(len(clips))
    return [clips[k] for k in order]


def _running_mean(values: Float[np.ndarray, " n"], num: int) -> Float[np.ndarray, " k"]:
    """Of each `num` values in a row."""
    return np.convolve(values, np.full(num, 1 / num), mode="valid")


@dataclass(frozen=True)
class _Command:
    """Let the sessions of a world that learned from recorded episodes lose trust as they drift."""

    world: tyro.conf.Positional[str]
    """Name of a bundled world, or folder of a saved one."""
    data: Path
    """Episodes that it was trained on."""
    seed: int = 0
    """Of the training run, by which held-out clips are divided."""

    def run(self) -> None:
        file, world = find_calibration(self.world), World.from_pretrained(self.world)
        recording = open_recording(Recorded(folder=str(self.data)))
        clips = calibration_clips(world, recording, seed=self.seed)
        learned = recording.clips(world.size_px, held_out=False)
        known = fit_familiarity(world, learned, clips, seed=self.seed + 1)
        store_entries({"familiarity": known.to_json()}, file)
        print(f"usual {known.usual:.3g}, slope {known.slope:.3g}, middle {known.middle:.3g}")


if __name__ == "__main__":
    tyro.cli(_Command).run()
