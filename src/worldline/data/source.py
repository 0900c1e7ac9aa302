"""Open a video file, or say in one sentence why it cannot be used."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
from av import error as av_error
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from worldline.core.errors import MediaError
from worldline.core.wording import counted

__all__ = ["damage_reason", "open_video"]

# FFmpeg reads plain text as "video" of a terminal, and playlists as videos that live elsewhere.
# Neither is what somebody who passes such a file means, and the second could reach the network.
_NOT_VIDEO = frozenset({"tty", "hls", "concat", "dash", "ffmetadata", "lavfi"})
_MP4_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free")
_EBML = b"\x1a\x45\xdf\xa3"  # what Matroska and WebM begin with
_LEAST_BYTES = 8
_NO_CODEC = "uses a codec that cannot be decoded here; convert it to H.264 first"
_CUT_SHORT = "is truncated or damaged (it ends too early)"
_COVER_ART = Disposition.attached_pic | Disposition.timed_thumbnails


def damage_reason(file: Path, error: av_error.FFmpegError) -> str:
    """What an FFmpeg error means for a file that could be opened as video, but not decoded."""
    if isinstance(error, av_error.InvalidDataError):
        return "is damaged (its video data cannot be decoded)"
    return _media_reason(file, error)


def _media_reason(file: Path, error: av_error.FFmpegError) -> str:
    """What an FFmpeg error means to somebody who only has the file."""
    if isinstance(error, av_error.InvalidDataError):
        return "is damaged or not a video (its data cannot be read as any known format)"
    if isinstance(error, av_error.PermissionError):
        return "cannot be read (permission denied)"
    if isinstance(
        error,
        (av_error.DecoderNotFoundError, av_error.PatchWelcomeError, av_error.NotImplementedError),
    ):
        return _no_codec(file)
    if isinstance(error, av_error.EOFError):
        return _CUT_SHORT
    return f"cannot be decoded ({(error.strerror or str(error)).lower()})"


def _no_codec(file: Path) -> str:
    """Why there is no decoder: an MP4 that is cut inside its index does not say its codec."""
    return (
        "is truncated (an MP4 or MOV file whose index is cut off)" if _is_cut(file) else _NO_CODEC
    )


def _is_cut(file: Path) -> bool:
    """Whether an MP4 or MOV file ends inside one of its boxes."""
    num_bytes, at = file.stat().st_size, 0
    with file.open("rb") as stream:
        while at + 8 <= num_bytes:
            stream.seek(at)
            head = stream.read(16)
            if at == 0 and head[4:8] not in _MP4_BOXES:
                return False
            length = int.from_bytes(head[:4])
            if length == 1:  # the length did not fit into 4 bytes
                length = int.from_bytes(head[8:16])
            if length < 8:  # 0: to the end of the file; anything else is damage
                return False
            at += length
    return at != num_bytes


@contextmanager
def open_video(path: str | Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Open a file and pick its main video stream; FFmpeg's own log stays silent.

    Raises:
        MediaError: no such file, a directory, empty, unreadable, damaged, not a video, without
            a picture stream, or of zero size.
    """
    file = Path(path)
    try:
        stat = file.stat()
    except FileNotFoundError:
        raise MediaError(path, "no such file") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL byte in the name
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise MediaError(path, f"cannot be opened ({reason.lower()})") from None
    if file.is_dir():
        raise MediaError(path, "is a directory; name a video file in it")
    if not file.is_file():
        raise MediaError(path, "is not a regular file")
    if stat.st_size == 0:
        raise MediaError(path, "is empty (0 bytes)")
    if not os.access(file, os.R_OK):
        raise MediaError(path, "cannot be read (permission denied)")
    try:
        # "file:" keeps a name such as "take:2.mp4" from being read as a protocol.
        container = av.open(
            f"file:{file}",
            mode="r",
            metadata_errors="replace",
            container_options={"protocol_whitelist": "file"},
        )
    except av_error.FFmpegError as error:
        raise MediaError(path, _why_not_opened(file, error)) from None
    with container:
        yield container, _pick_stream(path, container)


def _why_not_opened(file: Path, error: av_error.FFmpegError) -> str:
    with file.open("rb") as stream:
        head = stream.read(512)
    if len(head) < _LEAST_BYTES:
        return f"is too short to be a video ({counted(len(head), 'byte')})"
    if head[4:8] in _MP4_BOXES:
        return "is truncated or damaged (an MP4 or MOV file whose index is missing)"
    if head and b"\0" not in head and _is_text(head):
        return "is a text file, not a video"
    if head.startswith(_EBML):
        return "is truncated or damaged (a Matroska or WebM file without a first frame)"
    return _media_reason(file, error)


def _is_text(head: bytes) -> bool:
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start > len(head) - 4  # cut in the middle of a character
    return True


def _pick_stream(path: str | Path, container: InputContainer) -> VideoStream:
    if set(container.format.name.split(",")) & _NOT_VIDEO:
        raise MediaError(path, "is a text file or playlist, not a video")
    pictures = [s for s in container.streams.video if not s.disposition & _COVER_ART]
    if not pictures:
        if container.streams.audio:
            raise MediaError(path, "has sound but no video stream")
        raise MediaError(path, "has no video stream")
    stream = next((s for s in pictures if s.disposition & Disposition.default), pictures[0])
    if stream.codec_context is None:
        raise MediaError(path, _no_codec(Path(path)))
    stream.thread_type = "AUTO"
    return stream
