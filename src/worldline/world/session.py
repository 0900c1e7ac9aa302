"""A live rollout: step, look, remember, fork."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Float, UInt8

from worldline.core.clip import Clip
from worldline.core.errors import InputError
from worldline.core.latents import Controls
from worldline.core.readings import Readings
from worldline.world.futures import require_positive
from worldline.world.render import make_reference, render

if TYPE_CHECKING:
    from worldline.world.world import World

__all__ = ["Session", "Snapshot", "open_session"]


@dataclass(frozen=True, eq=False)
class Snapshot:
    """One moment of a session; never changes, may be kept and restored any number of times."""

    carry: Any
    num_steps: int
    reference: Any


def open_session(world: World, clip: Clip, *, context: int, seed: int) -> Session:
    """See `World.open`."""
    require_positive(context=context)
    view = world.look(clip)
    seen, seen_s = view.frames[-context:], view.time_s[-context:]
    controls = world.feed(clip, seen_s)
    generator = torch.Generator().manual_seed(seed)
    carry = world.dynamics.init(world.encode_frames(seen), controls, generator)
    first = int(np.abs(clip.time_s - seen_s[0]).argmin())
    opening = replace(clip.slice(first, first + 1), actions=None)
    return Session(world, Snapshot(carry, 0, make_reference(world.tokenizer, seen[-1:])), opening)


class Session:
    """A rollout that goes on from a clip, one frame at a time.

    Sessions share the world's weights and nothing else: stepping one never touches another.
    """

    def __init__(self, world: World, snapshot: Snapshot, opening: Clip) -> None:
        self._world = world
        self._now = snapshot
        self._opening = opening

    @property
    def num_steps(self) -> int:
        """Frames generated since the session was opened."""
        return self._now.num_steps

    @torch.no_grad()
    def step(
        self, action: Float[np.ndarray, " a"] | None = None, *, guide: Clip | None = None
    ) -> UInt8[np.ndarray, "h w 3"]:
        """Generate the next frame.

        Args:
            action: that leads to it.
            guide: one frame whose camera, maps and state are those of the next one, of the size of
                the clip that opened the session. Poses and depth are understood relative to the
                first frame that the session saw.

        Raises:
            InputError: an action of the wrong size or NaN, or a guide of another size.
        """
        controls = Controls() if guide is None else self._feed(guide)
        size = self._world.action_size
        if action is not None:
            if action.shape != (size,) or not np.isfinite(action).all():
                raise InputError(f"action must be {size} finite numbers, got {action}")
            given = torch.as_tensor(action, dtype=torch.float32)[None, None]
            controls = replace(controls, actions=given)
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
        return Session(self._world, self._now, self._opening)

    def _feed(self, now: Clip) -> Controls:
        """Controls of one frame, by feeding it together with the one that opened the session."""
        first = self._opening
        if now.frames.shape != first.frames.shape:
            raise InputError(
                f"guide: frames are {now.frames.shape}, expected one like those that the session "
                f"was opened with, {first.frames.shape}"
            )
        camera = None
        if now.camera is not None and first.camera is not None:
            poses = [first.camera.world_from_camera, now.camera.world_from_camera]
            camera = replace(now.camera, world_from_camera=np.concatenate(poses))
        shape = first.frames.shape[:3]
        depth_m = segmentation = state = None
        if now.depth_m is not None:
            before = np.full(shape, np.nan) if first.depth_m is None else first.depth_m
            depth_m = np.concatenate([before, now.depth_m])
        if now.segmentation is not None:
            segmentation = np.concatenate([now.segmentation, now.segmentation])
        if now.state is not None:
            rows = now.state
            unknown = np.zeros_like(rows.known)
            values, known = (
                np.concatenate([a, b])
                for a, b in ((rows.values, rows.values), (unknown, rows.known))
            )
            state = Readings(rows.names, values, known)
        both = Clip(
            frames=np.concatenate([first.frames, now.frames]),
            time_s=np.array([0.0, 1.0]),
            provenance=now.provenance,
            depth_m=depth_m,
            segmentation=segmentation,
            camera=camera,
            state=state,
        )
        return self._world.feed(both).frames(1, 2)
