"""Near misses as others define them: named limits on the measures of a stored event."""

from __future__ import annotations

from dataclasses import replace

from worldline.core.errors import InputError
from worldline.physics import PROFILES, Limit
from worldline.retrieval.query import And, Compare, Count, Event, Not, Op, Or, Query, Relate, Then

__all__ = ["by_profile"]


def by_profile(query: Query, name: str) -> Query:
    """The query with each near miss in it judged by a profile of `worldline.physics.PROFILES`.

    `by_profile(NearMiss().between("car", "person"), "ssam")` asks for those whose time to collision
    and post-encroachment time are below SSAM's limits. It chooses among the near misses that are
    stored, which ended within 1.5 mean radii; `detect_events(scene, near_misses_by=...)` looks at
    every approach.

    Raises:
        InputError: there is no such profile.
    """
    profile = PROFILES.get(name.lower())
    if profile is None:
        raise InputError(f"no near-miss profile {name!r}; choose from {', '.join(PROFILES)}")
    match query:
        case Event("near_miss", where):
            judged = [
                replace(query, where=(*where, *(_compare(limit) for limit in limits)))
                for limits in profile.any_of
            ]
            return judged[0] if len(judged) == 1 else Or(tuple(judged))
        case Then(first, second) | Relate(first, _, second):
            return replace(query, first=by_profile(first, name), second=by_profile(second, name))
        case And(parts) | Or(parts):
            return replace(query, parts=tuple(by_profile(part, name) for part in parts))
        case Not(part) | Count(part):
            return replace(query, part=by_profile(part, name))
        case _:
            return query


def _compare(limit: Limit) -> Compare:
    return Compare(limit.quantity, Op.LT if limit.below else Op.GT, limit.value)
