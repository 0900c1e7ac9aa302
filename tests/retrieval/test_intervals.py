from __future__ import annotations

import itertools

import pytest

from worldline.core.errors import InputError
from worldline.core.scene import Event
from worldline.retrieval import (
    Bounce,
    Collide,
    Fall,
    Plan,
    Relate,
    Relation,
    Roll,
    Slide,
    Then,
    Turn,
    Who,
)
from worldline.retrieval.intervals import stand


def allen(first: tuple[float, float], second: tuple[float, float]) -> str:
    """The one of Allen's thirteen relations that holds, by his table of equal and lesser ends."""
    (a, b), (c, d) = first, second
    ac, ad, bc, bd = ((x > y) - (x < y) for x, y in ((a, c), (a, d), (b, c), (b, d)))
    return {
        (-1, -1, -1, -1): "before",
        (1, 1, 1, 1): "after",
        (-1, -1, 0, -1): "meets",
        (1, 0, 1, 1): "met by",
        (-1, -1, 1, -1): "overlaps",
        (1, -1, 1, 1): "overlapped by",
        (0, -1, 1, -1): "starts",
        (0, -1, 1, 1): "started by",
        (1, -1, 1, -1): "during",
        (-1, -1, 1, 1): "contains",
        (1, -1, 1, 0): "finishes",
        (-1, -1, 1, 0): "finished by",
        (0, -1, 1, 0): "equals",
    }[ac, ad, bc, bd]


HELD_BY = {
    Relation.WHILE: {"overlaps", "overlapped by", "starts", "started by", "during", "contains"}
    | {"finishes", "finished by", "equals"},
    Relation.DURING: {"during", "starts", "finishes", "equals"},
    Relation.OVERLAPS: {"overlaps"},
    Relation.MEETS: {"meets"},
    Relation.STARTS: {"starts"},
    Relation.FINISHES: {"finishes"},
}


@pytest.mark.parametrize("relation", Relation)
def test_relations_are_allens(relation):
    intervals = [(float(a), float(b)) for a, b in itertools.product(range(6), repeat=2) if a < b]
    seen = set()
    for first, second in itertools.product(intervals, repeat=2):
        name = allen(first, second)
        seen.add(name)
        assert stand(first, relation, second) == (name in HELD_BY[relation]), (first, second)
    assert len(seen) == 13


def test_ends_that_are_near_count_as_one_moment():
    assert stand((0.0, 1.0), Relation.MEETS, (1.2, 2.0))
    assert not stand((0.0, 1.0), Relation.MEETS, (1.3, 2.0))
    assert stand((0.8, 2.0), Relation.DURING, (1.0, 3.0))
    assert not stand((0.7, 2.0), Relation.DURING, (1.0, 3.0))
    assert stand((0.2, 1.0), Relation.STARTS, (0.0, 3.0))
    assert not stand((0.0, 1.0), Relation.WHILE, (1.0, 2.0))
    assert stand((1.0, 1.0), Relation.WHILE, (1.0, 2.0))


def one(kind: str, start_s: float, end_s: float, who: int = 0) -> Event:
    return Event(kind, start_s, end_s, {"object": who}, {}, 1.0)


def sources(result) -> list[str]:
    return [hit.source for hit in result.hits]


def test_events_are_found_by_their_relation(fill):
    library = fill(
        [one("roll", 0, 4), one("turn", 1, 2)],
        [one("roll", 0, 2), one("turn", 1, 4)],
        [one("roll", 0, 2), one("turn", 2, 4)],
        [one("roll", 0, 2), one("turn", 3, 4)],
    )
    assert sorted(sources(library.search(Roll().meanwhile(Turn())))) == ["v0", "v1"]
    assert sources(library.search(Turn().during(Roll()))) == ["v0"]
    assert sources(library.search(Roll().overlaps(Turn()))) == ["v1"]
    assert sources(library.search(Roll().meets(Turn()))) == ["v2"]
    assert sorted(sources(library.search(Roll().then(Turn())))) == ["v2", "v3"]
    (hit,) = library.search(Turn().during(Roll())).hits
    assert (hit.start_s, hit.end_s) == (0.0, 4.0)
    assert [e["type"] for e in hit.why["events"]] == ["turn", "roll"]


def test_a_relation_ties_both_to_one_object(fill):
    library = fill(
        [one("roll", 0, 4, who=0), one("turn", 1, 2, who=0)],
        [one("roll", 0, 4, who=0), one("turn", 1, 2, who=1)],
    )
    x = Who(name="x")
    assert sources(library.search(Roll().cast(object=x).meanwhile(Turn().cast(object=x)))) == ["v0"]


def test_absence_is_that_of_the_time_in_question(fill):
    library = fill(
        [one("roll", 0, 2), one("turn", 1, 2)],
        [one("roll", 0, 2), one("turn", 3, 4)],
        [one("turn", 0, 1), one("roll", 2, 3)],
    )
    assert sorted(sources(library.search(Roll().meanwhile(~Turn())))) == ["v1", "v2"]
    assert sorted(sources(library.search(Then(Roll(), ~Turn())))) == ["v0", "v2"]
    assert sorted(sources(library.search(Then(~Turn(), Roll())))) == ["v0", "v1"]
    soon = Then(Roll(), ~Turn(), within_s=0.5)
    assert sorted(sources(library.search(soon))) == ["v0", "v1", "v2"]
    (hit, *_) = library.search(Roll().meanwhile(~Turn())).hits
    assert hit.why["absent"] == ["a turn"]


@pytest.mark.parametrize("relation", Relation)
def test_a_relation_survives_json_and_says_itself(relation):
    plan = Plan(Relate(Fall(), relation, Slide()))
    assert Plan.from_json(plan.to_json()) == plan
    assert plan.sentence.startswith("A fall ")
    assert plan.sentence.endswith(" a slide.")


def test_an_absent_part_is_said_as_such():
    assert Plan(Then(~Fall(), Collide())).sentence == "No fall, then a collision."
    assert Plan(Fall().meanwhile(~Bounce())).sentence == "A fall at the same time as no bounce."


def test_what_does_not_happen_stands_in_no_relation():
    with pytest.raises(InputError, match="write what happens first"):
        (~Fall()).during(Roll())
    record = {"op": "relate", "first": {"op": "event", "type": "fall"}, "relation": "besides"}
    with pytest.raises(InputError, match="relation is 'besides'; known are while, during"):
        Plan.from_json(record)
