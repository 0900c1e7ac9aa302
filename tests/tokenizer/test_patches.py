import pytest
import torch

from worldline.tokenizer import PatchTokenizer


def test_every_picture_comes_back_as_it_was():
    frames = torch.randint(256, (2, 3, 24, 24, 3), dtype=torch.uint8)
    tokenizer = PatchTokenizer.Config(size_px=24, patch_px=4).build()
    latents = tokenizer.encode(frames)
    assert latents.tokens.shape == (2, 3, 36, 48)
    assert torch.equal(tokenizer.decode(latents), frames)


def test_a_cell_is_a_square_of_pixels():
    frames = torch.zeros(1, 1, 8, 8, 3, dtype=torch.uint8)
    frames[0, 0, 4:, :4] = 255
    tokens = PatchTokenizer.Config(size_px=8, patch_px=4).build().encode(frames).tokens[0, 0]
    torch.testing.assert_close(tokens.mean(dim=-1), torch.tensor([-2.0, -2.0, 2.0, -2.0]))


def test_patches_must_fill_the_picture():
    with pytest.raises(ValueError, match="do not fill"):
        PatchTokenizer.Config(size_px=30, patch_px=4).build()
