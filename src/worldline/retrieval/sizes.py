"""The measured conditions of an event: which of its quantities a size is about."""

from __future__ import annotations

from dataclasses import replace

from worldline.core.errors import InputError
from worldline.physics import ONTOLOGY
from worldline.retrieval.draft import Draft
from worldline.retrieval.inflection import forms_of
from worldline.retrieval.plan import noun_of, with_article
from worldline.retrieval.query import PAIR_TYPES, Compare, Event, Op
from worldline.retrieval.remarks import Remarks
from worldline.retrieval.units import QUANTITY_OF, name_of

__all__ = ["count_swings", "take_window", "tell_times", "with_sizes"]

_MEANT = {
    ("collide", "impact_speed_mps"): "approach_speed_mps",
    ("collide", "closing_speed_mps"): "approach_speed_mps",
    ("collide", "closing_speed_px_s"): "approach_speed_px_s",
    ("near_miss", "approach_speed_mps"): "closing_speed_mps",
    ("throw", "impact_speed_mps"): "speed_mps",
    ("collide", "delta_v_mps"): "delta_v_a_mps",
}
"""Quantities that one event calls by another's name."""

_BACK = frozenset(forms_of("rebound"))
"""Verbs whose speed is that after it."""


def count_swings(said: Draft) -> None:
    """ "Swings ten times" is one oscillation of ten swings."""
    last = said.events[-1]
    if said.count and said.is_repeated and last.item.entry.text == "oscillate":
        op, number = said.count
        limit = Compare("num_swings", op, float(number))
        said.where.append((len(said.events) - 1, f"{number} times", limit))
        said.count = None


def take_window(said: Draft, remarks: Remarks) -> float | None:
    """The time within which counted events happen: it says nothing of each of them."""
    counted = said.count or any(p.number > 1 for p in said.people)
    if said.window_s is None or not counted or said.events[-1].item.words.endswith("within"):
        return None
    last = len(said.events) - 1
    limits = [w for w in said.where if w[0] == last and w[2] == Compare("?s", Op.LE, said.window_s)]
    pair = said.events[-1].item.entry.text in PAIR_TYPES and not said.count
    if pair or not limits:
        return None
    said.where = [w for w in said.where if w not in limits]
    if said.count not in (None, (Op.GE, 2)):
        remarks.drop(f"within {limits[0][1]}")
    return said.window_s


def tell_times(event: Event, number: int, said: Draft, remarks: Remarks, *, several: bool) -> None:
    """Say that a time is read as the length of an event where it may lie between two."""
    several = several or any(p.number > 1 for p in said.people)
    for owner, words, compare in said.where:
        lasts = any(c.quantity == "duration_s" and c.value == compare.value for c in event.where)
        if several and owner == number and compare.quantity == "?s" and lasts:
            remarks.guess(words, f"how long the {noun_of(event.type)} takes")


def with_sizes(event: Event, number: int, said: Draft, remarks: Remarks) -> Event:
    """The event with the conditions that a clause puts on it.

    Args:
        event: the clause's event of this `number`.
        number: its place among the events of the clause.
        said: the clause.
        remarks: takes what is guessed, and sizes that say nothing of the event.

    Raises:
        InputError: a quantity is named that such an event does not have.
    """
    is_last = number == len(said.events) - 1
    event = _lasting(event, number, said, remarks)
    where: list[Compare] = list(event.where)
    for owner, words, compare in said.where:
        if owner != number:
            continue
        back = " back" if said.events[number].item.words.split()[0] in _BACK else ""
        name = _quantity(
            event.type, compare.quantity + (back if compare.quantity[0] == "?" else "")
        )
        if name:
            where.append(replace(compare, quantity=name))
            if back and name.startswith("speed_after"):
                remarks.guess(words, "speed after the bounce")
        else:
            remarks.drop(words)
    height = said.height
    if height is not None and event.type in ("fall", "rise"):
        if not any(c.quantity in ("height_m", "height_px") for c in where):
            least = height.entry.value
            where.append(Compare("height_m", Op.GT, least))
            remarks.guess(height.words, f"height more than {least:g} m")
    elif height is not None and is_last:
        remarks.drop(height.words)
    where += _by_words(event, said, remarks, is_last=is_last, measured=bool(where))
    return replace(event, where=tuple(where))


def _lasting(event: Event, number: int, said: Draft, remarks: Remarks) -> Event:
    """ "Stops for 2 s" is a standstill of that time: a stop is the moment at which it begins."""
    spins = any(owner == number and c.quantity == "?radps" for owner, _, c in said.where)
    if event.type == "turn" and spins:
        remarks.guess(said.events[number].item.words, "turns about itself")
        return Event("rotate", event.where, event.roles)
    if event.type != "stop":
        return event
    for owner, words, compare in said.where:
        is_time = compare.quantity == "?s" and compare.op in (Op.GE, Op.GT)
        if owner == number and (is_time or compare.quantity == "duration_s"):
            remarks.guess(said.events[number].item.words, f"stays still for {words}")
            return Event("still", event.where, event.roles)
    return event


def _quantity(kind: str, name: str) -> str:
    """The quantity of an event that a name, or a unit after "?", speaks of; "" for none."""
    if name.startswith("?"):
        measures, unit = QUANTITY_OF.get(kind, {}), name[1:]
        plain = unit.partition(" ")[0]
        name = measures.get(unit, measures.get(plain, "duration_s" if unit == "s" else ""))
    name = _MEANT.get((kind, name), name)
    known = ONTOLOGY[kind].quantities
    if name and name != "duration_s" and name not in known:
        measured = ", ".join(dict.fromkeys(name_of(known_name) for known_name in known))
        raise InputError(
            f"{with_article(noun_of(kind))} has no {name_of(name)}; what is measured of it is "
            f"{measured}"
        )
    return name


def _by_words(
    event: Event, said: Draft, remarks: Remarks, *, is_last: bool, measured: bool
) -> list[Compare]:
    """Conditions that a word alone stands for: "hard", "to the left"."""
    where = []
    hard, side = said.hard, said.side
    if hard is not None and event.type == "brake":
        if not measured:
            least = hard.entry.value
            where.append(Compare("mean_rate_mps2", Op.GE, least))
            remarks.guess(hard.words, f"mean rate at least {least:g} m/s\u00b2")
    elif hard is not None and is_last:
        remarks.drop(hard.words)
    if side is not None and event.type == "turn":
        where.append(Compare("rightward_rad", Op.LT if side.entry.value < 0 else Op.GT, 0.0))
    elif side is not None and is_last:
        remarks.drop(side.words)
    return where
