"""Which pixels of a predicted picture show which body, told by colour alone.

The instrument for intersection over union with exact masks. It knows what colours each body has in
the true clip, in light and in shade, and the view without bodies; it does not know where bodies
are. Each pixel goes to what explains its colour best: the background, the background in a shadow
or in another brightness, or one of the bodies' colours. Single odd pixels follow their neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, UInt8
from scipy.ndimage import gaussian_filter

from worldline.audit.evidence import match_exposure
from worldline.audit.objects import MIN_VISIBLE_PX
from worldline.core.clip import Clip
from worldline.core.errors import InputError

__all__ = ["Silhouettes"]

_NUM_COLORS = 24
_DARKEST, _BRIGHTEST = 0.35, 1.25
_SHADE_COST = 0.02  # squared RGB distance that a full shadow costs
_NEIGHBOURS_PX = 0.6
_FURTHEST = 0.35  # a colour farther from everything than this is nobody's


@dataclass(frozen=True, eq=False)
class Silhouettes:
    """Finds the bodies of one clip in pictures of its view.

    Attributes:
        ids: object ids in the clip's segmentation.
        background: `[h, w, 3]` the view without them.
        colors: of each, `[k, 3]` in [0, 1].
    """

    ids: tuple[int, ...]
    background: UInt8[np.ndarray, "h w 3"]
    colors: tuple[Float[np.ndarray, "_ 3"], ...]

    @classmethod
    def of(cls, clip: Clip) -> Silhouettes:
        """Learn the colours of a simulated clip's bodies.

        Raises:
            InputError: the clip has no segmentation or background, or its camera moves.
        """
        if clip.segmentation is None or clip.background is None or len(clip.background) > 1:
            raise InputError(
                "silhouettes need a clip with segmentation and one background; "
                "simulated clips of a standing camera have both"
            )
        ids, colors = [], []
        for number in np.unique(clip.segmentation[clip.segmentation >= 0]).tolist():
            pixels = clip.frames[clip.segmentation == number].astype(np.float64) / 255
            ids.append(number)
            colors.append(_shades(pixels))
        return cls(tuple(ids), clip.background[0], tuple(colors))

    def read(self, frame: UInt8[np.ndarray, "h w 3"]) -> Int[np.ndarray, "h w"]:
        """Object id of each pixel, -1 for the background.

        Raises:
            InputError: the picture has another size than the clip.
        """
        if frame.shape != self.background.shape:
            raise InputError(
                f"the picture is {frame.shape} but the clip {self.background.shape}; resize it"
            )
        pixels = match_exposure(frame, self.background)
        flat = pixels.reshape(-1, 3)
        square = (flat**2).sum(1)
        misfit = [self._of_background(pixels)]
        for colors in self.colors:
            gap = square + ((colors**2).sum(1)[:, None] - 2 * colors @ flat.T).min(0)
            misfit.append(gap.reshape(pixels.shape[:2]))
        cost = np.minimum(np.stack(misfit), _FURTHEST**2)
        cost = gaussian_filter(cost, (0, _NEIGHBOURS_PX, _NEIGHBOURS_PX))
        return np.array([-1, *self.ids], dtype=np.int64)[cost.argmin(0)]

    def overlaps(
        self, frame: UInt8[np.ndarray, "h w 3"], mask: Int[np.ndarray, "h w"]
    ) -> Float[np.ndarray, " n"]:
        """Intersection over union of each body with its exact mask; NaN where less than
        `MIN_VISIBLE_PX` of it are in sight."""
        found = self.read(frame)
        overlaps = np.full(len(self.ids), np.nan)
        for index, number in enumerate(self.ids):
            true, seen = mask == number, found == number
            if true.sum() >= MIN_VISIBLE_PX:
                overlaps[index] = (true & seen).sum() / (true | seen).sum()
        return overlaps

    def _of_background(self, pixels: np.ndarray) -> np.ndarray:
        """Squared distance to the background in the brightness that suits best, and its cost."""
        plate = self.background.astype(np.float64) / 255
        gain = (pixels * plate).sum(-1) / np.maximum((plate**2).sum(-1), 1e-6)
        gain = np.clip(gain, _DARKEST, _BRIGHTEST)
        gap = ((pixels - gain[..., None] * plate) ** 2).sum(-1)
        return gap + _SHADE_COST * np.maximum(1 - gain, 0)


def _shades(pixels: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "k 3"]:
    """Colours that stand for all of a body's pixels, sorted along their main axis and averaged in
    groups of equal size."""
    centred = pixels - pixels.mean(0)
    axis = np.linalg.eigh(centred.T @ centred)[1][:, -1]
    order = np.argsort(centred @ axis, kind="stable")
    groups = np.array_split(order, min(_NUM_COLORS, len(order)))
    return np.stack([pixels[group].mean(0) for group in groups])
