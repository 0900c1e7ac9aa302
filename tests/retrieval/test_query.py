"""Queries written in Python fail where they are written, in one sentence."""

from __future__ import annotations

import pytest

from worldline.core.errors import InputError
from worldline.retrieval.query import (
    Bounce,
    Event,
    EventType,
    Fall,
    Follow,
    NearMiss,
    Push,
    check_query,
    duration_s,
    height_m,
    ttc_s,
)


@pytest.mark.usefixtures("as_users_run")
@pytest.mark.parametrize(
    ("write", "words"),
    [
        (lambda: Fall(ttc_s > 1), "fall has no quantity 'ttc_s'; known are acceleration_mps2"),
        (lambda: Push().cast(agnt="person"), "push has no role 'agnt'; did you mean 'agent'"),
        (lambda: Follow().between("a car", "a bus"), "follow has no role 'a'"),
        (lambda: Fall() and Bounce(), "join queries with &, | and ~ instead of and, or and not"),
        (lambda: not Fall(), "a query has no truth value"),
        (lambda: Fall().of(5), "an object is described by 5"),
        (lambda: Fall().of(color=["red"]), "an object is described by .'red'."),
        (lambda: Fall(height_m), "a condition of fall is Quantity.*compare a quantity with a num"),
        (lambda: Fall(height_m > "high"), "height_m is compared with 'high'"),
        (lambda: Fall() & 5, "5 is no query"),
        (lambda: Fall() | Bounce, "is no query; give one such as Fall"),
        (lambda: Fall().then(Bounce), "is no query"),
        (lambda: Fall().then(Bounce(), within_s="soon"), "within_s is soon"),
        (lambda: Fall().times(2.5), "a count of 2.5 is asked for; give a whole number"),
        (lambda: EventType("fal")(), "no event is called 'fal'; did you mean 'fall'"),
        (lambda: check_query(None), "None is no query"),
        (lambda: check_query(Fall() & ~Event("fal")), "no event is called 'fal'"),
    ],
)
def test_what_cannot_be_asked_is_refused(write, words):
    with pytest.raises(InputError, match=words):
        write()


def test_what_events_have_can_be_asked():
    asked = Fall(height_m > 1, duration_s < 2).of("ball", color="red").then(~Push().of("box"))
    check_query(asked | NearMiss(ttc_s < 1).between("car", "person"))
