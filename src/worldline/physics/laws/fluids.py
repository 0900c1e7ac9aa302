"""The law of fluids and grains: they are poured, not made or lost."""

from __future__ import annotations

import math

import numpy as np

from worldline.core import Scene, Verdict
from worldline.physics.events.view import border_distance
from worldline.physics.laws.judging import Deviation, judge, untestable

__all__ = ["check_fluid_volume"]

FLUIDS = frozenset({"grains", "grain", "sand", "gravel", "fluid", "liquid", "water", "drop"})
"""Labels of what flows: a heap of many parts, or each of its parts."""

BORDER_SHARE = 0.03
"""A part this near the border of the image, as a share of its side, may have left the view."""


def check_fluid_volume(scene: Scene, alpha: float) -> Verdict:
    """What flows keeps its volume: parts are neither made nor lost.

    Tested on what is called a fluid or grains by its label, in scenes that count: the number of
    parts of a heap (`num_parts`), or of single grains that are present, is the same in all frames.
    With sizes known the parts of one heap have one volume, so that the number is the volume. A
    part that is last, or first, present at the border of the image has gone out of view. Counts are
    exact, so a change is certain. Untestable in pixels by motion alone: the box around a stream
    grows as it spreads, and no area in an image is a volume.

    Source: conservation of mass of an incompressible fluid.
    """
    rows = [row for row, label in enumerate(scene.labels) if label in FLUIDS]
    truth = bool(np.nanmax(scene.center_px_std, initial=0.0) == 0)
    if not rows or scene.num_frames < 2 or not truth:
        return untestable(
            "fluid_volume",
            "Nothing is known to be a fluid or grains, with its parts counted: an area in the "
            "image is no volume.",
        )
    parts = np.ones((scene.num_objects, scene.num_frames), dtype=np.int64)
    if scene.num_parts is not None:
        parts = scene.num_parts.copy()
    for row in rows:
        if _leaves(scene, row):
            parts[row] = 0
        else:
            parts[row, ~scene.present[row]] = 0
    counts = parts[rows].sum(axis=0)
    change = counts - counts[0]
    worst = int(np.argmax(np.abs(change)))
    first = int(np.flatnonzero(change)[0]) if change.any() else 0
    ids = tuple(int(scene.ids[row]) for row in rows)
    test = Deviation(
        -math.inf if change.any() else 0.0,
        float(scene.time_s[first]),
        ids,
        f"{counts[0]} parts of what flows are {counts[worst]} at {scene.time_s[worst]:.2f} s",
        {"num_first": float(counts[0]), "num_worst": float(counts[worst])},
    )
    return judge("fluid_volume", [test], alpha)


def _leaves(scene: Scene, row: int) -> bool:
    """Whether all that is seen of a part's beginning or end is at the border of the image."""
    there = np.flatnonzero(scene.present[row])
    if not len(there) or len(there) == scene.num_frames:
        return False
    edges = [i for i, e in ((int(there[0]), 0), (int(there[-1]), scene.num_frames - 1)) if i != e]
    return all(border_distance(scene, row, i, i) <= BORDER_SHARE for i in edges)
