"""Twins: a clip that can happen beside one that cannot, by the property that it breaks.

The eleven properties are those of intuitive physics suites: IntPhys (Riochet et al. 2022), InfLevel
(Weihs et al. 2022) and GRASP (Jassim et al. 2024) ask for some of them each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

import numpy as np

from worldline.audit.suites import twin_hidden, twin_motion, twin_touch
from worldline.audit.suites.twin_film import Twin, finish
from worldline.core.errors import InputError
from worldline.core.processes import spread_in_order
from worldline.sim.splits import Split, seed_of

__all__ = ["PROPERTIES", "Twin", "make_twin", "make_twins"]

Draw = Callable[[np.random.Generator, int, int], Twin | None]

_DRAWS: dict[str, Draw] = {
    "permanence": twin_hidden.permanence,
    "continuity": twin_hidden.continuity,
    "shape": twin_hidden.shape,
    "colour": twin_hidden.color,
    "gravity": twin_motion.gravity,
    "support": twin_motion.support,
    "inertia": twin_motion.inertia,
    "solidity": twin_touch.solidity,
    "collision": twin_touch.collision,
    "energy": twin_motion.energy,
    "causality": twin_touch.causality,
}

PROPERTIES = tuple(_DRAWS)
"""In the order of the table."""

_TRIES = 400
_PARTS = {"test": "twins", "development": "twins to choose by"}


def make_twin(of: str, index: int, *, seed: int, part: str = "test", size_px: int = 64) -> Twin:
    """Pair `index` of a property: depends on these arguments and nothing else.

    Args:
        of: the property, out of `PROPERTIES`.
        index: number of the pair; the kinds of miracle take turns.
        seed: any whole number >= 0.
        part: "test" or "development"; no clip is in both.
        size_px: side of the square frames.

    Raises:
        InputError: there is no such property or part.
    """
    if of not in _DRAWS or part not in _PARTS:
        raise InputError(
            f"no twins {of!r} for {part!r}; properties are {', '.join(PROPERTIES)}, parts "
            f"{', '.join(_PARTS)}"
        )
    rng = seed_of(f"{_PARTS[part]}: {of}", Split.HELD_OUT, seed, index)
    for _ in range(_TRIES):
        twin = _DRAWS[of](rng, index, size_px)
        if twin is not None:
            return finish(twin, f"twins/{of}", seed)
    raise RuntimeError(f"no twins of {of} in {_TRIES} tries; their ranges are wrong")


def make_twins(
    ofs: Sequence[str],
    num: int,
    *,
    seed: int,
    part: str = "test",
    size_px: int = 64,
    num_workers: int = 1,
    on_progress: Callable[[float], None] = lambda _: None,
) -> dict[str, list[Twin]]:
    """The first `num` pairs of several properties, on one core or several."""
    asked = [(of, index) for of in ofs for index in range(num)]
    make = partial(_make, seed=seed, part=part, size_px=size_px)
    found: dict[str, list[Twin]] = {of: [] for of in ofs}

    def collect(twins: Iterable[Twin]) -> dict[str, list[Twin]]:
        for done, ((of, _), twin) in enumerate(zip(asked, twins, strict=True), start=1):
            found[of].append(twin)
            on_progress(done / len(asked))
        return found

    if num_workers <= 1:
        return collect(map(make, asked))
    return collect(spread_in_order(make, asked, num_workers=num_workers))


def _make(asked: tuple[str, int], *, seed: int, part: str, size_px: int) -> Twin:
    return make_twin(*asked, seed=seed, part=part, size_px=size_px)
