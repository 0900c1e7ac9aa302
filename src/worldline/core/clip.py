"""`Clip`: frames with true times, and whatever is known beside them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from importlib.metadata import entry_points
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int, UInt8

from worldline.core.camera import Camera
from worldline.core.errors import MediaError
from worldline.core.provenance import Provenance
from worldline.core.readings import Readings
from worldline.core.rewards import Rewards
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
        rewards: what those actions earned, and which of them ended the episode.
        camera: that took the frames, where it is known: of one pose or of T.
        state: readings of sensors beside the frames.
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
    rewards: Rewards | None = None
    camera: Camera | None = None
    state: Readings | None = None
    scene: Scene | None = None
    caption: str = ""

    def __post_init__(self) -> None:
        shape = self.frames.shape
        if len(shape) != 4 or shape[-1] != 3 or 0 in shape or self.frames.dtype != np.uint8:
            kind = f"{self.frames.dtype} {shape}"
            raise ValueError(f"Clip.frames is {kind}, expected uint8 [T, H, W, 3], none of them 0")
        if self.time_s.shape != shape[:1]:
            raise ValueError(f"Clip has {shape[0]} frames but {self.time_s.shape} times")
        if not (np.isfinite(self.time_s).all() and (np.diff(self.time_s) > 0).all()):
            raise ValueError("Clip.time_s must be finite and increase from frame to frame")
        for name in ("depth_m", "segmentation"):
            array = getattr(self, name)
            if array is not None and array.shape != shape[:3]:
                raise ValueError(f"Clip.{name} is {array.shape}, expected {shape[:3]}")
        if self.background is not None and self.background.shape not in (shape, (1, *shape[1:])):
            raise ValueError(f"Clip.background is {self.background.shape}, expected {shape}")
        if self.actions is not None and len(self.actions) != shape[0]:
            raise ValueError(f"Clip has {shape[0]} frames but {len(self.actions)} actions")
        if self.rewards is not None and self.rewards.num_frames != shape[0]:
            raise ValueError(f"Clip has {shape[0]} frames but {self.rewards.num_frames} rewards")
        if self.state is not None and self.state.num_frames != shape[0]:
            raise ValueError(f"Clip has {shape[0]} frames but {self.state.num_frames} readings")
        if self.camera is not None:
            num, view = len(self.camera.world_from_camera), self.camera
            if num not in (1, shape[0]):
                raise ValueError(f"Clip has {shape[0]} frames but {num} camera poses")
            if (view.height_px, view.width_px) != shape[1:3]:
                raise ValueError(
                    f"Clip has frames of {shape[2]}x{shape[1]} pixels, its camera "
                    f"{view.width_px}x{view.height_px}"
                )

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
        """Frames `start` to `stop` (exclusive) with all that is per frame; the scene is dropped.

        Indices count as in Python's own slices.

        Raises:
            ValueError: no frame is left.
        """
        kept = slice(start, stop)
        fixed = self.background is not None and len(self.background) == 1

        def cut(array: np.ndarray | None) -> np.ndarray | None:
            return None if array is None else array[kept]

        return replace(
            self,
            frames=self.frames[kept],
            time_s=self.time_s[kept],
            depth_m=cut(self.depth_m),
            segmentation=cut(self.segmentation),
            actions=cut(self.actions),
            rewards=None if self.rewards is None else self.rewards.at(kept),
            camera=None if self.camera is None else self.camera.at(kept),
            state=None if self.state is None else self.state.at(kept),
            background=self.background if fixed else cut(self.background),
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
