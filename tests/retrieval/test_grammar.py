from __future__ import annotations

import math

import pytest

from worldline.core.errors import InputError
from worldline.retrieval.grammar import parse
from worldline.retrieval.plan import Plan
from worldline.retrieval.query import (
    Accelerate,
    And,
    Bounce,
    Brake,
    Carry,
    Collapse,
    Collide,
    Compare,
    Contact,
    Count,
    Cross,
    Enter,
    Event,
    Exit,
    Fall,
    Follow,
    NearMiss,
    Not,
    Occlude,
    Op,
    Or,
    Oscillate,
    Overtake,
    PickUp,
    Push,
    PutDown,
    Quantity,
    Reappear,
    Rise,
    Roll,
    Rotate,
    Slide,
    Start,
    Still,
    Stop,
    Support,
    Then,
    Throw,
    Topple,
    Turn,
    Who,
    approach_speed_mps,
    distance_m,
    duration_s,
    height_m,
    speed_mps,
    ttc_s,
)

BALL, BOX, CAR, PERSON, STATIC = (Who((w,)) for w in ("ball", "box", "car", "person", "static"))
BUS, TRUCK = Who(("bus",)), Who(("truck",))
X = Who(name="x")


def who(*labels: str, colors: tuple[str, ...] = (), name: str | None = None) -> Who:
    return Who(labels, colors, name)


def event(base: Event, **roles: Who) -> Event:
    return Event(base.type, base.where, tuple(roles.items()))


def q(name: str) -> Quantity:
    return Quantity(name)


BALL_X, BOX_X = who("ball", name="x"), who("box", name="x")

