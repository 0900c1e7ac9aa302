"""A live rollout: step, look, remember, fork."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Float, UInt8

from worldline.core.clip import Clip
from worldline.core.errors import InputError
from worldline.core.latents import Controls
from worldline.world.futures import require_positive
from worldline.world.render import make_reference, render

if TYPE_CHECKING:
    from worldline.world.world import World

__all__ = ["Session", "Snapshot"]


@dataclass(frozen=True, eq=False)
class Snapshot:
    """One moment of a session; never changes, may be kept and restored any number of times."""

    carry: Any
    num_steps: int
    reference: Any


class Session:
    """A rollout that goes on from a clip, one frame at a time.

    Sessions share the world's weights and nothing else: stepping one never touches another.
    """

    def __init__(self, world: World, snapshot: Snapshot) -> None:
        self._world = world
        self._now = snapshot

    @classmethod
    def start(cls, world: World, clip: Clip, context: int, seed: int) -> Session:
        """A session that goes on from the last `context` frames; `InputError` for less than 1."""
        require_positive(context=context)
        frames = world.look(clip).frames[-context:]
        latents = world.encode_frames(frames)
        carry = world.dynamics.init(latents, Controls(), torch.Generator().manual_seed(seed))
        return cls(world, Snapshot(carry, 0, make_reference(world.tokenizer, frames[-1:])))

    @property
    def num_steps(self) -> int:
        """Frames generated since the session was opened."""
        return self._now.num_steps

    def step(self, action: Float[np.ndarray, " a"] | None = None) -> UInt8[np.ndarray, "h w 3"]:
        """Generate the next frame. Raises `InputError` on an action of the wrong size or NaN."""
        controls = Controls()
        size = self._world.action_size
        if action is not None:
            if action.shape != (size,) or not np.isfinite(action).all():
                raise InputError(f"action must be {size} finite numbers, got {action}")
            controls = Controls(torch.as_tensor(action, dtype=torch.float32)[None, None])
        carry, latents = self._world.dynamics.step(self._now.carry, controls)
        self._now = Snapshot(carry, self._now.num_steps + 1, self._now.reference)
        return render(self._world.tokenizer, latents, self._now.reference)[0, 0]

    def snapshot(self) -> Snapshot:
        """This moment."""
        return self._now

    def restore(self, snapshot: Snapshot) -> None:
        """Go back (or across) to a moment."""
        self._now = snapshot

    def fork(self) -> Session:
        """A second session from this moment, with the same noise to come."""
        return Session(self._world, self._now)
