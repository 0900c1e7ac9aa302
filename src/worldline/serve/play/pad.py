"""`Pad`: what a person does with keys, stick and pointer, as the actions that a world takes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float32

from worldline.core.errors import InputError
from worldline.data.actions import ActionSpec

__all__ = ["Pad"]

_WORDS: Mapping[str, str] = {
    "up": "up",
    "forward": "up",
    "faster": "up",
    "accelerate": "up",
    "gas": "up",
    "down": "down",
    "backward": "down",
    "back": "down",
    "slower": "down",
    "brake": "down",
    "left": "left",
    "right": "right",
    "fire": "space",
    "attack": "space",
    "shoot": "space",
    "jump": "space",
    "push": "space",
    "noop": "",
    "idle": "",
    "nothing": "",
    "none": "",
    "stay": "",
    "move": "",
    "turn": "",
    "lane": "",
}
"""Words in names of actions to the key for them; those without one say nothing of a key."""

_WORD = re.compile("|".join(sorted(_WORDS, key=len, reverse=True)))
_NUMBERS = (*"1234567890", *"zxcvbnm")
"""Keys for choices whose names say nothing, in order."""

_BUTTONS = ("space", "e", "q", "f", "r", "c", "x", "z")
"""Keys for the numbers of an action that are no direction, in order."""

_MOST = float(np.finfo(np.float32).max)
_REACH = 1.0
"""Continuous actions lie in [-1, 1] for a world, whatever the environment's units were."""


@dataclass(frozen=True)
class Pad:
    """How a world is played.

    Attributes:
        scheme: `pointer` (the first two numbers are a place in the picture), `stick` (a velocity to
            the right and upward), `keys` (choices) or `none` (it just runs).
        size: numbers per action, as the world takes them.
        spec: what they mean, where the world says so.
    """

    scheme: str
    size: int
    spec: ActionSpec | None = None

    @classmethod
    def of(cls, calibration: Mapping[str, Any], size: int) -> Pad:
        """As a world's calibration has it in `actions` and `play`.

        Args:
            calibration: of the world.
            size: numbers per action that the world takes.

        Raises:
            InputError: the actions described are not those that the world takes.
        """
        told = calibration.get("actions")
        if size == 0:
            return cls("none", 0)
        spec = None if told is None else ActionSpec.from_json(told)
        if spec is not None and spec.width != size:
            raise InputError(
                f"the world takes actions of {size} numbers, but describes {spec.width}"
            )
        if spec is not None and spec.is_discrete:
            return cls("keys", size, spec)
        play = calibration.get("play")
        wanted = play.get("scheme") if isinstance(play, Mapping) else None
        scheme = wanted if wanted in ("pointer", "stick") and size > 1 else "stick"
        return cls(scheme, size, spec)

    def describe(self) -> dict[str, Any]:
        """For the page: scheme, names, and the keys for each button or choice."""
        names = [f"action {i}" for i in range(self.size)]
        if self.spec is not None:
            names = list(self.spec.names)
        if self.scheme == "keys":
            assert self.spec is not None
            return {
                "scheme": self.scheme,
                "choices": _bind(self.spec.num_actions, names),
                "columns": len(self.spec.num_actions),
            }
        directions = min(2, self.size)
        buttons = [
            {"name": name, "column": column, "key": key}
            for (column, name), key in zip(
                list(enumerate(names))[directions:], (*_BUTTONS, *_NUMBERS), strict=False
            )
        ]
        return {"scheme": self.scheme, "names": names, "buttons": buttons, "columns": self.size}

    def read(self, given: Any) -> Float32[np.ndarray, " a"]:
        """An action as it came over the wire, as the vector for the world.

        Numbers beyond [-1, 1] are cut off there.

        Args:
            given: `size` numbers, or a whole number for each choice.

        Raises:
            InputError: of the wrong length, not finite, no number, or no such choice.
        """
        columns = self.size if self.scheme != "keys" else len(self._counts)
        if not isinstance(given, list) or len(given) != columns:
            found = f"{len(given)} entries" if isinstance(given, list) else type(given).__name__
            raise InputError(f"action must be a list of {columns} numbers, got {found}")
        if self.scheme == "keys":
            for value, count in zip(given, self._counts, strict=True):
                if type(value) is not int or not 0 <= value < count:
                    raise InputError(
                        f"action {_shown(value)} is unknown; it must be a whole number from 0 to "
                        f"{count - 1}"
                    )
            assert self.spec is not None
            return self.spec.vectors(np.array([given], dtype=np.int64))[0]
        for value in given:
            if type(value) not in (int, float) or not abs(value) <= _MOST:
                raise InputError(f"action holds {_shown(value)}, which is no finite number")
        return np.clip(np.array(given, dtype=np.float32), -_REACH, _REACH)

    def rest(
        self, before: Float32[np.ndarray, " a"] | None = None
    ) -> Float32[np.ndarray, " a"] | None:
        """The action while nobody touches anything; None for a world without actions.

        Args:
            before: the action before the session, where a pointer stays.
        """
        if self.scheme == "none":
            return None
        if self.scheme == "keys":
            assert self.spec is not None
            still = [
                next((b["value"] for b in bound if not b["keys"]), 0)
                for bound in _bind(self.spec.num_actions, list(self.spec.names))
            ]
            return self.spec.vectors(np.array([still], dtype=np.int64))[0]
        action = np.full(self.size, -_REACH, dtype=np.float32)
        action[:2] = 0.0
        if self.scheme == "pointer" and before is not None:
            action[:2] = np.clip(before[:2], -_REACH, _REACH)
        return action

    @property
    def _counts(self) -> tuple[int, ...]:
        return () if self.spec is None else self.spec.num_actions


def _bind(counts: Sequence[int], names: Sequence[str]) -> list[list[dict[str, Any]]]:
    """Per choice, each possibility with its name and the keys that stand for it together."""
    spare, bound, start = iter(_NUMBERS), [], 0
    for count in counts:
        taken: set[frozenset[str]] = set()
        options = []
        for value, name in enumerate(names[start : start + count]):
            keys = _keys_of(name)
            if keys is None or keys in taken:
                key = next(spare, None)
                keys = frozenset() if key is None else frozenset({key})
            taken.add(keys)
            options.append({"name": name, "value": value, "keys": sorted(keys)})
        bound.append(options)
        start += count
    return bound


def _keys_of(name: str) -> frozenset[str] | None:
    """The keys that a name such as UPRIGHTFIRE speaks of; None where it speaks of none."""
    text = re.sub(r"[^a-z]", "", name.lower())
    found, at = [], 0
    while at < len(text):
        match = _WORD.match(text, at)
        if match is None:
            return None
        found.append(_WORDS[match.group()])
        at = match.end()
    return frozenset(key for key in found if key) if found else None


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
