"""Latent actions of a clip, and a real controller in their place.

A world that learned from video without actions takes the codes that its inverse model reads off
frames. A few clips whose actions are known say which action leads to which code: ridge regression
of codes on actions. As actions enter the network by a linear map, the regression is multiplied into
its weights, and what comes out is a world like any other that takes recorded actions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from worldline.core.clip import Clip
from worldline.core.errors import InputError
from worldline.data.actions import ActionSpec
from worldline.dynamics import ControlEncoder
from worldline.world.feed import of_training
from worldline.world.world import World

__all__ = ["Controller", "fit_controller", "infer_actions", "latent_spec"]

_RIDGE = 1e-2
"""Of the mean square of the actions; enough for columns that never vary."""


def infer_actions(world: World, clip: Clip) -> Clip:
    """The clip as the world sees it, with the latent actions that it reads off the frames.

    What was recorded beside the frames is left out. Nothing is known of what follows the last
    frame, whose action is 0.

    Raises:
        InputError: the world has no inverse model, or the clip is a single frame.
    """
    codes = _codes(world, clip)
    view = world.look(clip)
    return Clip(
        frames=view.frames,
        time_s=view.time_s,
        provenance=clip.provenance,
        actions=np.concatenate([codes, np.zeros_like(codes[:1])]).astype(np.float32),
    )


def latent_spec(world: World) -> ActionSpec:
    """Names and limits of a world's latent actions. Raises `InputError` if it has none."""
    if world.inverse is None:
        raise InputError(f"the world {world.name} has no inverse model, so no latent actions")
    num = world.inverse.config.action_size
    return ActionSpec(
        names=tuple(f"latent_{i}" for i in range(num)), low=(-1.0,) * num, high=(1.0,) * num
    )


@dataclass(frozen=True, eq=False)
class Controller:
    """From actions to latent actions: code = action @ weights + bias.

    Attributes:
        weights, bias: `[A, L]` and `[L]`.
        explained: share of the codes' variance that actions explain in the clips it was fitted to;
            little where what was done often leads to nothing, or codes mean something else.
        num_steps: actions that it was fitted to.
    """

    weights: Float[np.ndarray, "a l"]
    bias: Float[np.ndarray, " l"]
    explained: float
    num_steps: int

    def codes(self, actions: Float[np.ndarray, "n a"]) -> Float[np.ndarray, "n l"]:
        """Latent actions of real ones."""
        return actions @ self.weights + self.bias

    def install(self, world: World, spec: ActionSpec) -> World:
        """A world that takes real actions instead of latent ones, and makes of them the same.

        What was measured with latent actions is forgotten: calibrate it anew.

        Args:
            world: with latent actions.
            spec: of the real ones.

        Raises:
            InputError: the world has no latent actions, tells rewards by them, or takes another
                number of them.
        """
        num, (size, codes) = world.action_size, self.weights.shape
        if world.inverse is None or codes != num or spec.width != size:
            raise InputError(
                f"the controller turns {size} numbers into {codes}; the world {world.name} has "
                f"{num if world.inverse is not None else 'no'} latent actions, and {spec.width} "
                "are to be given"
            )
        if world.reward is not None:
            raise InputError(f"the world {world.name} tells rewards by its latent actions")
        dynamics: Any = world.dynamics
        takes = replace(dynamics.config.controls, action_size=size)
        config = replace(dynamics.config, controls=takes)
        twin = config.build()
        state = dict(dynamics.state_dict())
        weights, bias = (torch.from_numpy(part).float() for part in (self.weights, self.bias))
        for name, module in dynamics.named_modules():
            if isinstance(module, ControlEncoder):
                act, body = module.act.detach(), module.body.detach()
                state[f"{name}.act"] = torch.einsum("al,eld->ead", weights, act)
                state[f"{name}.body"] = body + torch.einsum("l,eld->ed", bias, act)
        twin.load_state_dict(state)
        parts = replace(world.whole, dynamics=twin, inverse=None)
        config = replace(world.config, dynamics=config, inverse=None)
        kept = of_training(world.calibration) | {"actions": spec.to_json()}
        return World(config, parts, kept, "")


def fit_controller(world: World, clips: Sequence[Clip]) -> Controller:
    """Which latent action a real one stands for, by clips whose actions are known.

    Args:
        world: with latent actions.
        clips: at the world's frame rate, with actions as a world takes them.

    Raises:
        InputError: the world has no latent actions, no clip is given, or one lacks actions.
    """
    if not clips:
        raise InputError("no labelled clips to fit a controller to")
    given, codes = [], []
    for i, clip in enumerate(clips):
        if clip.actions is None:
            raise InputError(f"clip {i} has no actions to fit a controller to")
        codes.append(_codes(world, clip))
        given.append(clip.actions[: len(codes[-1])].astype(np.float64))
    actions, told = np.concatenate(given), np.concatenate(codes)
    mean, middle = actions.mean(axis=0), told.mean(axis=0)
    x, y = actions - mean, told - middle
    ridge = _RIDGE * max(float(np.square(x).mean()), 1e-9) * len(x)
    weights = np.linalg.solve(x.T @ x + ridge * np.eye(x.shape[1]), x.T @ y)
    left, whole = np.square(y - x @ weights).sum(), np.square(y).sum()
    explained = float(1 - left / whole) if whole > 0 else 0.0
    return Controller(weights, middle - mean @ weights, explained, len(actions))


def _codes(world: World, clip: Clip) -> Float[np.ndarray, "s l"]:
    if world.inverse is None:
        raise InputError(f"the world {world.name} has no inverse model, so no latent actions")
    frames = world.look(clip).frames
    if len(frames) < 2:
        raise InputError("a latent action lies between two frames, and the clip has a single one")
    return world.inverse.read(frames)
