"""How close in time events must be to count as together, or as one after the other."""

from __future__ import annotations

__all__ = ["BLUR_S", "NEARBY_S", "ONSET_TYPES", "TOUCH_S"]

NEARBY_S = 10.0
"""Parts of an `And`, and what a `Not` beside them excludes, lie within this many seconds."""

TOUCH_S = 0.25
"""Moments that lie this close count as one where events are said to meet, start or end together,
and a second event may begin so long before the end of the first and still come after it."""

ONSET_TYPES = frozenset({"contact", "collide", "contain", "deform", "occlude"})
"""Events that are known by their onset: something hits, comes to be inside, gives way or goes out
of sight. By the ontology their interval then lasts as long as what came of it, the touch, the stay,
the bend or the hiding: perhaps to the end of the video. What comes after one comes after its
onset, and a wait is counted from there; after every other event both count from its end."""

BLUR_S = 0.1
"""An event may be measured to begin so long before the onset that brings it about, and still come
after it: a break begins with the last frame in which the body is whole."""
