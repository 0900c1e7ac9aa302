"""Named definitions of a near miss: limits on conflict measures, as their sources give them.

The sources disagree, so that none of them is built into the event: `near_miss` reports the
measures, and a profile says which of them it takes for a conflict.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["PROFILES", "ConflictProfile", "Limit"]


@dataclass(frozen=True)
class Limit:
    """A limit on one quantity of `near_miss`.

    Attributes:
        quantity: its name, with unit.
        below: critical are smaller values, else greater ones.
        value: the limit itself, which is not critical.
    """

    quantity: str
    below: bool
    value: float

    def holds(self, quantities: Mapping[str, float]) -> bool:
        """Whether the measure is there and beyond the limit."""
        value = quantities.get(self.quantity)
        return value is not None and (value < self.value if self.below else value > self.value)


@dataclass(frozen=True)
class ConflictProfile:
    """What a source takes for a conflict.

    Attributes:
        name: such as "ssam".
        source: where the limits come from.
        any_of: sets of limits; a conflict goes beyond all limits of one of them.
    """

    name: str
    source: str
    any_of: tuple[tuple[Limit, ...], ...]

    def holds(self, quantities: Mapping[str, float]) -> bool:
        """Whether measured quantities of a `near_miss` make it a conflict."""
        return any(all(limit.holds(quantities) for limit in limits) for limits in self.any_of)


PROFILES: Mapping[str, ConflictProfile] = {
    profile.name: profile
    for profile in (
        ConflictProfile(
            "ssam",
            "Surrogate Safety Assessment Model, FHWA-HRT-08-051 (2008): TTC and PET limits that "
            "its software starts with",
            ((Limit("ttc_s", True, 1.5), Limit("pet_s", True, 5.0)),),
        ),
        ConflictProfile(
            "sumo",
            "Eclipse SUMO, device.ssm.thresholds (Simulation/Output/SSM_Device): one limit is "
            "enough; SUMO has no MTTC",
            (
                (Limit("ttc_s", True, 3.0),),
                (Limit("drac_mps2", False, 3.0),),
                (Limit("pet_s", True, 2.0),),
                (Limit("mdrac_mps2", False, 3.4),),
            ),
        ),
        ConflictProfile(
            "serious",
            "van der Horst (1990), Sayed and Zein (1999): TTC below 1.5 s; Archer (2005): DRAC "
            "above 3.35 m/s^2",
            ((Limit("ttc_s", True, 1.5),), (Limit("drac_mps2", False, 3.35),)),
        ),
    )
}
"""Profiles by name."""
