"""Optional heads of the latent readout: what touches what, and how the camera moved.

Contacts are points (parallel point detection and matching, Liao et al. 2020, arXiv 1912.12898,
section 3.1): the middle between two bodies that touch, with the way from it to either. The camera's
motion is regressed frame by frame with its variance (Nix and Weigend 1994, equation 5).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812
from einops import rearrange
from jaxtyping import Bool, Float, Int
from scipy.spatial.transform import Rotation
from torch import Tensor, nn

__all__ = ["CELL_PX", "CameraHead", "CameraTargets", "ContactHead", "Touch", "camera_motion"]

CELL_PX = 4
"""Spacing of the detection grid."""

_REACH_PX = 8.0
_TURN_RAD, _SHIFT_M = 0.02, 0.1
"""Units of camera motion between frames: what the simulator's cameras do at their usual pace."""


@dataclass(frozen=True, eq=False)
class CameraTargets:
    """Truth for B clips of T frames; NaN where a clip has no camera.

    Attributes:
        world_from_camera: poses.
        focal_ratio: focal length over image width.
    """

    world_from_camera: Float[Tensor, "b t 4 4"]
    focal_ratio: Float[Tensor, " b"]


@dataclass(frozen=True)
class Touch:
    """Two bodies that touch in a frame, by their places.

    Attributes:
        a_px, b_px: places of the two, x not falling from the one to the other.
        confidence: probability of the touch.
    """

    a_px: tuple[float, float]
    b_px: tuple[float, float]
    confidence: float


class ContactHead(nn.Module):
    """Per cell of the detection grid: an object here touches what is static; a pair touches here.

    Args:
        channels: of the features.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.out = nn.Conv2d(channels, 4, 3, padding=1)
        assert self.out.bias is not None
        with torch.no_grad():
            self.out.bias.zero_()
            self.out.bias[1] = -4.0  # hardly any cell is the middle of a touching pair

    def forward(self, fine: Float[Tensor, "bt c y x"]) -> Float[Tensor, "bt 4 y x"]:
        """Logit of touching what is static, heat of pairs, way to the pair's right one (x, y)."""
        return self.out(fine)

    def loss(
        self,
        out: Float[Tensor, "b t 4 y x"],
        center_px: Float[Tensor, "b t m 2"],
        inside: Bool[Tensor, "b t m"],
        touching: Bool[Tensor, "b t m m1"],
        known: Bool[Tensor, " b"],
        picked: tuple[Tensor, ...],
        slot: Int[Tensor, " p"],
    ) -> dict[str, Tensor]:
        """Cross-entropy of touching what is static, at each object's cell; focal loss of the pairs'
        heat as for objects; L1 of the way to the right one, at the middle.

        Args:
            out: of `forward`.
            center_px: of objects; inside: they are in the picture and seen.
            touching: which touch, in the last column what is static.
            known: the clip's touches are known.
            picked: clip, frame, row and column of the cells that objects lie in.
            slot: the object in each of them.
        """
        num_slots, cells = center_px.shape[2], out.shape[-1]
        b, t, y, x = picked
        told = known[b].float()
        logit = out[b, t, 0, y, x]
        truth = touching[b, t, slot, num_slots].float()
        ground = F.binary_cross_entropy_with_logits(logit, truth, reduction="none") * told
        ground = ground.sum() / told.sum().clamp_min(1)

        i, j = torch.triu_indices(num_slots, num_slots, offset=1, device=out.device)
        pair = touching[..., :num_slots][:, :, i, j] & inside[:, :, i] & inside[:, :, j]
        one, other = center_px[:, :, i], center_px[:, :, j]
        middle = 0.5 * (one + other)
        way = 0.5 * (other - one)
        way = torch.where(way[..., :1] < 0, -way, way)
        at = (torch.arange(cells, device=out.device) + 0.5) * CELL_PX
        off_x = (at - middle[..., 0, None]).abs()
        off_y = (at - middle[..., 1, None]).abs()
        glow = torch.exp(-(off_x / CELL_PX).square() / 2)[:, :, :, None, :]
        glow = glow * torch.exp(-(off_y / CELL_PX).square() / 2)[..., None]
        glow = (glow * pair[..., None, None]).amax(dim=2)
        owner = (off_x <= CELL_PX / 2)[:, :, :, None, :] & (off_y <= CELL_PX / 2)[..., None]
        owner = owner & pair[..., None, None] & known[:, None, None, None, None]
        positive = owner.any(dim=2)
        num = positive.sum().clamp_min(1)
        heat = out[:, :, 1]
        p = heat.sigmoid()
        hit = F.logsigmoid(heat) * (1 - p) ** 2
        miss = F.logsigmoid(-heat) * p**2 * (1 - glow) ** 4
        focal = torch.where(positive, hit, miss) * known[:, None, None, None]
        where = positive.nonzero(as_tuple=True)
        which = owner.float().argmax(dim=2)[where]
        aim = way[where[0], where[1], which] / _REACH_PX
        got = out[where[0], where[1], 2:, where[2], where[3]]
        apart = (got - aim).abs().sum() / num
        return {"ground": ground, "pair": -focal.sum() / num, "pair_way": apart}

    @torch.no_grad()
    def detect(self, out: Float[Tensor, "t 4 y x"], threshold: float) -> list[list[Touch]]:
        """Touching pairs of each frame of one clip: local maxima of the heat."""
        heat = out[:, 1].sigmoid()
        peak = heat == F.max_pool2d(heat[:, None], 3, stride=1, padding=1)[:, 0]
        frames: list[list[Touch]] = [[] for _ in range(len(out))]
        for t, y, x in (peak & (heat > threshold)).nonzero().tolist():
            dx, dy = (_REACH_PX * out[t, 2:, y, x]).tolist()
            cx, cy = (x + 0.5) * CELL_PX, (y + 0.5) * CELL_PX
            frames[t].append(Touch((cx - dx, cy - dy), (cx + dx, cy + dy), float(heat[t, y, x])))
        return frames


