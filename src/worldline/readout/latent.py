"""Latent readout: what a frame's latents say about objects, as a grid of detections.

Objects as points (Zhou et al. 2019, arXiv 1904.07850): a heat map of object centres at four-pixel
spacing, and beside it, at each centre, offset within the cell with its uncertainty, size, depth and
colour.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812
from einops import rearrange
from jaxtyping import Bool, Float
from torch import Tensor, nn

from worldline.core.config import Config, register
from worldline.core.latents import Latents
from worldline.nn import ConvBlock, unpack
from worldline.readout.heads import CELL_PX as _CELL_PX
from worldline.readout.heads import CameraHead, CameraTargets, ContactHead, Touch
from worldline.scale import rowwise

__all__ = ["CameraTargets", "Detection", "LatentReadout", "ObjectTargets"]

_OUTPUTS = 10
"""Numbers per cell and frame; see `LatentReadout.forward`."""


@dataclass(frozen=True, eq=False)
class ObjectTargets:
    """Truth for B clips of T frames with M object slots; see `worldline.data.Shards`.

    `touching` and `has_touching` are None where no clip's touches are known.
    """

    center_px: Float[Tensor, "b t m 2"]
    size_px: Float[Tensor, "b t m 2"]
    depth_m: Float[Tensor, "b t m"]
    color_rgb: Float[Tensor, "b m 3"]
    visible: Bool[Tensor, "b t m"]
    touching: Bool[Tensor, "b t m m1"] | None = None
    has_touching: Bool[Tensor, " b"] | None = None


@dataclass(frozen=True)
class Detection:
    """One object in one frame, pixels of the world's own resolution.

    Attributes:
        x_px, y_px: centre. std_px: standard deviation of each of the two.
        w_px, h_px: box. depth_m: distance along the optical axis (NaN where unknown).
        color_rgb: in [0, 1]. confidence: probability that there is an object.
        touches_static: probability that it touches floor, wall or another thing that never moves;
            None if the readout does not say.
    """

    x_px: float
    y_px: float
    std_px: float
    w_px: float
    h_px: float
    depth_m: float
    color_rgb: tuple[float, float, float]
    confidence: float
    touches_static: float | None = None


class LatentReadout(nn.Module):
    """Convolutions from two successive latent steps to the detection grids of the later's frames.

    The first step has one frame, the others `time_stride`, as the tokenizer's.
    """

    @register("readout/latent", version=2, upgrades={1: {"contacts": False, "camera": False}})
    @dataclass(frozen=True)
    class Config(Config):
        """Sizes.

        Attributes:
            channels, rows: of the latents.
            width: convolution channels.
            depth: residual blocks.
            threshold: least confidence of a detection.
            contacts: say which objects touch each other and what is static.
            camera: say how the camera moved and what its focal length is.
        """

        channels: int = 16
        rows: int = 8
        width: int = 128
        depth: int = 3
        threshold: float = 0.3
        contacts: bool = False
        camera: bool = False

        def build(self, time_stride: int = 1) -> LatentReadout:
            """Make the untrained readout of latents with so many frames per step.

            Raises:
                ValueError: a head for contacts or camera, with more than one frame per step.
            """
            return LatentReadout(self, time_stride)

    def __init__(self, config: LatentReadout.Config, time_stride: int = 1) -> None:
        super().__init__()
        if time_stride > 1 and (config.contacts or config.camera):
            raise ValueError(
                "the readout's heads for contacts and camera take latents of one frame per step, "
                f"not of {time_stride}; set contacts and camera to False, or use an image tokenizer"
            )
        self.time_stride = time_stride
        self.config = config
        self.enter = nn.Conv2d(2 * config.channels, config.width, 3, padding=1)
        self.blocks = nn.Sequential(*(ConvBlock(config.width) for _ in range(config.depth)))
        self.widen = nn.Conv2d(config.width, 4 * 64, 1)
        self.refine = ConvBlock(64)
        self.heads = nn.Conv2d(64, time_stride * _OUTPUTS, 3, padding=1)
        assert self.heads.bias is not None
        with torch.no_grad():
            self.heads.bias.zero_()
            self.heads.bias[::_OUTPUTS] = -3.0  # start from "nothing here": most cells are empty
        self.contacts = ContactHead(64) if config.contacts else None
        self.camera = CameraHead(config.width, config.rows) if config.camera else None

    @rowwise
    def forward(self, latents: Latents) -> Float[Tensor, "b t y x 10"]:
        """Raw outputs per cell of every frame.

        Heat, offset x 2, log variance, log size x 2, log depth, colour.
        """
        return self._per_frame(self._features(latents)[1], len(latents.tokens))

    def _per_frame(self, fine: Tensor, num_clips: int) -> Tensor:
        """Outputs `[B, T, y, x, 10]` of every frame, from features of every latent step."""
        out = rearrange(
            self.heads(fine),
            "(b t) (k c) y x -> b (t k) y x c",
            b=num_clips,
            k=self.time_stride,
        )
        return out[:, self.time_stride - 1 :]

    def _features(self, latents: Latents) -> tuple[Tensor, Tensor]:
        """Of all steps: `[B S, width, rows, rows]`, and at the spacing of the detection grid."""
        x = latents.tokens
        change = x - torch.cat([x[:, :1], x[:, :-1]], dim=1)
        both = rearrange(
            torch.cat([x, change], dim=-1), "b t (y x) c -> (b t) c y x", y=self.config.rows
        ).to(self.widen.weight.dtype)
        coarse = self.blocks(self.enter(both))
        return coarse, F.silu(self.refine(unpack(self.widen(coarse), 2)))

    def loss(
        self, latents: Latents, targets: ObjectTargets, camera: CameraTargets | None = None
    ) -> dict[str, Tensor]:
        """Penalty-reduced focal loss on the heat map (eq. 1 of the paper) and, at the centres,
        Gaussian negative log-likelihood of the place and L1 of size, depth and colour; with the
        losses of the heads for contacts and camera, where there are such heads.

        Raises:
            ValueError: a head has nothing to learn from.
        """
        num_clips = len(latents.tokens)
        coarse = fine = torch.empty(0)
        if self.contacts is None and self.camera is None:
            out = self(latents).float()  # the pass that several workers divide
        else:
            coarse, fine = self._features(latents)
            out = self._per_frame(fine, num_clips).float()
        cells = self.config.rows * 2
        grid = torch.stack(
            torch.meshgrid(*(torch.arange(cells, device=out.device),) * 2, indexing="xy"), dim=-1
        )
        middle = (grid + 0.5) * _CELL_PX
        center = torch.nan_to_num(targets.center_px, nan=-1e3)
        inside = ((center >= 0) & (center < cells * _CELL_PX)).all(-1) & targets.visible
        size = torch.nan_to_num(targets.size_px, nan=1.0).clamp_min(1.0)

        away = middle - center[..., None, None, :]
        spread = (size.amin(-1) / 5).clamp(1.5, 4.0)[..., None, None]
        heat = torch.exp(-away.square().sum(-1) / (2 * spread**2)) * inside[..., None, None]
        owner = away.abs().amax(-1) <= _CELL_PX / 2
        owner = owner & inside[..., None, None]
        positive = owner.any(dim=2)
        heat = heat.amax(dim=2).masked_fill(positive, 1.0)

        logit = out[..., 0]
        p = logit.sigmoid()
        hit = F.logsigmoid(logit) * (1 - p) ** 2
        miss = F.logsigmoid(-logit) * p**2 * (1 - heat) ** 4
        num = positive.sum().clamp_min(1)
        focal = -torch.where(positive, hit, miss).sum() / num

        slot = owner.float().argmax(dim=2)
        picked = positive.nonzero(as_tuple=True)
        m = slot[picked]
        b, t = picked[0], picked[1]
        got, at = out[picked], middle[picked[2], picked[3]]
        offset = (center[b, t, m] - at) / _CELL_PX
        log_var = got[:, 3:4].clamp(-8, 2)
        place = (0.5 * ((got[:, 1:3] - offset).square() * (-log_var).exp() + log_var)).sum(-1)
        extent = (got[:, 4:6] - (size[b, t, m] / 8).log()).abs().sum(-1)
        depth = targets.depth_m[b, t, m]
        known = torch.isfinite(depth) & (depth > 0)
        log_depth = torch.where(known, depth, torch.ones_like(depth)).log()
        far = ((got[:, 6] - log_depth).abs() * known).sum() / known.sum().clamp_min(1)
        color = targets.color_rgb[b, m]
        tint = (got[:, 7:10] - torch.nan_to_num(color, nan=0.5)).abs().sum() / num
        total = focal + 0.5 * place.sum() / num + 0.3 * extent.sum() / num + 0.3 * far + 0.3 * tint
        error_px = ((got[:, 1:3] - offset) * _CELL_PX).norm(dim=-1).sum() / num
        found = {"focal": focal, "depth": far, "place_error_px": error_px}
        if self.contacts is not None:
            if targets.touching is None or targets.has_touching is None:
                raise ValueError("the readout has a head for contacts, but the clips say none")
            raw = rearrange(self.contacts(fine), "(b t) c y x -> b t c y x", b=num_clips).float()
            told = targets.touching, targets.has_touching
            touch = self.contacts.loss(raw, center, inside, *told, picked, m)
            total = total + 0.3 * touch["ground"] + 0.3 * touch["pair"] + 0.3 * touch["pair_way"]
            found |= touch
        if self.camera is not None:
            if camera is None:
                raise ValueError("the readout has a head for the camera, but no clip has a camera")
            raw = rearrange(self.camera(coarse), "(b t) c -> b t c", b=num_clips).float()
            moved = self.camera.loss(raw, camera)
            total = total + 0.3 * moved["camera"]
            found |= moved
        return {"total": total, **found}

    @torch.no_grad()
    def detect(self, latents: Latents) -> list[list[Detection]]:
        """Detections per frame of one clip `[1, T, N, C]` of T latent steps.

        They are the local maxima of the heat map.
        """
        if len(latents.tokens) != 1:
            raise ValueError(f"detect takes one clip, got {len(latents.tokens)}")
        fine = self._features(latents)[1]
        out = self._per_frame(fine, 1)[0].float()
        touch = None if self.contacts is None else self.contacts(fine).float()[:, 0].sigmoid()
        heat = out[..., 0].sigmoid()
        peak = heat == F.max_pool2d(heat[:, None], 3, stride=1, padding=1)[:, 0]
        frames: list[list[Detection]] = [[] for _ in range(len(out))]
        for t, y, x in (peak & (heat > self.config.threshold)).nonzero().tolist():
            got = out[t, y, x].tolist()
            frames[t].append(
                Detection(
                    x_px=(x + 0.5 + got[1]) * _CELL_PX,
                    y_px=(y + 0.5 + got[2]) * _CELL_PX,
                    std_px=_CELL_PX * float(torch.tensor(got[3]).clamp(-8, 2).mul(0.5).exp()),
                    w_px=8 * float(torch.tensor(got[4]).clamp(-4, 3).exp()),
                    h_px=8 * float(torch.tensor(got[5]).clamp(-4, 3).exp()),
                    depth_m=float(torch.tensor(got[6]).clamp(-5, 5).exp()),
                    color_rgb=tuple(min(1.0, max(0.0, c)) for c in got[7:10]),  # type: ignore[arg-type]
                    confidence=float(heat[t, y, x]),
                    touches_static=None if touch is None else float(touch[t, y, x]),
                )
            )
        return frames

    @torch.no_grad()
    def detect_touches(self, latents: Latents) -> list[list[Touch]] | None:
        """Pairs that touch, per frame of one clip `[1, T, N, C]`; None without a head for it."""
        if self.contacts is None:
            return None
        return self.contacts.detect(self.contacts(self._features(latents)[1]).float(), 0.3)

    @torch.no_grad()
    def read_camera(
        self, latents: Latents
    ) -> tuple[Float[Tensor, "t 6"], Float[Tensor, "t 6"], float, float] | None:
        """Camera motion of one clip `[1, T, N, C]`, see `CameraHead.read`; None without a head."""
        if self.camera is None:
            return None
        return self.camera.read(self.camera(self._features(latents)[0]).float())
