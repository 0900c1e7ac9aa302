"""Generated video with a hallucination put in on purpose, to test whether a monitor sees it.

A video is generated as `worldline.dynamics.warp` does it: what moves is lifted off the last frame
of a context and carried over the background, frame by frame. Two generators are on offer: a world's
own forecast, and the simulator's true paths ("lawful": the same pictures without any fault of
motion). Then one body is drawn otherwise than its generator says, by the same means and nothing
else, so that a touched and an untouched video differ in the hallucination alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8
from scipy.ndimage import binary_dilation

from worldline.core.clip import Clip
from worldline.core.errors import InputError
from worldline.dynamics import TrajectoryWarp
from worldline.dynamics.lift import Lifted

__all__ = [
    "Generated",
    "Hallucination",
    "Target",
    "carry_forecast",
    "carry_lawfully",
    "find_target",
    "inject",
]

CONTEXT = 8
"""Frames that generators see."""
_REACH_PX = 1
_MIN_AREA_PX = 20
_MIN_MOVE_PX = 3.0
_MIN_SPEED_PX = 0.3
_MIN_PULL_PX = 0.1
_LEAST_SHOWN = 8
_LEAST_FLIGHT = 7
_AFTER_BOUNCE = 3
_ROOM_PX = 4.0
_GROWTH = 0.05
_LESS = 0.2
_BOUNCE = 1.2
_FLYING = ("drop", "throw", "bounce", "disc_parabola")
"""Families in which what touches nothing is in free flight."""


class Hallucination(StrEnum):
    """What is put in."""

    VANISH = "vanish"
    """The body is not drawn any more."""
    TELEPORT = "teleport"
    """It is drawn an eighth to a quarter of the picture away."""
    RECOLOUR = "recolour"
    """Its red, green and blue change places."""
    GROW = "grow 5%"
    """It is drawn 5 % larger in each direction."""
    LESS_GRAVITY = "g x 0.8"
    """In free flight its acceleration is a fifth less."""
    BOUNCE_MORE = "restitution 1.2"
    """It leaves the floor with 1.2 times the speed with which it came."""


@dataclass(frozen=True, eq=False)
class Generated:
    """A generated video that can still be drawn otherwise.

    Attributes:
        lifted: the last frame of the context in two layers.
        shift: `[T, P, 2]` displacement of each point of the front, in fine pixels.
        drawn: per frame, the numbers of the points that are drawn, in their order.
        body: `[P]` the points of the body that a hallucination may befall.
        repainted: from which frame on the points have other colours, and which; None for never.
    """

    lifted: Lifted
    shift: Float[np.ndarray, "t p 2"]
    drawn: tuple[np.ndarray, ...]
    body: Bool[np.ndarray, " p"]
    repainted: tuple[int, Float[np.ndarray, "p 3"]] | None = None

    @property
    def path_px(self) -> Float[np.ndarray, "t 2"]:
        """Displacement (x, y) of the body's middle, in pixels."""
        return self.shift[:, self.body].mean(axis=1) / self.lifted.upscale

    def draw(self, num_frames: int | None = None) -> UInt8[np.ndarray, "t h w 3"]:
        """The frames."""
        frames = []
        for t in range(len(self.shift) if num_frames is None else num_frames):
            lifted = self.lifted
            if self.repainted is not None and t >= self.repainted[0]:
                lifted = replace(lifted, colors=self.repainted[1])
            frames.append(lifted.lay_down(self.shift[t], self.drawn[t]))
        return np.stack(frames)


@dataclass(frozen=True)
class Target:
    """What a hallucination befalls, and when.

    Attributes:
        index: row of the body in the clip's scene.
        onset: first frame of the continuation that is false.
        num_frames: frames of the continuation to show.
        pull_px: acceleration in free flight, pixels per frame^2; None if none is needed.
    """

    index: int
    onset: int
    num_frames: int
    pull_px: tuple[float, float] | None = None


def points_of(clip: Clip, lifted: Lifted, frame: int, index: int) -> Bool[np.ndarray, " p"]:
    """Points of a lifted front that show a body of the clip's scene in that frame."""
    assert clip.segmentation is not None
    assert clip.scene is not None
    mask = clip.segmentation[frame] == clip.scene.ids[index]
    mask = binary_dilation(mask, iterations=_REACH_PX)
    fine = cv2.resize(
        mask.astype(np.uint8), lifted.front.shape[::-1], interpolation=cv2.INTER_NEAREST
    )
    return fine[lifted.y, lifted.x] > 0


