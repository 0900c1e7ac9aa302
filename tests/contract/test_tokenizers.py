"""What holds for every tokenizer, whatever is inside: shapes, causality, streams, saving."""

import pytest
import torch

from worldline.core.artifact import Artifact
from worldline.core.config import config_from_json
from worldline.core.latents import Latents
from worldline.tokenizer import TOKENIZERS, StreamCarry, Tokenizer

SMALL = {"size_px": 16, "fine_width": 8, "coarse_width": 8, "fine_depth": 1, "coarse_depth": 2}
CASES = {
    "continuous": TOKENIZERS["continuous"].Config(**SMALL),
    "discrete": TOKENIZERS["discrete"].Config(**SMALL, levels=(4, 5)),
    "discrete-with-critic": TOKENIZERS["discrete"].Config(
        **SMALL, levels=(4, 3), perceptual_weight=0.1, adversarial_weight=0.1
    ),
    "video-4x8x8": TOKENIZERS["video"].Config(**SMALL),
    "video-8x8x8-codes": TOKENIZERS["video"].Config(**SMALL, time_stride=8, levels=(8, 5)),
    "keypoint": TOKENIZERS["keypoint"].Config(size_px=16, width=8),
    "patches": TOKENIZERS["patches"].Config(size_px=16),
    "representation": TOKENIZERS["representation"].Config(
        size_px=16, channels=4, width=16, depth=2, heads=2, decoder_width=8, decoder_depth=1
    ),
    "whole": TOKENIZERS["whole"].Config(
        size_px=16, channels=6, width=4, hidden=16, decoder_width=16
    ),
    "video-4x16x16": TOKENIZERS["video"].Config(**SMALL, space_stride=16, adversarial_weight=0.1),
}


@pytest.fixture(params=CASES, scope="module")
def tokenizer(request) -> Tokenizer:
    """Weights are shaken, because many layers start at zero and would hide mistakes."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = CASES[request.param].build().eval()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(0.1 * torch.randn_like(parameter))
    model.requires_grad_(False)
    model.measure_latents(some_frames(model, steps=3, seed=9))
    return model


def some_frames(tokenizer: Tokenizer, *, steps: int, seed: int = 0) -> torch.Tensor:
    size, num = tokenizer.size_px, 1 + (steps - 1) * tokenizer.time_stride
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (2, num, size, size, 3), generator=generator).to(torch.uint8)


def pieces(tokenizer: Tokenizer, sizes: list[int]) -> list[tuple[slice, slice]]:
    """Steps and frames of a clip's consecutive pieces of so many steps."""
    found, step = [], 0
    for size in sizes:
        edges = (step, step + size)
        frames = [0 if e == 0 else 1 + (e - 1) * tokenizer.time_stride for e in edges]
        found.append((slice(*edges), slice(*frames)))
        step += size
    return found


def test_every_tokenizer_has_a_case():
    assert {type(config.build()) for config in CASES.values()} == set(TOKENIZERS.values())
    for name, kind in TOKENIZERS.items():
        assert kind.Config.type_name == f"tokenizer/{name}"


@pytest.mark.parametrize("config", CASES.values(), ids=CASES.keys())
def test_config_survives_json(config):
    assert config_from_json(config.to_json()) == config


def test_round_trip_has_the_promised_shapes(tokenizer):
    rows, columns = tokenizer.grid
    frames = some_frames(tokenizer, steps=3)
    latents = tokenizer.encode(frames)
    assert latents.grid == tokenizer.grid
    assert latents.tokens.shape == (2, 3, rows * columns, tokenizer.channels)
    assert tokenizer.count_steps(frames.shape[1]) == 3
    assert tokenizer.can_decode
    decoded = tokenizer.decode(latents)
    assert (decoded.shape, decoded.dtype) == (frames.shape, torch.uint8)
    unit = tokenizer.decode_unit(latents)
    assert torch.equal(((unit + 1) * 127.5).round().clamp(0, 255).to(torch.uint8), decoded)


