"""Contacts that are read from pixels, beside the true ones: how likely is each, and is that so?

`python -m worldline.audit.touches` films simulated scenes of all families, has them perceived by
motion alone (`tolerances.film`), and asks of each claimed contact whether it was there. From films
of one seed it learns `physics/contact_chances.json`; on films of another it measures how well the
probabilities hold, beside the constants that stood for them before and beside the share of claims
that are right.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

import worldline.physics
from worldline.audit.tolerance_films import film
from worldline.audit.tolerances import Take
from worldline.core import STATIC, Contact, Scene
from worldline.physics.chances import Chances, Traits, fit_chances
from worldline.physics.contact_chances import BODIES, GROUND
from worldline.physics.contacts import LIKELY, find_claims

__all__ = [
    "Answer",
    "Settings",
    "answers_of",
    "is_right",
    "learn",
    "list_takes",
    "measure",
    "reliability",
]

SAME = 0.2
"""Mean overlap around a claim from which a track is taken for a true body,"""

AROUND = 3
"""in so many frames before and after."""

SLACK_STEPS = 2.5
"""A true contact that ends or begins so many frames away is the one that is claimed."""

NUM_BINS = 10
NUM_DRAWS = 200

CONSTANTS = {BODIES: (0.6, 0.9), GROUND: (0.7, 0.7)}
"""Before there were chances: of a contact in which one body's velocity jumps, and both."""


@dataclass(frozen=True)
class Settings:
    """Which films are made.

    Attributes:
        seed, test_seed: of the films to learn from and to measure on; the series of families with
            many contacts are 1000 higher.
        rounds, more: films of each family to learn from, and more of each of `rich`;
        test_rounds, test_more: the same to measure on.
        rich: families with many contacts that a tracker sees.
        sizes_px: sides of the image, in turn.
        largest_px: a family to the largest side it is filmed at: its rendering is slow.
        moving_every: one film in so many of a family has a moving camera, where it can.
    """

    seed: int = 31000
    test_seed: int = 41000
    rounds: int = 13
    more: int = 10
    test_rounds: int = 5
    test_more: int = 5
    rich: tuple[str, ...] = (
        *("drop", "throw", "bounce", "collide", "disc_collision", "disc_bounce", "billiards"),
        *("topple", "stack", "tower", "contain", "push", "hand", "break", "driven_disc", "ramp"),
    )
    sizes_px: tuple[int, ...] = (64, 128, 96, 192)
    largest_px: tuple[tuple[str, int], ...] = (("pour", 96),)
    moving_every: int = 6


def list_takes(settings: Settings, *, test: bool) -> list[Take]:
    """The films to learn from, or to measure on, in order."""
    from worldline.sim import FAMILIES

    seed = settings.test_seed if test else settings.seed
    rounds = settings.test_rounds if test else settings.rounds
    more = settings.test_more if test else settings.more
    largest = dict(settings.largest_px)
    return [
        Take(
            family,
            index,
            first,
            min(largest.get(family, 4096), settings.sizes_px[(index + k) % len(settings.sizes_px)]),
            index % settings.moving_every == settings.moving_every - 1
            and FAMILIES[family].has_camera,
        )
        for families, count, first in (
            (tuple(FAMILIES), rounds, seed),
            (settings.rich, more, seed + 1000),
        )
        for index in range(count)
        for k, family in enumerate(families)
    ]


@dataclass(frozen=True)
class Answer:
    """One claimed contact.

    Attributes:
        family: of the film.
        kind: of the claim.
        traits: what speaks for and against it.
        right: there was such a contact.
        has_jump: a velocity jumps; without, the contact is told only if it is likely.
    """

    family: str
    kind: str
    traits: Traits
    right: bool
    has_jump: bool = True


def answers_of(family: str, seen: Scene, truth: Scene) -> list[Answer]:
    """All claims about one film."""
    return [
        Answer(
            family,
            claim.kind,
            claim.traits,
            is_right(claim.contact, seen, truth),
            claim.has_jump,
        )
        for claim in find_claims(seen)
    ]


def is_right(contact: Contact, seen: Scene, truth: Scene) -> bool:
    """Whether the true bodies that two tracks lie upon touch at about that time.

    A track is the true body that its box overlaps most in the frames around the start of the claim,
    a fifth at least; two tracks of one body touch nothing. The true contact may lie two and a half
    frames before or after.
    """
    ends = [_body_of(end, contact.start_s, seen, truth) for end in (contact.a, contact.b)]
    if None in ends or ends[0] == ends[1]:
        return False
    step_s = float(np.median(np.diff(truth.time_s))) if truth.num_frames > 1 else 0.0
    slack_s = SLACK_STEPS * step_s
    return any(
        {true.a, true.b} == set(ends)
        and true.start_s <= contact.end_s + slack_s
        and true.end_s >= contact.start_s - slack_s
        for true in truth.contacts
    )


def _body_of(end: int, moment_s: float, seen: Scene, truth: Scene) -> int | None:
    """Id of the true body, `STATIC` for itself, None where there is none."""
    if end == STATIC:
        return STATIC
    row = seen.index(end)
    middle = int(np.argmin(np.abs(seen.time_s - moment_s)))
    span = slice(max(0, middle - AROUND), middle + AROUND + 1)
    overlap = np.array(
        [_overlap(seen, row, truth, k, span) for k in range(truth.num_objects)], dtype=np.float64
    )
    if not len(overlap) or overlap.max() < SAME:
        return None
    return int(truth.ids[int(overlap.argmax())])


