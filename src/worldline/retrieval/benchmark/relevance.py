"""What really happens in a clip, and which of it can be seen: the judge of every answer.

Written apart from the search's own evaluation, so that a mistake there shows. A clip is judged
twice: by the events that are plain to see with limits held strictly, and by all events with limits
held loosely. Where both say the same the clip is relevant, or is not; where they differ it is
unclear and left out of that query (as the "difficult" objects of PASCAL VOC are), and counted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from worldline.core import STATIC, Event, Scene
from worldline.retrieval.colors import color_name

__all__ = ["Happening", "Need", "both", "count_of", "either", "grade", "happenings_of", "happens"]
__all__ += ["never", "sequence"]

SLACK = 1.1
"""Factor by which limits are held strictly and loosely."""

OVERLAP_S = 0.25
"""So long may a second event begin before the first has ended."""

MIN_VISIBLE, MIN_SIDE_PX = 0.7, 6.0
"""Plain to see: share of the time in view, and the shorter side of the box."""

MIN_TURNING_PX = 12.0
"""The same side where turning has to be seen."""

MIN_MOVED, MIN_MOVED_PX = 0.4, 4.0
"""Way in the image, in sizes and pixels, that a motion takes at least."""

MIN_LASTING_S = 0.4
"""Least time of what lasts."""

_ONSETS = frozenset({"contact", "collide", "contain", "deform", "occlude"})
"""What comes "then" comes after these have begun, and not after they are over."""

_VIEW = frozenset({"occlude", "reappear", "enter", "exit", "contain"})
_TURNS = frozenset({"roll", "slide", "rotate"})
_LASTS = frozenset({"roll", "slide", "rotate", "push", "carry", "support", "rise", "follow"})
_MOVES = frozenset(
    {
        "fall",
        "throw",
        "rise",
        "roll",
        "slide",
        "start",
        "stop",
        "accelerate",
        "brake",
        "turn",
        "carry",
        "push",
        "pick_up",
        "put_down",
        "follow",
        "overtake",
        "cross",
        "near_miss",
        "bounce",
        "topple",
        "oscillate",
        "collide",
    }
)


@dataclass(frozen=True)
class Happening:
    """A true event.

    Attributes:
        event: it.
        is_plain: it can be seen well.
        colors: role to colour word.
    """

    event: Event
    is_plain: bool
    colors: Mapping[str, str]


def happenings_of(scene: Scene) -> tuple[Happening, ...]:
    """The events of a true scene with what can be seen of them."""
    names = {STATIC: ""}
    for row, track in enumerate(scene.ids.tolist()):
        names[track] = "" if scene.color_rgb is None else color_name(scene.color_rgb[row])
    reach = {int(track): _reach(scene, row) for row, track in enumerate(scene.ids)}
    return tuple(
        Happening(e, _is_plain(scene, e, reach), {r: names[t] for r, t in e.roles.items()})
        for e in scene.events
    )


def _reach(scene: Scene, row: int) -> float:
    """Largest way of an object in the image over the whole clip, in its own sizes."""
    seen = scene.visible[row]
    if not seen.any():
        return 0.0
    place, size = scene.center_px[row, seen], scene.size_px[row, seen]
    side = float(np.nanmedian(np.sqrt(np.prod(size, axis=1))))
    return float(np.nanmax(np.ptp(place, axis=0)) / side) if side > 0 else 0.0


def _is_plain(scene: Scene, event: Event, reach: Mapping[int, float]) -> bool:
    tracks = [track for track in event.roles.values() if track != STATIC]
    if not tracks or max(reach[track] for track in tracks) < 0.25:
        return False  # scenery to any eye: nothing in it ever moves
    duration_s = event.end_s - event.start_s
    if event.type in _LASTS and duration_s < MIN_LASTING_S:
        return False
    if event.type == "contact" and event.start_s < scene.time_s[0] + 0.1:
        return False
    if event.type in _VIEW:
        return event.type != "occlude" or event.quantities.get("duration_s", duration_s) >= 0.1
    edge_s = 0.4 if event.type in ("start", "stop", "bounce", "collide", "contact") else 0.1
    during = (scene.time_s >= event.start_s - edge_s) & (scene.time_s <= event.end_s + edge_s)
    least_px = MIN_TURNING_PX if event.type in _TURNS else MIN_SIDE_PX
    moved = []
    for track in tracks:
        row = scene.index(track)
        place, size = scene.center_px[row, during], scene.size_px[row, during]
        inside = scene.visible[row, during] & np.all(place >= 0, axis=1)
        inside &= np.all(place <= (scene.width_px, scene.height_px), axis=1)
        if inside.mean() < MIN_VISIBLE:
            return False
        if float(np.nanmedian(size[inside].min(axis=1))) < least_px:
            return False
        side = float(np.nanmedian(np.sqrt(np.prod(size[inside], axis=1))))
        way = float(np.nanmax(np.ptp(place[inside], axis=0)))
        moved.append(way >= max(MIN_MOVED * side, MIN_MOVED_PX))
    return any(moved) or event.type not in _MOVES


@dataclass(frozen=True)
class _World:
    """One way of judging: the events that count, and the factor by which limits give way."""

    events: Sequence[Happening]
    slack: float


@dataclass(frozen=True)
class _Time:
    """When something that was needed happens, and to whom; after `done_s` something else can."""

    start_s: float
    done_s: float
    objects: frozenset[int]


Need = Callable[[_World], list[_Time]]
"""Finds every time at which a need is met; an empty list: it is not."""


def happens(
    kind: str,
    *,
    color: str = "",
    role: str = "",
    over: Mapping[str, float] | None = None,
    under: Mapping[str, float] | None = None,
) -> Need:
    """An event of a kind happens, of a thing of a colour, with quantities over and under limits."""

    def find(world: _World) -> list[_Time]:
        times = []
        for h in world.events:
            e = h.event
            if e.type != kind:
                continue
            # of what a thing falls on or behind the colour was not asked
            own = [role or "object"] if (role or "object") in h.colors else h.colors
            colors = [h.colors[r] for r in own]
            if color and color not in colors:
                continue
            measured = {"duration_s": e.end_s - e.start_s, **e.quantities}
            # NaN, for what was not measured, satisfies nothing
            holds = [
                measured.get(q, np.nan) * world.slack > limit for q, limit in (over or {}).items()
            ]
            holds += [
                measured.get(q, np.nan) < limit * world.slack for q, limit in (under or {}).items()
            ]
            if all(holds):
                objects = frozenset(t for t in e.roles.values() if t != STATIC)
                done_s = e.start_s if kind in _ONSETS else e.end_s
                times.append(_Time(e.start_s, done_s, objects))
        return times

    return find


def sequence(first: Need, second: Need, *, within_s: float = np.inf, same: bool = False) -> Need:
    """One thing, and afterwards another; to a common object where `same`."""

    def find(world: _World) -> list[_Time]:
        times = []
        for a in first(world):
            for b in second(world):
                gap_s = b.start_s - a.done_s
                later = b.start_s > a.start_s and gap_s >= -OVERLAP_S
                if (
                    later
                    and gap_s <= within_s * world.slack
                    and (a.objects & b.objects or not same)
                ):
                    times.append(_Time(a.start_s, max(a.done_s, b.done_s), a.objects | b.objects))
        return times

    return find


def both(first: Need, second: Need) -> Need:
    """Both happen in the clip."""

    def find(world: _World) -> list[_Time]:
        a, b = first(world), second(world)
        return a + b if a and b else []

    return find


def either(first: Need, second: Need) -> Need:
    """One of the two happens."""
    return lambda world: first(world) + second(world)


def never(need: Need, *, beside: Need | None = None, same: bool = False) -> Need:
    """Something does not happen in the clip; where given, another thing does, beside which it
    does not (to the same object)."""

    def find(world: _World) -> list[_Time]:
        found = need(world)
        if beside is None:
            return [] if found else [_Time(0.0, np.inf, frozenset())]
        return [
            b for b in beside(world) if not any(not same or b.objects & f.objects for f in found)
        ]

    return find


def count_of(need: Need, low: int, high: float = np.inf) -> Need:
    """Something happens from `low` to `high` times."""

    def find(world: _World) -> list[_Time]:
        found = need(world)
        if not low <= len(found) <= high:
            return []
        return found or [_Time(0.0, np.inf, frozenset())]

    return find


def grade(need: Need, happenings: Sequence[Happening]) -> float:
    """1 where the need is met, 0 where it is not, NaN where that is unclear."""
    plain = tuple(h for h in happenings if h.is_plain)
    strict, loose = need(_World(plain, 1 / SLACK)), need(_World(happenings, SLACK))
    if bool(strict) != bool(loose):
        return float("nan")
    return 1.0 if strict else 0.0
