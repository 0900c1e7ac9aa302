"""What a world imagines of plans: many plans in many situations, in one pass per step.

Shape legend: B situations, S plans of each, H steps, N latent cells, C channels, A numbers of an
action, K context frames.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from worldline.core.errors import InputError
from worldline.core.latents import Controls, Latents
from worldline.core.wording import counted
from worldline.data.actions import ActionSpec
from worldline.dynamics import JepaDynamics
from worldline.dynamics.past import FlowCarry
from worldline.planning.space import ActionSpace
from worldline.world import World

__all__ = ["Imagination", "Rollout", "Situation"]


@dataclass(frozen=True, eq=False)
class Situation:
    """Where plans begin: what was seen last, of B agents.

    Attributes:
        latents: `[B, K, N, C]` of the newest frames.
        carry: of the world's dynamics, after these.
        before: `[B, A]` the action taken last; None where nothing was done yet.
    """

    latents: Float[Tensor, "b k n c"]
    carry: Any
    before: Float[Tensor, "b a"] | None = None

    @property
    def newest(self) -> Float[Tensor, "b 2 n c"]:
        """The two newest frames; a single one twice."""
        return torch.cat([self.latents[:, :1], self.latents], dim=1)[:, -2:]


@dataclass(frozen=True, eq=False)
class Rollout:
    """What plans lead to.

    Attributes:
        actions: the plans.
        latents: after each of their actions.
        start: `[B, 2, N, C]` the two newest frames before.
        before: `[B, A]` the action before, where there was one.
    """

    actions: Float[Tensor, "b s h a"]
    latents: Float[Tensor, "b s h n c"]
    start: Float[Tensor, "b 2 n c"]
    before: Float[Tensor, "b a"] | None = None


class Imagination:
    """A world, asked what comes of plans.

    Any world that takes actions will do; latents are enough, nothing is decoded. Gradients with
    respect to plans pass through JEPA dynamics. Autoregressive dynamics draw anew for every plan.

    Args:
        world: with an image tokenizer.
        seed: of the noise of dynamics that have some; all plans of a situation are compared in
            the same noise.

    Attributes:
        space: of the actions.

    Raises:
        InputError: the world takes no actions, or folds several frames into a latent step.
    """

    def __init__(self, world: World, *, seed: int = 0) -> None:
        told = world.calibration.get("actions")
        if not world.action_size:
            raise InputError(f"the world {world.name} takes no actions, so nothing can be planned")
        if world.tokenizer.time_stride != 1:
            raise InputError(
                f"the world {world.name} folds {world.tokenizer.time_stride} frames into a latent "
                "step; a planner acts frame by frame, so take one with an image tokenizer"
            )
        self.world, self.seed = world, seed
        choices = () if told is None else ActionSpec.from_json(told).num_actions
        self.space = ActionSpace(world.action_size, choices)

    @torch.no_grad()
    def encode(self, frames: Tensor | np.ndarray) -> Float[Tensor, "b k n c"]:
        """Latents of frames, uint8 `[B, K, h, w, 3]`, a tensor or an array. Raises `InputError` for
        anything else, and for frames of another size than the world's."""
        size_px = self.world.size_px
        if isinstance(frames, np.ndarray):
            frames = torch.from_numpy(np.array(frames))  # what is read-only is copied
        if not isinstance(frames, Tensor) or frames.dtype != torch.uint8 or frames.dim() != 5:
            shape = list(getattr(frames, "shape", ()))
            kind = str(getattr(frames, "dtype", type(frames).__name__)).removeprefix("torch.")
            raise InputError(
                f"frames are {kind} {shape}; expected uint8 [B, K, h, w, 3], K frames of each of "
                "B agents, and of goal images uint8 [B, h, w, 3]"
            )
        if not frames.shape[0] or not frames.shape[1]:
            raise InputError(
                f"frames are {list(frames.shape)}, [B, K, h, w, 3]: at least one of B agents or "
                "goals, and at least one frame of each, are needed"
            )
        if tuple(frames.shape[2:4]) != (size_px, size_px):
            raise InputError(
                f"frames are {frames.shape[3]}x{frames.shape[2]}, but the world {self.world.name} "
                f"sees {size_px}x{size_px}; shrink them first, with worldline.data.center_square"
            )
        return self.world.tokenizer.encode(frames).tokens.float()

    @torch.no_grad()
    def begin(
        self,
        frames: Tensor | np.ndarray,
        led: Float[Tensor, "b k a"] | None = None,
    ) -> Situation:
        """Where plans begin.

        Args:
            frames: `[B, K, h, w, 3]` uint8, the newest ones, oldest first.
            led: the action that led to each; what led to the first is not asked for.

        Raises:
            InputError: frames are no such, or frames or actions of another size than the world's.
        """
        return self.begin_from(self.encode(frames), led)

    @torch.no_grad()
    def begin_from(
        self, latents: Float[Tensor, "b k n c"], led: Float[Tensor, "b k a"] | None = None
    ) -> Situation:
        """As `begin`, from latents."""
        if led is not None and tuple(led.shape) != (*latents.shape[:2], self.space.width):
            raise InputError(
                f"actions are {tuple(led.shape)}, expected one of {self.space.width} numbers for "
                f"each of {tuple(latents.shape[:2])} frames"
            )
        generator = torch.Generator().manual_seed(self.seed)
        context = Latents(latents, self.world.tokenizer.grid)
        carry = self.world.dynamics.init(context, Controls(actions=led), generator)
        before = None if led is None or latents.shape[1] == 1 else led[:, -1]
        return Situation(latents, carry, before)

    def imagine(self, situation: Situation, plans: Float[Tensor, "b s h a"]) -> Rollout:
        """Roll out all plans of all situations together.

        Raises:
            InputError: plans are of other situations, or their actions have another width.
        """
        num, samples, horizon, width = plans.shape
        if num != len(situation.latents) or width != self.space.width:
            raise InputError(
                f"plans are for {counted(num, 'situation')}, their actions of "
                f"{counted(width, 'number')}; {len(situation.latents)} and {self.space.width} are "
                "expected, as many situations as were begun with and what the world takes"
            )
        carry = _spread(situation.carry, num, samples)
        flat = plans.flatten(0, 1)
        dynamics = self.world.dynamics
        slope = plans.requires_grad and torch.is_grad_enabled()
        step = dynamics.step
        if slope and isinstance(dynamics, JepaDynamics):
            step = dynamics.step_with_slope
        seen = []
        for t in range(horizon):
            carry, frame = step(carry, Controls(actions=flat[:, t : t + 1]))
            seen.append(frame.tokens[:, 0])
        latents = torch.stack(seen, dim=1).float().unflatten(0, (num, samples))
        return Rollout(plans, latents, situation.newest, situation.before)


def _spread(value: Any, num: int, times: int) -> Any:
    """Each situation's part of a carry so often, one after the other.

    Tensors whose first axis is the batch, or the batch times something, are repeated; all else
    (numbers of frames, generators of noise) belongs to all alike.
    """
    match value:
        case Tensor() if value.dim() > 0 and value.shape[0] % num == 0:
            whole = value.unflatten(0, (num, -1))
            return whole.repeat_interleave(times, dim=0).flatten(0, 1)
        case tuple():
            return tuple(_spread(item, num, times) for item in value)
        case list():
            return [_spread(item, num, times) for item in value]
        case torch.Generator():
            twin = torch.Generator()
            twin.set_state(value.get_state())
            return twin
        case _ if is_dataclass(value) and not isinstance(value, type):
            names = [f.name for f in fields(value) if f.name != "generator_state"]
            parts = {name: _spread(getattr(value, name), num, times) for name in names}
            if isinstance(value, FlowCarry):
                parts["alike"] = value.alike * times
            return replace(value, **parts)
    return value