def carry_lawfully(clip: Clip, lifted: Lifted, last: int, horizon: int, index: int) -> Generated:
    """Carry what was lifted off frame `last` along the simulator's paths.

    Bodies are shifted and change their size as the truth does; they do not turn. What belongs to no
    body (shadows) goes with the nearest one.
    """
    scene = clip.scene
    assert scene is not None
    place = np.stack([lifted.x, lifted.y], axis=-1) / lifted.upscale
    owners = [k for k in range(len(scene.ids)) if points_of(clip, lifted, last, k).any()]
    shift = np.zeros((horizon, len(place), 2))
    if owners:
        inside = np.stack([points_of(clip, lifted, last, k) for k in owners])
        far = np.stack([np.linalg.norm(place - scene.center_px[k, last], axis=1) for k in owners])
        owner = np.argmin(np.where(inside, far - 1e6, far), axis=0)
        for number, k in enumerate(owners):
            own = owner == number
            center = scene.center_px[k, last]
            for t in range(horizon):
                size = scene.size_px[k, last + 1 + t] / np.maximum(scene.size_px[k, last], 1e-6)
                ratio = float(np.sqrt(np.prod(np.clip(size, 0.5, 2.0))))
                moved = scene.center_px[k, last + 1 + t] - center
                shift[t, own] = moved + (ratio - 1) * (place[own] - center)
    everything = np.arange(len(place))
    return Generated(
        lifted,
        shift * lifted.upscale,
        (everything,) * horizon,
        points_of(clip, lifted, last, index),
    )


def carry_forecast(
    clip: Clip, warp: TrajectoryWarp, last: int, horizon: int, index: int, *, seed: int
) -> Generated:
    """Carry what moves in frame `last` as a world forecasts it, in one drawn future."""
    seen = clip.frames[max(last + 1 - CONTEXT, 0) : last + 1]
    lifted, moves = warp.draw_moves(seen, horizon, seed=seed)
    return Generated(
        lifted,
        np.stack([shift for shift, _ in moves]),
        tuple(drawn for _, drawn in moves),
        points_of(clip, lifted, last, index),
    )


def find_target(
    clip: Clip, kind: Hallucination, *, last: int, horizon: int, generator: np.random.Generator
) -> Target | None:
    """A body that the hallucination can befall after frame `last`, by the truth; None if none can.

    It has to be in sight all the while and to move already. For less gravity it has to be in free
    flight, and the video ends with the flight; for a bounce it has to hit the floor, and the video
    ends before it touches anything again.

    Raises:
        InputError: the clip has no truth, or ends too early.
    """
    if clip.scene is None or clip.segmentation is None:
        raise InputError("hallucinations are put into simulated clips, with scene and segmentation")
    if last < 2 or last + horizon >= clip.num_frames:
        raise InputError(f"frame {last} of {clip.num_frames} leaves no room for {horizon} frames")
    for index in generator.permutation(len(clip.scene.ids)).tolist():
        path = clip.scene.center_px[index, : last + horizon + 1]
        num = _num_shown(clip, index, last, horizon)
        if num < _LEAST_SHOWN or np.linalg.norm(path[last] - path[last - 1]) < _MIN_SPEED_PX:
            continue
        if kind in (Hallucination.LESS_GRAVITY, Hallucination.BOUNCE_MORE):
            found = _in_flight(clip, kind, index, last, num)
        else:
            far = np.linalg.norm(path[last : last + num + 1] - path[last], axis=1).max()
            onset = int(generator.integers(2, num - 3))
            found = Target(index, onset, num) if far >= _MIN_MOVE_PX else None
        if found is not None:
            return found
    return None


def _num_shown(clip: Clip, index: int, last: int, horizon: int) -> int:
    """Frames after `last` for which the body stays well in sight."""
    assert clip.scene is not None
    assert clip.segmentation is not None
    span = slice(last, last + horizon + 1)
    area = (clip.segmentation[span] == clip.scene.ids[index]).sum((1, 2))
    path = clip.scene.center_px[index, span]
    inside = ((path > 2) & (path < clip.frames.shape[1] - 2)).all(-1)
    good = inside & (area >= max(_MIN_AREA_PX, 0.6 * area[0]))
    return int(np.argmin(np.append(good, False))) - 1


