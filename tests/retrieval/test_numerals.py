"""Numbers, ranges, limits and negations in a sentence: read whole, or refused."""

from __future__ import annotations

import pytest

from worldline.core.errors import InputError
from worldline.retrieval.grammar import parse
from worldline.retrieval.query import (
    Bounce,
    Count,
    Event,
    Fall,
    NearMiss,
    Op,
    Quantity,
    Then,
    duration_s,
    height_m,
)


@pytest.mark.parametrize(
    ("said", "height"),
    [
        *(("1,5 m", 1.5), ("0,500 m", 0.5), ("1 000 m", 1000), ("1_000 m", 1000)),
        *(("1,000,000 m", 1e6), ("1,000.5 m", 1000.5), ("1e3 m", 1000), ("1,5e-1 m", 0.15)),
        *(("1/2 m", 0.5), ("\u00bd m", 0.5), ("1\u00bd m", 1.5), ("1 1/2 m", 1.5), ("+2 m", 2)),
        *((".5m", 0.5), ("\uff12 m", 2), ("2 m,then bounces", 2), ("6 ft 2 in", 1.8796)),
    ],
)
def test_a_number_is_read_whole(said, height):
    query = parse(f"falls from more than {said}").query
    if isinstance(query, Then):
        query = query.first
    assert isinstance(query, Event)
    assert query.where == (height_m > height,)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("falls from 2\u00b2 m", "`2\u00b2`"),
        ("falls \u2460 m", "`\u2460` cannot be read"),
        ("falls from more than 1,000 m", "`1,000` can be read in two ways; write 1000 or 1.000"),
        ("falls from more than 1e400 m", "`1e400` is too large"),
        ("falls from more than 1e-400 m", "`1e-400` is too small"),
        ("falls from more than 1e308 km", r"`1e\+308 km` is too large"),
        ("falls from 1.2.3 m", "`1.2.3` cannot be read"),
        ("falls from 1/0 m", "`1/0` is no finite number"),
        ("falls from ,5 m", "`,5` cannot be read"),
        ("falls for 1:30 min", "`1:30` cannot be read"),
        ("falls within 2 furlongs", "`2 furlongs` cannot be read"),
        ("near miss within 2 furlongs of a car", "`2 furlongs` cannot be read"),
        ("falls, then within 2 furlongs bounces", "`2 furlongs` cannot be read"),
        ("a fall, then 2 furlongs", "`2 furlongs` cannot be read"),
        ("near miss with ttc under 2 furlongs", "`2 furlongs` cannot be read"),
        ("near miss with ttc under 2 m", "`ttc` is not measured in the unit of 2 m"),
        ("slides faster than 3 cm/min", "`cm/min` has a unit that is not known"),
        ("slides faster than 3 m per minute", "`3 m per minute` has a unit"),
        ("the 2nd ball falls", "`2nd` has a unit that is not known"),
        ("falls more than 2", "`2` cannot be read"),
        ("bounces at least NaN times", "`nan`"),
        ("bounces 3.5 times", "a count of 3.5"),
        ("half a ball falls", "a count of half a"),
        ("bounces between 2 and 4 times", "only one limit"),
        ("bounces more than 2 times and less than 5 times", "counts one event twice"),
        ("two balls bounce 3 times", "counts one event twice"),
    ],
)
def test_a_number_that_is_not_read_whole_is_refused(text, part):
    with pytest.raises(InputError, match=part) as caught:
        parse(text)
    assert "\n" not in str(caught.value)


def test_words_with_digits_are_words():
    assert parse("find mp4 clips where something falls").ignored == ("mp4",)
    assert parse("two sudden falls").query == Count(Fall(), Op.GE, 2)


def test_a_limit_after_a_count_is_the_counts():
    assert parse("bounces at least 1e9 times").query == Count(Bounce(), Op.GE, 10**9)
    for text in ("bounces 2 times or less", "bounces twice or less"):
        assert parse(text).query == Count(Bounce(), Op.LE, 2)
        assert parse(text).guesses == ()
    assert parse("bounces once or less").query == Count(Bounce(), Op.LE, 1)
    assert parse("bounces once").query == Bounce()


@pytest.mark.parametrize(
    "text",
    ["falls between 3 m and 1 m", "falls between 1 and 3 m", "falls 1-3 m", "falls 3 to 1 m"],
)
def test_a_range_is_ordered(text):
    assert parse(text).query == Fall(height_m >= 1, height_m <= 3)


def test_a_range_belongs_to_the_quantity_before_it():
    restitution = Quantity("restitution")
    bounce = parse("a bounce with restitution between 0.2 and 0.5").query
    assert bounce == Bounce(restitution >= 0.2, restitution <= 0.5)
    near = parse("near miss with duration between 1 and 2 s").query
    assert near == NearMiss(duration_s >= 1, duration_s <= 2)
    fast = parse("near miss with a closing speed over 30 px/s")
    assert fast.query == NearMiss(Quantity("closing_speed_px_s") > 30)
    assert "closing speed more than 30 px/s" in fast.sentence


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (
            "falls for less than 0 seconds and more than 10 s",
            "nothing measures less than 0 seconds",
        ),
        (
            "falls more than 3 m and less than 1 m",
            "height more than 3\u202fm and height less than 1\u202fm cannot",
        ),
        (
            "falls exactly 2 m and exactly 3 m",
            "height at least 2.94\u202fm and height at most 2.04\u202fm cannot",
        ),
        ("falls between 1 s and 3 m", "units of different kinds"),
        ("falls less than 2-3 m", "a limit and a range at once"),
        ("fewer than 0 falls", "a count of less than 0"),
        ("not not falling", "`not not falling` denies one thing twice"),
        ("nothing does not fall", "denies one thing twice"),
        ("falls but not without bouncing", "denies one thing twice"),
        ("nothing falls without bouncing", "denies one thing twice"),
    ],
)
def test_what_undoes_itself_is_refused(text, part):
    with pytest.raises(InputError, match=part):
        parse(text)


def test_typed_limits_that_meet_are_allowed():
    assert Fall(height_m >= 2, height_m <= 2).where == (height_m >= 2, height_m <= 2)
    with pytest.raises(InputError, match="cannot both hold"):
        Fall(height_m > 2, height_m <= 2)
