"""What makes a clip relevant: three-valued, and free of the search's own evaluation."""

from __future__ import annotations

import math

import pytest

from worldline.core import Event
from worldline.retrieval.benchmark.relevance import (
    Happening,
    both,
    count_of,
    either,
    grade,
    happens,
    never,
    sequence,
)


def happening(kind, start_s=0.0, end_s=1.0, *, plain=True, track=1, color="red", **quantities):
    event = Event(kind, start_s, end_s, {"object": track}, quantities)
    return Happening(event, plain, {"object": color})


FALL = happening("fall", 0.0, 0.5, height_m=3.0)
BOUNCE = happening("bounce", 0.5, 0.6)


def test_plain_events_are_relevant_and_hidden_ones_unclear():
    assert grade(happens("fall"), [FALL]) == 1.0
    assert grade(happens("fall"), [BOUNCE]) == 0.0
    assert math.isnan(grade(happens("fall"), [happening("fall", plain=False)]))


@pytest.mark.parametrize(("limit", "wanted"), [(2.0, 1.0), (4.0, 0.0)])
def test_limits(limit, wanted):
    assert grade(happens("fall", over={"height_m": limit}), [FALL]) == wanted
    assert grade(happens("fall", under={"height_m": limit}), [FALL]) == 1.0 - wanted


def test_a_value_close_to_its_limit_is_unclear():
    assert math.isnan(grade(happens("fall", over={"height_m": 2.9}), [FALL]))
    assert math.isnan(grade(happens("fall", under={"height_m": 2.9}), [FALL]))


def test_a_quantity_that_was_not_measured_satisfies_nothing():
    assert grade(happens("bounce", over={"restitution": 0.1}), [BOUNCE]) == 0.0


def test_colours():
    assert grade(happens("fall", color="red"), [FALL]) == 1.0
    assert grade(happens("fall", color="blue"), [FALL]) == 0.0


def test_the_colour_of_what_it_falls_on_was_not_asked():
    event = Event("fall", 0.0, 0.5, {"object": 1, "support": 2})
    fall = Happening(event, True, {"object": "blue", "support": "red"})
    assert grade(happens("fall", color="blue"), [fall]) == 1.0
    assert grade(happens("fall", color="red"), [fall]) == 0.0
    hit = Happening(Event("collide", 0.0, 0.1, {"a": 1, "b": 2}), True, {"a": "blue", "b": "red"})
    assert grade(happens("collide", color="red"), [hit]) == 1.0


def test_after_a_hit_counts_from_its_onset_and_after_others_from_their_end():
    stop = happening("stop", 0.6, 0.7)
    for kind, wanted in (("collide", 1.0), ("roll", 0.0)):
        need = sequence(happens(kind), happens("stop"), within_s=1.0)
        assert grade(need, [happening(kind, 0.4, 2.0), stop]) == wanted


def test_sequences_keep_order_time_and_object():
    then = sequence(happens("fall"), happens("bounce"), same=True)
    assert grade(then, [FALL, BOUNCE]) == 1.0
    assert grade(sequence(happens("bounce"), happens("fall")), [FALL, BOUNCE]) == 0.0
    late = happening("bounce", 3.0, 3.1)
    assert grade(sequence(happens("fall"), happens("bounce"), within_s=1.0), [FALL, late]) == 0.0
    other = happening("bounce", 0.5, 0.6, track=2)
    assert grade(then, [FALL, other]) == 0.0


def test_absence_counts_and_choices():
    assert grade(never(happens("fall")), [BOUNCE]) == 1.0
    assert grade(never(happens("fall")), [FALL]) == 0.0
    assert math.isnan(grade(never(happens("fall")), [happening("fall", plain=False)]))
    lone = never(happens("bounce"), beside=happens("fall"), same=True)
    assert grade(lone, [FALL]) == 1.0
    assert grade(lone, [FALL, BOUNCE]) == 0.0
    assert grade(count_of(happens("fall"), 2), [FALL, happening("fall", track=2)]) == 1.0
    assert grade(count_of(happens("fall"), 1, 1), [FALL, happening("fall", track=2)]) == 0.0
    assert grade(either(happens("fall"), happens("throw")), [FALL]) == 1.0
    assert grade(both(happens("fall"), happens("throw")), [FALL]) == 0.0
