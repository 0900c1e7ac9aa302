"""Two published worlds to compare with: what a frame costs, and how good it is.

DIAMOND (Alonso et al. 2024, arXiv 2405.12399) denoises the pixels of the next frame with a U-Net in
three steps. IRIS (Micheli et al. 2023, arXiv 2209.00588) makes a frame sixteen tokens and says them
one after the other. Sizes are those of the papers for 64x64 pixels, with the width of convolutions
as a dial. `play_training` trains them.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

DIAMOND_STEPS = 3
"""Denoising steps per frame (Alonso et al. 2024, section 4)."""

DIAMOND_PAST = 4
"""Frames and actions that the U-Net sees."""

IRIS_TOKENS = 16
"""Tokens per frame; an action token precedes them (Micheli et al. 2023)."""

IRIS_FRAMES = 20
"""Frames that the transformer sees at most."""

_DATA_SIGMA, _SIGMA_LEAST, _SIGMA_MOST, _RHO = 0.5, 2e-3, 5.0, 7.0
_NOISE_MEAN, _NOISE_SPREAD, _NOISE_FLAT = -0.4, 1.2, 0.3
"""Karras et al. 2022 (arXiv 2206.00364), with the numbers of DIAMOND's appendix."""


class _Residual(nn.Module):
    """Two 3x3 convolutions, each after an adaptive group norm that is told action and noise."""

    def __init__(self, before: int, after: int, told: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.GroupNorm(max(n // 32, 1), n) for n in (before, after))
        self.scales = nn.ModuleList(nn.Linear(told, 2 * n) for n in (before, after))
        self.first = nn.Conv2d(before, after, 3, padding=1)
        self.second = nn.Conv2d(after, after, 3, padding=1)
        self.skip = nn.Conv2d(before, after, 1) if before != after else nn.Identity()
        nn.init.zeros_(self.second.weight)

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

    Attention, which the paper has at the lowest level only when asked for, is left out. Frames
    `[B, 3, h, w]` lie in [-1, 1], the past is `[B, 12, h, w]`, oldest first, and `told` `[B, 4 A]`
    holds the actions after each of the past frames.
    """

    def __init__(self, action_size: int, channels: int = 64) -> None:
        super().__init__()
        told, levels = 4 * channels, 4
        self.waves = nn.Buffer(torch.randn(told // 2, generator=torch.Generator().manual_seed(0)))
        self.act = nn.Linear(DIAMOND_PAST * action_size, told)
        self.tell = nn.Sequential(nn.Linear(told, told), nn.SiLU(), nn.Linear(told, told))
        self.enter = nn.Conv2d(3 * DIAMOND_PAST + 3, channels, 3, padding=1)
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
        self.norm = nn.GroupNorm(max(channels // 32, 1), channels)
        self.leave = nn.Conv2d(channels, 3, 3, padding=1)
        nn.init.zeros_(self.leave.weight)

    def forward(self, noised: Tensor, past: Tensor, told: Tensor, noise: Tensor) -> Tensor:
        """The network itself; `noise` `[B]` is a quarter of the logarithm of sigma."""
        angle = 2 * math.pi * noise[:, None] * self.waves
        told = self.tell(torch.cat([angle.cos(), angle.sin()], dim=1) + self.act(told))
        x = self.enter(torch.cat([noised, past], dim=1))
        kept = [x]
        for number, level in enumerate(self.down):
            assert isinstance(level, nn.ModuleList)
            for block in level:
                x = block(x, told)
                kept.append(x)
            if number < len(self.shrink):
                x = self.shrink[number](x)
                kept.append(x)
        for block in self.middle:
            x = block(x, told)
        for number, level in enumerate(self.up):
            assert isinstance(level, nn.ModuleList)
            for block in level:
                x = block(torch.cat([x, kept.pop()], dim=1), told)
            if number < len(self.grow):
                x = self.grow[number](F.interpolate(x, scale_factor=2.0))
        return self.leave(F.silu(self.norm(x)))

    def clean(self, noised: Tensor, sigma: Tensor, past: Tensor, told: Tensor) -> Tensor:
        """The frame without its noise of scale sigma `[B]` (Karras et al. 2022, eq. 7)."""
        skip, out, given, noise = _scales(sigma)
        said = self(given * noised, past / _DATA_SIGMA, told, noise)
        return skip * noised + out * said.to(noised.dtype)

    def loss(self, frame: Tensor, past: Tensor, told: Tensor, generator: torch.Generator) -> Tensor:
        """Squared error of what the network itself says (eq. 8), at noise drawn anew."""
        sigma = torch.randn(len(frame), generator=generator) * _NOISE_SPREAD + _NOISE_MEAN
        sigma = sigma.exp().clamp(_SIGMA_LEAST, 20.0)
        flat = torch.randn(len(frame), 3, 1, 1, generator=generator) * _NOISE_FLAT
        noise = torch.randn(frame.shape, generator=generator) * sigma[:, None, None, None] + flat
        noised = frame + noise
        skip, out, given, level = _scales(sigma)
        said = self(given * noised, past / _DATA_SIGMA, told, level)
        return (said.float() - (frame - skip * noised) / out).square().mean()

    @torch.no_grad()
    def frame(self, past: Tensor, told: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """The next frame by Euler steps."""
        ends = _SIGMA_MOST ** (1 / _RHO), _SIGMA_LEAST ** (1 / _RHO)
        sigmas = torch.linspace(*ends, DIAMOND_STEPS) ** _RHO
        shape = (len(past), 3, *past.shape[2:])
        x = sigmas[0] * torch.randn(shape, generator=generator)
        for sigma, after in zip(sigmas, [*sigmas[1:], torch.tensor(0.0)], strict=True):
            clean = self.clean(x, sigma.expand(len(x)), past, told)
            x = x + (x - clean) / sigma * (after - sigma)
        return x.clamp(-1, 1)


def _scales(sigma: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Of what is noised, of what the network says, of what it is given; and how it is told sigma.

    Noise that is the same all over the picture counts as noise.
    """
    whole = (sigma.square() + _NOISE_FLAT**2).sqrt()
    level = whole.log() / 4
    whole = whole[:, None, None, None]
    both = whole.square() + _DATA_SIGMA**2
    return _DATA_SIGMA**2 / both, whole * _DATA_SIGMA / both.sqrt(), both.rsqrt(), level


class IrisTokenizer(nn.Module):
    """Frames `[B, 3, 64, 64]` in [-1, 1] to 4x4 of 512 codes and back (van den Oord et al. 2017).

    As in the paper, except that the perceptual loss, which needs another network, is left out, and
    that codes which nothing is near to are moved to where something is.
    """

    def __init__(self, channels: int = 64, num_codes: int = 512, code_size: int = 512) -> None:
        super().__init__()
        self.codes = nn.Embedding(num_codes, code_size)
        nn.init.uniform_(self.codes.weight, -1 / num_codes, 1 / num_codes)
        self.used = nn.Buffer(torch.zeros(num_codes))
        levels = 4
        self.encode = nn.Sequential(
            nn.Conv2d(3, channels, 3, padding=1),
            *(
                layer
                for _ in range(levels)
                for layer in (
                    _Plain(channels),
                    nn.Conv2d(channels, channels, 3, stride=2, padding=1),
                )
            ),
            _Plain(channels),
            nn.Conv2d(channels, code_size, 1),
        )
        self.decode = nn.Sequential(
            nn.Conv2d(code_size, channels, 3, padding=1),
            _Plain(channels),
            *(
                layer
                for _ in range(levels)
                for layer in (
                    nn.Upsample(scale_factor=2.0),
                    nn.Conv2d(channels, channels, 3, padding=1),
                    _Plain(channels),
                )
            ),
            nn.Conv2d(channels, 3, 3, padding=1),
        )

    def nearest(self, cells: Tensor) -> Tensor:
        """Codes `[B, 16]` of what the encoder says `[B, E, 4, 4]`."""
        flat = cells.flatten(2).transpose(1, 2).float()
        table = self.codes.weight.float()
        far = table.square().sum(dim=1) - 2 * flat @ table.T
        return far.argmin(dim=-1)

    def read(self, frames: Tensor) -> Tensor:
        """Tokens `[B, 16]` of frames."""
        return self.nearest(self.encode(frames))

    def draw(self, tokens: Tensor) -> Tensor:
        """Frames of tokens."""
        side = math.isqrt(tokens.shape[1])
        cells = self.codes(tokens).transpose(1, 2).unflatten(2, (side, side))
        return self.decode(cells).clamp(-1, 1)

    def loss(self, frames: Tensor, generator: torch.Generator) -> Tensor:
        """Absolute error of pixels, and how far the encoder is from its codes."""
        cells = self.encode(frames).float()
        tokens = self.nearest(cells)
        with torch.no_grad():
            self._keep_alive(cells, tokens, generator)
            tokens = self.nearest(cells)
        side = cells.shape[-1]
        taken = self.codes(tokens).transpose(1, 2).unflatten(2, (side, side))
        drawn = self.decode(cells + (taken - cells).detach())
        commit = (taken - cells.detach()).square().mean() + (taken.detach() - cells).square().mean()
        return (drawn.float() - frames).abs().mean() + commit

    def _keep_alive(self, cells: Tensor, tokens: Tensor, generator: torch.Generator) -> None:
        counts = torch.bincount(tokens.flatten(), minlength=len(self.used))
        self.used.mul_(0.98).add_(counts.float())
        dead = (self.used < 0.05).nonzero()[:, 0]
        if len(dead):
            flat = cells.transpose(0, 1).flatten(1).T
            pick = torch.randint(len(flat), (len(dead),), generator=generator)
            self.codes.weight[dead] = flat[pick]
            self.used[dead] = 1.0


class _Plain(nn.Module):
    """A residual block that is told nothing."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.GroupNorm(max(channels // 32, 1), channels),
            nn.SiLU(),
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.GroupNorm(max(channels // 32, 1), channels),
            nn.SiLU(),
            nn.Conv2d(channels, channels, 3, padding=1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)


class IrisTransformer(nn.Module):
    """IRIS' transformer: ten layers of width 256 and four heads, over twenty frames.

    A step is the action that leads to a frame and the frame's sixteen tokens. Actions may be any
    numbers; the paper's are choices.
    """

    def __init__(self, action_size: int, num_codes: int = 512) -> None:
        super().__init__()
        self.width, self.heads, self.step = 256, 4, IRIS_TOKENS + 1
        self.embed = nn.Embedding(num_codes, self.width)
        self.act = nn.Linear(action_size, self.width)
        self.places = nn.Embedding(IRIS_FRAMES * self.step, self.width)
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
        self.norm = nn.LayerNorm(self.width)
        self.head = nn.Linear(self.width, num_codes)
        for part in (self.embed, self.places):
            nn.init.normal_(part.weight, std=0.02)

    def forward(self, x: Tensor, past: list[tuple[Tensor, Tensor]] | None = None) -> Tensor:
        """Of embedded tokens `[B, L, E]` the next ones' logits; keys and values join the past."""
        first = past[0][0].shape[2] if past else 0
        x = x + self.places.weight[first : first + x.shape[1]]
        for number, layer in enumerate(self.layers):
            assert isinstance(layer, nn.ModuleDict)
            parts = layer["qkv"](layer["norm"](x)).unflatten(2, (3, self.heads, -1))
            query, key, value = parts.permute(2, 0, 3, 1, 4)
            if past is not None:
                if number < len(past):
                    key = torch.cat([past[number][0], key], dim=2)
                    value = torch.cat([past[number][1], value], dim=2)
                    past[number] = key, value
                else:
                    past.append((key, value))
            causal = query.shape[2] > 1
            mixed = F.scaled_dot_product_attention(query, key, value, is_causal=causal)
            x = x + layer["out"](mixed.transpose(1, 2).flatten(2))
            x = x + layer["down"](F.gelu(layer["up"](layer["norm2"](x))))
        return self.head(self.norm(x))

    def steps(self, tokens: Tensor, actions: Tensor) -> Tensor:
        """Embedded steps `[B, T * 17, E]` of tokens `[B, T, 16]` and the actions before them."""
        parts = [self.act(actions)[:, :, None], self.embed(tokens)]
        return torch.cat(parts, dim=2).flatten(1, 2)

    def loss(self, tokens: Tensor, actions: Tensor) -> Tensor:
        """Cross-entropy of every token but the first frame's."""
        said = self(self.steps(tokens, actions)).unflatten(1, (-1, self.step))[:, 1:, :-1]
        return F.cross_entropy(said.flatten(0, 2).float(), tokens[:, 1:].flatten())


class IrisSession:
    """A rollout of B clips, token by token, with a cache; the likeliest token is taken.

    When twenty frames are full, it begins again from the last eight of them.
    """

    KEPT = 8

    def __init__(
        self, tokenizer: IrisTokenizer, transformer: IrisTransformer, tokens: Tensor, led: Tensor
    ) -> None:
        """Of tokens `[B, T, 16]` and the actions that led to them `[B, T, A]`."""
        self.tokenizer, self.transformer = tokenizer, transformer
        self.tokens, self.led = list(tokens.unbind(1)), list(led.unbind(1))
        self.past: list[tuple[Tensor, Tensor]] = []
        self._begin()

    @torch.no_grad()
    def _begin(self) -> None:
        self.tokens, self.led = self.tokens[-self.KEPT :], self.led[-self.KEPT :]
        self.past = []
        steps = torch.stack(self.tokens, dim=1), torch.stack(self.led, dim=1)
        self.transformer(self.transformer.steps(*steps), self.past)

    @torch.no_grad()
    def frame(self, action: Tensor) -> Tensor:
        """The frame that an action `[B, A]` leads to."""
        if len(self.tokens) == IRIS_FRAMES:
            self._begin()
        given, said = self.transformer.act(action)[:, None], []
        for _ in range(IRIS_TOKENS):
            token = self.transformer(given, self.past)[:, -1].argmax(dim=-1)
            said.append(token)
            given = self.transformer.embed(token)[:, None]
        self.transformer(given, self.past)
        self.tokens.append(torch.stack(said, dim=1))
        self.led.append(action)
        return self.tokenizer.draw(self.tokens[-1])
