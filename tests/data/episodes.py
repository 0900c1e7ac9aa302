"""Episodes whose every frame says which one it is, for tests of what stores and cuts them."""

from __future__ import annotations

from typing import Any

import numpy as np

from worldline.core import Origin, Provenance
from worldline.data.actions import ActionSpec
from worldline.data.episode import Episode

ARM = ActionSpec(names=("shoulder", "elbow"), low=(-4.0, -4.0), high=(4.0, 4.0))
PAD = ActionSpec(names=("stay", "left", "right"), num_actions=(3,))


def number_of(frame: np.ndarray) -> int:
    """Inverse of the brightness that `make_episode` gives to a frame."""
    return round((float(frame.mean()) - 20) / 4)


def make_episode(first: int = 0, num: int = 12, *, fps: float = 10.0, **changes: Any) -> Episode:
    """Frame t has brightness 20 + 4 (first + t); its action is (first + t) / 10 and t."""
    steps = np.arange(first, first + num)
    frames = np.empty((num, 24, 32, 3), np.uint8)
    frames[:] = (20 + 4 * steps)[:, None, None, None]
    fields: dict[str, Any] = {
        "frames": frames,
        "time_s": np.arange(num) / fps,
        "spec": ARM,
        "actions": np.stack([steps / 10, np.arange(num) % 5 - 2], axis=1).astype(np.float32),
        "rewards": steps.astype(np.float32),
        "truncated": True,
        "state": np.stack([steps, -steps, steps**2], axis=1).astype(np.float32),
        "task": f"from {first}",
        "provenance": Provenance(
            origin=Origin.SIMULATED, source="arm", seed=7, details=(("episode", str(first)),)
        ),
    }
    return Episode(**{**fields, **changes})
