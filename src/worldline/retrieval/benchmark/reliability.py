"""Are the probabilities of events what they say? Learning them, and checking them elsewhere."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from worldline.physics import ONTOLOGY
from worldline.retrieval.benchmark.labels import examples_of, happened
from worldline.retrieval.benchmark.looking import Sight
from worldline.retrieval.benchmark.relevance import happenings_of
from worldline.retrieval.chances import (
    TABLE,
    Chances,
    bundled_chances,
    fit_chances,
    table_digest,
)
from worldline.retrieval.weighing import BY_DEFINITION, guesses_of, weigh

__all__ = ["brier_score", "calibration_error", "learn_chances", "measure_reliability", "store"]

_NUM_BINS = 10


def learn_chances(sights: Sequence[Sight]) -> Chances:
    """The table of chances that clips teach: from what definitions found in them and guesses."""
    guessed = [
        replace(s, seen=s.seen.with_events((*s.seen.events, *guesses_of(s.seen, s.spots))))
        for s in sights
    ]
    versions = {name: kind.version for name, kind in ONTOLOGY.items()}
    return fit_chances(examples_of(guessed), versions)


def store(chances: Chances) -> None:
    """Make a table the one that comes with the package."""
    TABLE.write_text(json.dumps(chances.to_json()) + "\n")
    bundled_chances.cache_clear()
    table_digest.cache_clear()


def measure_reliability(sights: Sequence[Sight]) -> dict[str, Any]:
    """Calibration error and Brier score of the confidences of definitions, before and after they
    were weighed, and of the guesses that were kept."""
    rows = []
    for sight in sights:
        known = happenings_of(sight.truth)
        for event in weigh(sight.seen, sight.spots).events:
            answer = happened(event, sight.seen, sight.truth, known)
            if answer is not None and BY_DEFINITION in event.quantities:
                before = event.quantities[BY_DEFINITION]
                rows.append((before, event.confidence, float(answer)))
    table = np.array(rows, dtype=np.float64).reshape(-1, 3)
    found = table[table[:, 0] > 0]
    guessed = table[table[:, 0] == 0]
    return {
        "defined_before": _scores(found[:, 0], found[:, 2] > 0),
        "defined_after": _scores(found[:, 1], found[:, 2] > 0),
        "guessed": _scores(guessed[:, 1], guessed[:, 2] > 0),
    }


def _scores(chance: Float[np.ndarray, " n"], true: Bool[np.ndarray, " n"]) -> dict[str, float]:
    return {
        "num_events": len(chance),
        "share_true": float(true.mean()) if len(true) else float("nan"),
        "calibration_error": calibration_error(chance, true),
        "brier": brier_score(chance, true),
    }


def calibration_error(chance: Float[np.ndarray, " n"], true: Bool[np.ndarray, " n"]) -> float:
    """Expected calibration error (Naeini et al. 2015): the gap between stated probability and
    frequency in ten equal bins, weighted by how many fall into each; NaN for none."""
    if not len(chance):
        return float("nan")
    bins = np.minimum((chance * _NUM_BINS).astype(int), _NUM_BINS - 1)
    gaps = [
        np.sum(bins == k) * abs(chance[bins == k].mean() - true[bins == k].mean())
        for k in np.unique(bins)
    ]
    return float(np.sum(gaps) / len(chance))


def brier_score(chance: Float[np.ndarray, " n"], true: Bool[np.ndarray, " n"]) -> float:
    """Mean square of probability less outcome (Brier 1950); NaN for none."""
    return float(np.mean((chance - true) ** 2)) if len(chance) else float("nan")
