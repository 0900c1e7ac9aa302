"""Does a continued video keep its bodies? Count, place, size, colour and laws, frame by frame.

A body counts while the picture is explained by what it looked like before; what was hardly made out
cannot be missed. Each body is measured against its own unrest in the generated frames before, since
a disc on plain ground is told to a thousandth and a box on gravel to a tenth.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from worldline.audit.following import Course

__all__ = ["SIGNALS", "measure_continuity"]

SIGNALS = {
    "presence": "a body is no longer seen, or not in its colours",
    "look": "a body no longer looks as it did",
    "jump": "a body is not where its motion would bring it",
    "size": "a body changes its size at once",
    "stranger": "something is seen that no body accounts for",
    "flash": "the picture changes more at once than in the frames before",
    "fall": "a body in flight falls more slowly or faster than before",
    "bounce": "a body leaves a contact faster than it came",
}
"""What is measured, and in words what it means when it is large."""

_MADE_OUT = 0.5
_SURELY = 0.4
_CLEARLY = 0.2
_LEAST_MASS_PX = 3.0
_MASS_NOISE = 0.05
_LOOK_NOISE = 0.02
_FASTER = 1.25
_JUMP_NOISE_PX = 0.3
_SIZE_NOISE = 0.004
_FLASH_NOISE = 0.3
_FLIGHT_NOISE_PX = 0.02
_FLIGHT_MISFIT_PX = 0.15
_PULL_DOUBT = 0.12
_DEPTH_DOUBT = 0.25
_MIN_PULL_PX = 0.06
_MIN_FLIGHT = 5
_MIN_BOUNCE_PX = 0.6


def measure_continuity(course: Course) -> Float[np.ndarray, "t s"]:
    """The signals of `SIGNALS` in each frame of the continuation, larger for worse.

    Each depends on that frame and those before it alone; 0 where it says nothing. A change of size
    is told two frames late, when it is seen to stay.
    """
    num_frames = course.center_px.shape[1] - course.first
    scores = np.zeros((num_frames, len(SIGNALS)))
    for t in range(num_frames):
        at = course.first + t
        for n in range(len(course.radius_px)):
            size = _size(course, n, at - 2) if t >= 4 and _is_known(course, n, at - 2) else 0.0
            row = np.array([0, 0, 0, size, 0, 0, _fall(course, n, at), _bounce(course, n, at)])
            if t > 0 and _is_known(course, n, at):
                row[:3] = _presence(course, n, at), _look(course, n, at), _jump(course, n, at)
            scores[t] = np.maximum(scores[t], row)
        if t > 0:  # the first generated frame differs from a true one by its making
            most = course.change[max(at - 3, 0) : at].max()
            scores[t, 5] = max(course.change[at] - most, 0.0) / (_FLASH_NOISE + most)
        usual = course.strange_px[max(at - 6, 0) : at]
        scores[t, 4] = max(course.strange_px[at] - float(np.median(usual)), 0.0)
    return scores


def _is_known(course: Course, n: int, at: int) -> bool:
    """Whether the body was made out in the frames before, and would be in the picture still."""
    if course.misfit[n, max(at - 4, course.first - 2) : at].max() > _MADE_OUT:
        return False
    ahead = 2 * course.center_px[n, at - 1] - course.center_px[n, at - 2]
    room = np.minimum(ahead, course.side_px - ahead).min()
    return bool(room > 0.5 * course.radius_px[n] + 1)


def _unrest(values: Float[np.ndarray, " t"], course: Course, at: int) -> float:
    """Largest change from frame to frame, in the continuation or else just before it."""
    start = course.first - 1 if at - course.first >= 2 else max(at - 4, 0)
    return float(np.abs(np.diff(values[start:at])).max())


def _presence(course: Course, n: int, at: int) -> float:
    """Fall of the logarithm of the mass in its colours, over how that varied before."""
    mass = np.log(course.mass_px[n] + _LEAST_MASS_PX)
    lost = float(np.median(mass[at - 3 : at]) - mass[at])
    return max(lost, 0.0) / (_MASS_NOISE + _unrest(mass, course, at))


def _look(course: Course, n: int, at: int) -> float:
    """Rise of what the body as last seen does not explain, over what it did not before.

    A body that turns changes little by little.
    """
    misfit = course.misfit[n]
    rise = float(misfit[at] - misfit[at - 3 : at].max())
    before = float(misfit[min(course.first, at - 2) : at].max())
    return max(rise, 0.0) / (_LOOK_NOISE + before + _unrest(misfit, course, at))


def _jump(course: Course, n: int, at: int) -> float:
    """By how much its step is longer than any of its last ones, in pixels.

    Contacts turn a body round, but seldom speed it up; 0 where it is not surely the body.
    """
    if course.misfit[n, at] > _SURELY:
        return 0.0
    step = np.linalg.norm(np.diff(course.center_px[n, max(at - 5, 0) : at + 1], axis=0), axis=-1)
    return max(float(step[-1] - _FASTER * step[:-1].max()) - _JUMP_NOISE_PX, 0.0)


def _size(course: Course, n: int, at: int) -> float:
    """Step of the log size at a frame, over its steps before and in the two frames after."""
    if course.misfit[n, at : at + 3].max() > _SURELY:
        return 0.0
    steps = np.diff(course.size[n, course.first : at + 3])
    now = at - course.first - 1
    others = np.delete(steps, now)
    trend = float(np.median(others[max(now - 2, 0) : now + 2]))
    unrest = float(np.sqrt(np.square(others - trend).mean()))
    return abs(float(steps[now]) - trend) / (_SIZE_NOISE + unrest)


def _fall(course: Course, n: int, at: int) -> float:
    """Change of a flying body's acceleration since the context, over its doubt.

    One parabola whose second derivative changes when the continuation begins is fitted to the
    heights since the last contact in the context. It is fitted twice, as seen and drawn to one
    distance by the body's size (a pinhole camera turns a parabola in space into one over distance);
    the smaller change counts, and where the two part they are doubted.
    """
    first = course.first
    if at - first < _MIN_FLIGHT - 1 or course.misfit[n, first : at + 1].max() > _MADE_OUT:
        return 0.0
    path = course.center_px[n, : at + 1]
    for start in range(first - _MIN_FLIGHT + 1):
        seen = _parabola(path[start:first, 1])
        if np.sqrt(np.square(seen).mean()) <= _FLIGHT_MISFIT_PX:
            break
    else:
        return 0.0
    t = np.arange(start, at + 1) - (first - 1.0)
    basis = np.stack([np.ones_like(t), t, t**2 / 2, np.maximum(t, 0) ** 2 / 2], axis=1)
    error = float(np.sqrt(np.linalg.inv(basis.T @ basis)[3, 3]))
    middle = course.side_px / 2
    distance = np.exp(-course.size[n, start : at + 1])
    distance = distance - _parabola(distance)
    found = []
    for places in (path[start:], (path[start:] - middle) * distance[:, None] + middle):
        fit, *_ = np.linalg.lstsq(basis, places, rcond=None)
        off = np.square(places[:, 1] - basis @ fit[:, 1]).sum() / max(len(t) - 4, 1)
        if np.sqrt(off) > _FLIGHT_MISFIT_PX or fit[2, 1] < _MIN_PULL_PX:
            return 0.0
        if abs(fit[2, 0]) > 0.5 * fit[2, 1]:
            return 0.0
        noise = error * max(float(np.sqrt(off)), _FLIGHT_NOISE_PX)
        found.append((float(fit[3, 1]), np.hypot(noise, _PULL_DOUBT * fit[2, 1])))
    change, doubt = min(found, key=lambda pair: abs(pair[0]))
    apart = _DEPTH_DOUBT * abs(found[0][0] - found[1][0])
    return float(abs(change) / np.hypot(doubt, apart))


def _parabola(values: Float[np.ndarray, " t"]) -> Float[np.ndarray, " t"]:
    """What a parabola leaves of some values."""
    t = np.arange(len(values)) - (len(values) - 1) / 2
    basis = np.stack([np.ones_like(t), t, t**2], axis=1)
    return values - basis @ np.linalg.lstsq(basis, values, rcond=None)[0]


def _bounce(course: Course, n: int, at: int) -> float:
    """Speed after the last bounce over the speed before it; 0 where there was none.

    The touch lies between two frames, so that one step may be part fall and part rise: the faster
    of two steps counts on either side, as it was at the touch.
    """
    height = course.center_px[n, :, 1]
    step = np.diff(height)  # downward; the last one leads to frame `at`
    for up in range(at - 2, max(at - 5, course.first - 2, 2), -1):
        falls, rises = step[up - 2 : up], -step[up : up + 2]
        if falls[-1] <= 0 or falls.max() < _MIN_BOUNCE_PX or rises.min() < _MIN_BOUNCE_PX / 6:
            continue
        if rises.max() < _MIN_BOUNCE_PX / 3:
            continue
        sideways = np.diff(course.center_px[n, up - 2 : up + 3, 0], n=2)
        if course.misfit[n, up - 2 : up + 3].max() > _CLEARLY:
            return 0.0  # it may be another body now
        if np.abs(sideways).max() > 0.5 * falls.max():
            return 0.0
        past = height[max(up - 5, 0) : up]
        pull = max(float(np.median(np.diff(past, n=2))), 0.0) if len(past) > 2 else 0.0
        return float((rises.max() + pull) / (falls.max() + pull))
    return 0.0
