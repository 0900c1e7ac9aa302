"""Playing on for long, in many sessions at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from jaxtyping import Float, UInt8

from worldline.core.clip import Clip
from worldline.core.latents import Controls, Latents
from worldline.dynamics import FlowDynamics
from worldline.world import World
from worldline.world.render import make_reference, render_step

__all__ = ["actions_after", "play_together", "resampled"]


def play_together(
    world: World,
    openings: Sequence[Clip],
    actions: Float[np.ndarray, "c n a"],
    seed: int,
) -> Iterator[UInt8[np.ndarray, "c h w 3"]]:
    """The N frames that follow the first `world.context` frames of C clips, one by one.

    Flow dynamics of single frames make those of all clips in one pass, which takes a fraction of
    the time of as many sessions and draws other noise; other worlds open sessions.

    Args:
        world: played in.
        openings: begin the sessions, with the actions that were taken in them.
        actions: that lead to the frames; of no numbers in a world that takes none.
        seed: of noise.
    """
    starts = [clip.slice(0, world.context) for clip in openings]
    dynamics, driven = world.dynamics, world.action_size > 0
    if not isinstance(dynamics, FlowDynamics) or world.tokenizer.time_stride > 1:
        sessions = [world.open(clip, seed=seed + i) for i, clip in enumerate(starts)]
        for now in actions.swapaxes(0, 1):
            led = list(now) if driven else [None] * len(now)
            yield np.stack([each.step(a) for each, a in zip(sessions, led, strict=True)])
        return
    frames = np.stack([world.look(clip).frames[-world.context :] for clip in starts])
    fed = [world.feed(clip, world.look(clip).time_s[-world.context :]) for clip in starts]
    controls = Controls()
    if driven and fed[0].actions is not None:
        led = torch.cat([each.actions for each in fed if each.actions is not None])
        known = [torch.ones(1, led.shape[1], 1, dtype=torch.bool) for _ in fed]
        known = [(each.known or {}).get("actions", k) for each, k in zip(fed, known, strict=True)]
        controls = Controls(actions=led, known={"actions": torch.cat(known)})
    latents = torch.cat([world.encode_frames(each).tokens for each in frames])
    generator = torch.Generator().manual_seed(seed)
    carry = dynamics.init(Latents(latents, world.tokenizer.grid), controls, generator)
    reference = make_reference(world.tokenizer, frames[:, -1:])
    for number in range(actions.shape[1]):
        now = Controls()
        if driven:
            now = Controls(actions=torch.from_numpy(actions[:, number : number + 1]).float())
        carry, made = dynamics.step(carry, now)
        reference, drawn = render_step(world.tokenizer, made, reference)
        yield drawn[:, 0]


def actions_after(clips: Sequence[Clip], context: int) -> Float[np.ndarray, "c n a"]:
    """Actions that lead to the frames after the first `context` of clips of one length."""
    num = clips[0].num_frames - context
    rows = [
        np.zeros((num, 0), np.float32)
        if clip.actions is None
        else clip.actions[context - 1 : context - 1 + num].astype(np.float32)
        for clip in clips
    ]
    return np.stack(rows)


def resampled(
    clips: Sequence[Clip], num: int, num_steps: int, seed: int
) -> Float[np.ndarray, "c n a"]:
    """Actions for so many sessions and steps: those of one clip after the other, in an order of its
    own for each session."""
    rows = []
    for i in range(num):
        rng = np.random.default_rng(seed + i)
        taken: list[np.ndarray] = []
        while sum(map(len, taken)) < num_steps:
            found = clips[int(rng.integers(len(clips)))].actions
            taken.append(np.zeros((num_steps, 0)) if found is None else found)
        rows.append(np.concatenate(taken)[:num_steps].astype(np.float32))
    return np.stack(rows)
