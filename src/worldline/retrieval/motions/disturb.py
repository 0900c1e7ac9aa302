"""What trackers do to true paths, and what physics could have done instead: training's variety."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from jaxtyping import Float
from torch import Tensor

from worldline.retrieval.motions.features import Tracks

__all__ = ["align", "disturb", "disturb_moments", "other_physics"]

_MIN_REACH = 0.25


def disturb(tracks: Tracks, amount: Float[Tensor, " b"], rng: torch.Generator) -> Tracks:
    """Tracks as a tracker might have them.

    Boxes scaled, jittering and wandering; tracks that begin late, end early, begin only when the
    body moves, break in two, are lost, swallow a neighbour, or follow a shadow; windows that begin
    later. What then hardly moves is dropped, and each segment begins when something is first seen.

    Args:
        tracks: without noise, or with that of a real tracker.
        amount: of each segment, 0 (nothing is done) to 1; real tracks need little.
        rng: where chance comes from.
    """
    b, n, s = tracks.seen.shape
    some = amount[:, None]

    def chance(p: float, *shape: int) -> Tensor:
        return torch.rand(shape, generator=rng) < p * amount.reshape(-1, *[1] * (len(shape) - 1))

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=rng)

    side = tracks.size.prod(dim=-1).clamp_min(0).sqrt()
    own = (side * tracks.seen).sum(dim=2) / tracks.seen.sum(dim=2).clamp_min(1)
    unit = (own * some)[..., None, None]
    wander = F.avg_pool1d(normal(b * n, 2, s), 9, stride=1, padding=4).reshape(b, n, 2, s)
    center = tracks.center + unit * (
        0.12 * wander.transpose(2, 3) + 0.025 * normal(b, n, s, 2) + 0.1 * normal(b, n, 1, 2)
    )
    scale = (some[..., None, None] * (0.15 * normal(b, n, 1, 2) + 0.05 * normal(b, n, s, 2))).exp()
    size = tracks.size * scale
    step = torch.arange(s)
    seen = tracks.seen
    seen, center, size = _merge(seen, center, size, chance(0.6, b))
    seen, center, size = _fill_slot(
        seen, center, size, chance(0.3, b), chance(0.6, b), own * some, rng
    )
    first, last = _span(seen)
    length = (last - first + 1).float()
    cut = torch.rand((b, n, 2), generator=rng) * 0.35 * length[..., None]
    late = first + torch.where(chance(0.35, b, n), cut[..., 0], 0.0)
    early = last - torch.where(chance(0.35, b, n), cut[..., 1], 0.0)
    seen = seen & (step >= late[..., None]) & (step <= early[..., None])
    whole_late = torch.where(chance(0.25, b), torch.rand(b, generator=rng) * 10, 0.0)
    begin = torch.where(seen.any(dim=1), step, s).amin(dim=1)
    seen = seen & (step >= (begin + whole_late)[:, None, None])
    start = _at_first(center, seen)
    moved = (center - start[:, :, None]).norm(dim=-1) > 0.15 * own[..., None]
    moved = (moved & seen).cummax(dim=2).values
    seen = seen & (moved | ~chance(0.4, b, n)[..., None])
    seen = seen & ~chance(0.35, b, n)[..., None] & ~chance(0.12, b)[:, None, None]
    seen = seen & (_reach(center, seen) >= _MIN_REACH * own)[..., None]
    return align(Tracks(center, size, seen))


def disturb_moments(
    moments: Float[Tensor, "b m s"], amount: Float[Tensor, " b"], rng: torch.Generator
) -> Float[Tensor, "b m s"]:
    """Moments of motion as flow might have them: unsteady, leaking into all directions, blind to
    slow motion, and late."""
    b, m, s = moments.shape
    some = amount[:, None, None]
    slow = F.avg_pool1d(torch.randn((b, m, s), generator=rng), 9, stride=1, padding=4)
    unsteady = 0.5 * slow + 0.1 * torch.randn((b, m, s), generator=rng)
    unsteady = unsteady + 0.25 * torch.randn((b, m, 1), generator=rng)
    factor = torch.cat(
        [
            (some * unsteady[:, :9]).exp(),
            # moments over the picture keep their relation to what they are moments of
            1 + 0.05 * some * slow[:, 9:],
        ],
        dim=1,
    )
    changed = moments * factor
    toward = changed[:, :8]
    ratio = toward.sum(dim=1) / moments[:, :8].sum(dim=1).clamp_min(1e-12)
    leak = 0.03 * some * torch.rand((b, 8, 1), generator=rng) * toward.sum(dim=1, keepdim=True)
    rest = torch.cat([changed[:, 8:9], changed[:, 9:] * ratio[:, None]], dim=1)
    late = torch.rand(b, generator=rng) < 0.3 * amount
    begin = torch.where(late, torch.rand(b, generator=rng) * 6, 0.0)
    return torch.cat([toward + leak, rest], dim=1) * (torch.arange(s) >= begin[:, None])[:, None]


def other_physics(tracks: Tracks, rng: torch.Generator) -> Tracks:
    """The same bodies with another motion, another one in each segment: slower, faster, backwards
    or upside down. Called with equal generators it does the same to other views."""
    b, _, s = tracks.seen.shape
    kind = torch.rand(b, generator=rng)
    slow = 0.5 + 0.25 * torch.rand(b, generator=rng)
    fast = 1.3 + 0.6 * torch.rand(b, generator=rng)
    rate = torch.where(kind < 0.3, slow, torch.where(kind < 0.6, fast, 1.0))
    backwards, over = (kind >= 0.6) & (kind < 0.8), kind >= 0.8
    last = torch.where(tracks.seen.any(dim=1), torch.arange(s), 0).amax(dim=1).float()
    time = torch.arange(s)[None] * rate[:, None]
    time = torch.where(backwards[:, None], last[:, None] - time, time)
    inside = (time >= 0) & (time <= s - 1)
    low = time.floor().clamp(0, s - 2).long()
    share = (time - low).clamp(0, 1)[:, None, :, None]
    near = (time + 0.5).floor().clamp(0, s - 1).long()

    def at(values: Tensor, index: Tensor) -> Tensor:
        shape = (b, values.shape[1], s, *values.shape[3:])
        wide = index[:, None].reshape(b, 1, s, *[1] * (values.ndim - 3)).expand(shape)
        return values.gather(2, wide)

    seen = at(tracks.seen, near) & inside[:, None]
    valid = at(tracks.seen, low)[..., None] & at(tracks.seen, low + 1)[..., None]
    boxes = []
    for values in (tracks.center, tracks.size):
        mixed = at(values, low) * (1 - share) + at(values, low + 1) * share
        boxes.append(torch.where(valid, mixed, at(values, near)))
    sign = torch.where(over, -1.0, 1.0)[:, None, None]
    center = torch.stack([boxes[0][..., 0], boxes[0][..., 1] * sign], dim=-1)
    return align(Tracks(center, boxes[1], seen))


def align(tracks: Tracks) -> Tracks:
    """Each segment moved on the grid so that something is seen in the first step."""
    s = tracks.seen.shape[2]
    step = torch.arange(s)
    begin = torch.where(tracks.seen.any(dim=1), step, s).amin(dim=1)
    begin = torch.where(begin == s, 0, begin)
    index = begin[:, None] + step
    inside = (index < s)[:, None]
    index = index.clamp_max(s - 1)[:, None].expand_as(tracks.seen)
    wide = index[..., None].expand_as(tracks.center)
    return Tracks(
        center=tracks.center.gather(2, wide),
        size=tracks.size.gather(2, wide),
        seen=tracks.seen.gather(2, index) & inside,
    )


def _span(seen: Tensor) -> tuple[Tensor, Tensor]:
    s = seen.shape[2]
    step = torch.arange(s)
    first = torch.where(seen, step, s).amin(dim=2)
    last = torch.where(seen, step, -1).amax(dim=2)
    return first.clamp_max(s - 1), last.clamp_min(0)


def _at_first(values: Tensor, seen: Tensor) -> Tensor:
    first, _ = _span(seen)
    return values.gather(2, first[..., None, None].expand(*first.shape, 1, 2))[:, :, 0]


def _reach(center: Tensor, seen: Tensor) -> Tensor:
    mask = seen[..., None]
    high = torch.where(mask, center, -torch.inf).amax(dim=2)
    low = torch.where(mask, center, torch.inf).amin(dim=2)
    return torch.where(seen.any(dim=2), (high - low).norm(dim=-1), 0.0).nan_to_num(0.0)


def _merge(
    seen: Tensor, center: Tensor, size: Tensor, which: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """The first track that comes near a later one takes its box in while both are seen."""
    b, n, _ = seen.shape
    low, high = center - size / 2, center + size / 2
    gap = torch.maximum(low[:, :, None] - high[:, None], low[:, None] - high[:, :, None])
    both = seen[:, :, None] & seen[:, None]
    near = torch.where(both, gap.amax(dim=-1), torch.inf).amin(dim=3)
    later = torch.ones(n, n, dtype=torch.bool).triu(1)
    near = torch.where(later, near, torch.inf).flatten(1)
    unit = (size.prod(dim=-1).clamp_min(0).sqrt() * seen).sum(dim=(1, 2)) / seen.sum(
        dim=(1, 2)
    ).clamp_min(1)
    best, pair = near.min(dim=1)
    which = which & (best < 0.3 * unit)
    rows = torch.arange(b)
    first, second = pair // n, pair % n
    together = seen[rows, first] & seen[rows, second] & which[:, None]
    low_of = torch.minimum(low[rows, first], low[rows, second])
    high_of = torch.maximum(high[rows, first], high[rows, second])
    center, size, seen = center.clone(), size.clone(), seen.clone()
    center[rows, first] = torch.where(
        together[..., None], (low_of + high_of) / 2, center[rows, first]
    )
    size[rows, first] = torch.where(together[..., None], high_of - low_of, size[rows, first])
    seen[rows, second] &= ~which[:, None]
    return seen, center, size


def _fill_slot(
    seen: Tensor,
    center: Tensor,
    size: Tensor,
    breaks: Tensor,
    shadows: Tensor,
    own: Tensor,
    rng: torch.Generator,
) -> tuple[Tensor, Tensor, Tensor]:
    """Put the second half of a broken track, or what a shadow gives, into a free place."""
    b, n, s = seen.shape
    rows, step = torch.arange(b), torch.arange(s)
    free = ~seen.any(dim=2)
    slot = free.float().argmax(dim=1)
    pick = torch.where(free, -1.0, torch.rand((b, n), generator=rng)).argmax(dim=1)
    first, last = _span(seen)
    first, last = first[rows, pick].float(), last[rows, pick].float()
    at = first + (last - first) * (0.2 + 0.6 * torch.rand(b, generator=rng))
    has = free.any(dim=1)
    breaks, shadows = breaks & has, shadows & has & ~breaks
    path, box, on = center[rows, pick], size[rows, pick], seen[rows, pick]
    start = _at_first(center, seen)[rows, pick]
    damp = torch.rand((b, 1, 1), generator=rng) * 0.8
    shift = torch.randn((b, 1, 2), generator=rng) * own[rows, pick][:, None, None]
    ghost = torch.stack(
        [path[..., 0], start[:, None, 1] + (path - start[:, None])[..., 1] * damp[..., 0]], dim=-1
    )
    ghost = ghost + shift
    after = step > at[:, None]
    center, size, seen = center.clone(), size.clone(), seen.clone()
    use = (breaks | shadows)[:, None]
    center[rows, slot] = torch.where(
        use[..., None], torch.where(shadows[:, None, None], ghost, path), center[rows, slot]
    )
    size[rows, slot] = torch.where(use[..., None], box, size[rows, slot])
    new = torch.where(shadows[:, None], on & (after | (damp[..., 0] > 0.3)), on & after)
    seen[rows, slot] = torch.where(use, new, seen[rows, slot])
    seen[rows, pick] = torch.where(breaks[:, None], on & ~after, seen[rows, pick])
    return seen, center, size