PLANS = {
    # near-misses are not collisions
    "near-miss": NearMiss(),
    "Show me near-miss collisions.": NearMiss(),
    "near miss collision": NearMiss(),
    "two objects nearly collide": NearMiss(),
    "almost hits": NearMiss(),
    "close call": NearMiss(),
    "a ball narrowly misses a box": event(NearMiss(), a=BALL, b=BOX),
    "near-miss between a car and a person": event(NearMiss(), a=CAR, b=PERSON),
    "two cars narrowly avoid colliding": event(NearMiss(), a=CAR, b=CAR),
    "near collision closer than 30 px": NearMiss(q("distance_px") < 30),
    "near miss within 50 cm": NearMiss(distance_m <= 0.5),
    "a car and a person nearly collide with ttc under 1.5 s": event(
        NearMiss(ttc_s < 1.5), a=CAR, b=PERSON
    ),
    "time to collision below 1500 ms near miss": NearMiss(ttc_s < 1.5),
    "near misses with a closing speed above 36 km/h": NearMiss(q("closing_speed_mps") > 10),
    "collision": Collide(),
    "find clips where two things collide": Collide(),
    "a box hits a ball": event(Collide(), a=BOX, b=BALL),
    "a ball hits a box": event(Collide(), a=BALL, b=BOX),
    "a box is hit by a red ball": event(Collide(), a=BOX, b=who("ball", colors=("red",))),
    "a yellow ball and a green box collide at more than 2 m/s": event(
        Collide(approach_speed_mps > 2),
        a=who("ball", colors=("yellow",)),
        b=who("box", colors=("green",)),
    ),
    "collision between a car and a bus": event(Collide(), a=CAR, b=who("bus")),
    "a ball hits the floor": event(Contact(), a=BALL, b=STATIC),
    "a ball touches the wall": event(Contact(), a=BALL, b=STATIC),
    # falls and measures
    "something falls": Fall(),
    "something falls from a height": Fall(height_m > 0.5),
    "Find clips where something falls from a height.": Fall(height_m > 0.5),
    "something falls from a great height": Fall(height_m > 2),
    "a red ball falls more than 2 m": event(
        Fall(height_m > 2), object=who("ball", colors=("red",))
    ),
    "a ball falls over 2 m": event(Fall(height_m > 2), object=BALL),
    "something falls from a height of at least 80 cm": Fall(height_m >= 0.8),
    "something falls from a height above 3 ft": Fall(height_m > 0.9144),
    "something drops less than 20 inches": Fall(height_m < 0.508),
    "a fall higher than 100 px": Fall(q("height_px") > 100),
    "a fall of no more than 1.5m": Fall(height_m <= 1.5),
    "a fall of 6 feet or more": Fall(height_m >= 1.8288),
    "a fall between 1 and 2 m": Fall(height_m >= 1, height_m <= 2),
    "Fall >= 2 m": Fall(height_m >= 2),
    "a 2-metre fall": Fall(height_m >= 2),
    "fall for 200 ms": Fall(duration_s >= 0.2),
    "a fall with an impact speed over 5 m/s": Fall(q("impact_speed_mps") > 5),
    "something rises more than 1 m": Rise(height_m > 1),
    "a ball lands on a box": event(Fall(), object=BALL, support=BOX),
    "a red or blue ball falls": event(Fall(), object=who("ball", colors=("red", "blue"))),
    "a ball or box falls": event(Fall(), object=who("ball", "box")),
    # other events
    "a ball is thrown": event(Throw(), object=BALL),
    "someone throws a ball faster than 10 mph": event(Throw(speed_mps > 4.4704), object=BALL),
    "a blue box slides for more than 2 s": event(
        Slide(duration_s > 2), object=who("box", colors=("blue",))
    ),
    "a grey cylinder rolls on the floor": event(
        Roll(), object=who("cylinder", colors=("gray",)), support=STATIC
    ),
    "a ball rolls down a ramp faster than 2 m/s": event(
        Roll(speed_mps > 2), object=BALL, support=STATIC
    ),
    "something topples by more than 60 degrees": Topple(q("tilt_rad") > 1.0471975512),
    "something falls over": Topple(),
    "a bounce with restitution above 0.8": Bounce(q("restitution") > 0.8),
    "an object disappears for longer than half a second": Occlude(duration_s > 0.5),
    "a ball disappears behind a box": event(Occlude(), object=BALL, occluder=BOX),
    "two people cross paths": event(Cross(), a=PERSON, b=PERSON),
    "a person does not move": event(Still(), object=PERSON),
    # one object does it to another: either may be said first
    "a person pushes a box": event(Push(), agent=PERSON, object=BOX),
    "a box is pushed by a person": event(Push(), agent=PERSON, object=BOX),
    "a box is pushed more than 50 cm": event(Push(distance_m > 0.5), object=BOX),
    "a person carries a box for more than 2 s": event(
        Carry(duration_s > 2), agent=PERSON, object=BOX
    ),
    "a person picks up a ball": event(PickUp(), agent=PERSON, object=BALL),
    "a ball is lifted": event(PickUp(), object=BALL),
    "a person puts down a red box": event(
        PutDown(), agent=PERSON, object=who("box", colors=("red",))
    ),
    "a box stands on another box": event(Support(), support=BOX, object=BOX),
    "a box supports a ball": event(Support(), support=BOX, object=BALL),
    "a ball is supported by a box": event(Support(), support=BOX, object=BALL),
    "a ball rests on the floor": event(Still(), object=BALL),
    "a car follows a truck": event(Follow(), object=CAR, leader=TRUCK),
    "a truck is followed by a car": event(Follow(), object=CAR, leader=TRUCK),
    "a car overtakes a bus": event(Overtake(), object=CAR, overtaken=BUS),
    "a bus is overtaken by a car": event(Overtake(), object=CAR, overtaken=BUS),
    "a person pushes a box which topples": And(
        (event(Push(), agent=PERSON, object=BOX_X), event(Topple(), object=BOX_X))
    ),
    "a person lifts a box and puts it down": And(
        (
            event(PickUp(), agent=who("person", name="x"), object=who("box", name="y")),
            event(PutDown(), agent=X, object=who(name="y")),
        )
    ),
    # one object's way
    "a car brakes": event(Brake(), object=CAR),
    "a car slows down by more than 18 km/h": event(Brake(q("delta_v_mps") > 5), object=CAR),
    "a bicycle speeds up and turns": And(
        (event(Accelerate(), object=who("bicycle", name="x")), event(Turn(), object=X))
    ),
    "a car turns more than 90 degrees": event(Turn(q("angle_rad") > 1.57079632679), object=CAR),
    "a car turns after it brakes": Then(
        event(Brake(), object=X), event(Turn(), object=who("car", name="x"))
    ),
    "something swings for more than 3 s": Oscillate(duration_s > 3),
    "a tower of blocks collapses": event(Collapse(), object=BOX),
    "a cylinder spins": event(Rotate(), object=who("cylinder")),
    # negation
    "no collision": Not(Collide()),
    "nothing falls": Not(Fall()),
    "a ball doesn't fall": Not(event(Fall(), object=BALL)),
    "videos with no falls": Not(Fall()),
    "no near-miss": Not(NearMiss()),
    "near miss without contact": And((NearMiss(), Not(Contact()))),
    "a fall but no contact": And((Fall(), Not(Contact()))),
    "a ball falls without bouncing": And(
        (event(Fall(), object=BALL_X), Not(event(Bounce(), object=X)))
    ),
    "something falls but never bounces": And(
        (event(Fall(), object=X), Not(event(Bounce(), object=X)))
    ),
    "a ball falls without bouncing or rolling": And(
        (
            event(Fall(), object=BALL_X),
            Not(Or((event(Bounce(), object=X), event(Roll(), object=X)))),
        )
    ),
    "a ball falls without bouncing and rolling": And(
        (
            event(Fall(), object=BALL_X),
            Not(event(Bounce(), object=X)),
            Not(event(Roll(), object=X)),
        )
    ),
    "a ball does not bounce and rolls": And(
        (event(Roll(), object=X), Not(event(Bounce(), object=BALL_X)))
    ),
    # counts
    "at least two falls": Count(Fall(), Op.GE, 2),
    "three collisions": Count(Collide(), Op.GE, 3),
    "exactly three collisions": Count(Collide(), Op.EQ, 3),
    "more than two collisions": Count(Collide(), Op.GT, 2),
    "at most one collision": Count(Collide(), Op.LE, 1),
    "fewer than 3 bounces": Count(Bounce(), Op.LT, 3),
    "two balls fall": Count(event(Fall(), object=BALL), Op.GE, 2),
    "a ball bounces twice": Count(event(Bounce(), object=BALL), Op.GE, 2),
    "a ball bounces at least three times": Count(event(Bounce(), object=BALL), Op.GE, 3),
    "at least two near-misses between cars": Count(event(NearMiss(), a=CAR, b=CAR), Op.GE, 2),
    # order in time, and who does it
    "a fall followed by a bounce within 2 s": Then(Fall(), Bounce(), 2.0),
    "a fall and then, within 300 ms, a bounce": Then(Fall(), Bounce(), 0.3),
    "a bounce within 500 ms after a fall": Then(Fall(), Bounce(), 0.5),
    "after a fall, a ball bounces": Then(Fall(), event(Bounce(), object=BALL)),
    "a ball hits a box then falls": Then(
        event(Collide(), a=BALL_X, b=BOX), event(Fall(), object=X)
    ),
    "a ball hits a box, then the box topples within 1.5 seconds": Then(
        event(Collide(), a=BALL, b=BOX_X), event(Topple(), object=BOX_X), 1.5
    ),
    "a truck stops after it starts": Then(
        event(Start(), object=X), event(Stop(), object=who("truck", name="x"))
    ),
    "a person enters then exits within 5 s": Then(
        event(Enter(), object=who("person", name="x")), event(Exit(), object=X), 5.0
    ),
    "a ball goes out of sight behind a box, then reappears": Then(
        event(Occlude(), object=BALL_X, occluder=BOX), event(Reappear(), object=X)
    ),
    "a domino topples before the ball stops": Then(
        event(Topple(), object=who("domino")), event(Stop(), object=BALL)
    ),
    "a fall, then a bounce, then a roll": Then(Then(Fall(), Bounce()), Roll()),
    # and, or
    "a ball falls and bounces": And((event(Fall(), object=BALL_X), event(Bounce(), object=X))),
    "a ball falls and a box topples": And(
        (event(Fall(), object=BALL), event(Topple(), object=BOX))
    ),
    "a collision or a near miss": Or((Collide(), NearMiss())),
    "a falling ball hits a box": And(
        (event(Fall(), object=BALL_X), event(Collide(), a=BALL_X, b=BOX))
    ),
}


