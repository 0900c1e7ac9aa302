"""An action as somebody gives it: numbers in any wrapping, or the number of a choice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float
from torch import Tensor

from worldline.core.errors import InputError
from worldline.core.wording import printable
from worldline.data.actions import ActionSpec

__all__ = ["Action", "as_action"]

Action = np.ndarray | Tensor | Sequence[float | int] | float | int
"""What a world is driven by: A numbers (from -1 to 1, or one-hot), the number itself where A is 1,
or for choices the whole number of each."""

_MOST = 1e6
"""Actions lie from -1 to 1, or a little beyond. Numbers of other units pass; from some 1e30 on a
world's own numbers overflow, and the session would be dead from there on."""


def as_action(given: Any, size: int, spec: ActionSpec | None) -> Float[np.ndarray, " a"]:
    """An action as a world takes it; a copy, so that the caller may use theirs for the next one.

    Args:
        given: see `Action`.
        size: A, numbers that the world takes.
        spec: what they mean, where that is known.

    Raises:
        InputError: it is none, of another length, not finite, or far out of what worlds take.
    """
    choices = () if spec is None else spec.num_actions
    try:
        array = given.detach().cpu().numpy() if isinstance(given, Tensor) else given
        found = np.atleast_1d(np.array(array))
    except (TypeError, ValueError):  # such as lists of several lengths
        found = np.array([None])
    if spec is not None and choices and found.dtype.kind in "iu" and found.shape == (len(choices),):
        if (found >= 0).all() and (found < choices).all():
            return spec.vectors(found[None].astype(np.int64))[0]
    elif found.dtype.kind in "iuf" and found.shape == (size,) and np.isfinite(found).all():
        most = np.abs(found.astype(np.float64)).max(initial=0)
        if most > _MOST:
            raise InputError(
                f"action holds a number as large as {most:g}; worlds take those from -1 to 1"
            )
        return found if found.dtype.kind == "f" else found.astype(np.float32)
    told = printable(" ".join(str(given).split()))
    or_choice = f" or the number of a choice below {choices[0]}" if len(choices) == 1 else ""
    if len(choices) > 1:
        or_choice = f" or {len(choices)} whole numbers below {', '.join(map(str, choices))}"
    raise InputError(f"action must be {size} finite numbers{or_choice}, got {told[:80]}")
