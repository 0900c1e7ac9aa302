"""Whatever is typed gives a plan or one clear sentence; whatever is typed as a plan survives."""

from __future__ import annotations

import random

import pytest
from tests.retrieval.phrases import SETS, like_terms, read_phrases

from worldline.core.errors import InputError
from worldline.retrieval import (
    And,
    Count,
    Event,
    Not,
    Op,
    Or,
    Plan,
    Quantity,
    Query,
    Relate,
    Relation,
    Then,
    Who,
    parse,
)
from worldline.retrieval.colors import COLORS
from worldline.retrieval.query import PAIR_TYPES
from worldline.retrieval.vocabulary import LEXICON

ROLES = {"follow": ("object", "leader"), "push": ("agent", "object"), "bounce": ("object",)}
QUANTITIES = {
    "fall": ("height_m", "duration_s", "impact_speed_mps"),
    "near_miss": ("ttc_s", "distance_m"),
    "follow": ("headway_s",),
    "push": ("distance_m",),
    "collide": ("approach_speed_mps",),
    "bounce": ("restitution",),
}
LABELS = ("ball", "box", "car", "person", "domino")
ODD = (
    *("1e400", "-3", "2..5", "\u00bd", "10^5", "\u221e", "\u202e", "\u00e9", "\u65e5\u672c"),
    *("(x)", "(((", "\x00", "nan", "2 m", "3 furlongs", "<=", "1,000", "'", '"', "\\", "{}", "%s"),
    *("a" * 300, "1" * 400, "0 s", "half", "--", "/", "2nd", "12:30", "1/0", "\u00b3", "not not"),
)


def plan_or_complaint(text: str) -> Plan | str:
    try:
        return parse(text)
    except InputError as error:
        return str(error)


def random_event(rng: random.Random) -> Event:
    kind = rng.choice(list(QUANTITIES))
    roles = ("a", "b") if kind in PAIR_TYPES else ROLES.get(kind, ("object",))
    where = ()
    if rng.random() < 0.6:
        value = round(rng.uniform(0.1, 9), 2)
        where = (Quantity(rng.choice(QUANTITIES[kind])) > value,)
    event = Event(kind, where)
    for role in roles:
        colors = (rng.choice(COLORS),) if rng.random() < 0.3 else ()
        event = event.cast(**{role: Who((rng.choice(LABELS),), colors)})
    return event


def random_query(rng: random.Random, depth: int) -> Query:
    """Any expression that can be written in Python."""
    if depth == 0:
        return random_event(rng)
    parts = tuple(random_query(rng, depth - 1) for _ in range(rng.randint(2, 3)))
    match rng.randrange(7):
        case 0:
            return Then(parts[0], parts[1], rng.choice([None, 0.5, 3.0]))
        case 1:
            first = random_event(rng) if isinstance(parts[0], Not) else parts[0]
            return Relate(first, rng.choice(list(Relation)), parts[1])
        case 2:
            return And(parts)
        case 3:
            return Or(parts)
        case 4:
            return Not(parts[0])
        case 5:
            return Count(parts[0], rng.choice(list(Op)), rng.randint(1, 5))
        case _:
            return random_event(rng)


@pytest.mark.parametrize("seed", range(200))
def test_an_expression_survives_json(seed):
    query = random_query(random.Random(seed), depth=seed % 5)
    plan = Plan(query)
    assert Plan.from_json(plan.to_json()) == plan
    assert plan.sentence.endswith(".")


@pytest.mark.parametrize("seed", range(200))
def test_the_sentence_of_an_event_is_read_back(seed):
    query = random_event(random.Random(seed))
    plan = parse(Plan(query).sentence)
    assert plan.query is not None
    assert like_terms(plan.query) == like_terms(query)
    assert (plan.ignored, plan.guesses) == ((), ())


@pytest.mark.parametrize("name", SETS)
def test_the_sentence_of_a_plan_is_read_back(name):
    """To the five digits that sentences show."""
    lost = []
    for phrase in read_phrases(name):
        if phrase.query is not None and not phrase.is_known_failure:
            said = Plan(phrase.query).sentence
            query = parse(said).query
            if query is None or like_terms(query, 5) != like_terms(phrase.query, 5):
                lost.append(said)
    assert lost == []


@pytest.mark.parametrize("seed", range(30))
def test_any_words_give_a_plan_or_one_sentence(seed):
    rng = random.Random(seed)
    words = list(LEXICON)
    for _ in range(60):
        num_words = rng.choice([3, 6, 10, 20, 60])
        text = " ".join(rng.choice(words if rng.random() < 0.85 else ODD) for _ in range(num_words))
        outcome = plan_or_complaint(text)
        if isinstance(outcome, Plan):
            assert Plan.from_json(outcome.to_json()) == outcome
        else:
            assert "\n" not in outcome
            assert len(outcome) < 700, text


@pytest.mark.parametrize(
    "part",
    ["a ball falls and ", "1 ", "1,", "a", "((((", "-", "not ", "x'", "1.", "\u0660", "3 m/"],
)
@pytest.mark.parametrize("length", [1000, 10_000, 1_000_000])
def test_a_long_text_is_refused_in_a_short_sentence(part, length):
    text = (part * length)[:length]
    with pytest.raises(InputError) as caught:
        parse(text)
    assert len(str(caught.value)) < 700
