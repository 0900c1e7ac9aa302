"""Does a continued video keep its bodies? Count, place, size, colour and laws, frame by frame."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from worldline.audit.following import Course

__all__ = ["SIGNALS", "measure_continuity"]

SIGNALS = {
    "presence": "a body is no longer seen, or not in its colours",
    "jump": "a body is not where its motion would bring it",
    "size": "a body changes its size at once",
    "stranger": "something is seen that no body accounts for",
    "flash": "the picture changes more at once than in the frames before",
    "float": "a body in flight falls more slowly than before",
    "plunge": "a body in flight falls faster than before",
    "bounce": "a body leaves a contact faster than it came",
}
"""What is measured, and in words what it means when it is large."""

_MADE_OUT = 0.35
_MISFIT_NOISE = 0.1
_SIZE_NOISE = 0.005
_FLIGHT_NOISE_PX = 0.03
_PULL_DOUBT = 0.05
_FLIGHT_MISFIT_PX = 0.35
_MIN_PULL_PX = 0.06
_MIN_BOUNCE_PX = 0.6


def measure_continuity(course: Course) -> Float[np.ndarray, "t s"]:
    """The signals of `SIGNALS` in each frame of the continuation, larger for worse.

    Each depends on that frame and those before it alone; 0 where it says nothing.
    """
    num_frames = course.center_px.shape[1] - course.first
    scores = np.zeros((num_frames, len(SIGNALS)))
    for t in range(num_frames):
        at = course.first + t
        for n in range(len(course.radius_px)):
            if not (_inside(course, n, at) and _alone(course, n, at)):
                continue
            if np.median(course.misfit[n, max(at - 4, 0) : at]) > _MADE_OUT:
                continue  # it was hardly made out before, so that nothing can be missed
            fall = _fall(course, n, at)
            row = (
                _presence(course, n, at),
                _jump(course, n, at),
                _size(course, n, at),
                0.0,
                0.0,
                fall,
                -fall,
                _bounce(course, n, at),
            )
            scores[t] = np.maximum(scores[t], row)
        usual = course.strange_px[max(at - 6, 0) : at]
        if t > 0:  # the first generated frame differs from a true one by its making
            scores[t, 4] = max(course.change[at] - course.change[max(at - 3, 0) : at].max(), 0.0)
        scores[t, 3] = max(course.strange_px[at] - float(np.median(usual)), 0.0)
    return scores


def _inside(course: Course, n: int, at: int) -> bool:
    """Whether the body was well inside the picture, and would be still."""
    ahead = 2 * course.center_px[n, at - 1] - course.center_px[n, at - 2]
    room = np.minimum(ahead, course.side_px - ahead).min()
    return bool(room > course.radius_px[n] + 1)


def _alone(course: Course, n: int, at: int) -> bool:
    """Whether no other body is so near that each would be taken for the other."""
    away = np.linalg.norm(course.center_px[:, at - 1] - course.center_px[n, at - 1], axis=-1)
    away[n] = np.inf
    return bool((away > 0.9 * (course.radius_px + course.radius_px[n])).all())


def _presence(course: Course, n: int, at: int) -> float:
    """Rise of the misfit since the last frame, in units of how it varied before.

    A body that turns changes little by little.
    """
    past = course.misfit[n, max(at - 5, 0) : at]
    usual = float(np.abs(np.diff(past)).max())
    return max(float(course.misfit[n, at] - past[-2:].max()), 0.0) / (_MISFIT_NOISE + usual)


def _jump(course: Course, n: int, at: int) -> float:
    if course.misfit[n, at - 2 : at + 1].max() > _MADE_OUT:
        return 0.0
    path = course.center_px[n]
    return float(np.hypot(*(path[at] - 2 * path[at - 1] + path[at - 2])))


def _size(course: Course, n: int, at: int) -> float:
    """Change of size since the last frame beyond its trend, in units of how it varied before.

    0 where the body is hardly made out.
    """
    if course.misfit[n, at - 1 : at + 1].max() > _MADE_OUT:
        return 0.0
    steps = np.diff(course.size[n, max(at - 6, 0) : at + 1])
    trend = float(np.median(steps[:-1]))
    usual = float(np.median(np.abs(steps[:-1] - trend)))
    return abs(float(steps[-1]) - trend) / (_SIZE_NOISE + 2 * usual)


def _fit(path: Float[np.ndarray, "t 2"]) -> tuple[Float[np.ndarray, " 2"], float]:
    """Acceleration in pixels per frame^2, and the root mean square misfit, of a parabola."""
    t = np.arange(len(path)) - (len(path) - 1) / 2
    basis = np.stack([np.ones_like(t), t, 0.5 * t**2], axis=1)
    found, *_ = np.linalg.lstsq(basis, path, rcond=None)
    misfit = float(np.sqrt(np.square(path - basis @ found).sum(1).mean()))
    return found[2], misfit


def _fall(course: Course, n: int, at: int) -> float:
    """How much more slowly a body in flight falls than in the context, in standard errors."""
    first = course.first
    if at - first < 4 or course.misfit[n, first : at + 1].max() > _MADE_OUT:
        return 0.0
    pull, misfit = _fit(course.center_px[n, :first])
    if misfit > _FLIGHT_MISFIT_PX or pull[1] < _MIN_PULL_PX or abs(pull[0]) > 0.5 * pull[1]:
        return 0.0
    now, off = _fit(course.center_px[n, first : at + 1])
    if off > _FLIGHT_MISFIT_PX:
        return 0.0
    noise = _std(first) * max(misfit, _FLIGHT_NOISE_PX)
    noise = np.hypot(noise, _std(at + 1 - first) * max(off, _FLIGHT_NOISE_PX))
    return float((pull[1] - now[1]) / np.hypot(noise, _PULL_DOUBT * pull[1]))


def _std(num: int) -> float:
    """Standard error of an acceleration from so many places with an error of one."""
    t = np.arange(num) - (num - 1) / 2
    basis = np.stack([np.ones_like(t), t, 0.5 * t**2], axis=1)
    return float(np.sqrt(np.linalg.inv(basis.T @ basis)[2, 2]))


def _bounce(course: Course, n: int, at: int) -> float:
    """Speed after the last bounce over the speed before it; 0 where there was none."""
    if course.misfit[n, max(at - 6, 0) : at + 1].max() > _MADE_OUT:
        return 0.0
    y = course.center_px[n, :, 1]
    low = None
    for k in range(max(at - 6, 2), at - 1):
        if k + 2 > at or k < course.first - 1:
            continue
        v_in, v_out = y[k] - y[k - 1], y[k + 2] - y[k + 1]
        if v_in > _MIN_BOUNCE_PX and v_out < -_MIN_BOUNCE_PX / 3:
            low = k if low is None or v_in > y[low] - y[low - 1] else low
    if low is None:
        return 0.0
    pull = max(float(np.median(np.diff(y[max(low - 5, 0) : low + 1], n=2))), 0.0)
    # Both speeds as they were at the moment of the touch, about halfway between the two frames.
    v_in = y[low] - y[low - 1] + pull
    v_out = -(y[low + 2] - y[low + 1]) + pull
    return float(max(v_out / v_in, 0.0))