def _overlap(seen: Scene, row: int, truth: Scene, k: int, span: slice) -> float:
    """Mean intersection over union of boxes where the track is visible."""
    there = seen.visible[row, span] & np.isfinite(seen.center_px[row, span]).all(axis=1)
    if not there.any():
        return 0.0
    center, size = seen.center_px[row, span][there], seen.size_px[row, span][there]
    true_center, true_size = truth.center_px[k, span][there], truth.size_px[k, span][there]
    low = np.maximum(center - size / 2, true_center - true_size / 2)
    high = np.minimum(center + size / 2, true_center + true_size / 2)
    common = np.prod(np.maximum(high - low, 0.0), axis=1)
    either = np.prod(size, axis=1) + np.prod(true_size, axis=1) - common
    return float(np.nan_to_num(common / np.maximum(either, 1e-9)).mean())


def learn(answers: Iterable[Answer]) -> Chances:
    """The chances that claims teach. Raises `ValueError` if those of a kind are all alike."""
    known = list(answers)
    return fit_chances(
        {
            kind: (
                [answer.traits for answer in known if answer.kind == kind],
                np.array([answer.right for answer in known if answer.kind == kind]),
            )
            for kind in (BODIES, GROUND)
        }
    )


def measure(chances: Chances, answers: Sequence[Answer]) -> dict[str, Any]:
    """Reliability on claims that the chances were not learned from: of those that
    `detect_contacts` would tell, each kind and both, and of all that were looked at.

    Beside them: the old constants, and one number for all claims of a kind, the share that is right
    among these very claims, which no constant can beat. A perfect calibration has an error too, by
    chance: `by_chance` is its mean if contacts came with the stated probabilities.
    """
    right = np.array([answer.right for answer in answers])
    kinds = np.array([answer.kind for answer in answers])
    learned = np.array([chances.of(answer.kind, answer.traits) for answer in answers])
    told = (learned >= LIKELY) | [answer.has_jump for answer in answers]
    old = np.array([CONSTANTS[a.kind][int(a.traits.get("num_jumps", 0) > 1)] for a in answers])
    rows = {kind: told & (kinds == kind) for kind in np.unique(kinds).tolist()}
    rows |= {"told": told, "all claims": np.ones(len(right), dtype=bool)}
    out: dict[str, Any] = {}
    for name, mask in rows.items():
        share = np.zeros(len(right))
        for kind in np.unique(kinds[mask]):
            own = mask & (kinds == kind)
            share[own] = right[own].mean()
        each = {"learned": learned, "constants": old, "share": share}
        out[name] = {what: reliability(chance[mask], right[mask]) for what, chance in each.items()}
        rng = np.random.default_rng(0)
        drawn = [rng.random(np.count_nonzero(mask)) < learned[mask] for _ in range(NUM_DRAWS)]
        errors = [reliability(learned[mask], again)["calibration_error"] for again in drawn]
        out[name]["learned"]["by_chance"] = round(float(np.mean(errors)), 4)
    return out


def reliability(chance: Float[np.ndarray, " n"], right: Bool[np.ndarray, " n"]) -> dict[str, float]:
    """How well probabilities hold.

    Returns:
        `num`; `right`, share of claims that are; `calibration_error`, the gap between stated
        probability and frequency in ten equal bins, weighted by how many fall into each (Naeini et
        al. 2015); `brier`, mean square of probability less outcome (Brier 1950).
    """
    bins = np.minimum((chance * NUM_BINS).astype(int), NUM_BINS - 1)
    gaps = [
        np.sum(bins == k) * abs(chance[bins == k].mean() - right[bins == k].mean())
        for k in np.unique(bins)
    ]
    return {
        "num": len(right),
        "right": round(float(right.mean()), 4),
        "calibration_error": round(float(np.sum(gaps)) / len(right), 4),
        "brier": round(float(np.mean((chance - right) ** 2)), 4),
    }


def main(settings: Settings | None = None, only_measure: bool = False) -> None:
    """Make `contact_chances.json` anew, or only measure that which is there."""
    settings = settings or Settings()
    told: dict[bool, list[Answer]] = {False: [], True: []}
    for test, answers in told.items():
        takes = [] if only_measure and not test else list_takes(settings, test=test)
        for number, (take, (seen, _, truth)) in enumerate(zip(takes, film(takes), strict=True)):
            answers += answers_of(take.family, seen, truth)
            print(f"{'measure' if test else 'learn'} {(number + 1) / len(takes):.1%}", flush=True)
    place = Path(worldline.physics.__file__).with_name("contact_chances.json")
    if only_measure:
        chances = Chances.from_json(json.loads(place.read_text()))
    else:
        chances = learn(told[False])
    measured: Mapping[str, Any] = measure(chances, told[True])
    print(json.dumps(measured, indent=1))
    if not only_measure:
        record = replace(chances, measured=measured).to_json()
        place.write_text(json.dumps(record | {"settings": asdict(settings)}, indent=1) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Learn how likely contacts in pixels are.")
    parser.add_argument("--only-measure", action="store_true", help="leave the file as it is")
    main(only_measure=parser.parse_args().only_measure)
