"""From tracks to what the encoders read of bodies and pairs, free of place and image scale."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from worldline.retrieval.motions.moments import DIRECTIONS

__all__ = [
    "BODY_CHANNELS",
    "FIELD_CHANNELS",
    "MAX_PAIRS",
    "PAIR_CHANNELS",
    "Features",
    "Tracks",
    "align_moments",
    "measure",
    "mirror",
    "sum_up",
]

BODY_CHANNELS, PAIR_CHANNELS, FIELD_CHANNELS = 13, 12, 15
MAX_PAIRS = 6
"""Most pairs of a segment: those that come nearest."""

_TINY = 1e-6
_NEAR, _TOUCH = 4.0, 0.1
"""Gaps, in mean sizes: pairs that never come nearer do not meet; below the second, boxes touch."""
_MIN_STEPS, _MIN_SPREAD = 6, 0.1
_FAINT = 0.04
"""Share of the greatest motion below which a moment counts as still."""


@dataclass(frozen=True, eq=False)
class Tracks:
    """B segments of up to N tracks over S steps.

    Attributes:
        center, size: `[B, N, S, 2]` in any one unit per segment.
        seen: `[B, N, S]`; a track that is never seen is absent.
    """

    center: Float[Tensor, "b n s 2"]
    size: Float[Tensor, "b n s 2"]
    seen: Bool[Tensor, "b n s"]


@dataclass(frozen=True, eq=False)
class Features:
    """What the encoders read.

    Attributes:
        body: `[B, N, C, S]`; has_body: `[B, N]`.
        pair: `[B, P, 2, D, S]` the nearest pairs, each from either side; has_pair: `[B, P]` both
            are seen at once, come near, and move against each other.
        members: `[B, P, 2]` rows of the two.
        field: `[B, E, S]` what moves in all; has_field: `[B]`.
    """

    body: Float[Tensor, "b n c s"]
    has_body: Bool[Tensor, "b n"]
    pair: Float[Tensor, "b p 2 d s"]
    has_pair: Bool[Tensor, "b p"]
    members: Int[Tensor, "b p 2"]
    field: Float[Tensor, "b e s"]
    has_field: Bool[Tensor, " b"]


def measure(tracks: Tracks, moments: Float[Tensor, "b m s"]) -> Features:
    """Channels of bodies and pairs; zero where they are not seen.

    A body: path about its mean in units of its own spread (x, y); velocity in the same units per
    0.25 s (x, y) and its size; place about the middle of everything in units of the whole's spread
    (x, y); box relative to its median (log width, log height); log aspect; log of spread over own
    size; log of spread over the whole's spread; seen. A pair, from the first to the second:
    relative place in mean sizes, squashed (x, y), and in units of its own spread (x, y); rate of
    change of the latter (x, y); gap between the boxes in mean sizes, squashed; its rate; whether
    they overlap; log of the ratio of sizes; log of spread in mean sizes; seen.

    Args:
        tracks: of the segments.
        moments: of motion in all, aligned (see `moments`).
    """
    seen = tracks.seen
    mask = seen.float()
    has_body = seen.any(dim=2)
    center = torch.where(seen[..., None], tracks.center, 0.0)
    count = mask.sum(dim=2).clamp_min(1.0)
    mean = center.sum(dim=2) / count[..., None]
    away = (center - mean[:, :, None]) * mask[..., None]
    spread = (away.square().sum(dim=(2, 3)) / count).sqrt()
    side = tracks.size.clamp_min(_TINY).log()
    own = _masked_mean(side, mask)
    size = own.mean(dim=-1).exp()
    everything = mask.sum(dim=(1, 2)).clamp_min(1.0)
    middle = center.sum(dim=(1, 2)) / everything[:, None]
    off = (center - middle[:, None, None]) * mask[..., None]
    whole = (off.square().sum(dim=(1, 2, 3)) / everything).sqrt().clamp_min(_TINY)
    unit = spread.clamp_min(_TINY)[..., None, None]
    velocity = _rate(away / unit, mask)
    body = torch.cat(
        [
            away / unit,
            velocity,
            velocity.norm(dim=-1, keepdim=True),
            off / whole[:, None, None, None],
            (side - own[:, :, None]) * mask[..., None],
            _constant(own[..., :1] - own[..., 1:], mask),
            _constant((spread / size.clamp_min(_TINY)).clamp_min(_TINY).log()[..., None], mask),
            _constant((spread / whole[:, None]).clamp_min(_TINY).log()[..., None], mask),
            mask[..., None],
        ],
        dim=-1,
    )
    pair, has_pair, members = _measure_pairs(center, tracks.size, mask, size)
    field, has_field = _measure_field(moments)
    return Features(
        _bound(body).transpose(2, 3), has_body, pair, has_pair, members, field, has_field
    )


def sum_up(tracks: Tracks) -> Float[Tensor, "b m s"]:
    """Moments of motion (see `moments`) as boxes have them, in their own unit of length."""
    mask = tracks.seen.float()
    velocity = _rate(tracks.center, mask)
    area = tracks.size.prod(dim=-1) * mask
    energy = area * velocity.norm(dim=-1)
    place = torch.atan2(velocity[..., 1], velocity[..., 0]) / (2 * torch.pi) * DIRECTIONS
    turn = torch.arange(DIRECTIONS)
    off = (place[..., None] - turn + DIRECTIONS / 2) % DIRECTIONS - DIRECTIONS / 2
    share = (1 - off.abs()).clamp_min(0.0)
    toward = (energy[..., None] * share).sum(dim=1)
    moving = (area * (energy > 0)).sum(dim=1)
    x, y = tracks.center[..., 0], tracks.center[..., 1]
    # a box is as wide as it is, not a point
    inner = tracks.size.square().sum(dim=-1) / 12
    rest = [moving] + [
        (energy * part).sum(dim=1) for part in (x, y, x.square() + y.square() + inner)
    ]
    return torch.cat([toward, torch.stack(rest, dim=-1)], dim=-1).transpose(1, 2)


def mirror(
    tracks: Tracks, moments: Float[Tensor, "b m s"]
) -> tuple[Tracks, Float[Tensor, "b m s"]]:
    """The same seen in a mirror; places are relative in all that is read of them."""
    opposite = (DIRECTIONS // 2 - torch.arange(DIRECTIONS)) % DIRECTIONS
    area, right, down, wide = moments[:, DIRECTIONS:].unbind(dim=1)
    # about the image's left edge, as if it were its middle
    rest = torch.stack([area, -right, down, wide], dim=1)
    center = tracks.center * torch.tensor([-1.0, 1.0])
    return (
        Tracks(center, tracks.size, tracks.seen),
        torch.cat([moments[:, opposite], rest], dim=1),
    )


def align_moments(moments: Float[Tensor, "b m s"]) -> Float[Tensor, "b m s"]:
    """Moved on the grid so that the first step is the first in which much moves."""
    active = _active(moments[:, :DIRECTIONS].sum(dim=1))
    s = moments.shape[2]
    step = torch.arange(s)
    begin = torch.where(active, step, s).amin(dim=1)
    index = torch.where(begin == s, 0, begin)[:, None] + step
    inside = (index < s)[:, None]
    wide = index.clamp_max(s - 1)[:, None].expand_as(moments)
    return moments.gather(2, wide) * inside


def _active(energy: Tensor) -> Tensor:
    return energy > _FAINT * energy.amax(dim=1, keepdim=True).clamp_min(_TINY**2)


def _measure_field(moments: Tensor) -> tuple[Tensor, Tensor]:
    toward, (area, right, down, wide) = moments[:, :DIRECTIONS], moments[:, DIRECTIONS:].unbind(1)
    energy = toward.sum(dim=1)
    active = _active(energy)
    mask = active.float()
    has = mask.sum(dim=1) >= _MIN_STEPS
    tiny = _TINY**2

    def level(values: Tensor) -> Tensor:
        return (values * mask).sum(dim=1) / mask.sum(dim=1).clamp_min(1.0)

    mean = level(energy).clamp_min(tiny)[:, None]
    total = (energy * mask).sum(dim=1).clamp_min(tiny)
    safe = energy.clamp_min(tiny)
    x, y = right / safe, down / safe
    mid_x, mid_y = ((part * mask).sum(dim=1) / total for part in (right, down))
    radius = ((wide * mask).sum(dim=1) / total - mid_x.square() - mid_y.square()).clamp_min(tiny)
    radius = radius.sqrt()[:, None]
    speed = (energy / area.clamp_min(tiny)).clamp_min(tiny).log()
    speed = speed - level(speed)[:, None]
    spread = (wide / safe - x.square() - y.square()).clamp_min(0.0).sqrt() / radius
    rows = [
        (energy / mean).sqrt(),
        (area / level(area).clamp_min(tiny)[:, None]).sqrt(),
        speed * mask,
        (x - mid_x[:, None]) / radius * mask,
        (y - mid_y[:, None]) / radius * mask,
        spread * mask,
        mask,
    ]
    field = torch.cat([(toward / mean[:, None]).sqrt(), torch.stack(rows, dim=1)], dim=1)
    return _bound(field) * has[:, None, None], has


def _measure_pairs(
    center: Tensor, size: Tensor, mask: Tensor, own: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    rows = [(a, b) for a in range(center.shape[1]) for b in range(a + 1, center.shape[1])]
    every = torch.tensor(rows, dtype=torch.long).reshape(-1, 2)
    first, second = every.T
    both = mask[:, first] * mask[:, second]
    mean_size = ((own[:, first] + own[:, second]) / 2).clamp_min(_TINY)
    reach = (size[:, first] + size[:, second]) / 2
    gap = ((center[:, second] - center[:, first]).abs() - reach).amax(dim=-1)
    gap = gap / mean_size[..., None]
    nearest = torch.where(both > 0, gap, torch.inf).amin(dim=2)
    able = (both.sum(dim=2) >= _MIN_STEPS) & (nearest < _NEAR)
    order = torch.where(able, nearest, torch.inf).argsort(dim=1)[:, :MAX_PAIRS]
    has_pair = able.gather(1, order)
    pick = order[..., None].expand(-1, -1, center.shape[2])
    both, gap = both.gather(1, pick), gap.gather(1, pick)
    members = every[order]
    batch = torch.arange(len(center))[:, None]
    apart = center[batch, members[..., 1]] - center[batch, members[..., 0]]
    apart = apart / mean_size.gather(1, order)[..., None, None]
    count = both.sum(dim=2).clamp_min(1.0)
    mean = (apart * both[..., None]).sum(dim=2) / count[..., None]
    about = (apart - mean[:, :, None]) * both[..., None]
    spread = (about.square().sum(dim=(2, 3)) / count).sqrt()
    has_pair = has_pair & (spread > _MIN_SPREAD)
    unit = spread.clamp_min(_TINY)[..., None]
    about = about / unit[..., None]
    sizes = own.clamp_min(_TINY).log()
    ratio = sizes[batch, members[..., 1]] - sizes[batch, members[..., 0]]
    even = torch.stack(
        [
            torch.tanh(gap / 2),
            _rate((gap / unit)[..., None], both)[..., 0],
            (gap < _TOUCH).float(),
            unit.log().expand_as(gap),
            torch.ones_like(gap),
        ],
        dim=-1,
    )
    odd = torch.cat(
        [
            torch.tanh(apart / 3),
            about,
            _rate(about, both),
            ratio[..., None, None].expand(*gap.shape, 1),
        ],
        dim=-1,
    )
    sides = [torch.cat([sign * odd, even], dim=-1) for sign in (1.0, -1.0)]
    pair = torch.stack(sides, dim=2) * both[:, :, None, :, None]
    return _bound(pair).transpose(3, 4), has_pair, members


def _masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    total = mask.sum(dim=2).clamp_min(1.0)
    return (values * mask[..., None]).sum(dim=2) / total[..., None]


def _rate(values: Tensor, mask: Tensor) -> Tensor:
    """Change over 0.25 s by central differences over two steps; 0 at the edges of what is seen."""
    change = torch.zeros_like(values)
    both = (mask[:, :, 2:] * mask[:, :, :-2])[..., None]
    change[:, :, 1:-1] = 3.0 * (values[:, :, 2:] - values[:, :, :-2]) * both
    return change


def _constant(values: Tensor, mask: Tensor) -> Tensor:
    return values[:, :, None] * mask[..., None]


def _bound(values: Tensor) -> Tensor:
    return values.clamp(-6.0, 6.0)
