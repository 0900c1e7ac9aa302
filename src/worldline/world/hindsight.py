"""What a session's last frames tell: what is where, and how far they may be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float, UInt8

from worldline.core.latents import Controls
from worldline.core.provenance import Provenance
from worldline.core.scene import Scene
from worldline.physics import detect_events
from worldline.world.familiarity import Familiarity
from worldline.world.futures import read_scene
from worldline.world.trust import judge

if TYPE_CHECKING:
    from worldline.world.world import World

__all__ = ["RECENT", "Moment", "gather_moments", "judge_moments", "read_moments"]

RECENT = 32
"""Frames that a session remembers."""


@dataclass(frozen=True, eq=False)
class Moment:
    """A frame and the action that led to it, where one did.

    Attributes:
        frame: `[h, w, 3]`.
        action: `[A]`.
        given: the frame was shown to the world, not made by it.
    """

    frame: UInt8[np.ndarray, "h w 3"]
    action: Float[np.ndarray, " a"] | None = None
    given: bool = False


def gather_moments(frames: UInt8[np.ndarray, "t h w 3"], led: Controls) -> tuple[Moment, ...]:
    """The newest of some frames, with what is known of the actions that led to them.

    Args:
        frames: in order.
        led: controls of the same frames, for a batch of one.
    """
    actions = [None] * len(frames)
    if led.actions is not None:
        known = np.ones(len(frames), dtype=bool)
        if led.known is not None and "actions" in led.known:
            known = led.known["actions"][0].any(dim=-1).numpy()
        values = led.actions[0].numpy()
        actions = [value if there else None for value, there in zip(values, known, strict=True)]
    pairs = list(zip(frames, actions, strict=True))
    return tuple(Moment(frame, action, given=True) for frame, action in pairs[-RECENT:])


@torch.no_grad()
def read_moments(
    world: World, moments: Sequence[Moment], time_s: Float[np.ndarray, " t"], made: Provenance
) -> Scene:
    """Objects, trajectories, contacts and events in frames, in the world's own pixels.

    A world whose readout was trained reads them off latents, any other off the pixels by motion.

    Args:
        world: that made them.
        moments: the frames, in order; a world with a video tokenizer takes the newest of them that
            make whole latent steps.
        time_s: `[T]` of each.
        made: where they come from.
    """
    frames = np.stack([moment.frame for moment in moments])
    if "readout" in world.calibration.get("ledgers", {}):
        seen = world.newest(frames)
        seen_s = time_s[-len(seen) :]
        scene = read_scene(world.readout, world.encode_frames(seen), seen_s, world.size_px, made)
        return scene.with_events(detect_events(scene))
    # The tracker takes a second to import, which opening a world should not wait for.
    from worldline.readout import PixelReadout

    pairs = zip(time_s.tolist(), frames, strict=True)
    return PixelReadout.Config().build().read(pairs, provenance=made)


@torch.no_grad()
def judge_moments(world: World, moments: Sequence[Moment], seed: int) -> tuple[float, str]:
    """Trust in [0, 1] in the newest `world.context` frames, and the reason in words.

    They are weighed as the context of a forecast is: how well the tokenizer reproduces them, how
    well each was to be expected from those before it and its action, how common such latents are.
    A world finds its own blur familiar by all of that; so one that keeps the `Familiarity` of its
    data is trusted as pictures so far from the data are right, if that is lower. Of frames that it
    made that evidence counts only where it is lower than of nearly all true clips
    (`Familiarity.heeded`).
    """
    if "trust" not in world.calibration:
        return judge(world.calibration, np.zeros(3))
    least = 1 + 2 * world.tokenizer.time_stride
    newest = moments[-max(world.context, least) :]
    seen = world.newest(np.stack([moment.frame for moment in newest]))
    if len(seen) < least:
        return 0.0, f"No trust: only {len(seen)} frames to judge by, it takes {least}."
    led = _led_by([moment.action for moment in newest[-len(seen) :]], world.action_size)
    told = judge(world.calibration, world.weigh(world.encode_frames(seen), seen, seed, led))
    if "familiarity" not in world.calibration:
        return told
    known = Familiarity.from_json(world.calibration["familiarity"])
    value = known.trust(seen)
    limit = 1.0 if newest[-1].given else known.heeded
    return told if told[0] <= min(value, limit) else (value, _astray(value))


def _astray(value: float) -> str:
    if value >= 0.8:
        return "High trust: the last frames look and move like the training data."
    if value >= 0.4:
        return "Moderate trust: the last frames begin to look unlike the training data."
    return (
        "Low trust: this session has gone astray, its last frames look unlike the training data. "
        "Go back, or begin anew."
    )


def _led_by(actions: Sequence[np.ndarray | None], size: int) -> Controls:
    """Controls `[1, T]` of frames, of the actions that led to them."""
    known = torch.tensor([action is not None for action in actions])
    if size == 0 or not known.any():
        return Controls()
    rows = [np.zeros(size) if action is None else action for action in actions]
    values = torch.as_tensor(np.stack(rows), dtype=torch.float32)
    return Controls(actions=values[None], known={"actions": known[None, :, None]})
