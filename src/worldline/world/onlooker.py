"""`Onlooker`: a world that looks on while a video is read, and says what it saw at the end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import UInt8

from worldline.core.clip import Clip
from worldline.core.errors import InputError
from worldline.core.latents import Latents
from worldline.core.provenance import Provenance
from worldline.core.scene import Scene
from worldline.data.transform import center_square
from worldline.readout.completing import complete
from worldline.readout.link import link_detections, uncrop
from worldline.world.trust import judge
from worldline.world.view import View
from worldline.world.world import World

__all__ = ["Onlooker", "Told"]

_MIN_CONFIDENCE = 0.6
_MOST_WINDOWS = 4  # parts of a video at which trust is measured


@dataclass(frozen=True, eq=False)
class Told:
    """What a world saw.

    Attributes:
        scene: objects by its latents, in pixels of the video, without contacts or events; None if
            the video is not fit for the world.
        trust: in it on this footage, from 0 to 1.
        reason: for this trust, in a sentence.
    """

    scene: Scene | None
    trust: float
    reason: str


class Onlooker:
    """Keeps frames on their way as the small squares that a world takes (12 kB each at 64x64)."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._times_s: list[float] = []
        self._squares: list[np.ndarray] = []
        self._crop_px = (0, 0, 0, 0)
        self._width_px = 0

    def watch(
        self, frames: Iterable[tuple[float, UInt8[np.ndarray, "h w 3"]]]
    ) -> Iterator[tuple[float, UInt8[np.ndarray, "h w 3"]]]:
        """Pass on (time in seconds, RGB frame) pairs."""
        for time_s, frame in frames:
            squares, self._crop_px = center_square(frame[None], self._world.size_px)
            self._width_px = frame.shape[1]
            self._times_s.append(time_s)
            self._squares.append(squares[0])
            yield time_s, frame

    def add_to(self, scene: Scene) -> tuple[Scene, Told]:
        """The scene of the same frames with what the world alone saw; see `complete`."""
        told = self.tell((scene.width_px, scene.height_px))
        if told.scene is None:
            return scene, told
        return complete(scene, told.scene, trust=told.trust), told

    @torch.no_grad()
    def tell(self, size_px: tuple[int, int]) -> Told:
        """What the world saw, in pixels of a video of this (width, height).

        Detections below a confidence of 0.6 do not count; trust is the median over up to four
        parts, the lower one of two.
        """
        world = self._world
        clip = Clip(
            frames=np.stack(self._squares),
            time_s=np.array(self._times_s),
            provenance=Provenance(),
        )
        try:
            view = world.look(clip)
        except InputError as error:
            return Told(None, 0.0, str(error))
        frames = world.newest(view.frames)
        latents = world.encode_frames(frames)
        time_s = view.time_s[-len(frames) :]
        found = [
            [seen for seen in moment if seen.confidence >= _MIN_CONFIDENCE]
            for moment in world.readout.detect(latents)[: len(time_s)]
        ]
        scene = link_detections(
            found, time_s, size_px=world.size_px, provenance=clip.provenance, touches=[]
        )
        zoom = size_px[0] / self._width_px
        x, y, w, h = (round(zoom * side) for side in self._crop_px)
        return Told(uncrop(scene, (x, y, w, h), size_px), *self._judge(view))

    def _judge(self, view: View) -> tuple[float, str]:
        """Median over windows of as many frames as a forecast starts from, and its reason."""
        world, length = self._world, self._world.context
        if len(view.frames) < length:
            return 0.0, f"No trust: {len(view.frames)} frames are too few to tell; give {length}."
        num = int(np.clip(len(view.frames) // (2 * length), 1, _MOST_WINDOWS))
        starts = np.linspace(0, len(view.frames) - length, num).astype(int)
        found = []
        for start in starts.tolist():
            seen = world.newest(view.frames[start : start + length])
            latents: Latents = world.encode_frames(seen)
            found.append(judge(world.calibration, world.weigh(latents, seen, 0)))
        found.sort()
        return found[(len(found) - 1) // 2]
