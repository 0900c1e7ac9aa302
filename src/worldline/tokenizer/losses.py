"""How far decoded pictures are from the true ones: the part of the loss that tokenizers share."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from jaxtyping import Float
from torch import Tensor, nn

from worldline.tokenizer.critic import PatchCritic, play
from worldline.tokenizer.perceptual import RandomFeatures

__all__ = ["PictureLoss"]


class PictureLoss(nn.Module):
    """Weighted L1, L1 between image gradients, and, if asked for, a perceptual and a critic's term.

    Gradients keep edges sharp and in place, which is what motion is read from. The perceptual term
    is `RandomFeatures`' distance, the critic's the sum of both players' losses of `critic.play`.
    Without a critic there are no parameters; only a critic adds to a state dict.
    """

    def __init__(
        self, *, gradient_weight: float, perceptual_weight: float, adversarial_weight: float
    ) -> None:
        super().__init__()
        self.gradient_weight = gradient_weight
        self.perceptual_weight = perceptual_weight
        self.adversarial_weight = adversarial_weight
        self.features = RandomFeatures() if perceptual_weight > 0 else None
        self.critic = PatchCritic() if adversarial_weight > 0 else None

    def forward(
        self,
        image: Float[Tensor, "b 3 h w"],
        truth: Float[Tensor, "b 3 h w"],
        weight: Float[Tensor, "b h w"],
    ) -> dict[str, Tensor]:
        """Losses by name, "total" their weighted sum, of pictures in about [-1, 1].

        Args:
            image: decoded.
            truth: what they should be.
            weight: how much each pixel counts; the critic's game leaves it aside.
        """
        error, heavy = (image - truth).float(), weight.float()[:, None]
        pixel = (error.abs() * heavy).mean()
        edges = torch.zeros((), device=error.device)
        for scale in (1, 2, 4):
            small = F.avg_pool2d(error, scale) if scale > 1 else error
            mass = F.avg_pool2d(heavy, scale) if scale > 1 else heavy
            edges = edges + (small.diff(dim=-1).abs() * mass[..., 1:]).mean()
            edges = edges + (small.diff(dim=-2).abs() * mass[..., 1:, :]).mean()
        total = pixel + self.gradient_weight * edges / 3
        losses = {"pixel": pixel, "edges": edges}
        if self.features is not None:
            losses["perceptual"] = self.features(image, truth, weight.float())
            total = total + self.perceptual_weight * losses["perceptual"]
        if self.critic is not None:
            losses["critic"], losses["fooling"] = play(self.critic, truth, image)
            game = losses["critic"] + losses["fooling"]
            total = total + self.adversarial_weight * game
        return {"total": total, **losses}
