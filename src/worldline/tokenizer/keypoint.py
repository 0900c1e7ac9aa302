"""Keypoint tokenizer: what stands out in a frame as a few ellipses, each with a place and a colour.

Deep spatial autoencoders (Finn et al. 2016, arXiv 1509.06113) reduce a picture to the expected
places of spatial softmax maps, so that latents are linear in place by construction. Here the maps
compete for each pixel with each other and with the ground, as in slot attention (Locatello et al.
2020, arXiv 2006.15055), and a token holds the moments of its map: mean, spread and mass, with the
mean colour below it. The decoder has nothing to learn. It paints the uniform ellipse that has these
moments, so that a map is good exactly where a plain ellipse of its moments explains the picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812
from einops import rearrange
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from worldline.core.config import Config, register
from worldline.core.latents import Latents
from worldline.nn import ConvBlock, pack, unpack
from worldline.tokenizer.base import StreamCarry, Tokenizer, to_unit

__all__ = ["KeypointTokenizer"]

_CHANNELS = 9
_FAINT = 1e-3
"""Share of a picture below which a map's moments are drawn to the middle, and to nothing."""
_LEAST_SPREAD = 0.01
"""Standard deviation, of half a side; a third of a pixel of 64."""
_SCALE_FLOOR = 0.05
"""Tokens that vary less than this are not blown up to unit variance; most are noise."""
_PACK = 4


