"""`Verdict`: what an audit says about one law."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

__all__ = ["Outcome", "Verdict"]


class Outcome(StrEnum):
    """Result of testing a law. Untestable is an answer, not a failure."""

    PASS = "pass"
    FAIL = "fail"
    UNTESTABLE = "untestable"


@dataclass(frozen=True)
class Verdict:
    """One law, tested on one scene.

    Attributes:
        law: name, such as "inertia".
        outcome: pass, fail or untestable.
        p_value: probability of so large a deviation if the law holds; None if untestable.
        moment_s: when the worst deviation happened.
        objects: ids of the objects concerned.
        reason: one sentence with the measured numbers.
        quantities: measured values, unit in the name.
    """

    law: str
    outcome: Outcome
    p_value: float | None = None
    moment_s: float | None = None
    objects: tuple[int, ...] = ()
    reason: str = ""
    quantities: Mapping[str, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary for JSON."""
        return {
            "law": self.law,
            "outcome": str(self.outcome),
            "p_value": self.p_value,
            "moment_s": self.moment_s,
            "objects": list(self.objects),
            "reason": self.reason,
            "quantities": {k: float(v) for k, v in self.quantities.items()},
        }
