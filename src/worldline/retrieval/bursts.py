"""Plans for what no single event says: two within a time of each other, and motion at a speed."""

from __future__ import annotations

from dataclasses import replace

from worldline.retrieval.query import Compare, Event, Or, Query, Relate, Relation, Then

__all__ = ["MOVING_MPS", "MOVING_PX_S", "near_in_time", "of_motion"]

MOVING_MPS = {
    "start": "top_speed_mps",
    "stop": "top_speed_mps",
    "roll": "speed_mps",
    "slide": "speed_mps",
}
"""Events that measure how fast something moves, in metric scenes, with that measure."""

MOVING_PX_S = {
    "start": "top_speed_px_s",
    "stop": "top_speed_px_s",
    "enter": "speed_px_s",
    "exit": "speed_px_s",
}
"""The same in pixel scenes."""


def near_in_time(first: Query, second: Query, within_s: float, *, alike: bool = False) -> Query:
    """ "Within 2 s of each other": one after the other, in either order, or at the same time.

    Where both are `alike`, one order says it.
    """
    orders = [Then(first, second, within_s)]
    if not alike:
        orders.append(Then(second, first, within_s))
    return Or((*orders, Relate(first, Relation.WHILE, second)))


def of_motion(event: Event) -> Query:
    """Any event that measures the motion of `event`'s object, under its conditions on speed.

    There is no event of moving alone: what moves has started, stops, rolls, slides, or comes into
    view or goes out of it.
    """
    speeds = [c for c in event.where if c.quantity.endswith(("speed_mps", "speed_px_s"))]
    rest = tuple(c for c in event.where if c not in speeds)
    in_pixels = any(c.quantity.endswith("px_s") for c in speeds)
    parts: list[Query] = []
    for kind, quantity in (MOVING_PX_S if in_pixels else MOVING_MPS).items():
        named = tuple(Compare(quantity, c.op, c.value) for c in speeds)
        parts.append(replace(event, type=kind, where=(*named, *rest)))
    return Or(tuple(parts))
