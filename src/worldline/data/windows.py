"""Episodes into windows: clips of equal length, size and frame rate, with their actions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
from jaxtyping import Float, Float32, Int

from worldline.core.camera import Camera
from worldline.core.clip import Clip
from worldline.core.errors import InputError
from worldline.core.rewards import Rewards
from worldline.core.scene import Scene
from worldline.data.episode import Episode, EpisodeError, OnReject, reject
from worldline.data.transform import center_square, nearest_frames

__all__ = ["MIN_CHANGE", "count_windows", "cut_windows", "mark_changes"]

MIN_CHANGE = 16
"""A pixel has changed if a colour did by more than this (of 255). Still pictures flicker by up to 3
when `write_video` has coded them, and so do the quiet parts of filmed scenes at 64 pixels."""

_EVEN = 0.99
"""A grid may be this much finer than the frames, for rounding; finer ones would repeat frames."""


def cut_windows(
    episodes: Iterable[Episode],
    *,
    num_frames: int,
    size_px: int,
    step_s: float | None = None,
    stride: int | None = None,
    leftover: str = "end",
    strict: bool = False,
    on_reject: OnReject | None = None,
) -> Iterator[Clip]:
    """Cut each episode into clips of `num_frames` frames.

    Frames are brought onto an even grid by taking the nearest one. An action of a window is the
    mean over all actions from its frame up to the next one of the window; for choices, which are
    one-hot vectors, that is the share of each; what they earned is added up. The view is the
    largest square in the middle. Camera poses and readings of the state are those of the frames
    taken.

    The provenance keeps, among its details: "source_fps" and "fps", "start_s" in the episode,
    "view_px" (x, y, w, h) in its frames, and what the columns of the actions mean.

    Args:
        episodes: taken one at a time.
        num_frames: T of each window, at least 2.
        size_px: side of the square frames.
        step_s: time from frame to frame; each episode's own if absent.
        stride: frames from the start of a window to that of the next; T if absent.
        leftover: what is dropped where windows do not fill an episode: its "end", its "start"
            (windows are counted from the end then), or "none", with one more window that ends
            with the episode.
        strict: raise at an episode that gives no window; else leave it out.
        on_reject: told of each episode that is left out; a warning if absent.

    Raises:
        InputError: an argument is out of range.
        EpisodeError: an episode is too short or too slow, and `strict`.
    """
    stride = num_frames if stride is None else stride
    for name, value, least in (("num_frames", num_frames, 2), ("stride", stride, 1)):
        if value < least:
            raise InputError(f"{name} is {value}, expected {least} or more")
    if size_px < 1:
        raise InputError(f"size_px is {size_px}, expected 1 or more")
    if leftover not in ("end", "start", "none"):
        raise InputError(f'leftover is {leftover!r}, expected "end", "start" or "none"')
    if step_s is not None and not step_s > 0:
        raise InputError(f"step_s is {step_s}, expected a positive number of seconds")
    for number, episode in enumerate(episodes):
        fault = _fault(episode.time_s, num_frames, step_s)
        if fault is not None:
            name = dict(episode.provenance.details).get("episode", str(number))
            told = EpisodeError(episode.provenance.source or "episodes", name, *fault)
            reject(told, strict=strict, on_reject=on_reject)
            continue
        step = step_s or 1.0 / episode.fps
        yield from _windows(episode, num_frames, size_px, step, stride, leftover)


def count_windows(
    time_s: Float[np.ndarray, " t"],
    *,
    num_frames: int,
    step_s: float | None = None,
    stride: int | None = None,
    leftover: str = "end",
) -> int:
    """How many clips `cut_windows` gives of an episode with these time stamps; 0 if it is left
    out."""
    if _fault(time_s, num_frames, step_s) is not None:
        return 0
    _, pick = nearest_frames(time_s, step_s or _period_s(time_s))
    return len(_starts(len(pick) - num_frames, stride or num_frames, leftover))


def mark_changes(clip: Clip, *, min_change: int = MIN_CHANGE) -> Clip:
    """The clip with the pixels that change in place of a simulator's object mask.

    Where no truth is known, what changes is the best guess at what matters. A pixel is marked as
    object 0 in a frame if it differs from the frame before (in the first one, from the next); the
    scene has no objects.
    """
    frames = clip.frames.astype(np.int16)
    apart = np.abs(np.diff(frames, axis=0)).max(axis=-1) > min_change
    changed = np.concatenate([apart[:1], apart]) if len(apart) else np.zeros(frames.shape[:3], bool)
    num, width, height = clip.num_frames, *clip.size_px
    pairs, none = np.zeros((0, num, 2)), np.zeros((0, num), bool)
    scene = Scene(
        time_s=clip.time_s,
        width_px=width,
        height_px=height,
        ids=np.zeros(0, np.int64),
        labels=(),
        present=none,
        visible=none,
        center_px=pairs,
        size_px=pairs,
        center_px_std=pairs,
        caption=clip.caption,
        provenance=clip.provenance,
    )
    return replace(clip, segmentation=np.where(changed, 0, -1), scene=scene)


def _fault(
    time_s: Float[np.ndarray, " t"], num_frames: int, step_s: float | None
) -> tuple[str, str] | None:
    if len(time_s) < 2:
        return "frames", "is a single one"
    period_s = _period_s(time_s)
    step_s = step_s or period_s
    if step_s < _EVEN * period_s:
        return "time_s", f"has {1 / period_s:.4g} frames/s, but {1 / step_s:.4g} are asked for"
    span_s = float(time_s[-1] - time_s[0])
    if span_s < (num_frames - 1) * step_s - 1e-6 * step_s:
        have = int(span_s / step_s + 1e-6) + 1
        return "frames", f"are {have} at {1 / step_s:.4g} frames/s, a window needs {num_frames}"
    return None


def _period_s(time_s: Float[np.ndarray, " t"]) -> float:
    """As `Episode.fps` has it."""
    return 1.0 / (1.0 / float(np.median(np.diff(time_s))))


def _windows(
    episode: Episode, num_frames: int, size_px: int, step_s: float, stride: int, leftover: str
) -> Iterator[Clip]:
    grid_s, pick = nearest_frames(episode.time_s, step_s)
    whole = episode.to_clip()
    actions = None if whole.actions is None else _mean_actions(whole.actions, pick)
    rewards = None if whole.rewards is None else _add_rewards(whole.rewards, pick)
    camera = None if whole.camera is None else _square(whole.camera, size_px)
    for start in _starts(len(pick) - num_frames, stride, leftover):
        part = slice(start, start + num_frames)
        frames, view_px = center_square(episode.frames[pick[part]], size_px)
        details = {
            **dict(whole.provenance.details),
            "source_fps": f"{episode.fps:.6g}",
            "fps": f"{1 / step_s:.6g}",
            "start_s": f"{grid_s[start]:.6g}",
            "view_px": ",".join(map(str, view_px)),
        }
        yield Clip(
            frames=frames,
            time_s=step_s * np.arange(num_frames),
            provenance=replace(whole.provenance, details=tuple(sorted(details.items()))),
            actions=None if actions is None else actions[part],
            rewards=None if rewards is None else rewards.at(part),
            camera=None if camera is None else camera.at(pick[part]),
            state=None if whole.state is None else whole.state.at(pick[part]),
            caption=whole.caption,
        )


def _starts(last: int, stride: int, leftover: str) -> list[int]:
    """Of the windows, none of which begins after `last`."""
    starts = list(range(0, last + 1, stride))
    gap = last - starts[-1]
    if leftover == "start":
        return [start + gap for start in starts]
    return [*starts, last] if leftover == "none" and gap else starts


def _square(camera: Camera, size_px: int) -> Camera:
    """The camera of `center_square`."""
    side = min(camera.width_px, camera.height_px)
    x, y = (camera.width_px - side) // 2, (camera.height_px - side) // 2
    return camera.cropped((x, y, side, side), size_px)


def _mean_actions(
    actions: Float32[np.ndarray, "t a"], pick: Int[np.ndarray, " n"]
) -> Float32[np.ndarray, "n a"]:
    """Mean over the rows from each picked one up to the next; the last goes to the end."""
    total = np.concatenate([np.zeros((1, actions.shape[1])), np.cumsum(actions, 0, np.float64)])
    stop = _stops(pick, len(actions))
    return ((total[stop] - total[pick]) / (stop - pick)[:, None]).astype(np.float32)


def _add_rewards(rewards: Rewards, pick: Int[np.ndarray, " n"]) -> Rewards:
    total = np.append(0.0, np.cumsum(rewards.earned, dtype=np.float64))
    ends = np.append(0, np.cumsum(rewards.ended))
    stop = _stops(pick, rewards.num_frames)
    return Rewards((total[stop] - total[pick]).astype(np.float32), ends[stop] > ends[pick])


def _stops(pick: Int[np.ndarray, " n"], num: int) -> Int[np.ndarray, " n"]:
    """The first row that no longer belongs to each picked one."""
    return np.maximum(np.append(pick[1:], num), pick + 1)
