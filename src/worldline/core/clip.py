"""`Clip`: frames with true times, and whatever is known beside them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from importlib.metadata import entry_points
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int, UInt8

from worldline.core.errors import MediaError
from worldline.core.provenance import Provenance
from worldline.core.scene import Scene

__all__ = ["Clip"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Clip:
    """T frames of video.

    Attributes:
        frames: `[T, H, W, 3]` RGB.
        time_s: `[T]` presentation time of each frame, increasing, not necessarily evenly.
        provenance: recorded, simulated or generated, and from what.
        depth_m: `[T, H, W]` distance along the optical axis; infinite where nothing is hit.
        segmentation: `[T, H, W]` object id per pixel, -1 for everything static.
        background: `[T, H, W, 3]` or `[1, H, W, 3]` the same view without the moving objects.
        actions: `[T, A]` action taken between frame t and t + 1.
        scene: known truth, or what was perceived.
        caption: one sentence.
    """

    frames: UInt8[np.ndarray, "t h w 3"]
    time_s: Float[np.ndarray, " t"]
    provenance: Provenance = field(default_factory=Provenance)
    depth_m: Float[np.ndarray, "t h w"] | None = None
    segmentation: Int[np.ndarray, "t h w"] | None = None
    background: UInt8[np.ndarray, "b h w 3"] | None = None
    actions: Float[np.ndarray, "t a"] | None = None
    scene: Scene | None = None
    caption: str = ""

    def __post_init__(self) -> None:
        if self.frames.ndim != 4 or self.frames.shape[-1] != 3 or len(self.frames) == 0:
            raise ValueError(f"Clip.frames is {self.frames.shape}, expected [T >= 1, H, W, 3]")
        if self.time_s.shape != (len(self.frames),):
            raise ValueError(f"Clip has {len(self.frames)} frames but {self.time_s.shape} times")

    @property
    def num_frames(self) -> int:
        """T."""
        return len(self.frames)

    @property
    def fps(self) -> float:
        """Mean frame rate; 0 for a single frame."""
        span_s = float(self.time_s[-1] - self.time_s[0])
        return (self.num_frames - 1) / span_s if span_s > 0 else 0.0

    @property
    def size_px(self) -> tuple[int, int]:
        """(width, height)."""
        return self.frames.shape[2], self.frames.shape[1]

    def slice(self, start: int, stop: int) -> Clip:
        """Frames `start` to `stop` (exclusive) with all that is per frame; the scene is dropped."""

        def cut(array: np.ndarray | None) -> np.ndarray | None:
            return None if array is None or len(array) != self.num_frames else array[start:stop]

        background = self.background
        if background is not None and len(background) == self.num_frames:
            background = background[start:stop]
        return replace(
            self,
            frames=self.frames[start:stop],
            time_s=self.time_s[start:stop],
            depth_m=cut(self.depth_m),
            segmentation=cut(self.segmentation),
            actions=cut(self.actions),
            background=background,
            scene=None,
        )

    @classmethod
    def read(
        cls,
        path: str | Path,
        *,
        start_s: float | None = None,
        end_s: float | None = None,
        max_frames: int | None = None,
    ) -> Clip:
        """Read a video file.

        The reader is looked up by file suffix in the entry-point group `worldline.readers`, and
        falls back to the entry called `video` (PyAV), so that other formats can be added.

        Args:
            path: file.
            start_s, end_s: part to read, in presentation time.
            max_frames: stop after so many frames.

        Raises:
            MediaError: the file cannot be used; the message names it and says why.
        """
        readers = {entry.name: entry for entry in entry_points(group="worldline.readers")}
        entry = readers.get(Path(path).suffix.lower().lstrip("."), readers.get("video"))
        if entry is None:
            raise MediaError(path, "no video reader is installed; run `pip install -e .` again")
        return entry.load()(path, start_s=start_s, end_s=end_s, max_frames=max_frames)
