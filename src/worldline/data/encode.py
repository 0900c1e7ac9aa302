"""Write video that browsers play, with true times and the mark of where its pixels came from."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import chain, count
from pathlib import Path

import av
import numpy as np
from av import error as av_error
from av.container import OutputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, VideoReformatter
from av.video.stream import VideoStream
from jaxtyping import UInt8

from worldline.core.errors import InputError
from worldline.core.provenance import Provenance

__all__ = ["write_video"]

_TICKS_PER_S = 90_000
_DEFAULT_FPS = 25.0  # how long a single frame is shown
_BT709 = 1  # code of the colour matrix in the H.264 stream (ITU-T H.264, table E-5)
_LARGE_PX = 256
_CRF = "16"  # visually lossless: a written forecast is also read back and measured
_CRF_FULL_COLOR = "8"


def write_video(
    path: str | Path,
    frames: Iterable[UInt8[np.ndarray, "h w 3"]] | UInt8[np.ndarray, "t h w 3"],
    *,
    provenance: Provenance,
    time_s: Iterable[float] | None = None,
    fps: float | None = None,
    scale: int = 1,
    full_color: bool = False,
) -> None:
    """Encode RGB frames as H.264 in MP4 (yuv420p, BT.709, index at the front).

    The file appears under its name only when it is complete. Frames are taken one at a time, so
    that a generator of any length works. Sides that are odd grow by one repeated row or column,
    because yuv420p has half as many colour samples.

    Args:
        path: file to write; its folder is made if need be.
        frames: equally large RGB frames.
        provenance: stored in the container's metadata, where `probe` finds it again.
        time_s: increasing presentation time of each frame; the first becomes 0 in the file.
        fps: frame rate instead of times. Exactly one of the two.
        scale: whole-number enlargement by repeating pixels, so that small frames look sharp.
        full_color: keep the colour of each pixel (yuv444p), for what is learned from: in small
            pictures things are two or three pixels wide, and half as many colour samples mix them
            with the ground. Not all browsers play it.

    Raises:
        InputError: no frames, frames of differing size, times that do not increase.
    """
    if (time_s is None) == (fps is None):
        raise InputError("write_video needs either time_s or fps")
    if fps is not None and not fps > 0:
        raise InputError(f"fps is {fps}, expected a positive number")
    if scale < 1:
        raise InputError(f"scale is {scale}, expected 1 or more")
    times = time_s if time_s is not None else (i / float(fps or 1) for i in count())
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Short, because a file's name may be as long as names can be.
    digest = hashlib.sha256(os.fsencode(path.name)).hexdigest()[:16]
    partial = path.with_name(f".{digest}.partial")
    try:
        timed = _timed(frames, times, scale, strict=time_s is not None)
        _encode(partial, timed, fps, provenance, full_color)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _timed(
    frames: Iterable[np.ndarray], times_s: Iterable[float], scale: int, *, strict: bool
) -> Iterator[tuple[int, np.ndarray]]:
    """(ticks, enlarged and padded frame), checked."""
    shape: tuple[int, ...] | None = None
    first_s, last = 0.0, -1
    clock = iter(times_s)
    for frame in frames:
        time_s = next(clock, None)
        if time_s is None:
            raise InputError("time_s and frames differ in length")
        if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3 or not frame.size:
            raise InputError(f"frame is {frame.dtype} {frame.shape}, expected uint8 [h, w, 3]")
        if shape is None:
            shape, first_s = frame.shape, float(time_s)
        if frame.shape != shape:
            raise InputError(f"frame is {frame.shape}, but the first one is {shape}")
        ticks = round((float(time_s) - first_s) * _TICKS_PER_S)
        if ticks <= last:
            raise InputError(f"time_s does not increase at {float(time_s):g} s")
        last = ticks
        if scale > 1:
            frame = frame.repeat(scale, axis=0).repeat(scale, axis=1)
        odd_rows, odd_columns = frame.shape[0] % 2, frame.shape[1] % 2
        if odd_rows or odd_columns:
            frame = np.pad(frame, ((0, odd_rows), (0, odd_columns), (0, 0)), mode="edge")
        yield ticks, frame
    if strict and next(clock, None) is not None:
        raise InputError("time_s and frames differ in length")


def _encode(
    path: Path,
    timed: Iterator[tuple[int, np.ndarray]],
    fps: float | None,
    provenance: Provenance,
    full_color: bool,
) -> None:
    first = next(timed, None)
    if first is None:
        raise InputError("write_video got no frames")
    second = next(timed, None)
    step = second[0] if second else round(_TICKS_PER_S / (fps or _DEFAULT_FPS))
    head = [first] if second is None else [first, second]
    try:
        with av.open(str(path), "w", format="mp4", options={"movflags": "faststart"}) as container:
            container.metadata.update(provenance.to_metadata())
            rate = Fraction(_TICKS_PER_S, max(1, step))
            stream = _add_stream(container, first[1], rate, full_color)
            to_yuv = VideoReformatter()
            writer = _PacketWriter(container)
            for ticks, image in chain(head, timed):
                frame = to_yuv.reformat(
                    VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24"),
                    format=stream.pix_fmt,
                    dst_colorspace=Colorspace.ITU709,
                    dst_color_range=ColorRange.MPEG,
                )
                frame.pts, frame.time_base = ticks, Fraction(1, _TICKS_PER_S)
                writer.add(stream.encode(frame))
            writer.add(stream.encode(None))
            writer.close(step)
    except av_error.FFmpegError as error:
        raise InputError(f"{path.name}: cannot be written ({error.strerror})") from None


def _add_stream(
    container: OutputContainer, image: np.ndarray, rate: Fraction, full_color: bool
) -> VideoStream:
    # Without B frames a packet's time is its frame's, and a reader can stop anywhere.
    crf = _CRF_FULL_COLOR if full_color else _CRF
    options = {"crf": crf, "preset": "veryfast", "bf": "0"}
    if _is_unsteady(*image.shape[:2]):
        options["rc-lookahead"] = "0"
    stream = container.add_stream("libx264", rate=rate, options=options)
    stream.height, stream.width = image.shape[:2]
    stream.pix_fmt = "yuv444p" if full_color else "yuv420p"
    stream.codec_context.time_base = Fraction(1, _TICKS_PER_S)
    stream.codec_context.colorspace = _BT709
    stream.codec_context.color_primaries = ColorPrimaries.BT709
    stream.codec_context.color_trc = ColorTrc.BT709
    stream.codec_context.color_range = ColorRange.MPEG
    return stream


def _is_unsteady(height: int, width: int) -> bool:
    """Whether x264 with its lookahead may write different files for the same frames.

    In 150 to 400 tries each it did so at 16, 32, 48 and 72 pixels, and never at 64 and 128, nor
    without lookahead. Large frames keep it all the same: without it their files grow by a third.
    """
    odd = min(height, width) < 64 or height % 16 != 0 or width % 16 != 0
    return odd and max(height, width) <= _LARGE_PX


class _PacketWriter:
    """Gives each packet the true duration of its frame, known when the next one comes."""

    def __init__(self, container: OutputContainer) -> None:
        self._container = container
        self._held: Packet | None = None
        self._step = 1

    def add(self, packets: list[Packet]) -> None:
        for packet in packets:
            if self._held is not None:
                assert packet.pts is not None
                assert self._held.pts is not None
                self._step = packet.pts - self._held.pts
                self._write(self._held, self._step)
            self._held = packet

    def close(self, step: int) -> None:
        """The last frame lasts as long as the one before, or `step` if it is the only one."""
        if self._held is not None:
            self._write(self._held, self._step if self._step > 1 else step)

    def _write(self, packet: Packet, duration: int) -> None:
        packet.duration = duration
        self._container.mux(packet)