class KeypointTokenizer(Tokenizer):
    """Moments of learned maps of what stands out, and a plain ground.

    All tokens but the last are bodies: x and y (1 is half a side, from the middle, right and
    down), their standard deviations, their correlation, the root of the share of the picture that
    is covered, and a colour. The last is the ground: its colour in the middle and how it changes to
    the right and downward. They lie in a square grid because dynamics take these; a token's place
    in the grid means nothing.

    What is decoded is a sketch, plain ellipses on an even ground: for looking, and to learn from.

    Shape legend: B batch, T frames, K maps, N = K + 1 tokens.
    """

    @register("tokenizer/keypoint")
    @dataclass(frozen=True)
    class Config(Config):
        """Sizes and training.

        Attributes:
            size_px: side of the square input, a multiple of 4.
            rows: tokens per side; rows * rows - 1 of them are bodies.
            width: convolution channels at 1/4 resolution.
            depth: residual blocks.
            edge_px: width of a painted edge.
            compact_weight: of the loss on the area-weighted spread of maps, which keeps them from
                taking over the ground.
        """

        size_px: int = 64
        rows: int = 2
        width: int = 32
        depth: int = 1
        edge_px: float = 2.0
        compact_weight: float = 0.3

        def build(self) -> KeypointTokenizer:
            """Make the untrained tokenizer."""
            return KeypointTokenizer(self)

    def __init__(self, config: KeypointTokenizer.Config) -> None:
        super().__init__()
        if config.size_px < _PACK or config.size_px % _PACK:
            raise ValueError(f"size_px {config.size_px} must be a multiple of {_PACK}")
        if config.rows < 2:
            raise ValueError(f"rows is {config.rows}, must be at least 2: bodies and a ground")
        self.config = config
        self.size_px = config.size_px
        self.grid = (config.rows, config.rows)
        self.channels = _CHANNELS
        self.time_stride = 1
        self.can_decode = True
        num_tokens, cell = config.rows**2, _PACK**2
        self.enter = nn.Conv2d(4 * cell, config.width, 3, padding=1)
        self.blocks = nn.Sequential(*(ConvBlock(config.width) for _ in range(config.depth)))
        self.leave = nn.Conv2d(config.width, cell * (num_tokens - 1), 1)
        # maps start as what stands out, for the first body; the others start empty
        self.contrast = nn.Parameter(torch.ones(num_tokens - 1))
        with torch.no_grad():
            self.leave.weight.mul_(0.1)
            assert self.leave.bias is not None
            order = torch.arange(num_tokens - 1, dtype=torch.float32)
            self.leave.bias.copy_((-2 - 2 * order).repeat(cell))
        self.register_buffer("latent_mean", torch.zeros(num_tokens, _CHANNELS))
        self.register_buffer("latent_std", torch.ones(num_tokens, _CHANNELS))
        self.latent_mean: Tensor
        self.latent_std: Tensor

    # -- pictures to moments ------------------------------------------------------------------

    def maps(self, images: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b n h w"]:
        """Share of every token in every pixel; they add up to 1. The ground is the last.

        The network sees colours against the picture's mean, in units of their spread, and how far
        each is from it, so that what stands out does not depend on which colours there are.
        """
        apart = images - images.mean(dim=(2, 3), keepdim=True)
        apart = apart / _contrast(images)
        far = apart.square().mean(dim=1, keepdim=True).sqrt()
        seen = torch.cat([apart, far], dim=1)
        dtype = self.leave.weight.dtype
        cells = pack(seen.to(dtype), _PACK).contiguous(memory_format=torch.channels_last)
        logits = unpack(self.leave(F.silu(self.blocks(self.enter(cells)))), _PACK).float()
        logits = logits + self.contrast.float()[:, None, None] * far
        # the ground has the logit 0
        return torch.cat([logits, torch.zeros_like(logits[:, :1])], dim=1).softmax(dim=1)

    def moments(
        self, images: Float[Tensor, "b 3 h w"]
    ) -> tuple[Float[Tensor, "b n c"], Float[Tensor, "b k"]]:
        """Raw tokens, and the area-weighted variance of the maps of bodies."""
        maps = self.maps(images)
        share = maps[:, :-1] / images[0, 0].numel()
        mass = share.sum(dim=(2, 3))
        weight = share / (mass + _FAINT)[..., None, None]
        at = self._line(images.device)
        along, down = weight.sum(dim=2), weight.sum(dim=3)
        x, y = along @ at, down @ at
        twice = 2 - along.sum(dim=-1)  # weights of small maps add up to less than 1
        xx = (along @ at.square() - twice * x.square()).clamp_min(_LEAST_SPREAD**2)
        yy = (down @ at.square() - twice * y.square()).clamp_min(_LEAST_SPREAD**2)
        xy = torch.einsum("bkhw,h,w->bk", weight, at, at) - twice * x * y
        color = torch.einsum("bkhw,bchw->bkc", weight, images)
        numbers = (x, y, xx.sqrt(), yy.sqrt(), xy / (xx * yy).sqrt(), mass.sqrt())
        bodies = torch.cat([torch.stack(numbers, dim=-1), color], dim=-1)
        ground = self._fit_ground(images, maps[:, -1])
        return torch.cat([bodies, ground[:, None]], dim=1), mass * (xx + yy)

    def _fit_ground(
        self, images: Float[Tensor, "b 3 h w"], weight: Float[Tensor, "b h w"]
    ) -> Float[Tensor, "b c"]:
        """Colour in the middle, its slope to the right and down: weighted least squares."""
        basis = self._basis(images.device)
        weight = weight / weight.sum(dim=(1, 2), keepdim=True).clamp_min(1.0)
        weighted = torch.einsum("bhw,ihw->bihw", weight, basis)
        product = torch.einsum("bihw,jhw->bij", weighted, basis)
        product = product + 1e-2 * torch.eye(3, device=images.device)
        aim = torch.einsum("bihw,bchw->bic", weighted, images)
        return torch.linalg.solve(product, aim).flatten(1)

    # -- moments to pictures ------------------------------------------------------------------

    def paint(self, raw: Float[Tensor, "b n c"]) -> Float[Tensor, "b 3 h w"]:
        """Ellipses on the ground, the first lowest."""
        basis = self._basis(raw.device)
        ground = rearrange(raw[:, -1], "b (i c) -> b i c", i=3)
        image = torch.einsum("bic,ihw->bchw", ground, basis)
        x, y, sx, sy, turn, root = raw[:, :-1, :6].unbind(dim=-1)
        sx, sy = sx.clamp_min(_LEAST_SPREAD), sy.clamp_min(_LEAST_SPREAD)
        turn = turn.clamp(-0.95, 0.95)
        at = self._line(raw.device)
        u = ((at - x[..., None]) / sx[..., None])[:, :, None, :]
        v = ((at - y[..., None]) / sy[..., None])[:, :, :, None]
        rest = (1 - turn.square())[..., None, None]
        far = (u.square() + v.square() - 2 * turn[..., None, None] * u * v) / rest
        # a uniform ellipse reaches to twice its standard deviations, and so has the area
        # 4 pi sx sy sqrt(1 - turn^2) of the picture's 4
        slim = rest[..., 0, 0].sqrt()
        opacity = (root.square() / (torch.pi * sx * sy * slim)).clamp(0, 1)
        steep = self.size_px / 2 / self.config.edge_px
        edge = (2 - far.clamp_min(1e-6).sqrt()) * (sx * sy).sqrt()[..., None, None]
        cover = opacity[..., None, None] * torch.sigmoid(2 * steep * edge)
        for k in range(cover.shape[1]):
            image = image + cover[:, k, None] * (raw[:, k, 6:, None, None] - image)
        return image

    def _line(self, device: torch.device) -> Float[Tensor, " s"]:
        """Middles of the pixels of a row; 1 is half a side."""
        return (torch.arange(self.size_px, device=device) + 0.5) * (2 / self.size_px) - 1

    def _basis(self, device: torch.device) -> Float[Tensor, "3 h w"]:
        """One, to the right, down."""
        at = self._line(device)
        across = at.expand(self.size_px, -1)
        return torch.stack([torch.ones_like(across), across, across.T])

    # -- what every tokenizer does ------------------------------------------------------------

    def encode_step(
        self, carry: StreamCarry | None, frames: UInt8[Tensor, "b t h w 3"]
    ) -> tuple[StreamCarry, Latents]:
        """Tokens of each frame; frames stand alone."""
        raw, _ = self.moments(self._images(frames))
        tokens = (raw - self.latent_mean.float()) / self.latent_std.float()
        tokens = tokens.to(self.leave.weight.dtype)
        tokens = rearrange(tokens, "(b t) n c -> b t n c", b=len(frames))
        return StreamCarry(), Latents(tokens, self.grid)

    def decode_step_unit(
        self, carry: StreamCarry | None, latents: Latents
    ) -> tuple[StreamCarry, Float[Tensor, "b t h w 3"]]:
        """Sketches in about [-1, 1], whatever came before them."""
        self.require_latents(latents)
        tokens = rearrange(latents.tokens, "b t n c -> (b t) n c").float()
        image = self.paint(tokens * self.latent_std.float() + self.latent_mean.float())
        image = image.to(self.leave.weight.dtype)
        return StreamCarry(), rearrange(image, "(b t) c h w -> b t h w c", b=len(latents.tokens))

    def loss(
        self,
        frames: UInt8[Tensor, "b t h w 3"],
        weight: Float[Tensor, "b t h w"],
        generator: torch.Generator,
    ) -> dict[str, Tensor]:
        """Squared error of the sketch in units of each picture's contrast, and compactness.

        Colour channels are turned around at random, so that dark is not taken for near.
        """
        images = self._images(frames)
        flips = torch.rand(len(images), 3, 1, 1, generator=generator, device=generator.device) < 0.5
        images = torch.where(flips.to(images.device), -images, images)
        raw, spread = self.moments(images)
        error = ((self.paint(raw) - images) / _contrast(images)).square().mean(dim=1)
        sketch = (error * weight.flatten(0, 1)).mean()
        compact = spread.sum(dim=1).mean()
        total = sketch + self.config.compact_weight * compact
        return {"total": total, "sketch": sketch, "spread": compact}

    @torch.no_grad()
    def measure_latents(self, frames: UInt8[Tensor, "b t h w 3"]) -> None:
        """Set the normalisation of each token's numbers from sample frames, after training."""
        raw, _ = self.moments(self._images(frames))
        self.latent_mean.copy_(raw.mean(dim=0))
        self.latent_std.copy_(raw.std(dim=0).clamp_min(_SCALE_FLOOR))

    def _images(self, frames: UInt8[Tensor, "b t h w 3"]) -> Float[Tensor, "bt 3 h w"]:
        self.require_frames(frames)
        return rearrange(to_unit(frames, torch.float32), "b t h w c -> (b t) c h w")


def _contrast(images: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 1 1 1"]:
    """Root mean square distance of pixels from the mean colour."""
    return images.var(dim=(2, 3), correction=0).mean(dim=1).sqrt()[:, None, None, None] + 0.05
