"""Scene families by name."""

from worldline.sim.families.base import Family
from worldline.sim.families.fall import Bounce, Drop, Throw
from worldline.sim.families.flat import DiscCollision, DiscParabola, DiscUniform
from worldline.sim.families.ground import Collide, Roll, Slide

__all__ = ["FAMILIES", "Family"]

FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        Drop(),
        Throw(),
        Bounce(),
        Collide(),
        Roll(),
        Slide(),
        DiscUniform(),
        DiscParabola(),
        DiscCollision(),
    )
}
"""Every family by its name."""
