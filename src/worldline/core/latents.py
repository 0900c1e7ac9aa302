"""`Latents` and `Controls`: what a tokenizer gives and what drives a world."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from einops import rearrange
from jaxtyping import Bool, Float, Int
from torch import Tensor

__all__ = ["Controls", "Latents", "lead_to"]


@dataclass(frozen=True, eq=False)
class Latents:
    """Tokens of a clip.

    Shape legend: B batch, T latent steps (frames, for an image tokenizer), N tokens a step, C
    channels.

    Attributes:
        tokens: `[B, T, N, C]`, about unit variance.
        grid: (rows, columns) with rows * columns = N.
    """

    tokens: Float[Tensor, "b t n c"]
    grid: tuple[int, int]


@dataclass(frozen=True, eq=False)
class Controls:
    """What is known to act on the world or to shape its picture; every part may be absent.

    Shape legend: B batch, T frames, N latent cells a frame.

    Attributes:
        actions: `[B, T, A]` action that leads to frame t; a discrete one is one-hot.
        embodiment: `[B]` number of the body that acts, which gives the actions their meaning.
        rays: `[B, T, N, 6]` Plücker coordinates of each cell's line of sight.
        maps: `[B, T, N, K]` sensor maps (depth, edges, segmentation), packed per cell.
        state: `[B, T, S]` readings of inertial, force or joint sensors.
        text: `[B, E]` embedding of a sentence about the whole clip, a unit vector.
        known: by name of a part, `[B, T, G]` which of its G groups are known in a frame: one group
            for actions and rays, one per map, one per reading of the state. What is not known is
            absent, whatever stands in its place. A part without an entry is known throughout.
    """

    actions: Float[Tensor, "b t a"] | None = None
    embodiment: Int[Tensor, " b"] | None = None
    rays: Float[Tensor, "b t n 6"] | None = None
    maps: Float[Tensor, "b t n k"] | None = None
    state: Float[Tensor, "b t s"] | None = None
    text: Float[Tensor, "b e"] | None = None
    known: Mapping[str, Bool[Tensor, "b t _"]] | None = None

    def frames(self, start: int, stop: int | None = None) -> Controls:
        """What belongs to frames `start` to `stop` (exclusive, or the last); timeless parts are
        kept.

        A part that ends before `start` has nothing to say about these frames and is absent.
        """

        def cut(name: str, value: Tensor) -> Tensor | None:
            if name in _TIMELESS:
                return value
            return value[:, start:stop] if value.shape[1] > start else None

        return self._map(cut)

    def clips(self, start: int, stop: int) -> Controls:
        """What belongs to clips `start` to `stop` (exclusive) of the batch."""
        return self._map(lambda _, value: value[start:stop])

    def repeat(self, times: int) -> Controls:
        """The whole batch, several times in a row."""
        return self._map(lambda _, value: torch.cat([value] * times))

    def per_step(self, stride: int) -> Controls:
        """Controls of latent steps, from those of frames: the first frame is the first step, and
        after it `stride` frames make one, as a tokenizer of that `time_stride` has it.

        The actions that lead to a step's frames lie side by side, oldest first, `[B, S, stride A]`,
        as action-conditioned worlds over causal video tokenizers take them (NVIDIA's Cosmos Predict
        2, 2025); before the only frame of the first step there are zeros. A step's actions are
        known if any of them is. Rays, maps and state are those of a step's last frame. Where
        controls end within a step, the last ones are held.
        """
        if stride == 1:
            return self

        def group(name: str, value: Tensor) -> Tensor:
            if name in _TIMELESS:
                return value
            missing = (1 - value.shape[1]) % stride
            whole = torch.cat([value, value[:, -1:].expand(-1, missing, *value.shape[2:])], dim=1)
            if name != "actions":
                return whole[:, ::stride]
            nothing = torch.zeros_like(whole[:, :1]).expand(-1, stride - 1, -1)
            return rearrange(torch.cat([nothing, whole], dim=1), "b (s k) a -> b s (k a)", k=stride)

        driven = self._map(group)
        if self.known is None or driven.known is None or "actions" not in self.known:
            return driven
        some = group("actions", self.known["actions"]).any(dim=-1, keepdim=True)
        return replace(driven, known={**driven.known, "actions": some})

    def delayed(self, which: Bool[Tensor, " b"]) -> Controls:
        """In the chosen clips everything comes one frame later; zeros, not known, come first."""

        def shift(name: str, value: Tensor) -> Tensor:
            if name in _TIMELESS:
                return value
            later = torch.cat([torch.zeros_like(value[:, :1]), value[:, :-1]], dim=1)
            return torch.where(which.reshape(-1, *(1,) * (value.dim() - 1)), later, value)

        return self._map(shift)

    def _map(self, change: Callable[[str, Tensor], Tensor | None]) -> Controls:
        parts = {item.name: getattr(self, item.name) for item in fields(self)}
        known = parts.pop("known")
        if known is not None:
            changed = {name: change("known", mask) for name, mask in known.items()}
            known = {name: mask for name, mask in changed.items() if mask is not None}
        parts = {k: v if v is None else change(k, v) for k, v in parts.items()}
        return Controls(**parts, known=known)


def lead_to(actions: Float[np.ndarray, "*b t a"]) -> Float[np.ndarray, "*b t a"]:
    """The action that leads to each frame, from the one taken after it; 0 before the first."""
    nothing = np.zeros_like(actions[..., :1, :])
    return np.concatenate([nothing, actions[..., :-1, :]], axis=-2)


_TIMELESS = ("embodiment", "text")
