import torch

from worldline.tokenizer import DiscreteTokenizer


def build() -> DiscreteTokenizer:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = DiscreteTokenizer.Config(
            size_px=16, levels=(8, 5), fine_width=8, coarse_width=16, fine_depth=1
        )
        return config.build().eval()


def clip(num: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randint(0, 256, (2, num, 16, 16, 3), generator=generator).to(torch.uint8)


def test_tokens_are_values_of_the_levels():
    tokens = build().encode(clip(3)).tokens
    eighth, fifth = tokens[..., 0] * 4, tokens[..., 1] * 2
    assert torch.equal(eighth, eighth.round())
    assert torch.equal(fifth, fifth.round())
    assert tokens.abs().max() <= 1


def test_default_levels_make_sixty_four_thousand_codes():
    assert DiscreteTokenizer.Config().build().quantiser.num_codes == 64_000


def test_pictures_come_from_codes_alone():
    tokenizer = build()
    latents = tokenizer.encode(clip(2))
    again = tokenizer.from_codes(tokenizer.codes(latents))
    assert torch.equal(tokenizer.decode(again), tokenizer.decode(latents))


def test_state_is_that_of_the_continuous_tokenizer_without_normalisation():
    names = {name.split(".")[0] for name in build().state_dict()}
    assert names == {
        "enter",
        "encode_fine",
        "narrow",
        "encode_coarse",
        "to_latent",
        "from_latent",
        "decode_coarse",
        "widen",
        "decode_fine",
        "leave",
    }


def test_the_encoder_learns_through_the_rounding():
    tokenizer = build().train()
    frames, weight = clip(1), torch.ones(2, 1, 16, 16)
    losses = tokenizer.loss(frames, weight, torch.Generator())
    losses["total"].backward()
    assert tokenizer.enter.weight.grad is not None
    assert tokenizer.enter.weight.grad.abs().max() > 0
