import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from worldline.nn import CausalMix


def shaken(reach: int = 3) -> CausalMix:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        mix = CausalMix(4, reach)
        torch.nn.init.normal_(mix.second.weight)
    return mix.requires_grad_(False)


def steps(num: int) -> torch.Tensor:
    return torch.randn(2, num, 4, 3, 5, generator=torch.Generator().manual_seed(1))


def test_starts_as_identity():
    x = steps(3)
    assert torch.equal(CausalMix(4)(x, None)[0], x)


@pytest.mark.parametrize("reach", [2, 3, 4])
def test_equals_a_causal_convolution_over_time(reach):
    mix, x = shaken(reach), steps(6)
    lines = F.silu(x).permute(0, 3, 4, 2, 1).reshape(2 * 15, 4, 6)
    # Channels of `gather` are ordered by step, the oldest first, as a kernel's taps are.
    kernel = mix.gather.weight[..., 0, 0].unflatten(1, (reach, 4)).transpose(1, 2)
    gathered = F.conv1d(F.pad(lines, (reach - 1, 0)), kernel, mix.gather.bias)
    mixed = F.conv1d(F.silu(gathered), mix.second.weight[..., 0], mix.second.bias)
    expected = x + mixed.reshape(2, 3, 5, 4, 6).permute(0, 4, 3, 1, 2)
    torch.testing.assert_close(mix(x, None)[0], expected)


def test_pieces_equal_the_whole():
    mix, x = shaken(), steps(6)
    whole, _ = mix(x, None)
    past, parts = None, []
    for piece in (x[:, :1], x[:, 1:2], x[:, 2:5], x[:, 5:]):
        part, past = mix(piece, past)
        assert past.shape == (2, 2, 4, 3, 5)
        parts.append(part)
    torch.testing.assert_close(torch.cat(parts, dim=1), whole)


def test_sees_its_reach_and_no_further():
    mix, x = shaken(), steps(6)
    changed = x.clone()
    changed[:, 2] += 1
    touched = (mix(changed, None)[0] - mix(x, None)[0]).abs().amax(dim=(0, 2, 3, 4))
    assert (touched > 1e-3).tolist() == [False, False, True, True, True, False]


def test_too_short_a_reach_is_refused():
    with pytest.raises(ValueError, match="at least 2"):
        CausalMix(4, 1)
