"""Scene families by name."""

from worldline.sim.families.base import Family
from worldline.sim.families.disc_play import DiscBounce, DrivenDisc
from worldline.sim.families.fall import Bounce, Drop, Throw
from worldline.sim.families.flat import DiscCollision, DiscParabola, DiscUniform
from worldline.sim.families.fragile import Break
from worldline.sim.families.grasped import Hand
from worldline.sim.families.ground import Collide, Roll, Slide
from worldline.sim.families.gyroscope import Gyroscope
from worldline.sim.families.hidden import Occlude
from worldline.sim.families.pushed import Push
from worldline.sim.families.rows import Dominoes
from worldline.sim.families.seesaw import Seesaw
from worldline.sim.families.slopes import Ramp, USlope
from worldline.sim.families.soft_bodies import Cloth, SoftBody
from worldline.sim.families.swing import Pendulum
from worldline.sim.families.table import Billiards
from worldline.sim.families.towers import Tower
from worldline.sim.families.traffic import Traffic
from worldline.sim.families.upright import Stack, Topple, UnstableStack
from worldline.sim.families.vessels import Contain, Pour

__all__ = ["FAMILIES", "FIRST_FAMILIES", "Family"]

FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        Drop(),
        Throw(),
        Bounce(),
        Collide(),
        Roll(),
        Slide(),
        Stack(),
        Topple(),
        Occlude(),
        Pendulum(),
        DiscUniform(),
        DiscParabola(),
        DiscCollision(),
        Ramp(),
        USlope(),
        Push(),
        Dominoes(),
        Seesaw(),
        Gyroscope(),
        UnstableStack(),
        Billiards(),
        Traffic(),
        Contain(),
        Pour(),
        DrivenDisc(),
        DiscBounce(),
        Tower(),
        Cloth(),
        SoftBody(),
        Break(),
        Hand(),
    )
}
"""Every family by its name."""

FIRST_FAMILIES = (
    "drop",
    "throw",
    "bounce",
    "collide",
    "roll",
    "slide",
    "stack",
    "topple",
    "occlude",
    "pendulum",
    "disc_uniform",
    "disc_parabola",
    "disc_collision",
)
"""What the bundled world learned from and its tables are about; stays as it is when `FAMILIES`
grows."""
