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


def test_settled_layers_vary_by_one_about_zero():
    torch.manual_seed(0)
    tokenizer = WholeTokenizer.Config(size_px=16, channels=5, width=4, hidden=8).build()
    frames = torch.full((64, 1, 16, 16, 3), 250, dtype=torch.uint8)
    places = torch.randint(0, 14, (64, 2))
    for frame, (x, y) in zip(frames, places.tolist(), strict=True):
        frame[0, y : y + 2, x : x + 2, 1:] = 40
    before = tokenizer.features(frames).flatten(0, 2)
    tokenizer.settle(frames)
    after = tokenizer.features(frames).flatten(0, 2)
    assert before.std(dim=0).max() < 0.6
    torch.testing.assert_close(after.mean(dim=0), torch.zeros(5), atol=1e-4, rtol=0)
    assert (after.std(dim=0) - 1).abs().max() < 0.05
    again = tokenizer.features(frames[:3])
    tokenizer.settle(frames)
    # what is settled already stays as it is
    torch.testing.assert_close(tokenizer.features(frames[:3]), again, atol=1e-3, rtol=1e-3)
