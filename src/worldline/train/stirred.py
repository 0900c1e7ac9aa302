"""Where recorded episodes show something being set in motion that actions alone do not account for.

A hand obeys its actions all the time and touches something now and then. Where the recorded state
says how things move, such moments are found without knowing what its columns mean: of each column a
linear law says how its speed changes, from the actions, those before them and the speed itself
(least squares over all clips). What gains speed out of rest beyond that was pushed, dropped or let
go.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Bool, Float, Int

from worldline.core.errors import InputError
from worldline.data.shards import Shards

__all__ = ["draw_stirred", "measure_stirs", "stirs_for"]

_REST = 0.1
"""Speed of what is at rest, in standard deviations of a column's speed."""
_LEAST, _MOST = 1.0, 4.0
"""Gain of speed, in the same unit, from which on it counts, and beyond which it counts no more:
angles that jump by a turn are no greater blow than others."""


def measure_stirs(shards: Shards) -> Float[np.ndarray, "n t"]:
    """Of each frame of each clip how much of something was set in motion when it came: the largest
    gain of speed over the columns of the state, in standard deviations of their speeds; 0 where
    nothing was.

    Raises:
        InputError: the clips have no recorded state, or nothing is set in motion in them.
    """
    where = f"{shards.folder}: " if shards.folder else ""
    num, frames = shards.frames.shape[:2]
    if shards.state is None or shards.has_state is None or frames < 3:
        raise InputError(
            f"{where}the clips have no recorded state that would tell where something is set in "
            "motion; draw all moments alike"
        )
    stirs = np.zeros((num, frames))
    acted = shards.actions.astype(np.float64)
    for column in range(shards.state.shape[-1]):
        speed = np.diff(shards.state[..., column].astype(np.float64), axis=1)
        known = shards.has_state[..., column]
        gain = _unexplained(speed, acted, known[:, 2:] & known[:, 1:-1] & known[:, :-2])
        usual = speed[known[:, 1:] & known[:, :-1]].std() if known.any() else 0.0
        if usual <= 1e-9:
            continue
        sped = (gain * speed[:, 1:] > 0) & (np.abs(speed[:, :-1]) < _REST * usual)
        size = np.abs(gain) / usual
        size = np.where(sped & (size > _LEAST), np.minimum(size, _MOST), 0)
        stirs[:, 2:] = np.maximum(stirs[:, 2:], size)
    if not stirs.any():
        raise InputError(f"{where}nothing is set in motion in these clips; draw all moments alike")
    return stirs


def stirs_for(shards: Shards, share: float) -> Float[np.ndarray, "n t"] | None:
    """As `measure_stirs`, for a share of the clips that is drawn by them; None where it is 0.

    Raises:
        ValueError: it is no share.
        InputError: see `measure_stirs`.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"stirred_share is {share}, must lie between 0 and 1")
    return measure_stirs(shards) if share else None


def _unexplained(
    speed: Float[np.ndarray, "n k"],
    acted: Float[np.ndarray, "n t a"],
    known: Bool[np.ndarray, "n m"],
) -> Float[np.ndarray, "n m"]:
    """Changes of a column's speed beyond the linear law; 0 where they are not known."""
    change = np.diff(speed, axis=1)
    told = np.concatenate(
        [acted[:, 1:-1], acted[:, :-2], speed[:, :-1, None], np.ones_like(change)[..., None]],
        axis=-1,
    )
    if not known.any():
        return np.zeros_like(change)
    law = np.linalg.lstsq(told[known], change[known], rcond=None)[0]
    return np.where(known, change - told @ law, 0)


def draw_stirred(
    chosen: Int[np.ndarray, " b"],
    stirs: Float[np.ndarray, "n t"],
    span: slice,
    share: float,
    generator: torch.Generator,
) -> Int[np.ndarray, " b"]:
    """The clips of a batch, a share of them replaced, at random places, by others in which
    something is set in motion within the frames of the span; more often where that is much."""
    worth = torch.from_numpy(stirs[:, span][:, 2:].sum(axis=1))
    swapped = torch.rand(len(chosen), generator=generator) < share
    if not bool(worth.any()):
        return chosen
    other = torch.multinomial(worth, len(chosen), replacement=True, generator=generator)
    return np.where(swapped.numpy(), other.numpy(), chosen)