class CameraHead(nn.Module):
    """Motion of the camera from the frame before, and its focal length, from all cells of a frame.

    Args:
        channels: of the features.
        rows: cells per side.
    """

    def __init__(self, channels: int, rows: int) -> None:
        super().__init__()
        self.narrow = nn.Conv2d(channels, 16, 1)
        self.mix = nn.Linear(16 * rows * rows, 128)
        self.out = nn.Linear(128, 14)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, coarse: Float[Tensor, "bt c y x"]) -> Float[Tensor, "bt 14"]:
        """Turn x 3, shift x 3, log focal ratio, in their units; then the log variance of each."""
        hidden = F.silu(self.mix(rearrange(self.narrow(coarse), "b c y x -> b (c y x)")))
        return self.out(hidden)

    def loss(self, out: Float[Tensor, "b t 14"], targets: CameraTargets) -> dict[str, Tensor]:
        """Gaussian negative log-likelihood of motion in frames 1 .. T-1 and of the focal length."""
        told = torch.isfinite(targets.focal_ratio)
        motion = camera_motion(targets.world_from_camera)
        ratio = torch.where(told, targets.focal_ratio, torch.ones_like(targets.focal_ratio)).log()
        aim = torch.cat([motion, ratio[:, None, None].expand(-1, motion.shape[1], 1)], dim=-1)
        aim = torch.where(told[:, None, None], aim, 0)
        mean, log_var = out[..., :7], out[..., 7:].clamp(-8, 6)
        counts = told[:, None, None].expand_as(aim).float().clone()
        counts[:, 0, :6] = 0  # nothing is known of what came before the first frame
        likelihood = 0.5 * ((mean - aim).square() * (-log_var).exp() + log_var)
        error = ((mean - aim).abs() * counts).sum((0, 1)) / counts.sum((0, 1)).clamp_min(1)
        return {
            "camera": (likelihood * counts).sum() / counts.sum().clamp_min(1),
            "turn_error_rad": error[:3].mean() * _TURN_RAD,
            "shift_error_m": error[3:6].mean() * _SHIFT_M,
        }

    @torch.no_grad()
    def read(
        self, out: Float[Tensor, "t 14"]
    ) -> tuple[Float[Tensor, "t 6"], Float[Tensor, "t 6"], float, float]:
        """Motion of one clip (turn in radians, shift in metres; 0 for the first frame), its
        standard deviations, the focal length over the image width and its standard deviation."""
        unit = torch.tensor([_TURN_RAD] * 3 + [_SHIFT_M] * 3, device=out.device)
        std = (0.5 * out[:, 7:].clamp(-8, 6)).exp()
        motion, spread = out[:, :6] * unit, std[:, :6] * unit
        motion[0], spread[0] = 0.0, 0.0
        ratio = float(out[:, 6].mean().exp())
        return motion, spread, ratio, ratio * float(std[:, 6].mean())


def camera_motion(world_from_camera: Float[Tensor, "b t 4 4"]) -> Float[Tensor, "b t 6"]:
    """Turn (rotation vector) and shift of each frame's camera in the axes of the one before, in
    units of `_TURN_RAD` and `_SHIFT_M`; 0 for the first frame and where poses are not known."""
    pose = world_from_camera.double()
    told = torch.isfinite(pose).all(dim=(-1, -2))
    pose = torch.where(told[..., None, None], pose, torch.eye(4).to(pose))
    before = torch.cat([pose[:, :1], pose[:, :-1]], dim=1)
    step = torch.linalg.solve(before, pose)
    turn = Rotation.from_matrix(step[..., :3, :3].reshape(-1, 3, 3).cpu().numpy()).as_rotvec()
    turned = torch.from_numpy(turn).reshape(*pose.shape[:2], 3).to(pose)
    motion = torch.cat([turned / _TURN_RAD, step[..., :3, 3] / _SHIFT_M], dim=-1)
    return motion.float()
