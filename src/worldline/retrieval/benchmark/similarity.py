"""Whether the same motion is found again in another look, and told from the same look."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from worldline.core.errors import InputError
from worldline.retrieval.benchmark.looks import mirror_flow
from worldline.retrieval.benchmark.paths import describe_motions, max_similarity
from worldline.retrieval.benchmark.takes import Film, Take
from worldline.retrieval.motions import compare, describe_both

__all__ = [
    "Compare",
    "Outcome",
    "compare_flows",
    "compare_looks",
    "compare_paths",
    "compare_vectors",
    "measure",
]

Compare = Callable[[Sequence[Take]], Float[np.ndarray, "n n"]]
"""Similarity of each clip, as a query, to each clip; -inf where it cannot be compared."""


@dataclass(frozen=True)
class Outcome:
    """How one way to compare did.

    Attributes:
        rank_1: share of queries whose best match among all other clips is the same motion.
        rank_5: share in which it is among the best five.
        mean_reciprocal_rank: of the same motion.
        num_queries: clips of motions that, by the truth, move in both clips. A clip in which
            nothing was perceived is a miss.
        lookalike_first: share of first clips for which other motion in the same look is more
            similar than the same motion in another look.
        num_lookalikes: how many of these there are.
        of_family: rank_1 by family.
    """

    rank_1: float
    rank_5: float
    mean_reciprocal_rank: float
    num_queries: int
    lookalike_first: float
    num_lookalikes: int
    of_family: Mapping[str, float]

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary for JSON."""
        return {
            name: round(value, 4) if isinstance(value, float) else value
            for name, value in {**vars(self), "of_family": dict(self.of_family)}.items()
        }


def measure(takes: Sequence[Take], compare: Compare, families: Sequence[str] = ()) -> Outcome:
    """Rank all other clips for the first and the second clip of every motion.

    Ties count against the way to compare.

    Args:
        takes: all clips, in any order.
        compare: the way to compare.
        families: ask for clips of these alone, among all clips; all by default.

    Raises:
        InputError: there is no motion of which both clips are there.
    """
    scores = np.nan_to_num(compare(takes), nan=-np.inf)
    at = {(take.family, take.index, take.film): row for row, take in enumerate(takes)}
    ranks: list[int] = []
    asked: list[str] = []
    fooled: list[bool] = []
    for (family, index, film), row in at.items():
        twin = at.get((family, index, Film.AGAIN if film is Film.FIRST else Film.FIRST))
        if film is Film.LOOKALIKE or twin is None or (families and family not in families):
            continue
        if not (takes[row].moves and takes[twin].moves):
            continue
        others = np.delete(scores[row], [row, twin])
        found = np.isfinite(scores[row, twin])
        ranks.append(1 + int((others >= scores[row, twin]).sum()) if found else len(takes))
        asked.append(family)
        double = at.get((family, index, Film.LOOKALIKE))
        if film is Film.FIRST and double is not None:
            fooled.append(not found or bool(scores[row, double] >= scores[row, twin]))
    if not ranks:
        raise InputError("nothing to ask for: no motion is there in both its clips")
    rank, of = np.array(ranks, dtype=float), np.array(asked)
    return Outcome(
        rank_1=float((rank == 1).mean()),
        rank_5=float((rank <= 5).mean()),
        mean_reciprocal_rank=float((1 / rank).mean()),
        num_queries=len(rank),
        lookalike_first=float(np.mean(fooled)) if fooled else float("nan"),
        num_lookalikes=len(fooled),
        of_family={
            name: round(float((rank[of == name] == 1).mean()), 3) for name in sorted(set(asked))
        },
    )


def compare_looks(takes: Sequence[Take]) -> Float[np.ndarray, "n n"]:
    """Cosine of MobileNetV2's means."""
    looks = np.stack([take.look for take in takes])
    return looks @ looks.T


def compare_flows(takes: Sequence[Take]) -> Float[np.ndarray, "n n"]:
    """Bhattacharyya coefficient of histograms of flow, one of them mirrored if that fits better."""
    flows = np.stack([take.flow for take in takes])
    return np.maximum(flows @ flows.T, mirror_flow(flows) @ flows.T)


def compare_paths(takes: Sequence[Take]) -> Float[np.ndarray, "n n"]:
    """Late interaction of hand-made descriptors of paths (`paths`)."""
    vectors = [_first_window(take) for take in takes]
    scores = np.full((len(takes), len(takes)), -np.inf)
    for row, query in enumerate(vectors):
        for column, stored in enumerate(vectors):
            if len(query) and len(stored):
                scores[row, column] = max_similarity(query, stored)[0]
    return scores


def compare_vectors(network: Any = None) -> Compare:
    """Late interaction of learned vectors, as `search --like` has it.

    Args:
        network: a `MotionNetwork`; the bundled one by default.
    """

    def compare_all(takes: Sequence[Take]) -> np.ndarray:
        views = [
            describe_both(take.scene, take.moments, take.course, network=network) for take in takes
        ]
        stored = [
            ([m.kind for m in plain], np.array([m.vector for m in plain])) for plain, _ in views
        ]
        scores = np.full((len(takes), len(takes)), -np.inf)
        for row, both in enumerate(views):
            for column, (kinds, vectors) in enumerate(stored):
                if both[0] and kinds:
                    scores[row, column] = max(compare(v, kinds, vectors)[0] for v in both)
        return scores

    return compare_all


def _first_window(take: Take) -> np.ndarray:
    found = [motion.vector for motion in describe_motions(take.scene) if motion.segment == 0]
    return np.array(found)
