"""Sentences that say where things are in the sandbox, such as "the ball is on the box".

A small grammar, not a language model: what it does not know it says, and nothing is guessed.
Clauses are parted by commas; each names one thing or several and where they are, and what no clause
names is put on the ground, wherever the seed says.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from worldline.core.errors import InputError
from worldline.core.scene import Scene
from worldline.sim.sandbox import BODIES, HALF_M, HAND_M, WORLD_M
from worldline.sim.sandbox_scene import THINGS, to_scene

__all__ = ["read_sentence"]

_THINGS = {
    **{name: name for name in THINGS},
    "sphere": "ball",
    "cube": "box",
    "block": "box",
    "board": "plank",
    "bar": "plank",
    "cursor": "hand",
}
_COLUMNS = {"left": 0.6, "middle": 2.0, "center": 2.0, "centre": 2.0, "right": 3.4}
_LEVELS = {"ground": 0.0, "floor": 0.0, "bottom": 0.0, "air": 2.0, "high": 2.0, "falls": 2.0}
_LEVELS |= {"falling": 2.0, "top": 3.2, "ceiling": 3.2}
_IDLE = re.compile(
    "an?|the|is|are|there|with|lies?|stands?|sits?|rests?|hangs?|side|corner|near|at|to|in|of|up"
    "|by|orange|blue|green|white"
)
_RELATIONS = (
    ("on", re.compile(r"\b(?:on top of|on|onto|atop)$")),
    ("above", re.compile(r"\b(?:above|over)$")),
    ("left", re.compile(r"\b(?:left of|to the left of|on the left of)$")),
    ("right", re.compile(r"\b(?:right of|to the right of|on the right of)$")),
    ("beside", re.compile(r"\b(?:beside|next to|by|near)$")),
)
_GAP_M = 0.02
_STEP_M = 0.1


@dataclass(frozen=True)
class _Where:
    column: float | None = None
    level: float | None = None
    relation: str = ""
    anchor: str = ""

    @property
    def is_told(self) -> bool:
        return self != _Where()


def read_sentence(text: str, seed: int, size_px: int = 64) -> Scene:
    """The scene that a sentence describes.

    Args:
        text: clauses such as "the ball is on the left", "the plank on top of the box", "a box in
            the air" or "the hand above the ball", parted by commas; "and" joins things, or clauses.
        seed: of everything that the sentence leaves open.
        size_px: side of the picture that pixels count in.

    Raises:
        InputError: a word that it does not know, a thing that is placed twice or by itself, or
            nothing at all.
    """
    told: dict[str, _Where] = {}
    for clause in re.split(r"[,;.]", text.lower()):
        _read_clause(clause, told)
    if not told:
        raise InputError(
            f"the sentence {text!r} names nothing of the sandbox, which has {', '.join(THINGS)}"
        )
    rng = np.random.default_rng(seed)
    places: dict[str, tuple[float, float]] = {}
    waiting = [*told, *(name for name in rng.permutation(THINGS) if name not in told)]
    while waiting:
        ready = [n for n in waiting if told.get(n, _Where()).anchor in ("", *places)]
        if not ready:
            raise InputError(f"the sentence places {' and '.join(waiting[:2])} by one another")
        name = ready[0]
        places[name] = _settle(name, told.get(name, _Where()), places, rng)
        waiting.remove(name)
    state = np.zeros(22)
    for name, place in places.items():
        first = 3 * THINGS.index(name)
        state[first : first + 2] = place
    state[2] = rng.uniform(-np.pi, np.pi)
    return to_scene(state, size_px, caption=text.strip())


def _read_clause(clause: str, told: dict[str, _Where]) -> None:
    where = _Where()
    for part in reversed(re.split(r"\band\b", clause)):
        names, found = _read_part(part)
        where = found if found.is_told else where
        for name in names:
            if name in told:
                raise InputError(f"the sentence says twice where the {name} is")
            told[name] = where
        if found.anchor in names:
            raise InputError(f"the sentence places the {found.anchor} by itself")


def _read_part(part: str) -> tuple[list[str], _Where]:
    words = re.findall(r"[a-z]+", part)
    for word in words:
        if word in ("it", "them", "this", "that"):
            raise InputError(f"the sandbox does not know what {word!r} stands for; name the thing")
    for k, word in enumerate(words):
        before = " ".join(words[:k]).removesuffix(" the").removesuffix(" a")
        relation = next((name for name, end in _RELATIONS if end.search(before)), "")
        if word in _THINGS and relation:
            names = [_THINGS[w] for w in words[:k] if w in _THINGS]
            rest = [w for w in words[k + 1 :] if not _IDLE.fullmatch(w)]
            if rest:
                raise InputError(_unknown(rest[0]))
            return names, _Where(relation=relation, anchor=_THINGS[word])
    names, column, level = [], None, None
    for word in words:
        if word in _THINGS:
            names.append(_THINGS[word])
        elif word in _COLUMNS:
            column = _COLUMNS[word]
        elif word in _LEVELS:
            level = _LEVELS[word]
        elif not _IDLE.fullmatch(word) and word != "on":
            raise InputError(_unknown(word))
    return names, _Where(column, level)


def _unknown(word: str) -> str:
    return (
        f"the sandbox does not know the word {word!r}; say where {', '.join(THINGS)} are by "
        "left, middle, right, on the ground, in the air, at the top, or on, above, beside, left of "
        "or right of one another"
    )


def _settle(
    name: str,
    where: _Where,
    places: dict[str, tuple[float, float]],
    rng: np.random.Generator,
) -> tuple[float, float]:
    """Where a thing is put so that it is in nothing that was put before it."""
    half_x, half_z = _half(name)
    x = float(rng.uniform(0.5, 3.5) if where.column is None else where.column)
    x += float(rng.uniform(-0.1, 0.1))
    low = 2.6 if name == "hand" and where.level is None else (where.level or 0.0)
    z = low + half_z + _GAP_M
    if where.anchor:
        other_x, other_z = _half(where.anchor)
        at_x, at_z = places[where.anchor]
        x, z = at_x, at_z + other_z + half_z + _GAP_M
        if where.relation == "above":
            z += 0.5
        elif where.relation != "on":
            sides = {"left": -1.0, "right": 1.0}
            side = sides.get(where.relation, 1.0 if at_x < WORLD_M / 2 else -1.0)
            x, z = at_x + side * (other_x + half_x + 0.1), at_z - other_z + half_z + _GAP_M
    # the nearest free place: first along the ground, then higher
    for lift in (0.0,) if where.relation == "on" else np.arange(0, WORLD_M, _STEP_M):
        reach = 0.0 if where.anchor else WORLD_M
        for way in np.arange(0, reach + _STEP_M, _STEP_M):
            for at in dict.fromkeys((x + way, x - way)):
                inside = half_x < at < WORLD_M - half_x and z + lift < WORLD_M - half_z
                if inside and all(
                    _is_free(name, (at, z + lift), other, place) for other, place in places.items()
                ):
                    return at, z + lift
    raise InputError(f"the sandbox has no room for the {name} where the sentence wants it")


def _is_free(name: str, place: tuple[float, float], other: str, taken: tuple[float, float]) -> bool:
    own, its = _half(name), _half(other)
    return any(abs(place[k] - taken[k]) > own[k] + its[k] for k in range(2))


def _half(name: str) -> tuple[float, float]:
    return HALF_M[name] if name in BODIES else (HAND_M, HAND_M)
