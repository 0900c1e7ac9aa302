"""What "then" counts from: the end of most events, the onset of a hit and its like."""

from __future__ import annotations

import pytest

from worldline.core.scene import STATIC, Event
from worldline.physics import ONTOLOGY
from worldline.retrieval import Bounce, Break, Collide, Contact, Fall, Slide, Stop, Topple
from worldline.retrieval.query import BLUR_S, ONSET_TYPES


def one(kind, start_s, end_s, who=0):
    return Event(kind, start_s, end_s, {"object": who})


def floor(start_s, end_s, who=0):
    return Event("contact", start_s, end_s, {"a": who, "b": STATIC})


def hit(start_s, end_s):
    return Event("collide", start_s, end_s, {"a": 0, "b": 1})


def sources(result):
    return sorted(hit.source for hit in result.hits)


def test_what_is_known_by_its_onset_is_an_event():
    assert set(ONTOLOGY) >= ONSET_TYPES


def test_what_follows_a_hit_may_come_while_the_touch_lasts(fill):
    library = fill(
        [floor(0.5, 2.0), one("break", 0.9, 1.0)],
        [floor(0.5, 2.0), one("break", 0.5 - BLUR_S / 2, 0.6)],
        [floor(0.5, 0.6), one("break", 1.9, 2.0)],
        [floor(0.5, 2.0), one("break", 0.2, 0.3)],
        [floor(0.5, 2.0, who=1), one("break", 0.9, 1.0)],
    )
    question = "a ball hits the floor, then breaks"
    assert sources(library.search(question)) == ["v0", "v1", "v2"]
    assert sources(library.search(f"{question} within 1 s")) == ["v0", "v1"]


def test_what_leads_to_a_hit_does_not_follow_it(fill):
    library = fill([one("fall", 0.1, 0.5), floor(0.5, 2.0)])
    assert sources(library.search(Contact().then(Fall()))) == []
    assert sources(library.search(Fall().then(Contact()))) == ["v0"]


def test_hits_follow_each_other_in_the_order_of_their_onsets(fill):
    library = fill([hit(0.50, 2.0), floor(0.52, 2.0)])
    assert sources(library.search(Collide().then(Contact()))) == ["v0"]
    assert sources(library.search(Contact().then(Collide()))) == []


def test_a_chain_counts_from_its_last_link(fill):
    library = fill([one("fall", 0.0, 0.5), floor(0.5, 2.0), one("break", 0.7, 0.8)])
    chain = Fall().then(Contact())
    assert sources(library.search(chain.then(Break(), within_s=0.3))) == ["v0"]
    assert sources(library.search(chain.then(Break(), within_s=0.1))) == []
    assert sources(library.search((Fall() & Contact()).then(Break(), within_s=0.3))) == ["v0"]


def test_what_did_not_happen_beside_a_hit_leaves_its_onset(fill):
    library = fill([floor(0.5, 2.0), one("stop", 1.0, 1.1)])
    query = (Contact() & ~Bounce()).then(Stop(), within_s=0.6)
    assert sources(library.search(query)) == ["v0"]


@pytest.mark.parametrize(("within_s", "found"), [(None, ["v0", "v1"]), (0.3, ["v0"])])
def test_other_events_count_from_their_end(fill, within_s, found):
    library = fill(
        [one("slide", 0.0, 1.0), one("topple", 1.2, 1.5)],
        [one("slide", 0.0, 1.0), one("topple", 1.4, 1.5)],
        [one("slide", 0.0, 1.0), one("topple", 0.5, 1.5)],
    )
    assert sources(library.search(Slide().then(Topple(), within_s=within_s))) == found
