"""What a person reads of a search."""

from __future__ import annotations

from io import StringIO
from typing import Any

from rich.console import Console

from worldline.cli.search import Search, because


def event(kind: str = "fall", **more: Any) -> dict[str, Any]:
    ball = {"track": 1, "label": "object", "color": "red"}
    record = {"type": kind, "roles": {"object": ball}, "comparisons": [], "guessed": False}
    return {**record, **more}


def why(*events: dict[str, Any], absent: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"events": list(events), "absent": list(absent)}


def shown(query: dict[str, Any] | None, *reasons: dict[str, Any]) -> str:
    hits = [
        {"score": 0.5, "start_s": 0.0, "end_s": 1.0, "origin": "recorded", "source": "a.mp4"}
        | {"why": reason}
        for reason in reasons
    ]
    plan = {"sentence": "A fall.", "guesses": [], "ignored": [], "suggestions": [], "query": query}
    console = Console(width=250, file=(text := StringIO()))
    Search(("fall",), "library").show({"plan": plan, "hits": hits}, console)
    return text.getvalue()


def test_a_reason_is_said_in_words_with_units():
    asked = {"quantity": "mean_rate_sizes_s2", "op": ">=", "threshold": 2.0, "std": 0.25}
    told = because(why(event("brake", comparisons=[{**asked, "value": 1234567.0}])))
    assert told == (
        "braking of object 1: mean change of speed 1230000\u202fobject sizes/s² ± 0.25 "
        "(asked: at least 2\u202fobject sizes/s²)"
    )


def test_a_pair_is_said_as_such_and_a_guess_as_a_guess():
    roles = {
        "a": {"track": 2, "label": "object", "color": None},
        "b": {"track": 5, "label": "box", "color": None},
    }
    told = because(why(event("near_miss", roles=roles, guessed=True), absent=("a contact",)))
    assert told == "near miss of object 2 and box 5 (guessed); without a contact"


def test_of_many_reasons_the_first_are_told():
    told = because(why(*[event()] * 9, absent=("a contact",)))
    assert told.count("fall of object 1") == 6
    assert told.endswith("; and 3 further events; without a contact")
    assert "further" not in because(why(*[event()] * 6))


def test_each_match_of_motion_says_what_is_alike():
    pairs = [
        ("field", [1, 2], [4]),
        ("course", [], []),
        ("body", [1], [4]),
        ("pair", [1, 2], [4, 5]),
    ]
    alike = [
        {"kind": kind, "query_tracks": asked, "tracks": there, "similarity": 0.75}
        for kind, asked, there in pairs
    ]
    told = because({**why(), "similarity": 0.8, "alike": alike})
    assert told == (
        "motion 0.80 alike (all motion 0.75, what happens when 0.75, 1 like 4 0.75, "
        "1 and 2 like 4 and 5 0.75)"
    )


def test_things_without_names_are_told_of():
    car = {"op": "event", "type": "fall", "roles": {"object": {"labels": ["car"]}}}
    doubt = "object 1 may not be a car: not recognised"
    doubted = shown(car, why(event(unconfirmed=[doubt])))
    assert "fall of object 1 (object 1 may not be a car)" in doubted
    assert "in place of car" in doubted
    assert "in place of car" in shown({"op": "not", "part": car})
    assert "in place of" not in shown(car, why(event()))
    assert "in place of" not in shown({"op": "event", "type": "fall", "roles": {}})
    assert "in place of" not in shown(None)
