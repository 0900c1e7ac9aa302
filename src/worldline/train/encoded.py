"""Clips that a frozen tokenizer encodes once, however often they are drawn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from worldline.core.config import Config
from worldline.core.errors import InputError
from worldline.core.latents import Latents
from worldline.data.cache import LatentCache, fingerprint, hash_frames
from worldline.data.shards import Shards
from worldline.tokenizer import Tokenizer

__all__ = ["EncodedClips", "require_steps"]

_FOLDER = "latents"


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
        self._keys: dict[int, str] = {}

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
        frames = np.array(self._shards.frames[clip, : self._num_frames])
        if clip not in self._keys:
            self._keys[clip] = LatentCache.key(hash_frames(frames), self._encoder)

        @torch.no_grad()
        def encode() -> dict[str, Tensor]:
            latents = self._tokenizer.encode(torch.from_numpy(frames)[None])
            return {"tokens": latents.tokens[0], "grid": torch.tensor(latents.grid)}

        return self._cache.get(self._keys[clip], encode)


def require_steps(tokenizer: Tokenizer, length: int) -> None:
    """Raise `InputError` where so many frames make no whole latent steps."""
    try:
        tokenizer.count_steps(length)
    except ValueError as error:
        raise InputError(f"length {length}: {error}") from None
