"""Noise levels, step sizes and pasts that flow dynamics learn from."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float
from torch import Tensor

__all__ = ["check_sampling", "draw_levels", "mix_at_random", "shortcut_target"]


def check_sampling(
    *, rows: int, coarse: int, window: int, sink: int, num_steps: int, doublings: int
) -> None:
    """Raise `ValueError` for numbers of a config that do not fit each other; see
    `FlowDynamics.Config`."""
    if coarse < 1 or rows % coarse:
        raise ValueError(f"coarse is {coarse}, must divide the {rows} rows")
    if num_steps < 1 or (doublings and 2**doublings % num_steps):
        least = f"divide {2**doublings}" if doublings else "be at least 1"
        raise ValueError(f"num_steps is {num_steps}, must {least}")
    if sink and not 0 < sink < window - 1:
        raise ValueError(f"sink is {sink}, must leave room in the window of {window} frames")


def draw_levels(
    shape: tuple[int, int],
    generator: torch.Generator,
    *,
    doublings: int,
    level_zero_share: float,
    starts: Bool[Tensor, " b"] | None,
) -> tuple[Float[Tensor, "b t"], Float[Tensor, "b t"] | None]:
    """Level of each frame, and step size where one is learned.

    Half of the clips take the finest step, which learns from data; the others any above.

    Args:
        shape: (B, T).
        generator: of everything drawn.
        doublings: the finest step is 2 to the minus this; 0 where no step size is learned.
        level_zero_share: share of clips with every frame at pure noise.
        starts: clips that start from nothing; their first frame, of which all has to be decided,
            keeps its level.
    """
    batch, num_frames = shape
    device = generator.device

    def draw(*shape: int) -> Tensor:
        return torch.rand(shape, generator=generator, device=device)

    step = None
    if doublings:
        coarser = torch.randint(1, doublings + 1, (batch, 1), generator=generator, device=device)
        fine = draw(batch, 1) < 0.5
        up = torch.where(fine, 0, coarser)
        step = (2.0 ** (up - doublings)).expand(-1, num_frames)
        grid = (1 / step).round()
        level = (draw(batch, num_frames) * grid).floor().clamp(max=grid - 1) * step
    else:
        level = draw(batch, num_frames)
    kept = (draw(batch, 1) >= level_zero_share).expand(-1, num_frames)
    if starts is not None:
        kept = kept.clone()
        kept[:, 1] |= starts
    return level * kept, step


def mix_at_random(
    seen: Float[Tensor, "b t n c"],
    predicted: Float[Tensor, "b t n c"],
    generator: torch.Generator,
    starts: Bool[Tensor, " b"] | None,
) -> Float[Tensor, "b t n c"]:
    """A past in which some frames of each clip, a share that is drawn too, are predicted ones.

    First frames stay, and so do those after the blank ones of the clips that start from nothing.
    """
    share = torch.rand((len(seen), 1), generator=generator, device=seen.device)
    chosen = torch.rand(seen.shape[:2], generator=generator, device=seen.device) < share
    chosen[:, 0] = False
    if starts is not None:
        chosen[:, 1] &= ~starts
    return torch.where(chosen[..., None, None], predicted, seen)


@torch.no_grad()
def shortcut_target(
    clean: Callable[[Tensor, Tensor, Tensor], Tensor],
    x_BTNC: Float[Tensor, "b t n c"],
    noised: Float[Tensor, "b t n c"],
    level: Float[Tensor, "b t"],
    step: Float[Tensor, "b t"],
    *,
    finest: float,
) -> Float[Tensor, "b t n c"]:
    """Clean frames that one step should aim at: the data, or where two half steps lead.

    Args:
        clean: what the network makes of noised frames at a level, for a size of step.
        x_BTNC: the true frames, that the finest step aims at.
        noised: them, at `level`.
        level, step: of each frame.
        finest: size of the finest step.
    """
    half = (step / 2).clamp_min(finest)
    first = clean(noised, level, half)
    rest = _per_cell(1 - level, noised)
    middle = noised + _per_cell(half, noised) * (first - noised) / rest
    later = (level + half).clamp(max=1 - finest)
    second = clean(middle, later, half)
    slope = (first - noised) / rest + (second - middle) / _per_cell(1 - later, noised)
    aim = noised + rest * slope / 2
    return torch.where(_per_cell(step, noised) > finest, aim, x_BTNC)


def _per_cell(value: Float[Tensor, "b t"], like: Tensor) -> Float[Tensor, "b t 1 1"]:
    return value[..., None, None].to(like.dtype)
