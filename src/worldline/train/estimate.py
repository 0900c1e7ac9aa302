"""What a training will take, before it starts: parameters, operations, memory."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from worldline.core.latents import Controls, Latents
from worldline.dynamics import (
    AutoregressiveDynamics,
    BodyForecaster,
    BodyStates,
    FlowDynamics,
    JepaDynamics,
    LatentActions,
    TrajectoryForecaster,
)
from worldline.readout.reward import RewardReadout
from worldline.train.recipe import Recipe, Stage
from worldline.train.rewards import RewardTask
from worldline.train.tasks import ObjectiveTask
from worldline.world import World

__all__ = ["Estimate", "estimate_stage", "estimate_training"]

_BACKWARD = 3
"""A training step does about three times the operations of a forward pass: the backward pass
computes gradients for the inputs and for the weights of each product (Kaplan et al. 2020, 2.1)."""
_BODY_HORIZON = 29
"""Frames that bodies are followed for in clips of 32."""
_STATE_BYTES = 4 * 5 + 2 * 2
"""Per trained parameter: weight, two AdamW moments, gradient and average in fp32; copy and its
gradient in bf16."""


@dataclass(frozen=True)
class Estimate:
    """What a stage of a recipe takes.

    Attributes:
        stage: its name.
        parameters: in training.
        flop: operations of all its steps.
        state_bytes: memory of weights, gradients and optimiser; activations come on top.
    """

    stage: str
    parameters: int
    flop: float
    state_bytes: int


def estimate_training(recipe: Recipe) -> tuple[Estimate, ...]:
    """Estimates of all stages, without any memory for weights: parts are built on PyTorch's
    meta device, so that worlds of any size can be asked about."""
    with torch.device("meta"):
        world = recipe.world.build()
    return tuple(estimate_stage(stage, world) for stage in recipe.stages)


def estimate_stage(stage: Stage, world: World) -> Estimate:
    """Estimate of one stage; objectives' own parameters and operations are left out.

    Args:
        stage: of a recipe.
        world: its untrained world, on any device.
    """
    parts = {name: world.parts[name] for name in stage.task.parts}
    parameters = sum(p.numel() for part in parts.values() for p in part.parameters())
    forward = sum(_forward_flop(part, world, stage) for part in parts.values())
    task = stage.task
    if isinstance(task, ObjectiveTask.Config) and "tokenizer" not in parts and not task.cached:
        forward += _encode_flop(world, stage) / _BACKWARD  # frozen, so without a backward pass
    return Estimate(
        stage.name,
        parameters,
        _BACKWARD * forward * stage.trainer.steps,
        parameters * _STATE_BYTES,
    )


def _forward_flop(part: nn.Module, world: World, stage: Stage) -> float:
    """Operations of one pass over a batch of the stage."""
    if part is world.tokenizer:
        return _encode_flop(world, stage) + _decode_flop(world, stage)
    with FlopCounterMode(display=False) as counter:
        if isinstance(part, TrajectoryForecaster):
            config = part.config
            shape = stage.batch, config.context, config.size_px, config.size_px, 3
            device = next(part.parameters()).device
            noise = torch.zeros(stage.batch, config.noise_size, device=device)
            flows = torch.zeros(stage.batch, config.num_flows, 2, *shape[2:4], device=device)
            part(torch.zeros(shape, dtype=torch.uint8, device=device), noise, flows)
            return float(counter.get_total_flops())
        if isinstance(part, BodyForecaster):
            device = next(part.parameters()).device
            slots = part.config.slots
            part(BodyStates.empty(stage.batch, slots, str(device)), _BODY_HORIZON)
            return float(counter.get_total_flops())
        if isinstance(part, LatentActions):
            device = next(part.parameters()).device
            shape = stage.batch, stage.length, world.size_px, world.size_px, 3
            part(torch.zeros(shape, dtype=torch.uint8, device=device))
            return float(counter.get_total_flops())
        tokens = _tokens(world, stage)
        if isinstance(part, AutoregressiveDynamics):
            known = torch.ones(tokens.shape[:3], dtype=torch.bool, device=tokens.device)
            part.network(tokens, known, tokens, tokens, Controls(), in_order=False)
        elif isinstance(part, JepaDynamics):
            part.network(torch.cat([tokens, tokens], dim=-1), Controls())
        elif isinstance(part, FlowDynamics):
            level = tokens[:, :, 0, 0]
            width = part.network.enter.in_channels // world.tokenizer.channels
            part.network(torch.cat([tokens] * width, -1), Controls(), level=level, step=level)
        elif isinstance(part, RewardReadout):
            # moments are drawn one by one, clips whole
            single = isinstance(stage.task, RewardTask.Config)
            cells = (tokens[:, :1] if single else tokens).flatten(0, 1)
            part(cells, cells, cells.new_zeros(len(cells), part.config.action_size))
        else:
            part(Latents(tokens, world.tokenizer.grid))
    return float(counter.get_total_flops())


def _tokens(world: World, stage: Stage) -> Tensor:
    """Latents of a batch, empty."""
    tokenizer = world.tokenizer
    rows, columns = tokenizer.grid
    steps = tokenizer.count_steps(stage.length)
    device = next(tokenizer.parameters()).device
    return torch.zeros(stage.batch, steps, rows * columns, tokenizer.channels, device=device)


def _encode_flop(world: World, stage: Stage) -> float:
    device = next(world.tokenizer.parameters()).device
    shape = stage.batch, stage.length, world.size_px, world.size_px, 3
    with FlopCounterMode(display=False) as counter:
        world.tokenizer.encode(torch.zeros(shape, dtype=torch.uint8, device=device))
    return float(counter.get_total_flops())


def _decode_flop(world: World, stage: Stage) -> float:
    if not world.tokenizer.can_decode:
        return 0.0
    with FlopCounterMode(display=False) as counter:
        world.tokenizer.decode_unit(Latents(_tokens(world, stage), world.tokenizer.grid))
    return float(counter.get_total_flops())
