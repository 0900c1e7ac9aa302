"""Distillation: a flow learns to do in one step what it did in several."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from worldline.core.config import Config, register
from worldline.core.errors import InputError
from worldline.core.latents import Controls, Latents
from worldline.dynamics import FlowDynamics
from worldline.dynamics.past import before_and_change
from worldline.train.draw import ClipBatch
from worldline.train.objectives.base import Objective, Parts
from worldline.world import World

__all__ = ["Distillation"]


class Distillation(Objective):
    """Progressive distillation (Salimans and Ho 2022, arXiv 2202.00512, algorithm 2).

    A frame is noised to one of the student's levels, k / n. From there the teacher walks as far as
    one step of the student goes, in several steps of its own; the student learns the clean frame
    that leads there in one (their equation 8, for the straight path and x-prediction). From pure
    noise, the only level of a student of one step, that is the teacher's own sample.

    The teacher is a frozen copy of the dynamics as they are when the objective is built, so stages
    that follow one another halve the number of steps again and again. It is kept with the
    objective, hence in the checkpoint.
    """

    @register("objective/distillation")
    @dataclass(frozen=True)
    class Config(Config):
        """Steps.

        Attributes:
            weight: of the loss.
            teacher_steps: steps per frame of the teacher.
            student_steps: steps per frame that the student learns; a divisor of the teacher's.
        """

        weight: float = 1.0
        teacher_steps: int = 2
        student_steps: int = 1

        def build(self, world: World) -> Distillation:
            """Make the objective; the teacher is what the world's dynamics are now.

            Raises:
                InputError: the dynamics make no frame in denoising steps.
                ValueError: the steps do not divide.
            """
            dynamics = world.dynamics
            if not isinstance(dynamics, FlowDynamics):
                raise InputError(
                    f"the world {world.name} has dynamics of the type {dynamics.config.type_name}, "
                    "which make no frame in denoising steps; only flow worlds can be distilled"
                )
            return Distillation(self, dynamics)

    def __init__(self, config: Distillation.Config, teacher: FlowDynamics) -> None:
        super().__init__()
        if config.student_steps < 1 or config.teacher_steps % config.student_steps:
            raise ValueError(
                f"student_steps is {config.student_steps}, must divide the teacher's "
                f"{config.teacher_steps}"
            )
        self.config, self.weight = config, config.weight
        self.teacher = copy.deepcopy(teacher).eval().requires_grad_(False)

    def loss(
        self, parts: Parts, batch: ClipBatch, latents: Latents, generator: torch.Generator
    ) -> Mapping[str, Tensor]:
        """Weighted squared error to the frames that the teacher leads to, of frames 1 .. T-1.

        Cells are weighted by how much they really move, as in `FlowDynamics.loss`.
        """
        student = parts["dynamics"]
        assert isinstance(student, FlowDynamics)
        config, steps = student.config, self.config.student_steps
        # Not in half precision: the walk adds many small differences.
        x_BTNC, controls = latents.tokens.float(), batch.controls
        device = x_BTNC.device
        shape = x_BTNC.shape[:2]
        level = torch.randint(steps, shape, generator=generator, device=device) / steps
        tau = level[..., None, None]
        noise = torch.randn(x_BTNC.shape, generator=generator, device=device)
        noised = tau * x_BTNC + (1 - tau) * noise
        seen = self._spoil(student, x_BTNC, controls, generator)
        aim = self._aim(noised, seen, level, controls)
        predicted = _clean(student, noised, seen, level, 1 / steps, controls)
        change = (x_BTNC[:, 1:] - x_BTNC[:, :-1]).square().mean(-1)
        weight = change / change.mean().clamp_min(1e-6)
        weight = weight.clamp(config.weight_floor, config.weight_ceiling)
        error = (predicted[:, 1:] - aim[:, 1:]).square().mean(-1)
        total = (weight * error).mean() / (weight * change).mean().clamp_min(1e-9)
        return {
            "total": total,
            "error": error.mean(),
            "error_over_copying": error.mean() / change.mean().clamp_min(1e-9),
        }

    @torch.no_grad()
    def _aim(
        self,
        noised: Float[Tensor, "b t n c"],
        seen: Float[Tensor, "b t n c"],
        level: Float[Tensor, "b t"],
        controls: Controls,
    ) -> Float[Tensor, "b t n c"]:
        """Clean frames that one step of the student should aim at, to land where the teacher does.

        `x_tau' = x_tau + d / (1 - tau) (x_hat - x_tau)`, solved for `x_hat` with the student's d.
        """
        num = self.config.teacher_steps
        x, tau = noised, level
        for _ in range(num // self.config.student_steps):
            clean = _clean(self.teacher, x, seen, tau, 1 / num, controls)
            x = x + (1 / num) / (1 - tau[..., None, None]) * (clean - x)
            tau = tau + 1 / num
        return noised + (x - noised) * (1 - level[..., None, None]) * self.config.student_steps

    @torch.no_grad()
    def _spoil(
        self,
        student: FlowDynamics,
        x_BTNC: Float[Tensor, "b t n c"],
        controls: Controls,
        generator: torch.Generator,
    ) -> Float[Tensor, "b t n c"]:
        """The past as a rollout would show it: noisy, and in some clips the student's own.

        As `FlowDynamics.loss` does it, so that the student goes on mending its errors.
        """
        config, device = student.config, x_BTNC.device
        shape = x_BTNC.shape[:2]

        def draw(*size: int) -> Tensor:
            return torch.rand(size, generator=generator, device=device)

        noise = torch.randn(x_BTNC.shape, generator=generator, device=device)
        seen = x_BTNC + config.context_noise * draw(shape[0], 1, 1, 1) * noise
        noised = torch.randn(x_BTNC.shape, generator=generator, device=device)
        level, size = torch.zeros(shape, device=device), 1 / self.config.student_steps
        own = _clean(student, noised, seen, level, size, controls)
        num = round(shape[0] * config.unrolled_share)
        chosen = draw(*shape) < draw(shape[0], 1)
        chosen[num:] = False
        chosen[:, 0] = False
        return torch.where(chosen[..., None, None], own, seen)


def _clean(
    dynamics: FlowDynamics,
    noised: Float[Tensor, "b t n c"],
    seen: Float[Tensor, "b t n c"],
    level: Float[Tensor, "b t"],
    size: float,
    controls: Controls,
) -> Float[Tensor, "b t n c"]:
    """What the dynamics take for the clean frames of whole clips, with steps of one size."""
    given = torch.cat([noised, *before_and_change(seen)], dim=-1)
    return dynamics.clean(given, controls, level=level, step=torch.full_like(level, size))[0]
