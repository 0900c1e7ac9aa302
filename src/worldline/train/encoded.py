"""Clips that a frozen tokenizer encodes once, however often they are drawn."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from worldline.core.config import Config
from worldline.core.errors import InputError
from worldline.core.latents import Latents
from worldline.data.cache import LatentCache, fingerprint, hash_frames
from worldline.data.shards import Shards
from worldline.tokenizer import Tokenizer, WholeTokenizer

__all__ = ["EncodedClips", "keep_latents", "require_steps", "settle_tokenizer"]

_FOLDER = "latents"

_HELD_BYTES = 2**28
"""Of latents that stay in memory, beyond which they are read from their files each time; small ones
take longer to read than to learn from."""

_SETTLED_BY = 256
"""Frames that layers are scaled by before they learn."""


class EncodedClips:
    """Latents of the first frames of each clip, kept beside the shards by the content of both.

    Each clip is encoded alone and in one piece, so its latents do not depend on which others it is
    drawn with, nor on where a run was interrupted.

    Args:
        shards: that lie in a folder.
        tokenizer: that no longer learns; a copy that nothing else moves or casts.
        num_frames: how many frames of each clip are encoded.

    Raises:
        InputError: the shards lie in memory only, or the tokenizer folds time, so that a frame's
            latents depend on where its clip begins.
    """

    def __init__(self, shards: Shards, tokenizer: Tokenizer, num_frames: int) -> None:
        if shards.folder is None:
            raise InputError("encoded clips are kept beside their shards, which have no folder")
        if tokenizer.time_stride != 1:
            raise InputError(
                "a tokenizer that folds time encodes each stretch of a clip anew; leave cached off"
            )
        self._shards, self._tokenizer, self._num_frames = shards, tokenizer, num_frames
        config = tokenizer.config
        assert isinstance(config, Config)
        self._encoder = fingerprint(tokenizer, config.to_json())
        self._cache = LatentCache(shards.folder / _FOLDER)
        self._held: dict[int, dict[str, Tensor]] = {}
        self._room = _HELD_BYTES

    def draw(self, clips: Sequence[int], span: slice) -> Latents:
        """Latents of the same frames of several clips.

        Args:
            clips: numbers of the clips.
            span: frames, all before `num_frames`.
        """
        found = [self._of(int(clip)) for clip in clips]
        rows, columns = found[0]["grid"].tolist()
        return Latents(torch.stack([kept["tokens"][span] for kept in found]), (rows, columns))

    def _of(self, clip: int) -> dict[str, Tensor]:
        if clip in self._held:
            return self._held[clip]
        frames = np.array(self._shards.frames[clip, : self._num_frames])
        key = LatentCache.key(hash_frames(frames), self._encoder)

        @torch.no_grad()
        def encode() -> dict[str, Tensor]:
            latents = self._tokenizer.encode(torch.from_numpy(frames)[None])
            return {"tokens": latents.tokens[0], "grid": torch.tensor(latents.grid)}

        found = self._cache.get(key, encode)
        self._room -= sum(each.nbytes for each in found.values())
        if self._room >= 0:
            self._held[clip] = found
        return found


def require_steps(tokenizer: Tokenizer, length: int) -> None:
    """Raise `InputError` where so many frames make no whole latent steps."""
    try:
        tokenizer.count_steps(length)
    except ValueError as error:
        raise InputError(f"length {length}: {error}") from None


def keep_latents(
    tokenizer: Tokenizer, shards: Shards, length: int, latest_start: int | None, *, moving: bool
) -> EncodedClips:
    """Clips as they are drawn, `length` frames from `latest_start` at most, encoded once.

    Raises:
        InputError: clips or tokenizer do not stay as they are (`moving`).
    """
    if moving:
        raise InputError(
            "latents are kept of clips that stay as they are, by a tokenizer that stays as it "
            "is: set augmented=False and train the tokenizer in a stage of its own, or leave "
            "cached off"
        )
    latest = shards.frames.shape[1] - length
    if latest_start is not None:
        latest = min(latest, latest_start)
    frozen = copy.deepcopy(tokenizer).eval().requires_grad_(False)
    return EncodedClips(shards, frozen, latest + length)


def settle_tokenizer(tokenizer: Tokenizer | None, shards: Shards, seed: int) -> None:
    """Scale the layers of an untrained tokenizer by frames of the clips that it will learn from.

    Raises:
        ValueError: it is no whole-frame tokenizer, or not to be trained (None).
    """
    if not isinstance(tokenizer, WholeTokenizer):
        raise ValueError("only a whole-frame tokenizer that is to be trained can be settled")
    chosen = shards.order(seed, 0, _SETTLED_BY)
    places = np.arange(len(chosen)) % shards.frames.shape[1]
    frames = [shards.frames[clip, t] for clip, t in zip(chosen, places, strict=True)]
    tokenizer.settle(torch.from_numpy(np.stack(frames)[:, None]))
