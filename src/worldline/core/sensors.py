"""Which sensor maps there are, and how many numbers each of them has per latent cell."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["MAPS", "MAP_DETAIL", "map_groups"]

MAPS = {"depth": 1, "edges": 1, "segmentation": 3}
"""Channels of each kind of map; see `worldline.data.maps`."""

MAP_DETAIL = 4
"""A latent cell holds so many averages of a map per side."""


def map_groups(names: Sequence[str]) -> tuple[int, ...]:
    """Numbers per latent cell of each named map, in order.

    Raises:
        ValueError: a name is unknown, or there twice.
    """
    unknown = [name for name in names if name not in MAPS]
    if unknown or len(set(names)) != len(names):
        raise ValueError(
            f"sensor maps are {', '.join(names)}; give some of {', '.join(MAPS)}, once"
        )
    return tuple(MAPS[name] * MAP_DETAIL**2 for name in names)
