"""One error rate for the whole verdict of the gate: p-values over all laws at once, from films.

Several laws at `alpha` each turn away more good clips than `alpha`. Here the films of
`audit.tolerances`, each perceived and audited against its own truth, say how often the *smallest*
p-value over all laws is as small as one seen (the minimum-p method in a single step: Westfall and
Young 1993, section 2.3; weighted as by Genovese, Roeder and Wasserman 2006), and the law's p-value
is that share. It is a conformal one: the clip under
test is put among the n films, a law's rank is taken among all n + 1, and so is that of the
smallest. Where clip and films are exchangeable, a lawful clip fails any law at all with a chance of
at most alpha, whatever the tracker does and however the laws depend on each other.

Only films are compared that a tracker saw alike (`agreement.Sight`). A clip longer than a film
counts as several, and its p-value is multiplied by their number; a departure that begins in one
piece and ends in the next is counted whole, which makes the gate stricter on long clips. Where
films are too few for alpha, a law fails only if it goes farther than in every film and its own
p-value is below alpha too, after Holm (1979).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
from jaxtyping import Float

from worldline.audit.agreement import Sight, measure_departures, tell_sight
from worldline.audit.tolerances import DIGITS, FILM_FRAMES, score_verdicts
from worldline.core.scene import Scene
from worldline.core.verdict import Outcome, Verdict
from worldline.core.wording import counted, write_number
from worldline.physics.laws.judging import restate, tell_p

__all__ = [
    "GATE_ALPHA",
    "GateFilms",
    "SightFilms",
    "correct_holm",
    "load_gate_films",
    "score_against",
]

GATE_ALPHA = 0.05
"""Chance that a good clip is turned away."""

_WEIGHTS = {"reference_permanence": 1.0, "reference_position": 1.0}
_OTHER_WEIGHT = 0.2
"""p-values are divided by these before the smallest is taken, so that the error rate goes where
something is to be found. In pixels the laws alone find little (docs/laws.md), and a count that is
wrong mostly tells of shadows."""

_SILENT = {
    "reference_permanence": "The reference shows no body move by itself, plain and alone.",
    "reference_position": "Nothing is seen while the reference shows a body move, plain and alone, "
    "for four frames.",
    "reference_count": "Neither the scene nor the reference shows a moving object.",
}
"""Why a law cannot be tested."""


def score_against(
    scene: Scene, reference: Scene, verdicts: Iterable[Verdict]
) -> tuple[Sight, dict[str, float]]:
    """How a tracker saw a clip, and how far it goes in each law that can be tested.

    Args:
        scene: perceived.
        reference: what truly happened.
        verdicts: of `physics.check_laws` on the scene.

    Raises:
        InputError: as `agreement.measure_departures`.
    """
    scores = score_verdicts(verdicts)
    departures = measure_departures(scene, reference)
    scores |= {law: round(own.excess, DIGITS) for law, own in departures.items()}
    return tell_sight(scene, reference), scores


@dataclass(frozen=True, eq=False)
class SightFilms:
    """Lawful films that a tracker saw alike.

    Attributes:
        laws: names of the K columns.
        scores: `[N, K]`, NaN where a law could not be tested.
    """

    laws: tuple[str, ...]
    scores: Float[np.ndarray, "n k"]

    @classmethod
    def of(cls, films: Sequence[Mapping[str, float]]) -> SightFilms:
        """Films as mappings from law to score."""
        laws = tuple(sorted({law for film in films for law in film}))
        rows = [[film.get(law, np.nan) for law in laws] for film in films]
        return cls(laws, np.array(rows, dtype=np.float64).reshape(len(films), len(laws)))

    def p_values(self, scores: Mapping[str, float]) -> dict[str, float]:
        """Of each law that the films speak of, corrected for all of them at once."""
        own = np.array([[scores.get(law, np.nan) for law in self.laws]])
        table = np.concatenate([self.scores, own])
        each = np.ones(table.shape)
        for column, values in enumerate(table.T):
            tested = np.isfinite(values)
            order = np.sort(values[tested])
            as_far = len(order) - np.searchsorted(order, values[tested], side="left")
            weight = _WEIGHTS.get(self.laws[column], _OTHER_WEIGHT)
            each[tested, column] = np.minimum(as_far / max(len(order), 1) / weight, 1.0)
        least = each.min(axis=1, initial=1.0)
        return {
            law: float((least <= p + 1e-12).mean())
            for law, p in zip(self.laws, each[-1].tolist(), strict=True)
            if law in scores
        }

    def is_farthest(self, law: str, score: float) -> bool:
        """Whether no film goes as far."""
        column = self.scores[:, self.laws.index(law)]
        return not bool((column[np.isfinite(column)] >= score).any())


@dataclass(frozen=True, eq=False)
class GateFilms:
    """Lawful films, each audited against its own truth.

    Attributes:
        films: how each was seen, and its scores.
    """

    films: tuple[tuple[Sight, Mapping[str, float]], ...]

    def seen(self, sight: Sight) -> SightFilms:
        """Those that were seen so."""
        return SightFilms.of([scores for own, scores in self.films if own is sight])

    def settle(
        self, verdicts: Sequence[Verdict], scene: Scene, reference: Scene, alpha: float
    ) -> tuple[Verdict, ...]:
        """Verdicts of a scene against a reference, at one error rate for all of them together.

        Args:
            verdicts: of all laws and of the reference, with the p-values of their own errors.
            scene, reference: as audited.
            alpha: chance that a lawful clip fails any law.
        """
        sight, scores = score_against(scene, reference, verdicts)
        films = self.seen(sight)
        p_values = films.p_values(scores)
        departures = measure_departures(scene, reference)
        pieces = max(1, -(-scene.num_frames // FILM_FRAMES))
        num = len(films.scores)
        few = pieces / (num + 1) > alpha
        own = correct_holm(verdicts, alpha)
        settled = []
        for verdict, plain in zip(verdicts, own, strict=True):
            departure = departures.get(verdict.law)
            told = verdict
            if departure is not None:
                told = replace(
                    verdict,
                    outcome=Outcome.PASS,
                    moment_s=departure.moment_s,
                    objects=departure.objects,
                    reason=departure.text,
                    quantities={**verdict.quantities, "excess": departure.excess},
                )
            elif verdict.law.startswith("reference_"):
                told = Verdict(verdict.law, Outcome.UNTESTABLE, reason=_SILENT[verdict.law])
            if told.outcome is Outcome.UNTESTABLE or verdict.law not in p_values:
                settled.append(told if told is not verdict else plain)
                continue
            p_value = min(1.0, pieces * p_values[verdict.law])
            fails = p_value <= alpha
            seen = f"{counted(num, 'lawful film')} seen alike"
            why = f"p = {write_number(p_value, 2)} over all laws, by {seen}"
            if few:
                farthest = films.is_farthest(verdict.law, scores[verdict.law])
                fails = farthest and plain.outcome is Outcome.FAIL
                why += ", which are too few to tell more"
                if farthest and plain.p_value is not None:
                    p_value = plain.p_value
                    why = f"{tell_p(p_value)} by its own errors; farther than all {seen}"
            elif not fails:
                why = f"lawful films go as far, {why}"
            outcome = Outcome.FAIL if fails else Outcome.PASS
            settled.append(restate(told, outcome=outcome, p_value=p_value, why=why))
        return tuple(settled)

    def to_json(self) -> list[list[Any]]:
        """Plain list for JSON."""
        return [[str(sight), dict(scores)] for sight, scores in self.films]

    @classmethod
    def from_json(cls, record: Sequence[Sequence[Any]]) -> GateFilms:
        """Inverse of `to_json`."""
        return cls(tuple((Sight(sight), scores) for sight, scores in record))


@cache
def load_gate_films() -> GateFilms:
    """Those that come with the package."""
    text = resources.files("worldline.audit").joinpath("tolerances.json").read_text()
    return GateFilms.from_json(json.loads(text)["gate"])


def correct_holm(verdicts: Sequence[Verdict], alpha: float) -> tuple[Verdict, ...]:
    """Outcomes at one error rate for all verdicts together, from the p-values that they have.

    Holm (1979): the smallest of K p-values is held against alpha / K, the next against
    alpha / (K - 1), and so on until one is not below. p-values stay as they are.
    """
    tested = [k for k, verdict in enumerate(verdicts) if verdict.p_value is not None]
    settled, failing = list(verdicts), True
    for rank, k in enumerate(sorted(tested, key=lambda k: verdicts[k].p_value or 0.0)):
        failing = failing and (verdicts[k].p_value or 0.0) * (len(tested) - rank) < alpha
        settled[k] = replace(verdicts[k], outcome=Outcome.FAIL if failing else Outcome.PASS)
    return tuple(settled)
