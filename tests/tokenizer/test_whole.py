from __future__ import annotations

import pytest
import torch

from worldline.tokenizer import WholeTokenizer


def build(**options) -> WholeTokenizer:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return WholeTokenizer.Config(
            **{"size_px": 16, "channels": 5, "width": 4, "hidden": 16, **options}
        ).build()


def test_a_frame_is_one_vector_that_knows_where_things_are():
    frames = torch.zeros(1, 2, 16, 16, 3, dtype=torch.uint8)
    frames[0, 0, 2:5, 2:5] = 255
    frames[0, 1, 10:13, 2:5] = 255
    latents = build().encode(frames)
    assert latents.grid == (1, 1)
    assert latents.tokens.shape == (1, 2, 1, 5)
    assert (latents.tokens[0, 0] - latents.tokens[0, 1]).abs().max() > 1e-3


def test_without_a_decoder_nothing_can_be_looked_at():
    blind = build(decoder_width=0)
    frames = torch.zeros(1, 1, 16, 16, 3, dtype=torch.uint8)
    assert not blind.can_decode
    with pytest.raises(ValueError, match="no decoder"):
        blind.decode(blind.encode(frames))
    with pytest.raises(ValueError, match="no decoder"):
        blind.loss(frames, torch.ones(1, 1, 16, 16), torch.Generator())


@pytest.mark.parametrize("size", [4, 24, 63])
def test_sizes_that_cannot_be_halved_are_refused(size):
    with pytest.raises(ValueError, match="power of two"):
        build(size_px=size)