def _in_flight(clip: Clip, kind: Hallucination, index: int, last: int, num: int) -> Target | None:
    """The part of a continuation that is free flight, or a bounce with flight around it."""
    scene = clip.scene
    assert scene is not None
    if clip.provenance.source not in _FLYING:
        return None
    starts = sorted(
        int(np.searchsorted(clip.time_s, contact.start_s))
        for contact in scene.contacts
        if int(scene.ids[index]) in (contact.a, contact.b)
    )
    ends = [
        int(np.searchsorted(clip.time_s, contact.end_s))
        for contact in scene.contacts
        if int(scene.ids[index]) in (contact.a, contact.b)
    ]
    path = scene.center_px[index]
    later = [t for t in starts if t > last] + [last + num + 1]
    if any(last - 2 <= t <= last for t in ends) or any(
        t < last < e for t, e in zip(starts, ends, strict=True)
    ):
        return None
    flight = later[0] - last - 1  # frames after `last` before the first touch
    pull = np.diff(path[last - 2 : max(later[0], last + 1)], n=2, axis=0).mean(0)
    if not np.isfinite(pull).all() or np.linalg.norm(pull) < _MIN_PULL_PX:
        return None
    if kind is Hallucination.LESS_GRAVITY:
        num = min(num, flight)
        return Target(index, 0, num, _pair(pull)) if num >= _LEAST_FLIGHT else None
    if len(later) < 2 or flight < 2:
        return None
    onset = later[0] - last  # row of the first frame at or after the touch
    end = min(num, later[1] - 1 - last)
    if end - onset < _AFTER_BOUNCE or path[later[0] + 1, 1] >= path[later[0], 1]:
        return None
    return Target(index, onset, end, _pair(pull))


def inject(
    video: Generated, kind: Hallucination, target: Target, generator: np.random.Generator
) -> Generated:
    """The same video with the hallucination."""
    lifted, body = video.lifted, video.body
    shift, drawn = video.shift.copy(), list(video.drawn)
    late = np.arange(target.onset, len(shift))
    path = video.path_px
    if kind is Hallucination.VANISH:
        for t in late:
            drawn[t] = drawn[t][~body[drawn[t]]]
    elif kind is Hallucination.TELEPORT:
        shift[np.ix_(late, body)] += _leap(video, target, generator) * lifted.upscale
    elif kind is Hallucination.RECOLOUR:
        colors = lifted.colors.copy()
        colors[body] = colors[body][:, [1, 2, 0]]
        return replace(video, repainted=(target.onset, colors))
    elif kind is Hallucination.GROW:
        place = np.stack([lifted.x, lifted.y], axis=-1)[body] + shift[:, body]
        middle = place.mean(axis=1, keepdims=True)
        shift[np.ix_(late, body)] += (_GROWTH * (place - middle))[late]
    else:
        assert target.pull_px is not None
        pull = np.array(target.pull_px)
        tau = np.arange(len(shift)) + 1.0
        if kind is Hallucination.LESS_GRAVITY:
            away = -_LESS * 0.5 * pull * (tau**2)[:, None]
        else:
            away = _bounce_more(path, target.onset, pull)
        shift[:, body] += away[:, None] * lifted.upscale
    return replace(video, shift=shift, drawn=tuple(drawn))


def _bounce_more(
    path: Float[np.ndarray, "t 2"], onset: int, pull: Float[np.ndarray, " 2"]
) -> Float[np.ndarray, "t 2"]:
    """What has to be added to a path so that it leaves the floor with 1.2 times its speed."""
    path = np.concatenate([np.zeros((1, 2)), path])  # row 0 is the last frame of the context
    before = path[onset - 1] - path[max(onset - 2, 0)] if onset > 1 else path[1] - path[0]
    v_in = before[1] + pull[1]  # vertical, image rows grow downward
    v_out = path[onset + 1, 1] - path[onset, 1]
    tau = np.maximum(np.arange(1, len(path)) - onset, 0.0)
    away = np.zeros((len(path) - 1, 2))
    away[:, 1] = tau * min(-_BOUNCE * v_in - v_out, 0.0)
    return away


def _leap(
    video: Generated, target: Target, generator: np.random.Generator
) -> Float[np.ndarray, " 2"]:
    """A jump that stays in the picture."""
    side = video.lifted.plate.shape[0]
    lifted = video.lifted
    place = np.stack([lifted.x, lifted.y], axis=-1)[video.body].mean(0) / lifted.upscale
    path = place + video.path_px[target.onset : target.num_frames]
    best, most = np.zeros(2), -np.inf
    for _ in range(16):
        angle = generator.uniform(0, 2 * np.pi)
        leap = generator.uniform(1 / 8, 1 / 4) * side * np.array([np.cos(angle), np.sin(angle)])
        room = float(np.minimum(path + leap, side - path - leap).min())
        if room >= _ROOM_PX:
            return leap
        if room > most:
            best, most = leap, room
    return best


def _pair(vector: Float[np.ndarray, " 2"]) -> tuple[float, float]:
    return float(vector[0]), float(vector[1])
