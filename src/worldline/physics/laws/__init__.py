"""Laws of motion as statistical tests over a scene: pass, fail, or untestable with the reason.

Each law is a function `(scene, alpha) -> Verdict`. Noise is what the track itself states or shows;
what is granted beyond it is a named constant with its reason. A verdict combines the tests of all
objects by the first step of Holm (1979), so that `alpha` bounds the chance of a false alarm for
each law and scene.
"""

from __future__ import annotations

from worldline.core import Scene, Verdict
from worldline.physics.laws.bodies import check_interpenetration, check_rigidity
from worldline.physics.laws.free import (
    check_gravity_form,
    check_gravity_parameter,
    check_inertia,
)
from worldline.physics.laws.persistence import check_continuity, check_permanence

__all__ = [
    "LAWS",
    "check_continuity",
    "check_gravity_form",
    "check_gravity_parameter",
    "check_inertia",
    "check_interpenetration",
    "check_laws",
    "check_permanence",
    "check_rigidity",
]

LAWS = {
    "inertia": check_inertia,
    "gravity_form": check_gravity_form,
    "gravity_parameter": check_gravity_parameter,
    "rigidity": check_rigidity,
    "permanence": check_permanence,
    "continuity": check_continuity,
    "interpenetration": check_interpenetration,
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