def test_batch_entries_do_not_touch_each_other(tokenizer):
    frames = some_frames(tokenizer, steps=2)
    whole, alone = tokenizer.encode(frames), tokenizer.encode(frames[1:])
    torch.testing.assert_close(alone.tokens, whole.tokens[1:], rtol=0, atol=1e-5)
    one = Latents(whole.tokens[1:], whole.grid)
    torch.testing.assert_close(
        tokenizer.decode_unit(one), tokenizer.decode_unit(whole)[1:], rtol=0, atol=1e-5
    )


def test_later_frames_never_change_earlier_latents_or_pictures(tokenizer):
    frames = some_frames(tokenizer, steps=3)
    first = 1 + tokenizer.time_stride
    changed = frames.clone()
    changed[:, first:] = 255 - changed[:, first:]
    before, after = tokenizer.encode(frames), tokenizer.encode(changed)
    assert torch.equal(before.tokens[:, :2], after.tokens[:, :2])
    assert not torch.equal(before.tokens[:, 2], after.tokens[:, 2])
    mixed = torch.cat([before.tokens[:, :2], -before.tokens[:, 2:]], dim=1)
    one, other = tokenizer.decode_unit(before), tokenizer.decode_unit(Latents(mixed, before.grid))
    assert torch.equal(one[:, :first], other[:, :first])
    assert not torch.equal(one[:, first:], other[:, first:])


def test_the_first_frame_stands_alone(tokenizer):
    frames = some_frames(tokenizer, steps=2)
    alone, whole = tokenizer.encode(frames[:, :1]), tokenizer.encode(frames)
    assert alone.tokens.shape[1] == 1
    torch.testing.assert_close(alone.tokens, whole.tokens[:, :1], rtol=0, atol=1e-5)
    picture = tokenizer.decode_unit(alone)
    assert picture.shape[1] == 1
    torch.testing.assert_close(
        picture, tokenizer.decode_unit(Latents(whole.tokens[:, :1], whole.grid))
    )


@pytest.mark.parametrize("sizes", [[1, 1, 1, 1, 1], [2, 3], [1, 4], [3, 1, 1], [4, 1]])
def test_streams_equal_whole_clips(tokenizer, sizes):
    frames = some_frames(tokenizer, steps=5)
    whole = tokenizer.encode(frames)
    unit, picture = tokenizer.decode_unit(whole), tokenizer.decode(whole)
    coming = going = going_unit = None
    for steps, span in pieces(tokenizer, sizes):
        coming, latents = tokenizer.encode_step(coming, frames[:, span])
        torch.testing.assert_close(latents.tokens, whole.tokens[:, steps], rtol=0, atol=1e-5)
        part = Latents(whole.tokens[:, steps], whole.grid)
        going_unit, image = tokenizer.decode_step_unit(going_unit, part)
        torch.testing.assert_close(image, unit[:, span], rtol=0, atol=1e-5)
        going, seen = tokenizer.decode_step(going, part)
        assert (seen.int() - picture[:, span].int()).abs().max() <= 1
        assert isinstance(coming, StreamCarry)


def test_an_old_carry_keeps_its_moment(tokenizer):
    frames = some_frames(tokenizer, steps=3)
    opened, _ = tokenizer.encode_step(None, frames[:, :1])
    kept = [part.clone() for part in opened.past]
    rest = frames[:, 1:]
    _, first = tokenizer.encode_step(opened, rest)
    tokenizer.encode_step(opened, 255 - rest)
    _, again = tokenizer.encode_step(opened, rest)
    assert torch.equal(first.tokens, again.tokens)
    assert all(torch.equal(old, new) for old, new in zip(kept, opened.past, strict=True))


