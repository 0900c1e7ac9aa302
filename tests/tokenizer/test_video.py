import pytest
import torch

from worldline.core.config import config_from_json
from worldline.tokenizer import VideoTokenizer


def build(**changes) -> VideoTokenizer:
    sizes = {"size_px": 16, "fine_width": 8, "coarse_width": 8, "fine_depth": 1}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return VideoTokenizer.Config(**{**sizes, **changes}).build().eval()


def clip(num: int, size: int = 16) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randint(0, 256, (1, num, size, size, 3), generator=generator).to(torch.uint8)


@pytest.mark.parametrize(
    ("changes", "steps", "shape"),
    [
        ({"size_px": 64}, 5, (1, 5, 64, 16)),
        ({"size_px": 64, "time_stride": 8}, 3, (1, 3, 64, 16)),
        ({"size_px": 64, "space_stride": 16, "channels": 6}, 5, (1, 5, 16, 6)),
        ({"size_px": 64, "levels": (8, 8, 8, 5, 5, 5)}, 5, (1, 5, 64, 6)),
    ],
)
def test_seventeen_frames_are_compressed_as_named(changes, steps, shape):
    tokenizer = build(**changes)
    assert tokenizer.count_steps(17) == steps
    assert tokenizer.encode(clip(17, 64)).tokens.shape == shape


def test_first_frame_counts_as_copies_of_itself():
    """A stream's first step sees what a later step of a still picture sees, but for the past."""
    tokenizer = build(coarse_depth=0)  # no mixing over time, so that the past does not matter
    still = clip(1).expand(-1, 5, -1, -1, -1)
    tokens = tokenizer.encode(still).tokens
    torch.testing.assert_close(tokens[:, 0], tokens[:, 1])
    first, rest = tokenizer.decode_unit(tokenizer.encode(still)).split([1, 4], dim=1)
    torch.testing.assert_close(first[:, 0], rest[:, -1])


def test_saved_tokenizers_keep_the_patch_kernel_that_they_had():
    """Untrained, the neighbouring taps are zero, so that both kernels see the same."""
    wide = build(channels=8, patch_kernel=3)
    assert wide.enter.kernel_size == wide.leave.kernel_size == (3, 3)
    frames = clip(9)
    narrow = build(channels=8)
    torch.testing.assert_close(wide.encode(frames).tokens, narrow.encode(frames).tokens)
    saved = wide.config.to_json() | {"version": 1}
    del saved["patch_kernel"]
    assert config_from_json(saved) == wide.config
    with pytest.raises(ValueError, match="patch_kernel 2 must be 1 or 3"):
        build(patch_kernel=2)


def test_measured_latents_have_unit_variance():
    tokenizer = build()
    frames = torch.cat([clip(9), clip(9).flip(1)])
    tokenizer.measure_latents(frames)
    tokens = tokenizer.encode(frames).tokens.detach()
    torch.testing.assert_close(tokens.mean(dim=(0, 1, 2)), torch.zeros(16), atol=1e-4, rtol=0)
    torch.testing.assert_close(tokens.std(dim=(0, 1, 2)), torch.ones(16), atol=1e-3, rtol=0)


def test_measuring_leaves_codes_alone():
    tokenizer = build(levels=(8, 5))
    before = {k: v.clone() for k, v in tokenizer.state_dict().items()}
    tokenizer.measure_latents(clip(5))
    assert all(torch.equal(v, tokenizer.state_dict()[k]) for k, v in before.items())


def test_a_few_steps_of_training_learn_a_moving_square():
    tokenizer = build(fine_width=16, coarse_width=32, coarse_depth=1).train()
    frames = torch.full((4, 5, 16, 16, 3), 40, dtype=torch.uint8)
    for b in range(4):
        for t in range(5):
            frames[b, t, 4 : 4 + 6, 1 + b + t : 7 + b + t] = torch.tensor([250, 120, 20])
    weight = torch.ones(frames.shape[:4])
    optimizer = torch.optim.AdamW(tokenizer.parameters(), lr=4e-3)
    generator = torch.Generator().manual_seed(0)
    for _ in range(80):
        losses = tokenizer.loss(frames, weight, generator)
        optimizer.zero_grad()
        losses["total"].backward()
        optimizer.step()
    decoded = tokenizer.eval().decode(tokenizer.encode(frames))
    error = (decoded.float() - frames.float()).abs().mean(dim=(0, 2, 3, 4))
    assert error.max() < 12  # of 255, in every frame


def test_impossible_sizes_are_refused():
    for changes, match in [
        ({"time_stride": 3}, "time_stride 3"),
        ({"space_stride": 4}, "space_stride 4"),
        ({"size_px": 20}, "multiple of space_stride 8"),
        ({"levels": (1,)}, "levels"),
    ]:
        with pytest.raises(ValueError, match=match):
            build(**changes)


def test_real_latents_have_no_codes():
    tokenizer = build()
    with pytest.raises(ValueError, match="configure it with levels"):
        tokenizer.codes(tokenizer.encode(clip(1)))
    with pytest.raises(ValueError, match="configure it with levels"):
        tokenizer.from_codes(torch.zeros(1, 1, 4, dtype=torch.long))
