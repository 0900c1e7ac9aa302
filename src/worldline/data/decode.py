"""Read video files as a stream of (time, RGB frame), with constant memory at any length.

Times are presentation times in seconds from the start of the file. Frames come upright: the
container's display matrix is applied. Sizes are those of the stored pixels, also where the
container asks a player to stretch them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np
from av import error as av_error
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from av.video.stream import VideoStream
from jaxtyping import UInt8

from worldline.core.clip import Clip
from worldline.core.errors import MediaError
from worldline.core.provenance import Provenance
from worldline.core.wording import counted
from worldline.data.clock import FrameClock, container_s, nominal_fps
from worldline.data.orientation import Matrix, display_matrix, orient, rotation_deg
from worldline.data.source import damage_reason, open_video

__all__ = ["VideoInfo", "iter_frames", "probe", "read_clip"]

MAX_CLIP_BYTES = 4 * 1024**3
"""A `Clip` holds its frames in memory; longer videos are for `iter_frames`."""

_SLACK_S = 1e-6  # time stamps that differ by less are the same
_BACK_OFF_S = (0.0, 5.0)  # some demuxers land behind the key frame that was asked for
_MIN_MISSING_S = 0.5
_SPARSE_COLORS = ("yuv420p", "yuvj420p")
_ONE_FRAME = "has only one frame; motion needs at least two"


@dataclass(frozen=True)
class VideoInfo:
    """What a file says about itself, checked by decoding its first two frames.

    Attributes:
        path: as the user named it.
        width_px, height_px: size of the upright frame.
        fps: mean frame rate; single frames may be spaced unevenly.
        duration_s: length.
        num_frames_hint: number of frames according to the container, not counted.
        rotation_deg: clockwise turn that was stored beside the pixels: 0, 90, 180 or 270.
        codec: short name, such as "h264".
        provenance: recorded, or the mark of a simulator or a model.
        damage: what is wrong with a file that can still be read in part; empty if nothing is known.
    """

    path: str
    width_px: int
    height_px: int
    fps: float
    duration_s: float
    num_frames_hint: int
    rotation_deg: int
    codec: str
    provenance: Provenance
    damage: str = ""


def probe(path: str | Path) -> VideoInfo:
    """Describe a video file without reading all of it.

    Raises:
        MediaError: the file cannot be used; the message names it and says why.
    """
    with open_video(path) as (container, stream):
        head: list[VideoFrame] = []
        for frame in _decode(path, container, stream, on_damage=lambda _: None):
            head.append(frame)
            if len(head) == 2:
                break
        if len(head) < 2:
            raise MediaError(path, _ONE_FRAME if head else "holds no frame that can be decoded")
        matrix = display_matrix(head[0])
        width_px, height_px = _upright(head[0].width, head[0].height, matrix)
        fps = nominal_fps(stream)
        duration_s, num_frames = _length(path, container, stream, fps)
        return VideoInfo(
            path=str(path),
            width_px=width_px,
            height_px=height_px,
            fps=fps,
            duration_s=duration_s,
            num_frames_hint=num_frames,
            rotation_deg=rotation_deg(matrix),
            codec=stream.codec_context.name,
            provenance=_provenance(path, container, stream),
            damage=_missing_tail(Path(path), stream),
        )


def iter_frames(
    path: str | Path,
    *,
    start_s: float | None = None,
    end_s: float | None = None,
    max_side_px: int | None = None,
    on_damage: Callable[[str], None] | None = None,
) -> Iterator[tuple[float, UInt8[np.ndarray, "h w 3"]]]:
    """Yield (time in seconds, upright RGB frame) in presentation order, one frame in memory.

    Args:
        path: file in any container and codec that FFmpeg reads.
        start_s, end_s: frames with start_s <= time < end_s; starts by seeking to a key frame.
        max_side_px: shrink so that the longer side is at most this.
        on_damage: called with one sentence if part of the file could not be decoded. A damaged or
            truncated file yields the frames that it has, if these are at least two.

    Raises:
        MediaError: the file cannot be used, or has no frame in the interval.
    """
    if start_s is not None and end_s is not None and end_s <= start_s:
        raise MediaError(path, f"nothing to read between {start_s:g} s and {end_s:g} s")
    if max_side_px is not None and max_side_px < 1:
        raise MediaError(path, f"cannot be shrunk to {max_side_px} pixels")
    first_s = start_s if start_s is not None else -np.inf
    last_s = end_s if end_s is not None else np.inf
    damage: list[str] = []
    with open_video(path) as (container, stream):
        frames = _frames_from(path, container, stream, start_s, damage.append)
        convert = _Converter(max_side_px)
        pending: tuple[float, np.ndarray] | None = None
        num_seen, num_found, time_s = 0, 0, 0.0
        reached_end = True
        for time_s, frame in frames:
            num_seen += 1
            if time_s >= last_s - _SLACK_S:
                reached_end = False
                break
            if time_s < first_s - _SLACK_S:
                continue
            num_found += 1
            image = convert(frame)
            if num_seen == 1:  # not before a second frame shows that this is a video
                pending = (time_s, image)
                continue
            if pending is not None:
                yield pending
                pending = None
            yield time_s, image
        if num_seen == 0:
            raise MediaError(path, "holds no frame that can be decoded")
        if num_seen == 1 and reached_end and not (start_s or 0.0) > 0.0:
            raise MediaError(path, _ONE_FRAME)
        if num_found == 0:
            raise MediaError(path, _nothing_found(start_s, end_s, time_s if reached_end else None))
        if pending is not None:
            yield pending
        if reached_end and not damage:
            damage += _early_end(container, stream, time_s)
    if on_damage is not None:
        for sentence in dict.fromkeys(damage):
            on_damage(sentence)


def _early_end(container: InputContainer, stream: VideoStream, last_s: float) -> list[str]:
    """Whether the container promised more than came (Matroska has no index to compare with)."""
    stated_s = 0.0
    if stream.duration and stream.time_base:
        stated_s = float(stream.duration * stream.time_base)
    elif len(container.streams) == 1:  # sound may well be longer
        stated_s = container_s(container)
    missing_s = stated_s - last_s
    if missing_s <= max(_MIN_MISSING_S, 4 / nominal_fps(stream)):
        return []
    return [f"truncated or damaged: the last {missing_s:.1f} s are missing"]


def _nothing_found(start_s: float | None, end_s: float | None, last_s: float | None) -> str:
    part = f"from {start_s or 0.0:g} s" + ("" if end_s is None else f" to {end_s:g} s")
    return f"has no frame {part}" + (
        "" if last_s is None else f"; its last one is at {last_s:.3f} s"
    )


def read_clip(
    path: str | Path,
    *,
    start_s: float | None = None,
    end_s: float | None = None,
    max_frames: int | None = None,
    max_side_px: int | None = None,
) -> Clip:
    """Read (part of) a video into memory.

    Damage that leaves at least two frames is noted in the provenance, as the detail "damage".

    Args:
        path, start_s, end_s, max_side_px: as in `iter_frames`.
        max_frames: stop after so many frames.

    Raises:
        MediaError: the file cannot be used, or the part is too long to hold in memory.
    """
    if max_frames is not None and max_frames < 1:
        raise MediaError(path, f"cannot read {max_frames} frames")
    damage: list[str] = []
    times_s: list[float] = []
    images: list[np.ndarray] = []
    num_bytes = 0
    for time_s, image in iter_frames(
        path, start_s=start_s, end_s=end_s, max_side_px=max_side_px, on_damage=damage.append
    ):
        times_s.append(time_s)
        images.append(image)
        num_bytes += image.nbytes
        if num_bytes > MAX_CLIP_BYTES:
            raise MediaError(
                path,
                f"is too long for memory ({len(images)} frames fill {num_bytes / 2**30:.1f} GiB); "
                "name a part with start_s and end_s, or set max_frames or max_side_px",
            )
        if len(images) == max_frames:
            break
    with open_video(path) as (container, stream):
        provenance = _provenance(path, container, stream)
    if damage:
        details = (*provenance.details, ("damage", "; ".join(damage)))
        provenance = replace(provenance, details=tuple(sorted(details)))
    return Clip(
        frames=np.stack(images),
        time_s=np.asarray(times_s, dtype=np.float64),
        provenance=provenance,
    )


class _Converter:
    """Decoded frames to upright RGB of one size, scaled inside libswscale.

    Most video keeps one colour for four pixels. Such frames are shrunk as they are stored and then
    turned into RGB, in a third of the time of both at once, and closer to the RGB of the whole
    frame. In between there are as many colours as libswscale keeps on the direct way.
    """

    def __init__(self, max_side_px: int | None) -> None:
        self._max_side_px = max_side_px
        self._size: tuple[int, int] | None = None
        self._matrix: Matrix | None = None
        self._scaler, self._painter = VideoReformatter(), VideoReformatter()

    def __call__(self, frame: VideoFrame) -> np.ndarray:
        if self._size is None or self._matrix is None:
            # The first frame decides: streams may change their size in the middle.
            width, height = frame.width, frame.height
            shrink = min(1.0, (self._max_side_px or np.inf) / max(width, height))
            self._size = max(1, round(width * shrink)), max(1, round(height * shrink))
            self._matrix = display_matrix(frame)
        rgb = self._painter.reformat(self._scaled(frame, *self._size), format="rgb24", threads=1)
        return orient(np.asarray(rgb.to_ndarray(), dtype=np.uint8), self._matrix)

    def _scaled(self, frame: VideoFrame, width: int, height: int) -> VideoFrame:
        if (width, height) == (frame.width, frame.height):
            return frame
        return self._scaler.reformat(
            frame,
            width=width,
            height=height,
            format="yuv422p" if frame.format.name in _SPARSE_COLORS else "rgb24",
            interpolation=Interpolation.AREA,
            threads=1,  # others cost more than they save
        )


def _frames_from(
    path: str | Path,
    container: InputContainer,
    stream: VideoStream,
    start_s: float | None,
    on_damage: Callable[[str], None],
) -> Iterator[tuple[float, VideoFrame]]:
    """(time, frame) from the key frame before `start_s` on, or from the start of the file."""
    if start_s is not None and start_s > 0 and stream.time_base is not None:
        origin_s = FrameClock(container, stream).origin_s
        for back_off_s in _BACK_OFF_S:
            target_s = max(0.0, start_s - back_off_s) + origin_s
            try:
                container.seek(int(target_s / stream.time_base), stream=stream)
            except av_error.FFmpegError:
                break
            clock = FrameClock(container, stream)
            frames = _decode(path, container, stream, on_damage)
            first = next(frames, None)
            if first is None or first.pts is None:
                break
            time_s = clock.time_s(first)
            if time_s <= start_s + _SLACK_S:
                yield time_s, first
                yield from ((clock.time_s(frame), frame) for frame in frames)
                return
        # This file cannot be entered in the middle: read it from its start.
        with open_video(path) as (again, same):
            clock = FrameClock(again, same)
            for frame in _decode(path, again, same, on_damage):
                yield clock.time_s(frame), frame
        return
    clock = FrameClock(container, stream)
    for frame in _decode(path, container, stream, on_damage):
        yield clock.time_s(frame), frame


def _decode(
    path: str | Path,
    container: InputContainer,
    stream: VideoStream,
    on_damage: Callable[[str], None],
) -> Iterator[VideoFrame]:
    """Decode on from where the container stands, past broken packets.

    Raises `MediaError` if it breaks before the second frame.
    """
    num_frames, trouble = 0, ""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except av_error.FFmpegError as error:
            packet, trouble = None, damage_reason(Path(path), error)
        try:
            frames = stream.decode(packet)
        except av_error.EOFError:
            frames = []
        except av_error.FFmpegError as error:
            frames, trouble = [], damage_reason(Path(path), error)
        for frame in frames:
            if frame.width < 1 or frame.height < 1:
                raise MediaError(path, "has frames of zero size")
            if not frame.is_corrupt:
                num_frames += 1
                yield frame
            else:
                trouble = "has damaged frames"
        if packet is None:
            break
    if trouble and num_frames < 2:
        raise MediaError(path, trouble)
    if trouble:
        on_damage(f"damaged: only {counted(num_frames, 'frame')} could be decoded")
    elif missing := _missing_tail(Path(path), stream):
        on_damage(missing)


def _missing_tail(file: Path, stream: VideoStream) -> str:
    """Whether the container's index points past the end of the file."""
    entries = stream.index_entries
    num_bytes = file.stat().st_size
    num_missing = 0
    for i in range(len(entries) - 1, -1, -1):
        if entries[i].pos + entries[i].size <= num_bytes:
            break
        num_missing += 1
    if num_missing == 1:
        return "truncated: the last frame is missing"
    return f"truncated: the last {num_missing} frames are missing" if num_missing else ""


def _length(
    path: str | Path, container: InputContainer, stream: VideoStream, fps: float
) -> tuple[float, int]:
    """Duration and number of frames, counting packets only where the container does not say."""
    duration_s = 0.0
    if stream.duration and stream.time_base:
        duration_s = float(stream.duration * stream.time_base)
    else:
        duration_s = container_s(container)
    num_frames = stream.frames
    if duration_s <= 0:
        with open_video(path) as (again, same):
            try:
                num_frames = sum(1 for packet in again.demux(same) if packet.size)
            except av_error.FFmpegError:
                num_frames = max(num_frames, 2)
        duration_s = num_frames / fps
    return duration_s, num_frames or max(2, round(duration_s * fps))


def _upright(width_px: int, height_px: int, matrix: Matrix) -> tuple[int, int]:
    return (height_px, width_px) if matrix[0] == 0 else (width_px, height_px)


def _provenance(path: str | Path, container: InputContainer, stream: VideoStream) -> Provenance:
    metadata = dict(chain(stream.metadata.items(), container.metadata.items()))
    return Provenance.from_metadata(metadata, source=str(path))