def test_loss_is_finite_seeded_and_teaches_every_parameter(tokenizer):
    frames = some_frames(tokenizer, steps=2)
    weight = torch.ones(frames.shape[:4])
    tokenizer.requires_grad_(True)
    try:
        first = tokenizer.loss(frames, weight, torch.Generator().manual_seed(3))
        again = tokenizer.loss(frames, weight, torch.Generator().manual_seed(3))
        assert torch.equal(first["total"], again["total"])
        first["total"].backward()
        untouched = [
            name
            for name, p in tokenizer.named_parameters()
            if p.grad is None or not torch.isfinite(p.grad).all() or not p.grad.any()
        ]
        # pixels never teach a representation, only the decoder that looks at it
        apart = isinstance(tokenizer, (TOKENIZERS["representation"], TOKENIZERS["whole"]))
        assert untouched == [
            name
            for name, _ in tokenizer.named_parameters()
            if apart and not name.startswith("decoder.")
        ]
    finally:
        tokenizer.zero_grad(set_to_none=True)
        tokenizer.requires_grad_(False)


def test_weights_survive_saving_bit_for_bit(tokenizer, tmp_path):
    Artifact(tokenizer.config.to_json(), tokenizer.state_dict()).save(tmp_path)
    stored = Artifact.load(tmp_path)
    other = config_from_json(stored.config).build().eval()
    other.load_state_dict(stored.tensors)
    frames = some_frames(tokenizer, steps=2)
    with torch.no_grad():
        assert torch.equal(other.encode(frames).tokens, tokenizer.encode(frames).tokens)
        latents = tokenizer.encode(frames)
        assert torch.equal(other.decode_unit(latents), tokenizer.decode_unit(latents))


def test_bfloat16_weights_work(tokenizer):
    frames = some_frames(tokenizer, steps=2)
    half = config_from_json(tokenizer.config.to_json()).build()
    half.load_state_dict(tokenizer.state_dict())
    half = half.to(torch.bfloat16)
    with torch.no_grad():
        assert half.encode(frames).tokens.dtype == torch.bfloat16
        latents = tokenizer.encode(frames)
        difference = half.decode_unit(latents).float() - tokenizer.decode_unit(latents)
    assert difference.abs().mean() < 0.05


def test_wrong_sizes_and_lengths_are_refused(tokenizer):
    size, stride = tokenizer.size_px, tokenizer.time_stride
    large = torch.zeros(1, 1, 2 * size, 2 * size, 3, dtype=torch.uint8)
    none = torch.zeros(1, 0, size, size, 3, dtype=torch.uint8)
    right = some_frames(tokenizer, steps=2)
    for call in (tokenizer.encode, tokenizer.measure_latents):
        with pytest.raises(ValueError, match=f"{size}x{size} RGB"):
            call(large)
        with pytest.raises(ValueError, match="at least one"):
            call(none)
        if stride > 1:
            with pytest.raises(ValueError, match=rf"1 \+ k \* {stride} frames"):
                call(right[:, 1:])
    with pytest.raises(ValueError, match="at least one"):
        tokenizer.loss(none, torch.ones(1, 0, size, size), torch.Generator())
    carry, _ = tokenizer.encode_step(None, right)
    if stride > 1:
        with pytest.raises(ValueError, match=f" k .* {stride} frames further on"):
            tokenizer.encode_step(carry, right)
    latents = tokenizer.encode(right)
    with pytest.raises(ValueError, match=f"{tokenizer.grid[0]}x{tokenizer.grid[1]} tokens of"):
        tokenizer.decode(Latents(latents.tokens[..., :1], latents.grid))
    with pytest.raises(ValueError, match="one or more steps"):
        tokenizer.decode(Latents(latents.tokens[:, :0], latents.grid))


@pytest.mark.parametrize("name", [n for n, c in CASES.items() if getattr(c, "levels", ())])
def test_codes_are_another_spelling_of_tokens(name):
    config = CASES[name]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        tokenizer = config.build().eval()
    latents = tokenizer.encode(some_frames(tokenizer, steps=2))
    codes = tokenizer.codes(latents)
    assert codes.shape == latents.tokens.shape[:3]
    assert 0 <= codes.min() <= codes.max() < tokenizer.quantiser.num_codes
    torch.testing.assert_close(tokenizer.from_codes(codes).tokens, latents.tokens)
    with pytest.raises(ValueError, match=f"{tokenizer.quantiser.num_codes - 1}"):
        tokenizer.from_codes(codes + tokenizer.quantiser.num_codes)
