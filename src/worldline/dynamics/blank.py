"""Learning to start from nothing: clips that a blank frame opens, and what their loss counts.

A blank frame (all-zero latents, which no picture has) stands before the first frame, so that a
model of the next frame is also one of the first: nothing but controls and noise determine it.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from worldline.core.latents import Controls

__all__ = ["keep_blank", "open_blank", "relative_error"]


def open_blank(
    x_BTNC: Float[Tensor, "b t n c"], controls: Controls, starts: Bool[Tensor, " b"]
) -> tuple[Float[Tensor, "b t n c"], Controls]:
    """Put a blank frame before the chosen clips, which lose their last frame for it."""
    later = torch.cat([torch.zeros_like(x_BTNC[:, :1]), x_BTNC[:, :-1]], dim=1)
    return torch.where(starts[:, None, None, None], later, x_BTNC), controls.delayed(starts)


def keep_blank(
    seen: Float[Tensor, "b t n c"], starts: Bool[Tensor, " b"]
) -> Float[Tensor, "b t n c"]:
    """Clear the blank frames of the chosen clips of noise, which would hide what they are."""
    first = torch.where(starts[:, None, None, None], 0, seen[:, :1])
    return torch.cat([first, seen[:, 1:]], dim=1)


def relative_error(
    predicted: Float[Tensor, "b t n c"],
    target: Float[Tensor, "b t n c"],
    x_BTNC: Float[Tensor, "b t n c"],
    seen: Float[Tensor, "b t n c"],
    starts: Bool[Tensor, " b"] | None,
    *,
    bounds: tuple[float, float],
    mends: bool = False,
) -> dict[str, Tensor]:
    """Errors of frames 1 .. T-1 over those of copying the frame before.

    Cells are weighted by how much they really move, so that still background, which copying gets
    right, does not drown the few cells in which something happens. First frames of clips that start
    from nothing have no frame before: they count on their own, each cell alike.

    Args:
        predicted, target: clean frames as expected, and as they should have been.
        x_BTNC: the true frames.
        seen: the frames that were given as the past.
        starts: clips whose frame 0 is blank, if there may be any.
        bounds: least and largest weight of a cell.
        mends: weights follow the change that is needed from what was given, not the true one.
    """
    last = seen if mends else x_BTNC
    change = (x_BTNC[:, 1:] - last[:, :-1]).float().square().mean(-1)
    error = (predicted[:, 1:] - target[:, 1:]).float().square().mean(-1)
    copying = (seen[:, :-1] - x_BTNC[:, 1:]).float().square().mean(-1)
    if starts is None:
        return _follow(error, change, copying, bounds)
    first = torch.zeros(change.shape[:2], dtype=torch.bool, device=starts.device)
    first[:, 0] = starts
    losses = {"total": error.new_zeros(())}
    if not bool(first.all()):
        losses = _follow(error[~first], change[~first], copying[~first], bounds)
    if bool(starts.any()):
        begun = error[first].mean() / change[first].mean().detach()
        losses = {**losses, "total": losses["total"] + begun, "first": begun}
    return losses


def _follow(
    error: Float[Tensor, "*f n"],
    change: Float[Tensor, "*f n"],
    copying: Float[Tensor, "*f n"],
    bounds: tuple[float, float],
) -> dict[str, Tensor]:
    weight = (change / change.mean().clamp_min(1e-6)).clamp(*bounds)
    return {
        "total": (weight * error).mean() / (weight * change).mean().detach().clamp_min(1e-6),
        "error": error.mean(),
        "error_over_copying": error.mean() / copying.mean().clamp_min(1e-9),
    }
