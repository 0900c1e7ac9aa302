"""Presentation times that always increase, whatever a container's time stamps are like."""

from __future__ import annotations

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

__all__ = ["FrameClock", "container_s", "nominal_fps"]

_DEFAULT_FPS = 25.0
_MAX_FPS = 1000.0  # some containers state their tick rate instead
_JUMP_S = 1.0  # a step back by more is a new epoch (joined recordings), by less is disorder


def nominal_fps(stream: VideoStream) -> float:
    """Mean frame rate by the container; 25 where it says nothing sensible."""
    for rate in (stream.average_rate, stream.guessed_rate, stream.base_rate):
        if rate and 0 < rate <= _MAX_FPS:
            return float(rate)
    return _DEFAULT_FPS


def container_s(container: InputContainer) -> float:
    """Length of the whole file, 0 where it does not say.

    Matroska files of some muxers state when the last frame ends on the file's own clock, not how
    long after the first one. Both readings are allowed, so the shorter one counts.
    """
    if not container.duration:
        return 0.0
    origin = max(0, container.start_time or 0)
    is_end = "matroska" in container.format.name and container.duration > origin
    return (container.duration - origin * is_end) / av.time_base


class FrameClock:
    """Turns the time stamps of successive frames into seconds from the start of the file.

    A frame without a time stamp follows its predecessor by one frame period. Repeated time stamps
    are moved half a period on. A jump back by more than a second starts a new epoch, which
    continues the old one.
    """

    def __init__(self, container: InputContainer, stream: VideoStream) -> None:
        self._period_s = 1.0 / nominal_fps(stream)
        self._time_base = stream.time_base
        self._last_s: float | None = None
        self._epoch_s = 0.0
        if container.start_time is not None:
            self.origin_s = container.start_time / av.time_base
        elif stream.start_time is not None and stream.time_base is not None:
            self.origin_s = float(stream.start_time * stream.time_base)
        else:
            self.origin_s = 0.0

    def time_s(self, frame: VideoFrame) -> float:
        """Time of the next frame in presentation order; greater than that of the one before."""
        ticks = frame.pts if frame.pts is not None else frame.dts
        base = frame.time_base or self._time_base
        last_s = self._last_s
        if ticks is None or base is None:
            time_s = 0.0 if last_s is None else last_s + self._period_s
        else:
            time_s = float(ticks * base) - self.origin_s + self._epoch_s
            if last_s is not None and time_s <= last_s:
                if last_s - time_s > _JUMP_S:
                    self._epoch_s += last_s + self._period_s - time_s
                    time_s = last_s + self._period_s
                else:
                    time_s = last_s + self._period_s / 2
        self._last_s = time_s
        return time_s
