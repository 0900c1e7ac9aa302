"""Frames to embedded films and pictures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image

from worldline.core import Provenance
from worldline.data import write_video
from worldline.report.facts import Film, Still

__all__ = ["color_map", "encode_film", "encode_strip"]

_POSTER_QUALITY = 82


def encode_film(
    frames: Iterable[UInt8[np.ndarray, "h w 3"]],
    time_s: Sequence[float] | Float[np.ndarray, " t"],
    *,
    alt: str,
    provenance: Provenance,
    poster: int = 0,
    scale: int = 1,
) -> Film:
    """Encode frames as H.264, keeping their times.

    Args:
        frames: equally large RGB frames, as many as times; may be a generator.
        time_s: increasing times in the source.
        alt: what is to be seen.
        provenance: stored in the file and shown beside it.
        poster: index of the frame shown before the film plays.
        scale: whole-number enlargement; more than 1 marks the film as one of large pixels.

    Raises:
        InputError: as `data.write_video`.
    """
    times = [float(t) for t in time_s]
    poster = min(max(poster, 0), len(times) - 1)
    kept: dict[str, np.ndarray] = {}

    def watch() -> Iterable[np.ndarray]:
        for index, frame in enumerate(frames):
            if index == poster:
                kept["poster"] = frame.copy()
            yield frame

    with TemporaryDirectory() as folder:
        path = Path(folder) / "film.mp4"
        write_video(path, watch(), time_s=times, provenance=provenance, scale=scale)
        mp4 = path.read_bytes()
    image = Image.fromarray(kept["poster"])
    size = (image.width * scale, image.height * scale)
    buffer = BytesIO()
    image.resize(size, Image.Resampling.NEAREST).save(buffer, "JPEG", quality=_POSTER_QUALITY)
    step_s = (times[-1] - times[0]) / (len(times) - 1) if len(times) > 1 else 0.0
    return Film(
        mp4=mp4,
        poster=buffer.getvalue(),
        width_px=size[0],
        height_px=size[1],
        num_frames=len(times),
        start_s=times[0],
        duration_s=times[-1] - times[0] + step_s,
        alt=alt,
        provenance=provenance,
        pixelated=scale > 1,
    )


def encode_strip(frames: UInt8[np.ndarray, "t h w 3"], *, alt: str, gap_px: int = 1) -> Still:
    """Frames side by side in one picture, transparent between them."""
    num, height, width = frames.shape[:3]
    strip = np.zeros((height, num * width + (num - 1) * gap_px, 4), dtype=np.uint8)
    for k, frame in enumerate(frames):
        left = k * (width + gap_px)
        strip[:, left : left + width, :3] = frame
        strip[:, left : left + width, 3] = 255
    buffer = BytesIO()
    Image.fromarray(strip).save(buffer, "PNG", optimize=True)
    return Still(png=buffer.getvalue(), width_px=strip.shape[1], height_px=height, alt=alt)


# Corners of a map that is even in lightness (black, violet, red, yellow, white), so that equal
# steps of the value look equal, also without colour vision.
_STOPS = np.array(
    [[0, 0, 4], [60, 15, 110], [150, 35, 105], [225, 90, 50], [250, 180, 60], [252, 255, 200]],
    dtype=np.float64,
)


def color_map(values: Float[np.ndarray, "*shape"], scale: float) -> UInt8[np.ndarray, "*shape 3"]:
    """Colours from dark (0) to bright (`scale` and more); not-a-number is dark."""
    share = np.nan_to_num(np.clip(values / scale if scale > 0 else np.zeros_like(values), 0, 1))
    place = np.linspace(0, 1, len(_STOPS))
    channels = [np.interp(share, place, _STOPS[:, k]) for k in range(3)]
    return np.stack(channels, axis=-1).round().astype(np.uint8)
