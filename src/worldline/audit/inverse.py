"""An inverse model: which action leads from one frame to the next, judged by true frames alone.

Torabi et al. 2018 (arXiv 1805.01954) call it so. It is small, convolutional, and sees the two
frames and their difference; nothing of the world that it helps to judge.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from einops import rearrange
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from worldline.core.clip import Clip
from worldline.core.errors import InputError
from worldline.nn import PairReader

__all__ = ["FIT_STEPS", "InverseModel", "fit_inverse"]

FIT_STEPS = 500


class InverseModel(nn.Module):
    """Convolutions from two successive frames to the action between them.

    Args:
        action_size: numbers per action.
        is_discrete: they are chances of choices, one-hot; else numbers in [-1, 1].
        spread: total variance of numbers in what it is fitted to.
    """

    def __init__(self, action_size: int, *, is_discrete: bool, spread: float = 1.0) -> None:
        super().__init__()
        self.is_discrete, self.spread = is_discrete, spread
        self.reader = PairReader(action_size)

    def forward(self, pairs: Float[Tensor, "b 6 h w"]) -> Float[Tensor, "b a"]:
        """Logits of choices, or numbers."""
        return self.reader(*pairs.chunk(2, dim=1))

    @torch.no_grad()
    def read(self, frames: UInt8[np.ndarray, "t h w 3"]) -> Float[np.ndarray, "n a"]:
        """One-hot choices, or numbers, for each of the T - 1 steps."""
        told = self(_pairs(frames))
        if self.is_discrete:
            told = F.one_hot(told.argmax(dim=-1), told.shape[-1])
        return told.double().numpy()

    def hits(
        self, frames: UInt8[np.ndarray, "t h w 3"], actions: Float[np.ndarray, "n a"]
    ) -> Float[np.ndarray, " n"]:
        """For each step how well it is told: 1 or 0 for choices; for numbers 1 minus the squared
        error over `spread`, so that the mean is R2 and telling the usual action gives 0."""
        told = self.read(frames)
        if self.is_discrete:
            return (told.argmax(axis=1) == actions.argmax(axis=1)).astype(np.float64)
        return 1 - np.square(told - actions).sum(axis=1) / self.spread


def fit_inverse(
    clips: Sequence[Clip],
    *,
    is_discrete: bool,
    seed: int,
    steps: int = FIT_STEPS,
    batch: int = 64,
    on_progress: Callable[[float], None] = lambda share: None,
) -> InverseModel:
    """Fit one to clips with actions.

    Args:
        clips: of true frames.
        is_discrete: what the actions are.
        seed: of weights and order.
        steps, batch: of training.
        on_progress: told the share that is done.

    Raises:
        InputError: a clip has no actions, or there is none.
    """
    pairs, wanted = [], []
    for i, clip in enumerate(clips):
        if clip.actions is None:
            raise InputError(f"clip {i} has no actions to learn from")
        pairs.append(clip.frames)
        wanted.append(clip.actions[:-1])
    if not pairs:
        raise InputError("no clips to fit an inverse model to")
    number = [(i, t) for i, clip in enumerate(clips) for t in range(clip.num_frames - 1)]
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        spread = float(np.concatenate(wanted).var(axis=0).sum())
        model = InverseModel(wanted[0].shape[1], is_discrete=is_discrete, spread=max(spread, 1e-9))
    optimiser = torch.optim.AdamW(model.parameters(), 2e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, total_steps=steps)
    rng = np.random.default_rng(seed)
    for step in range(steps):
        chosen = [number[k] for k in rng.integers(len(number), size=batch)]
        frames = torch.cat([_pairs(pairs[i][t : t + 2]) for i, t in chosen])
        truth = torch.as_tensor(np.stack([wanted[i][t] for i, t in chosen]), dtype=torch.float32)
        told = model(frames)
        loss = (
            F.cross_entropy(told, truth.argmax(dim=1)) if is_discrete else F.mse_loss(told, truth)
        )
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        on_progress((step + 1) / steps)
    return model.eval()


def _pairs(frames: UInt8[np.ndarray, "t h w 3"]) -> Float[Tensor, "n 6 h w"]:
    images = torch.from_numpy(np.ascontiguousarray(frames)).float() / 127.5 - 1
    images = rearrange(images, "t h w c -> t c h w")
    return torch.cat([images[:-1], images[1:]], dim=1)
