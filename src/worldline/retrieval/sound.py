"""Whether conditions and roles fit the event that they are asked of: others would find nothing."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence
from typing import Any

from worldline.core.errors import InputError
from worldline.physics import ONTOLOGY
from worldline.retrieval.conditions import Compare

__all__ = ["advise", "check_event"]


def advise(name: str, known: Collection[str]) -> str:
    """What a name that is not known may have been meant as, or those that are."""
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known are {', '.join(sorted(known))}"


def check_event(kind: str, where: Sequence[Any], roles: Sequence[tuple[str, Any]]) -> None:
    """Raise `InputError` for an event that docs/events.md does not define as it is asked for."""
    if kind not in ONTOLOGY:
        raise InputError(f"no event is called {kind!r}; {advise(kind, ONTOLOGY)}")
    for condition in where:
        if not isinstance(condition, Compare):
            raise InputError(
                f"a condition of {kind} is {condition!r}; compare a quantity with a number, as in "
                "duration_s > 2 (with >, >=, < or <=)"
            )
        known = {*ONTOLOGY[kind].quantities, "duration_s"}
        if condition.quantity not in known:
            raise InputError(
                f"{kind} has no quantity {condition.quantity!r}; "
                f"{advise(condition.quantity, known)}"
            )
    for role, _ in roles:
        if role not in ONTOLOGY[kind].roles:
            raise InputError(f"{kind} has no role {role!r}; {advise(role, ONTOLOGY[kind].roles)}")
