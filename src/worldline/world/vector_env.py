"""Many agents in one world, a batch at a time: a Gymnasium vector environment.

All agents share each pass of the network, which costs little more for sixteen than for one. For
this they must have seen equally much: every agent looks back on the last `world.context` frames,
and one that begins anew gets its opening at the same place in time as the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from worldline.core.clip import Clip
from worldline.core.errors import InputError
from worldline.core.latents import Controls, Latents
from worldline.dynamics import FlowCarry, FlowDynamics
from worldline.nn import KeyValue
from worldline.tokenizer import from_unit
from worldline.world.env import SURE_END, as_numbers, observation_space, open_world
from worldline.world.world import World

__all__ = ["VectorWorldEnv"]


class VectorWorldEnv(VectorEnv):
    """N agents in a flow world; those whose episodes are over begin anew with their next step.

    Pictures are decoded latents, without the detail that a session puts back from its opening; ask
    for "latents" where no pictures are needed, which is faster.

    Args:
        world: see `open_world`; its dynamics must be of the flow family.
        openings: likewise.
        num_envs: N.
        observation: "pixels" `[N, h, w, 3]` or "latents" `[N, M]`.
        max_steps: episodes are cut off there.

    Raises:
        InputError: the world cannot be lived in, or its dynamics are of another family
            (`gymnasium.vector.SyncVectorEnv` over `WorldEnv` takes any).
    """

    metadata = {"autoreset_mode": AutoresetMode.NEXT_STEP}  # noqa: RUF012 (Gymnasium's)

    def __init__(
        self,
        world: World | str | Path,
        openings: Sequence[Clip] | None = None,
        *,
        num_envs: int = 8,
        observation: str = "pixels",
        max_steps: int = 100,
    ) -> None:
        self.world, clips, self.port = open_world(world, openings)
        dynamics = self.world.dynamics
        if not isinstance(dynamics, FlowDynamics) or self.world.tokenizer.time_stride > 1:
            raise InputError(
                f"the world {self.world.name} cannot be stepped in batches; use SyncVectorEnv over "
                "WorldEnv"
            )
        if num_envs < 1 or max_steps < 1:
            raise InputError(f"num_envs is {num_envs} and max_steps {max_steps}; at least 1 each")
        if observation not in ("pixels", "latents"):
            raise InputError(f'observation is {observation!r}; it can be "pixels" or "latents"')
        self.num_envs, self.observation, self.max_steps = num_envs, observation, max_steps
        self.single_observation_space = observation_space(self.world, observation)
        self.single_action_space = self.port.space
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._flow = dynamics
        self._starts = [_encode(self.world, clip) for clip in clips]
        self._carry: FlowCarry | None = None
        self._steps = np.zeros(num_envs, np.int64)
        self._over = np.zeros(num_envs, bool)

    def reset(
        self, *, seed: int | list[int] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin an episode for every agent."""
        first = seed[0] if isinstance(seed, list) else seed
        if first is not None or getattr(self, "_rng", None) is None:
            self._rng = np.random.default_rng(first)
        self._noise = torch.Generator().manual_seed(int(self._rng.integers(2**31)))
        self._carry = self._begin(self.num_envs, start=0)
        self._steps[:] = 0
        self._over[:] = False
        return self._observe(self._carry.last[:, 1:]), {}

    @torch.no_grad()
    def step(
        self, actions: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Imagine the next frame of every agent; for those that begin anew, their first one.

        Raises:
            InputError: before the first `reset`, or for an action that is not in the space.
        """
        carry = self._carry
        if carry is None:
            raise InputError("reset the environment before its first step")
        if len(actions) != self.num_envs:
            raise InputError(f"{len(actions)} actions were given for {self.num_envs} agents")
        anew = self._over.copy()
        driven = torch.from_numpy(self.port.vectors(as_numbers(actions)))
        last = carry.last
        carry, _ = self._flow.step(carry, Controls(actions=driven[:, None]))
        carry = _trim(carry, self.world.context)
        reward, end = np.zeros(self.num_envs), np.zeros(self.num_envs)
        if self.world.reward is not None:
            seen = self.world.reward.pair(last[:, 0], last[:, 1], carry.last[:, 1])
            told = self.world.reward.read(*seen, driven)
            reward, end = (each.double().numpy() for each in told)
        if anew.any():
            fresh = self._begin(int(anew.sum()), start=carry.num_frames - self.world.context)
            carry = _splice(carry, fresh, torch.from_numpy(anew))
        self._carry = carry
        self._steps = np.where(anew, 0, self._steps + 1)
        reward = np.where(anew, 0.0, reward)
        ended = (end > SURE_END) & ~anew
        cut = (self._steps >= self.max_steps) & ~anew
        self._over = ended | cut
        return self._observe(carry.last[:, 1:]), reward, ended, cut, {"end": end}

    def _begin(self, num: int, *, start: int) -> FlowCarry:
        """A carry of `num` agents whose opening stands at frames `start` and later."""
        context = self.world.context
        openings = []
        for _ in range(num):
            start_of = self._starts[int(self._rng.integers(len(self._starts)))]
            last = int(self._rng.integers(context, len(start_of[0]) + 1))
            openings.append([part[last - context : last] for part in start_of])
        tokens, actions, known = (torch.stack(parts) for parts in zip(*openings, strict=True))
        led = Controls(actions=actions, known={"actions": known})
        context_latents = Latents(tokens, self.world.tokenizer.grid)
        return _trim(self._flow.init(context_latents, led, self._noise, start=start), context)

    def _observe(self, tokens: Float[Tensor, "n 1 m c"]) -> np.ndarray:
        if self.observation == "latents":
            return tokens.flatten(1).float().numpy()
        return self._draw(tokens)

    @torch.no_grad()
    def _draw(self, tokens: Float[Tensor, "n 1 m c"]) -> UInt8[np.ndarray, "n h w 3"]:
        latents = Latents(tokens, self.world.tokenizer.grid)
        return from_unit(self.world.tokenizer.decode_unit(latents))[:, 0].numpy()


def _encode(
    world: World, clip: Clip
) -> tuple[Float[Tensor, "t n c"], Float[Tensor, "t a"], Bool[Tensor, "t 1"]]:
    """Latents of a clip, the action that leads to each frame, and where that is known."""
    latents = world.encode(clip).tokens[0]
    fed, num = world.feed(clip), len(latents)
    if fed.actions is None:
        return latents, torch.zeros(num, world.action_size), torch.zeros(num, 1, dtype=torch.bool)
    known = torch.ones(num, 1, dtype=torch.bool)
    if fed.known is not None and "actions" in fed.known:
        known = fed.known["actions"][0, -num:]
    return latents, fed.actions[0, -num:].float(), known


def _trim(carry: FlowCarry, context: int) -> FlowCarry:
    """The carry with no more than `context` frames in its cache."""
    cache = tuple(
        KeyValue(kv.key[:, :, -context:], kv.value[:, :, -context:]) for kv in carry.cache
    )
    return replace(carry, cache=cache)


def _splice(carry: FlowCarry, fresh: FlowCarry, which: Bool[Tensor, " n"]) -> FlowCarry:
    """The carry with the agents of another in the chosen places, in their order."""

    def put(old: Tensor, new: Tensor) -> Tensor:
        rows = which.repeat_interleave(len(old) // len(which))
        merged = old.clone()
        merged[rows] = new
        return merged

    cache = tuple(
        KeyValue(put(a.key, b.key), put(a.value, b.value))
        for a, b in zip(carry.cache, fresh.cache, strict=True)
    )
    return replace(carry, cache=cache, last=put(carry.last, fresh.last))
