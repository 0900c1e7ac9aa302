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
from worldline.world.render import make_reference, render_step

if TYPE_CHECKING:
    from worldline.world.world import World

__all__ = ["Session", "Snapshot"]


@dataclass(frozen=True, eq=False)
class Snapshot:
    """One moment of a session; never changes, may be kept and restored any number of times.

    Attributes:
        carry: of the dynamics.
        num_steps: frames generated so far.
        reference: what frames are rendered onto, with the tokenizer's carry.
        ahead: frames that are made and not yet shown.
        actions: those given since the newest latent step was made.
    """

    carry: Any
    num_steps: int
    reference: Any
    ahead: tuple[UInt8[np.ndarray, "h w 3"], ...] = ()
    actions: tuple[Float[np.ndarray, " a"] | None, ...] = ()


class Session:
    """A rollout that goes on from a clip, one frame at a time.

    Sessions share the world's weights and nothing else: stepping one never touches another.

    A world whose tokenizer folds s frames into a latent step makes s frames at once: one call in s
    runs the network, and those after it show what is made already. So an action cannot change the
    frames that are made. It is kept until the next latent step, which takes the last s actions in
    their order: every action counts once, s - 1 frames later than in a world with an image
    tokenizer. The first latent step takes the action of the first call, with zeros before it.
    """

    def __init__(self, world: World, snapshot: Snapshot) -> None:
        self._world = world
        self._now = snapshot

    @classmethod
    def start(cls, world: World, clip: Clip, context: int, seed: int) -> Session:
        """A session that goes on from the last `context` frames; `InputError` for less than 1."""
        require_positive(context=context)
        seen = world.newest(world.look(clip).frames[-context:])
        latents = world.encode_frames(seen)
        carry = world.dynamics.init(latents, Controls(), torch.Generator().manual_seed(seed))
        return cls(world, Snapshot(carry, 0, make_reference(world.tokenizer, seen[-1:], seen)))

    @property
    def num_steps(self) -> int:
        """Frames generated since the session was opened."""
        return self._now.num_steps

    def step(self, action: Float[np.ndarray, " a"] | None = None) -> UInt8[np.ndarray, "h w 3"]:
        """Generate the next frame. Raises `InputError` on an action of the wrong size or NaN."""
        size, now = self._world.action_size, self._now
        if action is not None:
            if action.shape != (size,) or not np.isfinite(action).all():
                raise InputError(f"action must be {size} finite numbers, got {action}")
            action = action.copy()
        actions, ahead = (*now.actions, action), now.ahead
        carry, reference = now.carry, now.reference
        if not ahead:
            carry, latents = self._world.dynamics.step(carry, self._gather(actions))
            reference, drawn = render_step(self._world.tokenizer, latents, reference)
            ahead, actions = tuple(drawn[0]), ()
        self._now = Snapshot(carry, now.num_steps + 1, reference, ahead[1:], actions)
        return ahead[0].copy()

    def _gather(self, actions: tuple[Float[np.ndarray, " a"] | None, ...]) -> Controls:
        """One latent step's controls, from the actions since the last; absent if all are."""
        if all(action is None for action in actions):
            return Controls()
        nothing = np.zeros(self._world.action_size)
        missing = self._world.tokenizer.time_stride - len(actions)
        known = [nothing if action is None else action for action in actions]
        together = np.concatenate([*[nothing] * missing, *known])
        return Controls(torch.as_tensor(together, dtype=torch.float32)[None, None])

    def snapshot(self) -> Snapshot:
        """This moment."""
        return self._now

    def restore(self, snapshot: Snapshot) -> None:
        """Go back (or across) to a moment."""
        self._now = snapshot

    def fork(self) -> Session:
        """A second session from this moment, with the same noise to come."""
        return Session(self._world, self._now)
