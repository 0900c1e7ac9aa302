from __future__ import annotations

from typing import Any

import pytest

from worldline.core.errors import InputError
from worldline.retrieval.plan import Plan, query_from_json, query_to_json
from worldline.retrieval.query import Bounce, Fall, height_m

FALL: dict[str, Any] = {"op": "event", "type": "fall"}


def test_what_was_written_is_read_back():
    query = (Fall(height_m > 2).of("ball", color="red").then(Bounce(), within_s=2) | Fall()).times(
        3
    )
    assert query_from_json(query_to_json(query)) == query


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ({**FALL, "wher": []}, "query has the unknown field 'wher'"),
        ({"op": "event"}, r"query lacks type \(text\)"),
        ({**FALL, "type": 3}, "query.type is 3, expected text"),
        ({**FALL, "where": [{"quantity": "height_m", "op": "~", "value": 1}]}, r"where\[0\].op is"),
        ({**FALL, "where": [{"quantity": "height_m", "op": ">", "value": True}]}, "value is True"),
        ({**FALL, "where": [{"quantity": "height_m", "op": ">", "value": "2"}]}, "value is '2'"),
        ({**FALL, "roles": {"object": {"labels": "ball"}}}, "roles.object.labels is 'ball'"),
        ({"op": "and", "parts": []}, "query.parts is empty"),
        ({"op": "and", "parts": [FALL, 7]}, r"query.parts\[1\] is 7, expected an object"),
        ({"op": "count", "part": FALL, "comparator": ">", "number": 2.5}, "query.number is 2.5"),
        ({"op": "then", "first": FALL, "second": FALL, "within_s": "soon"}, "within_s is 'soon'"),
        ({"op": "then", "first": FALL}, "query lacks second"),
        ({**FALL, "type": "fal"}, "query.type is 'fal'; did you mean 'fall'"),
        ({**FALL, "type": "zzz"}, "query.type is 'zzz'; known are accelerate, bounce"),
        (
            {**FALL, "where": [{"quantity": "heigth_m", "op": ">", "value": 1}]},
            r"where\[0\].quantity is 'heigth_m'; did you mean 'height_m'",
        ),
        ({**FALL, "roles": {"subject": {}}}, "a role in query.roles is 'subject'; did you mean"),
        ({"op": "not", "part": {"op": "perhaps"}}, "operation 'perhaps' in query.part"),
    ],
)
def test_each_complaint_names_the_field(record, words):
    with pytest.raises(InputError, match=words):
        Plan.from_json(record)


def test_every_event_has_a_duration():
    where = [{"quantity": "duration_s", "op": "<", "value": 1}]
    assert Plan.from_json({"op": "event", "type": "contain", "where": where}).query is not None
    assert Plan.from_json({"op": "event", "type": "enter", "where": where}).query is not None


def test_a_plan_is_read_as_strictly():
    assert Plan.from_json({"query": FALL, "text": "a fall"}).text == "a fall"
    with pytest.raises(InputError, match="plan has the unknown field 'querry'"):
        Plan.from_json({"querry": FALL})
    with pytest.raises(InputError, match=r"plan.guesses\[0\] lacks meaning"):
        Plan.from_json({"query": FALL, "guesses": [{"words": "high"}]})


def nested(levels: int) -> dict[str, Any]:
    record = FALL
    for _ in range(levels - 1):
        record = {"op": "not", "part": record}
    return record


def test_a_plan_that_is_nested_too_deep_is_refused():
    assert Plan.from_json(nested(100)).sentence.startswith("No ")
    for levels in (101, 900):
        with pytest.raises(InputError, match="nested too deep; write it in at most 100 levels"):
            Plan.from_json(nested(levels))


def test_a_number_that_is_too_large_is_refused():
    compare = {"quantity": "height_m", "op": ">", "value": 10**400}
    with pytest.raises(InputError, match="value is 1000"):
        Plan.from_json({**FALL, "where": [compare]})
