"""Laws of motion as statistical tests over a scene: pass, fail, or untestable with the reason.

Each law is a function `(scene, alpha) -> Verdict`. Noise is what the track itself states or shows;
what is granted beyond it is a named constant with its reason. A verdict combines the tests of all
objects by the first step of Holm (1979), so that `alpha` bounds the chance of a false alarm for
each law and scene.
"""

from __future__ import annotations

from worldline.core import Scene, Verdict
from worldline.physics.laws.bodies import check_interpenetration, check_rigidity
from worldline.physics.laws.causes import check_causality, check_support
from worldline.physics.laws.energy import check_energy
from worldline.physics.laws.exchange import check_momentum, check_restitution
from worldline.physics.laws.fluids import check_fluid_volume
from worldline.physics.laws.free import (
    check_gravity_form,
    check_gravity_parameter,
    check_inertia,
)
from worldline.physics.laws.persistence import check_continuity, check_permanence

__all__ = [
    "LAWS",
    "check_causality",
    "check_continuity",
    "check_energy",
    "check_fluid_volume",
    "check_gravity_form",
    "check_gravity_parameter",
    "check_inertia",
    "check_interpenetration",
    "check_laws",
    "check_momentum",
    "check_permanence",
    "check_restitution",
    "check_rigidity",
    "check_support",
]

LAWS = {
    "inertia": check_inertia,
    "gravity_form": check_gravity_form,
    "gravity_parameter": check_gravity_parameter,
    "momentum": check_momentum,
    "energy": check_energy,
    "restitution": check_restitution,
    "rigidity": check_rigidity,
    "permanence": check_permanence,
    "continuity": check_continuity,
    "interpenetration": check_interpenetration,
    "support": check_support,
    "causality": check_causality,
    "fluid_volume": check_fluid_volume,
}
"""Law name to its test, in the order in which verdicts are given."""


def check_laws(scene: Scene, *, alpha: float = 0.01) -> tuple[Verdict, ...]:
    """Test every law on a scene.

    Args:
        scene: truth or prediction, in metres or in pixels.
        alpha: chance of a false alarm for each law, between 0 and 1.

    Returns:
        one verdict for each entry of `LAWS`, in that order.

    Raises:
        ValueError: alpha is not between 0 and 1.
    """
    if not 0.0 < alpha < 1.0:
        raise ValueError(f"alpha is {alpha}, expected a number between 0 and 1")
    return tuple(check(scene, alpha) for check in LAWS.values())