@pytest.mark.parametrize("text", PLANS)
def test_a_phrasing_gives_exactly_its_plan(text):
    assert parse(text).query == PLANS[text]


@pytest.mark.parametrize("text", PLANS)
def test_a_plan_survives_json_and_says_itself(text):
    plan = parse(text)
    assert Plan.from_json(plan.to_json()) == plan
    assert plan.sentence.endswith(".")
    assert plan.sentence[0].isupper()
    assert "None" not in plan.sentence


def test_every_near_miss_is_told_from_its_collision():
    for touch in ("collide", "hit each other", "crash", "bump into each other", "touch"):
        almost = parse(f"two balls nearly {touch}").query
        real = parse(f"two balls {touch}").query
        assert isinstance(almost, Event)
        assert isinstance(real, Event)
        assert almost.type == "near_miss"
        assert real.type in ("collide", "contact")
        assert almost.roles == real.roles == (("a", BALL), ("b", BALL))


def test_role_swap_changes_the_plan():
    straight = parse("a ball hits a box, then falls").query
    swapped = parse("a box hits a ball, then falls").query
    assert straight == Then(event(Collide(), a=BALL_X, b=BOX), event(Fall(), object=X))
    assert swapped == Then(event(Collide(), a=BOX_X, b=BALL), event(Fall(), object=X))


