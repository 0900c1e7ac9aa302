"""What callers give by mistake, said in a sentence."""

from __future__ import annotations

import operator
from typing import Any

from worldline.core.clip import Clip
from worldline.core.errors import InputError

__all__ = ["require_clip", "require_positive", "require_seed"]

_MOST_SEED = 2**63 - 1


def require_clip(value: Any) -> None:
    """Raise `InputError` for what is not a `Clip`."""
    if not isinstance(value, Clip):
        raise InputError(
            f"a Clip is needed, but got a {type(value).__name__}; read a video with "
            "Clip.read(path), or wrap frames [T, H, W, 3] and their times in Clip(...)"
        )


def require_positive(**numbers: Any) -> None:
    """Raise `InputError`, by its name, for what is not a whole number of at least 1."""
    for name, value in numbers.items():
        if _whole(name, value) < 1:
            raise InputError(f"{name} is {value}, must be at least 1")


def require_seed(seed: Any) -> int:
    """The seed as an `int`. Raises `InputError` for what is not one from 0 to 2**63 - 1."""
    if not 0 <= (number := _whole("seed", seed)) <= _MOST_SEED:
        raise InputError(f"seed is {seed}, must lie between 0 and {_MOST_SEED}")
    return number


def _whole(name: str, value: Any) -> int:
    try:
        if not isinstance(value, bool):
            return operator.index(value)
    except TypeError:
        pass
    raise InputError(f"{name} is {value!r}, must be a whole number")
