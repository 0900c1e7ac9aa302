import pytest
import torch

from worldline.tokenizer import VideoTokenizer
from worldline.tokenizer.cosine import block_waves, patch_waves


def test_waves_are_orthonormal_and_the_first_is_brightness():
    waves, rows = patch_waves(4, 4)
    assert rows.shape == (192, 192)
    torch.testing.assert_close(rows @ rows.T, torch.eye(192), atol=1e-5, rtol=0)
    torch.testing.assert_close(rows[0], torch.full((192,), 192**-0.5))
    assert (waves[0].time, waves[0].row, waves[0].column, waves[0].color) == (0, 0, 0, 0)
    assert [w.rank for w in waves] == sorted(w.rank for w in waves)


@pytest.mark.parametrize("block", [2, 4])
def test_waves_of_blocks_are_orthonormal_and_ordered(block):
    waves, _ = patch_waves(4, 2)
    ranks, rows = block_waves(waves, block)
    size = block**2 * 48
    torch.testing.assert_close(rows @ rows.T, torch.eye(size), atol=1e-5, rtol=0)
    assert (ranks.diff() >= 0).all()
    middle = rows[0].reshape(block, block, 48)[..., 0]
    torch.testing.assert_close(middle, torch.full((block, block), 1 / block))


@pytest.mark.parametrize("stride", [4, 8])
def test_with_a_channel_for_every_wave_nothing_is_lost(stride):
    """The order of frames, rows, columns and colours is the same on the way in and out."""
    config = VideoTokenizer.Config(
        size_px=16,
        time_stride=stride,
        fine_width=48 * stride,
        coarse_width=192 * stride,
        channels=192 * stride,
        fine_depth=0,
        coarse_depth=0,
    )
    frames = noise(1 + 2 * stride, 16)
    tokenizer = config.build()
    assert torch.equal(tokenizer.decode(tokenizer.encode(frames)), frames)


def test_untrained_one_keeps_what_is_smooth():
    tokenizer = VideoTokenizer.Config(size_px=32, fine_width=48, coarse_width=96).build()
    _, row, column = torch.meshgrid(
        torch.arange(9.0), torch.arange(32.0), torch.arange(32.0), indexing="ij"
    )
    ramp = (40 + 3 * row + 2 * column)[None, ..., None].expand(-1, -1, -1, -1, 3)
    decoded = tokenizer.decode(tokenizer.encode(ramp.to(torch.uint8))).float()
    assert (decoded - ramp).abs().max() < 4
    flat = torch.full((1, 9, 32, 32, 3), 77, dtype=torch.uint8)
    assert torch.equal(tokenizer.decode(tokenizer.encode(flat)), flat)


def noise(num: int, size: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randint(0, 256, (1, num, size, size, 3), generator=generator).to(torch.uint8)
