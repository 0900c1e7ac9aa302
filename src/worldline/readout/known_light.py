"""Light that was seen to be light: once the ground has shown through a region in several places.

A pool of a lamp or the shadow of something out of sight is one region with whatever it passes, so
that bodies are lost in it and no single frame can say more. But where the ground varies, a region
that keeps one factor of it (`Shade.follows`) in several places tells that factor; from then on it
is looked for in every frame of the shot, and what is left of the region are the bodies.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from worldline.readout.regions import Region
from worldline.readout.shade import Shade

__all__ = ["KnownLight"]

_FOLLOWS = 4.0  # variation of the ground over that of the factor, by which light is learned
_PLACES = 3
_APART = 0.12  # of a region's size, from place to place
_SAME = 0.08  # difference of factors, in any channel
_LEAST = 0.12  # change of brightness, as a share; what is fainter is hardly found
_MOST_LIGHTS = 3
_CORE = (0.8, 1.2)  # share of the full change in the middle of light,
_SOFT_CORE = (0.4, 2.5)  # the same for light that has a colour, and may be a lamp's
_MOST = 0.8  # of a region, that its light must make up
_LEAST_AREA = 0.01  # of the picture, that a region must have
_FULL = 0.75  # quantile of the change there that is called the full one
_CELLS, _CELLS_FOR = 8, 2  # that show the ground, at least and for each that does not
_SOFT = 0.45  # of `Shade.soft`, below which light is learned
_EDGE = 0.1  # and where it ends
_OFF = 0.03  # deviation from one factor, in any channel,
_OFF_GRAY = 2.5  # and so many grey levels more
_TINTED = 0.1  # a change whose channels differ by so much is taken wherever it joins its middle
_RIM_PX = 9  # other changes so far from it
_SIZE = 0.2  # of the region that it was learned from: smaller patches are let be
_CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
_DISC = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))


@dataclass(eq=False)
class _Light:
    """One light: what it adds to the ground, as a share of it in each channel."""

    change: Float[np.ndarray, " 3"]
    center: Float[np.ndarray, " 2"]
    places: int
    area: float


class KnownLight:
    """The lights that a shot was found to have; it begins without any."""

    def __init__(self) -> None:
        self._lights: list[_Light] = []

    @property
    def is_any(self) -> bool:
        """Whether there is a light to look for."""
        return any(light.places >= _PLACES for light in self._lights)

    def learn(
        self,
        regions: Iterable[Region],
        image: UInt8[np.ndarray, "h w 3"],
        background: UInt8[np.ndarray, "h w 3"],
    ) -> None:
        """Look at regions through which the ground may show.

        Args:
            regions: with their shades; those without are passed over.
            image, background: the picture now, and without objects.
        """
        for region in regions:
            area = cv2.countNonZero(region.mask)
            if region.shade is None or area < _LEAST_AREA * image.shape[0] * image.shape[1]:
                continue
            if not _is_seen_through(region.shade):
                continue
            now, then = (picture[region.window] for picture in (image, background))
            change = _usual_change(region.mask, now, then)
            if change is None or np.abs(change).max() < _LEAST:
                continue
            rows, columns = region.window
            center = np.array([columns.start + columns.stop, rows.start + rows.stop]) / 2
            self._add(change, center, float(area))

    def find(
        self,
        image: UInt8[np.ndarray, "h w 3"],
        background: UInt8[np.ndarray, "h w 3"],
        suspects: UInt8[np.ndarray, "h w"],
    ) -> UInt8[np.ndarray, "h w"] | None:
        """1 at pixels among `suspects` that are in a known light; None while none is known."""
        known = [light for light in self._lights if light.places >= _PLACES]
        at = np.flatnonzero(suspects.view(bool)) if known else np.zeros(0, int)
        if not len(at):
            return None
        share, slack = _shares(image, background, at)
        found = np.zeros(suspects.shape, np.uint8)
        for light in known:
            change = light.change.astype(np.float32)
            part = share @ (change / float(change @ change))
            fits = (np.abs(share - part[:, None] * change) < slack).all(axis=1)
            tinted = np.ptp(change) > _TINTED
            low, high = _SOFT_CORE if tinted else _CORE
            middle = _picture(fits & (part > low) & (part < high), at, suspects.shape)
            middle = cv2.morphologyEx(middle, cv2.MORPH_OPEN, _DISC)
            around = _picture(fits & (part > _EDGE) & (part < high), at, suspects.shape)
            if not tinted:
                around &= cv2.dilate(middle, np.ones((_RIM_PX,) * 2, np.uint8))
            found |= _joined(around | middle, middle, _SIZE * light.area)
        return cv2.morphologyEx(found, cv2.MORPH_CLOSE, _CROSS)

    def _add(
        self, change: Float[np.ndarray, " 3"], center: Float[np.ndarray, " 2"], area: float
    ) -> None:
        for light in self._lights:
            if np.abs(light.change - change).max() < _SAME:
                if math.dist(light.center, center) > _APART * math.sqrt(area):
                    light.places += 1
                    light.change += (change - light.change) / light.places
                    light.center, light.area = center, max(light.area, area)
                return
        self._lights.append(_Light(change, center, 1, area))
        self._lights = self._lights[-_MOST_LIGHTS:]


def _is_seen_through(shade: Shade) -> bool:
    """Whether this frame says that a region is the ground in other light."""
    cells = shade.through >= _CELLS and shade.through > _CELLS_FOR * shade.hidden
    return shade.follows > _FOLLOWS or cells or shade.soft < _SOFT


def _usual_change(
    mask: UInt8[np.ndarray, "h w"],
    now: UInt8[np.ndarray, "h w 3"],
    then: UInt8[np.ndarray, "h w 3"],
) -> Float[np.ndarray, " 3"] | None:
    """The change that most of a region shows more or less of; None where there is none.

    Its colour is that of the densest half by brightness, its size what a quarter goes beyond.
    """
    inner = cv2.erode(mask, _DISC, borderValue=0)
    at = np.flatnonzero((inner if cv2.countNonZero(inner) else mask).view(bool))
    share, slack = _shares(now, then, at)
    total = share.sum(axis=1)
    order = np.argsort(total)
    half, ordered = len(order) // 2, total[order]
    first = int(np.argmin(ordered[half:] - ordered[: len(ordered) - half]))
    usual = share[order[first : first + half + 1]].mean(axis=0)
    usual /= max(1e-6, float(np.linalg.norm(usual)))
    part = share @ usual
    fits = (np.abs(share - part[:, None] * usual) < slack).all(axis=1)
    if np.count_nonzero(fits) < _MOST * len(at):
        return None
    return usual.astype(np.float64) * float(np.quantile(part[fits], _FULL))


def _shares(
    now: UInt8[np.ndarray, "h w 3"], then: UInt8[np.ndarray, "h w 3"], at: np.ndarray
) -> tuple[Float[np.ndarray, "n 3"], Float[np.ndarray, "n 3"]]:
    """The change of some pixels as a share of what was there, and how far noise may move it."""
    both = (p.reshape(-1, 3).take(at, axis=0) + np.float32(1.0) for p in (now, then))
    now, then = both
    return now / then - np.float32(1.0), np.float32(_OFF) + np.float32(_OFF_GRAY) / then


def _picture(
    values: np.ndarray, at: np.ndarray, shape: tuple[int, ...]
) -> UInt8[np.ndarray, "h w"]:
    out = np.zeros(shape[0] * shape[1], np.uint8)
    out[at] = values.view(np.uint8)
    return out.reshape(shape)


def _joined(
    mask: UInt8[np.ndarray, "h w"], middle: UInt8[np.ndarray, "h w"], least: float
) -> UInt8[np.ndarray, "h w"]:
    """The connected parts of a mask in which there is enough of its middle."""
    count, labels = cv2.connectedComponents(mask)
    if count < 2:
        return mask
    large = np.bincount(labels[middle > 0], minlength=count) >= least
    large[0] = False
    return large[np.asarray(labels, np.int64)].view(np.uint8)
