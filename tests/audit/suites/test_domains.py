from __future__ import annotations

from worldline.audit.suites.domains import DOMAINS, domains_of
from worldline.sim import FAMILIES


def test_every_domain_is_of_known_families_and_none_is_in_two() -> None:
    named = [family for families in DOMAINS.values() for family in families]
    assert len(named) == len(set(named))
    assert set(named) <= set(FAMILIES)
    assert set(FAMILIES) - set(named) == {"driven_disc"}  # it moves as it is told


def test_domains_of_some_families() -> None:
    found = domains_of(["drop", "pour"])
    assert found["falling"] == ("drop",)
    assert found["pouring"] == ("pour",)
    assert found["traffic"] == ()
    assert set(found) == set(DOMAINS)
