"""Are the numbers that were measured after training of the right kind? Files can be damaged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from worldline.core.errors import ArtifactError
from worldline.world.familiarity import NUM_FEATURES
from worldline.world.monitor import Watch
from worldline.world.signals import SIGNALS
from worldline.world.trust import FEATURES

__all__ = ["check_calibration"]

_LISTS = {
    "trajectory_share": (0.0, 1.0),
    "trajectory_gap_px": (0.0, np.inf),
    "correction_threshold": (0.0, np.inf),
    "uncertainty_scale": (0.0, np.inf),
    "uncertainty_floor": (0.0, np.inf),
}
"""Entries with a number per step ahead, and the range of each."""


def check_calibration(
    calibration: Mapping[str, Any], state_names: Sequence[str], place: str | Path
) -> None:
    """Entries may be absent, but not wrong.

    Args:
        calibration: as a world keeps it.
        state_names: of the readings that the world takes.
        place: where it was read, for the message.

    Raises:
        ArtifactError: an entry that a world computes with is of another kind or out of range.
    """
    for name, (low, high) in _LISTS.items():
        if name in calibration:
            values = _numbers(calibration[name], 1, f"{place}: {name}")
            if not len(values) or values.min() < low or values.max() > high:
                bounds = f"at least {low:g}" if np.isinf(high) else f"from {low:g} to {high:g}"
                raise _damaged(f"{place}: {name}", f"at least one number, each {bounds}")
    mean = calibration.get("surprise_mean", 1.0)
    if not _numbers(mean, 0, f"{place}: surprise_mean") > 0:
        raise _damaged(f"{place}: surprise_mean", "a positive number")
    if "surprise_quantiles" in calibration:
        table = _numbers(calibration["surprise_quantiles"], 1, f"{place}: surprise_quantiles")
        if len(table) < 2 or (np.diff(table) < 0).any():
            raise _damaged(f"{place}: surprise_quantiles", "two or more numbers in rising order")
    if "trust" in calibration:
        _check_entries(
            calibration["trust"],
            {
                "mean": (len(FEATURES),),
                "precision": (len(FEATURES), len(FEATURES)),
                "slope": (),
                "middle": (),
                "offset": (),
            },
            f"{place}: trust",
        )
    if "familiarity" in calibration:
        _check_familiarity(calibration["familiarity"], f"{place}: familiarity")
    if "monitor" in calibration:
        _check_monitor(calibration["monitor"], f"{place}: monitor")
    if "state" in calibration:
        shape = (len(state_names),)
        _check_entries(calibration["state"], {"mean": shape, "std": shape}, f"{place}: state")


def _check_familiarity(record: Any, where: str) -> None:
    single: dict[str, tuple[int, ...]] = {"usual": (), "slope": (), "middle": (), "offset": ()}
    _check_entries(record, {"rest": (), "mean": (NUM_FEATURES,), **single}, where)
    _check_entries(record, {"heeded": ()} if "heeded" in record else {}, where)
    along = _numbers(record.get("variances"), 1, f"{where}.variances")
    _check_entries(record, {"directions": (len(along), NUM_FEATURES)}, where)
    if min(record["rest"], record["usual"], *along) <= 0:
        raise _damaged(where, "a record whose variances and usual distance are positive")


def _check_monitor(record: Any, where: str) -> None:
    num, wanted = len(SIGNALS), "what python -m worldline.audit.monitoring writes"
    try:
        known = Watch.from_json(record)
    except (KeyError, TypeError, ValueError):
        raise _damaged(where, wanted) from None
    horizon = len(known.tables)
    good = known.tables.ndim == 3 and known.tables.shape[1] == num and horizon > 0
    good = good and known.weights.shape == (4 + 2 * num,) and known.radii.ndim == 2
    if not good or not len(known.radii) == len(known.num_tracks) == horizon:
        raise _damaged(where, wanted)


def _check_entries(record: Any, shapes: Mapping[str, tuple[int, ...]], where: str) -> None:
    if not isinstance(record, Mapping) or not shapes.keys() <= record.keys():
        raise _damaged(where, f"a record with {', '.join(shapes)}")
    for name, shape in shapes.items():
        if _numbers(record[name], len(shape), f"{where}.{name}").shape != shape:
            size = " x ".join(map(str, shape))
            raise _damaged(f"{where}.{name}", f"{size} numbers")


def _numbers(value: Any, num_axes: int, where: str) -> np.ndarray:
    """Finite numbers as an array of so many axes."""
    wanted = ("a number", "a list of numbers", "lists of numbers of one length")[num_axes]
    try:
        values = np.asarray(value)
    except ValueError:  # lists of different lengths
        raise _damaged(where, wanted) from None
    if values.ndim != num_axes or values.dtype.kind not in "if" or not np.isfinite(values).all():
        raise _damaged(where, f"{wanted}, all finite" if num_axes else wanted)
    return values


def _damaged(where: str, wanted: str) -> ArtifactError:
    return ArtifactError(f"{where} in calibration.json is damaged; it must be {wanted}")
