"""What happens seldom: whether a world shows or tells it when it does, and false alarms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, UInt8

from worldline.audit.scripts import Known

__all__ = ["RARE", "Recall", "area", "count_recalls", "rare_events"]

RARE = 0.05
"""Rewards and ends that come in a larger share of the steps are not looked at."""
_SLACK = 2
"""Frames by which something may come early or late."""


@dataclass(frozen=True, eq=False)
class Recall:
    """How one kind of event was found in C clips of N steps.

    Attributes:
        event: what.
        row: where it was looked for.
        true: `[C, N]` it happened.
        found: `[C, N]` it was shown, or told with more than half of what it usually earns.
        told: `[C, N]` as a number; None for what is seen and not told.
    """

    event: str
    row: str
    true: Bool[np.ndarray, "c n"]
    found: Bool[np.ndarray, "c n"]
    told: Float[np.ndarray, "c n"] | None = None

    @property
    def hits(self) -> Float[np.ndarray, " e"]:
        """Of each true event, whether something was found up to two frames away."""
        return _near(self.found)[self.true].astype(np.float64)

    @property
    def alarms(self) -> Float[np.ndarray, " c"]:
        """Of each clip, the share of its quiet steps, two frames and more from any event, in which
        something was found; NaN without such steps."""
        quiet = ~_near(self.true)
        number = quiet.sum(axis=1)
        return np.where(
            number > 0, (self.found & quiet).sum(axis=1) / np.maximum(number, 1), np.nan
        )

    @property
    def area(self) -> float:
        """Under the ROC curve of `told` over all steps; NaN where nothing is told."""
        return (
            float("nan") if self.told is None else area(self.told[self.true], self.told[~self.true])
        )


def count_recalls(
    films: Mapping[str, UInt8[np.ndarray, "c t h w 3"]],
    told: Mapping[str, Float[np.ndarray, "c n 2"]],
    known: Known | None,
) -> list[Recall]:
    """Everything that can be looked for.

    Args:
        films: by name of a row, "truth" among them.
        told: rewards and probabilities of the end by name of a row, "true" among them; may be
            empty.
        known: what can be seen to happen.
    """
    found = []
    for happening in () if known is None else known.happenings:
        seen = {
            name: np.stack([happening.tell(film) for film in each]) for name, each in films.items()
        }
        truth = seen.pop("truth")
        found += [Recall(happening.name, name, truth, rows) for name, rows in seen.items()]
    if "true" not in told:
        return found
    for event, (true, level, column, sign) in rare_events(told["true"]).items():
        for name, each in told.items():
            if name != "true":
                value = sign * each[..., column]
                found.append(Recall(event, name, true, value > sign * level, value))
    return found


def rare_events(
    true: Float[np.ndarray, "c n 2"],
) -> dict[str, tuple[Bool[np.ndarray, "c n"], float, int, int]]:
    """Rewards above and below the usual one, and ends, as far as they are rare: where they are, the
    level halfway to their mean, the column it is told in, and 1 or -1 for above or below."""
    earned, ended = true[..., 0], true[..., 1] > 0
    values, counts = np.unique(earned.round(6), return_counts=True)
    usual = float(values[counts.argmax()])
    found = {}
    for name, sign in (("earns more than usual", 1), ("earns less than usual", -1)):
        mask = sign * (earned - usual) > 1e-6
        if 0 < mask.mean() < RARE:
            found[name] = mask, (usual + float(earned[mask].mean())) / 2, 0, sign
    if 0 < ended.mean() < RARE:
        found["the episode ends"] = ended, 0.5, 1, 1
    return found


def area(events: Float[np.ndarray, " a"], others: Float[np.ndarray, " b"]) -> float:
    """Chance that an event is told higher than another step, ties counting half (the area under
    the ROC curve; Hanley & McNeil 1982); NaN without either."""
    if not len(events) or not len(others):
        return float("nan")
    ranked = np.sort(others)
    below = np.searchsorted(ranked, events, side="left")
    up_to = np.searchsorted(ranked, events, side="right")
    return float((below + up_to).mean() / 2 / len(ranked))


def _near(mask: Bool[np.ndarray, "c n"]) -> Bool[np.ndarray, "c n"]:
    out = mask.copy()
    for shift in range(1, _SLACK + 1):
        out[:, shift:] |= mask[:, :-shift]
        out[:, :-shift] |= mask[:, shift:]
    return out
