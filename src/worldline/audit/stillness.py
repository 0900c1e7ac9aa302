"""Does anything change in a clip where its reference shows a body move?

A tracker of motion sees nothing in a blank or a standing video, and next to nothing in some lawful
ones, so that tracks alone cannot tell them apart. Pixels can: where a body goes two pixels and more
from three frames before a moment to three frames after, plain and alone (`agreement`), the picture
around its way changes. In a blank picture no body is at all, moving or not. For how long it ever
stays still or blank there in lawful films is measured with them (`audit.tolerances`); a clip that
does so for longer than all of them shows no such body.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
from jaxtyping import Float

from worldline.audit.agreement import PACE_FRAMES, clear_frames
from worldline.audit.alignment import longest_run, sample_both
from worldline.core.clip import Clip
from worldline.core.scene import Scene
from worldline.core.verdict import Outcome, Verdict
from worldline.core.wording import counted, write_number

__all__ = ["Stillness", "judge_stillness", "load_still_runs", "measure_stillness"]

LAW = "reference_permanence"

_LEVELS = 6
"""Of 255: codecs change pixels by so much where nothing moves."""

_LEAST_FRAMES = 4
"""A body that is to be seen moving in fewer frames is not asked about."""


@dataclass(frozen=True)
class Stillness:
    """The longest run of frames without any change where a body moves, or without any picture.

    Attributes:
        num_frames: how many; 0 where there is always some change.
        num_asked: frames in which that body moves, plain and alone, or is plain and nothing is
            shown.
        moment_s: when it begins.
        object_id: of the reference.
        is_blank: nothing is shown in that run.
    """

    num_frames: int
    num_asked: int
    moment_s: float
    object_id: int
    is_blank: bool = False


def measure_stillness(clip: Clip, reference: Scene) -> Stillness | None:
    """Look at the pixels around the bodies of a reference.

    Args:
        clip: under test, of the same shape of picture.
        reference: what truly happened, on the same clock.

    Returns:
        of the body for which it is longest; None where the reference shows none for four frames in
        a way that can be asked about.

    Raises:
        InputError: the two do not overlap in time, or their pictures have different shapes.
    """
    height, width = clip.frames.shape[1:3]
    nothing = Scene.empty(clip.time_s, width, height, clip.provenance)
    _, theirs, time_s, coarse_px = sample_both(nothing, reference)
    side_px = (reference.width_px, reference.height_px)
    clear, plain = clear_frames(theirs, side_px, coarse_px), theirs.plain(side_px, coarse_px)
    at = np.abs(clip.time_s[None] - time_s[:, None]).argmin(axis=1)
    scale = width / reference.width_px
    spans = [frame.max(axis=(0, 1)) - frame.min(axis=(0, 1)) for frame in clip.frames[at]]
    blank = np.array([bool(span.max() <= _LEVELS) for span in spans])
    found: list[Stillness] = []
    for row, object_id in enumerate(reference.ids.tolist()):
        asked = np.flatnonzero(clear[row] | (plain[row] & blank))
        if len(asked) < _LEAST_FRAMES:
            continue
        still = []
        for t in asked.tolist():
            ends = [max(t - PACE_FRAMES, 0), min(t + PACE_FRAMES, len(time_s) - 1)]
            center = theirs.center_px[row, [ends[0], t, ends[1]]]
            half = theirs.size_px[row, t] / 2
            box = _box(np.concatenate([center - half, center + half]) * scale, width, height)
            before, after = (clip.frames[at[k]][box].astype(np.int16) for k in ends)
            change = np.abs(after - before).max(initial=0)
            still.append(bool(blank[t] or change <= _LEVELS))
        length, start = longest_run(np.array(still))
        moment_s = float(time_s[asked[start]])
        nothing_shown = bool(length and blank[asked[start : start + length]].all())
        found.append(Stillness(length, len(asked), moment_s, object_id, nothing_shown))
    return max(found, key=lambda one: one.num_frames, default=None)


def judge_stillness(found: Stillness | None, runs: Sequence[int]) -> Verdict | None:
    """A failure of permanence where a clip stays still for longer than all lawful films.

    Args:
        found: of the clip.
        runs: `Stillness.num_frames` of lawful films.
    """
    if found is None or found.num_frames < max(_LEAST_FRAMES, 1 + max(runs, default=0)):
        return None
    p_value = 1 / (len(runs) + 1)
    what = "The picture is blank" if found.is_blank else "No pixel changes"
    how = "" if found.is_blank else " move, plain and alone,"
    return Verdict(
        LAW,
        Outcome.FAIL,
        p_value,
        found.moment_s,
        (found.object_id,),
        f"{what} where the reference shows object {found.object_id}{how} in "
        f"{counted(found.num_frames, 'frame')} in a row of {found.num_asked}, from "
        f"{found.moment_s:.2f} s (p = {write_number(p_value, 2)}; longer than in all "
        f"{counted(len(runs), 'lawful film')}).",
        {"num_still_frames": float(found.num_frames)},
    )


@cache
def load_still_runs() -> tuple[int, ...]:
    """Those of the lawful films that come with the package."""
    text = resources.files("worldline.audit").joinpath("tolerances.json").read_text()
    return tuple(json.loads(text).get("still", ()))


def _box(corners_px: Float[np.ndarray, "k 2"], width: int, height: int) -> tuple[slice, slice]:
    """Rows and columns around some places, a pixel more to each side."""
    low = np.nan_to_num(np.floor(np.nanmin(corners_px, axis=0) - 1)).astype(int).clip(0)
    high = np.nan_to_num(np.ceil(np.nanmax(corners_px, axis=0) + 1)).astype(int)
    high = high.clip(1, (width, height))
    return slice(int(low[1]), int(high[1])), slice(int(low[0]), int(high[0]))
