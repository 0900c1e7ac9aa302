"""The shapes of two published worlds, untrained, for comparing what a frame costs.

Weights do not matter for that; sizes are those of the papers for 64x64 pixels.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

DIAMOND_STEPS = 3
"""Denoising steps per frame (Alonso et al. 2024, arXiv 2405.12399, section 4)."""

IRIS_TOKENS = 16
"""Tokens per frame; an action token precedes them (Micheli et al. 2023, arXiv 2209.00588)."""


class _Residual(nn.Module):
    """Two 3x3 convolutions, each after an adaptive group norm that is told action and noise."""

    def __init__(self, before: int, after: int, told: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.GroupNorm(max(n // 32, 1), n) for n in (before, after))
        self.scales = nn.ModuleList(nn.Linear(told, 2 * n) for n in (before, after))
        self.first = nn.Conv2d(before, after, 3, padding=1)
        self.second = nn.Conv2d(after, after, 3, padding=1)
        self.skip = nn.Conv2d(before, after, 1) if before != after else nn.Identity()

    def forward(self, x: Tensor, told: Tensor) -> Tensor:
        y = x
        for norm, scale, conv in zip(
            self.norms, self.scales, (self.first, self.second), strict=True
        ):
            gain, shift = scale(told)[:, :, None, None].chunk(2, dim=1)
            y = conv(F.silu(norm(y) * (1 + gain) + shift))
        return self.skip(x) + y


class DiamondUNet(nn.Module):
    """DIAMOND's denoiser: four levels of 64 channels, two residual blocks each, four past frames.

    Attention, which the paper has at the lowest level only when asked for, is left out.
    """

    def __init__(self, action_size: int) -> None:
        super().__init__()
        told, channels, levels = 256, 64, 4
        self.tell = nn.Sequential(nn.Linear(4 * action_size + 1, told), nn.SiLU())
        self.enter = nn.Conv2d(15, channels, 3, padding=1)
        down = [[_Residual(channels, channels, told) for _ in range(2)] for _ in range(levels)]
        up = [[_Residual(2 * channels, channels, told) for _ in range(3)] for _ in range(levels)]
        self.down = nn.ModuleList(nn.ModuleList(level) for level in down)
        self.up = nn.ModuleList(nn.ModuleList(level) for level in up)
        self.middle = nn.ModuleList(_Residual(channels, channels, told) for _ in range(2))
        self.shrink = nn.ModuleList(
            nn.Conv2d(channels, channels, 3, stride=2, padding=1) for _ in range(levels - 1)
        )
        self.grow = nn.ModuleList(
            nn.Conv2d(channels, channels, 3, padding=1) for _ in range(levels - 1)
        )
        self.leave = nn.Conv2d(channels, 3, 3, padding=1)

    def forward(self, noised: Tensor, past: Tensor, told: Tensor) -> Tensor:
        told = self.tell(told)
        x = self.enter(torch.cat([noised, past], dim=1))
        kept = [x]
        for number, level in enumerate(self.down):
            for block in level:
                x = block(x, told)
                kept.append(x)
            if number < len(self.shrink):
                x = self.shrink[number](x)
                kept.append(x)
        for block in self.middle:
            x = block(x, told)
        for number, level in enumerate(self.up):
            for block in level:
                x = block(torch.cat([x, kept.pop()], dim=1), told)
            if number < len(self.grow):
                x = self.grow[number](F.interpolate(x, scale_factor=2.0))
        return self.leave(x)

    @torch.no_grad()
    def frame(self, past: Tensor, told: Tensor) -> Tensor:
        """One frame by Euler steps."""
        x = torch.randn(1, 3, *past.shape[2:], dtype=past.dtype)
        for _ in range(DIAMOND_STEPS):
            x = x + (self(x, past, told) - x) / DIAMOND_STEPS
        return x


class IrisTransformer(nn.Module):
    """IRIS' transformer: ten layers of width 256 and four heads, tokens one after the other.

    With a cache of keys and values; the window is twenty frames.
    """

    def __init__(self) -> None:
        super().__init__()
        self.width, self.heads, self.window = 256, 4, 20 * (IRIS_TOKENS + 1)
        self.embed = nn.Embedding(512 + 18, self.width)
        self.layers = nn.ModuleList(
            nn.ModuleDict(
                {
                    "norm": nn.LayerNorm(self.width),
                    "qkv": nn.Linear(self.width, 3 * self.width),
                    "out": nn.Linear(self.width, self.width),
                    "norm2": nn.LayerNorm(self.width),
                    "up": nn.Linear(self.width, 4 * self.width),
                    "down": nn.Linear(4 * self.width, self.width),
                }
            )
            for _ in range(10)
        )
        self.head = nn.Linear(self.width, 512)
        side = 4
        self.decode = nn.Sequential(  # of the paper's decoder, the last and dearest levels
            nn.Conv2d(512, 64, 3, padding=1),
            *(
                layer
                for _ in range(4)
                for layer in (
                    nn.GroupNorm(2, 64),
                    nn.SiLU(),
                    nn.Conv2d(64, 64, 3, padding=1),
                    nn.Upsample(scale_factor=2.0),
                    nn.Conv2d(64, 64, 3, padding=1),
                )
            ),
            nn.Conv2d(64, 3, 3, padding=1),
        )
        self.side = side
        self.codes = nn.Embedding(512, 512)

    @torch.no_grad()
    def token(self, index: Tensor, cache: list[tuple[Tensor, Tensor]]) -> Tensor:
        """The next token after one, whose keys and values join the cache."""
        x = self.embed(index)[None, None]
        for number, layer in enumerate(self.layers):
            assert isinstance(layer, nn.ModuleDict)
            parts = layer["qkv"](layer["norm"](x)).reshape(1, 3, self.heads, -1)
            query, key, value = (part[:, :, None] for part in parts.unbind(1))
            if number < len(cache):
                past = cache[number]
                key, value = torch.cat([past[0], key], 2), torch.cat([past[1], value], 2)
                cache[number] = key[:, :, -self.window :], value[:, :, -self.window :]
            else:
                cache.append((key, value))
            mixed = F.scaled_dot_product_attention(query, key, value)
            x = x + layer["out"](mixed.reshape(1, 1, self.width))
            x = x + layer["down"](F.gelu(layer["up"](layer["norm2"](x))))
        return self.head(x[0, 0]).argmax()

    @torch.no_grad()
    def frame(self, action: int, cache: list[tuple[Tensor, Tensor]]) -> Tensor:
        """One frame: the action, then its tokens, then the picture."""
        index, tokens = torch.tensor(512 + action), []
        for _ in range(IRIS_TOKENS):
            index = self.token(index, cache)
            tokens.append(index)
        grid = self.codes(torch.stack(tokens)).T.reshape(1, 512, self.side, self.side)
        return self.decode(grid)
