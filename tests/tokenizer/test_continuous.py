import numpy as np
import pytest
import torch

from worldline.core.latents import Latents
from worldline.tokenizer import ContinuousTokenizer, from_unit, to_unit

CODERS = ("encode", "decode")


@pytest.fixture(scope="module")
def tokenizer() -> ContinuousTokenizer:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = ContinuousTokenizer.Config(fine_width=8, coarse_width=16, fine_depth=1)
        return config.build().eval()


def frames(batch: int, num: int, size: int = 64) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randint(0, 256, (batch, num, size, size, 3), generator=generator).to(torch.uint8)


def test_pixels_survive_scaling():
    values = torch.arange(256, dtype=torch.uint8).reshape(1, 16, 16, 1).expand(1, 16, 16, 3)
    assert torch.equal(from_unit(to_unit(values, torch.float32)), values)
    assert to_unit(values, torch.float32).min() == -1
    assert to_unit(values, torch.float32).max() == 1


def test_frames_are_tokenized_alone(tokenizer):
    clip = frames(1, 4)
    whole = tokenizer.encode(clip).tokens
    assert whole.shape == (1, 4, 64, 16)
    for t in range(4):
        torch.testing.assert_close(tokenizer.encode(clip[:, t : t + 1]).tokens[:, 0], whole[:, t])


def test_streaming_decode_equals_whole_decode(tokenizer):
    latents = tokenizer.encode(frames(2, 3))
    whole = tokenizer.decode(latents)
    assert whole.shape == (2, 3, 64, 64, 3)
    assert whole.dtype == torch.uint8
    last = Latents(latents.tokens[:, 2:], latents.grid)
    difference = tokenizer.decode(last).int() - whole[:, 2:].int()
    assert difference.abs().max() <= 1


def test_other_sizes_are_refused_by_name(tokenizer):
    with pytest.raises(ValueError, match="64x64"):
        tokenizer.encode(frames(1, 1, size=48))
    with pytest.raises(ValueError, match="multiple of 8"):
        ContinuousTokenizer.Config(size_px=60).build()


def test_measured_latents_have_unit_variance(tokenizer):
    sample = frames(1, 8)
    tokenizer.measure_latents(sample)
    tokens = tokenizer.encode(sample).tokens.detach()
    np.testing.assert_allclose(tokens.mean(dim=(0, 1, 2)).numpy(), 0, atol=1e-4)
    np.testing.assert_allclose(tokens.std(dim=(0, 1, 2)).numpy(), 1, atol=1e-2)


def test_loss_counts_heavy_pixels_more(tokenizer):
    sample = frames(1, 2)
    light, heavy = torch.ones(1, 2, 64, 64), torch.full((1, 2, 64, 64), 4.0)
    one = tokenizer.loss(sample, light, torch.Generator().manual_seed(0))
    four = tokenizer.loss(sample, heavy, torch.Generator().manual_seed(0))
    torch.testing.assert_close(four["pixel"], 4 * one["pixel"])
    torch.testing.assert_close(four["latent_size"], one["latent_size"])


def test_loss_of_a_clip_is_that_of_its_frames(tokenizer):
    sample, weight = frames(3, 2), torch.ones(3, 2, 64, 64)
    clips = tokenizer.loss(sample, weight, torch.Generator().manual_seed(0))
    alone = tokenizer.loss(
        sample.flatten(0, 1)[:, None],
        weight.flatten(0, 1)[:, None],
        torch.Generator().manual_seed(0),
    )
    assert torch.equal(clips["total"], alone["total"])


def test_stored_names_are_those_of_the_bundled_world(tokenizer):
    layers = ["enter", "narrow", "to_latent", "from_latent", "widen", "leave"]
    layers += [f"{way}_fine.0.{half}" for way in CODERS for half in ("first", "second")]
    layers += [
        f"{way}_coarse.{i}.{half}" for way in CODERS for i in (0, 1) for half in ("first", "second")
    ]
    names = {f"{layer}.{part}" for layer in layers for part in ("weight", "bias")}
    assert set(tokenizer.state_dict()) == names | {"latent_mean", "latent_std"}
