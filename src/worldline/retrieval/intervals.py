"""Relations between intervals: Allen's, with a tolerance for measured ends."""

from __future__ import annotations

from worldline.retrieval.query import TOUCH_S, Relation

__all__ = ["stand"]

Interval = tuple[float, float]
"""Begin and end, in seconds."""


def stand(first: Interval, relation: Relation, second: Interval) -> bool:
    """Whether two intervals stand in a relation (Allen 1983, CACM 26(11), figure 2).

    Ends at most `TOUCH_S` apart are taken for one moment; whether time is shared is judged as it
    was measured. A moment without length shares time with what it lies in, ends included.
    """
    (begin_s, end_s), (other_begin_s, other_end_s) = first, second
    latest_s, earliest_s = max(begin_s, other_begin_s), min(end_s, other_end_s)
    is_moment = begin_s == end_s or other_begin_s == other_end_s
    shared = latest_s < earliest_s or (is_moment and latest_s <= earliest_s)
    begins_s, stays_s = other_begin_s - begin_s, other_end_s - end_s
    together, at_once = abs(begins_s) <= TOUCH_S, abs(stays_s) <= TOUCH_S
    match relation:
        case Relation.WHILE:
            return shared
        case Relation.DURING:
            return shared and begins_s <= TOUCH_S and stays_s >= -TOUCH_S
        case Relation.OVERLAPS:
            return shared and begins_s > TOUCH_S and stays_s > TOUCH_S
        case Relation.MEETS:
            gap_s = other_begin_s - end_s
            return abs(gap_s) <= TOUCH_S and begins_s > 0 and stays_s > 0
        case Relation.STARTS:
            return together and stays_s > TOUCH_S
        case Relation.FINISHES:
            return at_once and begins_s < -TOUCH_S