def test_a_default_threshold_is_marked_as_a_guess():
    plan = parse("something falls from a height")
    assert [(g.words, g.meaning) for g in plan.guesses] == [
        ("from a height", "height more than 0.5 m")
    ]
    assert parse("something falls from a height of more than 3 m").guesses == ()


def test_a_bare_measure_and_a_bare_count_are_guesses():
    assert [g.words for g in parse("a ball falls 2 m").guesses] == ["2 m"]
    assert [g.words for g in parse("three collisions").guesses] == ["three"]
    assert parse("at least three collisions").guesses == ()


def test_unknown_words_decide_nothing_and_are_listed():
    plan = parse("a unicorn quietly falls")
    assert plan.query == Fall()
    assert plan.ignored == ("unicorn", "quietly")


def test_a_misspelled_word_is_a_marked_guess():
    plan = parse("colision between a car and a bus")
    assert plan.query == event(Collide(), a=CAR, b=who("bus"))
    assert [g.words for g in plan.guesses] == ["colision"]


def test_a_number_of_doers_is_listed():
    plan = parse("two people push a box")
    assert plan.query == event(Push(), agent=PERSON, object=BOX)
    assert plan.ignored == ("two",)


def test_a_measure_that_the_event_does_not_have_is_listed():
    plan = parse("a collision of more than 3 m")
    assert plan.query == Collide()
    assert plan.ignored == ("3 m",)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("?!", "names nothing that can happen"),
        ("asdf qwer", "not known: asdf, qwer"),
        ("a red ball", "names nothing that can happen"),
        ("then and or not", "names nothing that can happen"),
        ("fall then within 0 s a bounce", "leaves no time"),
        ("fall " * 300, "at most 200"),
        ('Fall(height_m > 2).of("ball")', "a typed expression, which Python takes"),
        ("~NearMiss()", "a typed expression, which Python takes"),
    ],
)
def test_a_query_without_meaning_is_refused_in_one_sentence(text, part):
    with pytest.raises(InputError, match=part) as caught:
        parse(text)
    assert "\n" not in str(caught.value)


def test_units_meet_in_one_quantity():
    heights = ("200 cm", "2 m", "2000 mm", "2 metres", "78.74015748 in", "6.56167979 ft")
    for text in heights:
        query = parse(f"a fall of more than {text}").query
        assert isinstance(query, Event)
        (compare,) = query.where
        assert (compare.quantity, compare.op) == ("height_m", Op.GT)
        assert math.isclose(compare.value, 2.0, rel_tol=1e-8)


def test_comparators_read_as_they_are_said():
    said = {
        Op.GT: "more than, over, above, exceeding, >, greater than",
        Op.GE: "at least, no less than, >=, a minimum of, ≥",
        Op.LT: "less than, under, below, <, shorter than",
        Op.LE: "at most, no more than, up to, <=, ≤",
    }
    for op, phrases in said.items():
        for phrase in phrases.split(", "):
            assert parse(f"a fall of {phrase} 2 m").query == Fall(Compare("height_m", op, 2.0))


@pytest.mark.parametrize(
    "text",
    [
        "falls higher than -3 m",
        "a fall from minus 2 m",
        "fall > \u22121 m",
        "at least minus three bounces",
        "a ball bounces negative two times",
        "falls more than negative 2 m",
    ],
)
def test_numbers_below_zero_are_refused(text):
    number = r"(-|minus |negative )([0-9]|two|three)"
    with pytest.raises(InputError, match=rf"the query asks for {number}; heights"):
        parse(text)


def test_dashes_are_no_minus():
    assert parse("near-miss between a car and a person").sentence.startswith("A near miss")
    assert "3 m" in parse("a ball falls 2-3 m").sentence
