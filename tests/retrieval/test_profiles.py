from __future__ import annotations

import pytest

from worldline.core.errors import InputError
from worldline.physics import PROFILES
from worldline.retrieval import Fall, NearMiss, Or, by_profile, drac_mps2, parse, pet_s, ttc_s


def test_a_profile_is_conditions_on_what_is_stored():
    asked = NearMiss(ttc_s > 0.2).between("car", "person")
    judged = by_profile(asked, "SSAM")
    assert judged == NearMiss(ttc_s > 0.2, ttc_s < 1.5, pet_s < 5).between("car", "person")


def test_where_one_limit_is_enough_they_are_alternatives():
    judged = by_profile(NearMiss(), "sumo")
    assert isinstance(judged, Or)
    assert NearMiss(drac_mps2 > 3) in judged.parts
    assert len(judged.parts) == len(PROFILES["sumo"].any_of) == 4


def test_only_near_misses_are_judged_wherever_they_stand():
    asked = Fall().then(NearMiss(), within_s=2) & ~NearMiss()
    limits = NearMiss(ttc_s < 1.5, pet_s < 5)
    assert by_profile(asked, "ssam") == Fall().then(limits, within_s=2) & ~limits
    assert by_profile(Fall(), "ssam") == Fall()


def test_an_unknown_profile_is_named_with_those_there_are():
    with pytest.raises(InputError, match=r"no near-miss profile 'ssm'.*ssam, sumo, serious"):
        by_profile(NearMiss(), "ssm")


@pytest.mark.parametrize("way", ["by SSAM", "according to SSAM", "as defined by ssam limits"])
def test_words_name_a_profile(way: str):
    plan = parse(f"near misses {way}")
    assert plan.query == by_profile(NearMiss(), "ssam")
    assert plan.ignored == ()
    assert parse("a serious near miss").query == by_profile(NearMiss(), "serious")
    assert parse(f"a ball falls {way}").ignored == (way.lower(),)
