"""Video files made by hand, with known contents and known faults."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame


def _numbered_frames(count: int, height: int = 48, width: int = 64) -> np.ndarray:
    """Frame k is grey of brightness 20 + 5 k with a white block in the top left corner."""
    frames = np.empty((count, height, width, 3), np.uint8)
    for k in range(count):
        frames[k] = min(235, 20 + 5 * k)
    frames[:, : height // 4, : width // 4] = 255
    return frames


def _encode(
    path: Path,
    frames: np.ndarray,
    *,
    ticks: list[int] | None = None,
    time_base: Fraction = Fraction(1, 1000),
    codec: str = "libx264",
    turn: Callable[[av.video.stream.VideoStream], None] | None = None,
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
) -> Path:
    """Write with PyAV directly, so that reading is not tested against our own writer."""
    ticks = ticks or [40 * k for k in range(len(frames))]
    with av.open(str(path), "w", options=container_options or {}) as container:
        stream = container.add_stream(codec, rate=25, options=options or {})
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = time_base
        if turn is not None:
            turn(stream)
        for tick, image in zip(ticks, frames, strict=True):
            frame = VideoFrame.from_ndarray(image, format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = tick, time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def _encode_sound(path: Path, codec: str) -> Path:
    """A second of silence without any picture."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=44_100)
        frame = av.AudioFrame.from_ndarray(
            np.zeros((1, 44_100), np.int16), format="s16", layout="mono"
        )
        frame.sample_rate = 44_100
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """50 frames at 25 frames/s, a key frame every 10."""
    return _encode(tmp_path / "plain.mp4", _numbered_frames(50), options={"g": "10"})


@pytest.fixture
def numbered_frames() -> Callable[..., np.ndarray]:
    return _numbered_frames


@pytest.fixture
def encode() -> Callable[..., Path]:
    return _encode


@pytest.fixture
def encode_sound() -> Callable[..., Path]:
    return _encode_sound
