import math

import pytest
import torch

from worldline.nn import FSQ


def bins(level: int, z: torch.Tensor) -> torch.Tensor:
    quantiser = FSQ((level,))
    return quantiser.digits(quantiser(z[:, None]))[:, 0]


def test_odd_levels_are_symmetric_and_round_the_scaled_tanh():
    quantiser = FSQ((5,))
    z = torch.tensor([[-9.0], [-0.9], [-0.2], [0.0], [0.2], [0.9], [9.0]])
    # 1.998 tanh(0.2) = 0.394 -> 0; 1.998 tanh(0.9) = 1.431 -> 1, of 2 steps to the edge
    expected = torch.tensor([-1.0, -0.5, 0.0, 0.0, 0.0, 0.5, 1.0])
    assert torch.equal(quantiser(z)[:, 0], expected)


def test_even_levels_have_zero_as_a_value_and_one_more_below_it():
    quantiser = FSQ((4,))
    assert quantiser(torch.zeros(1, 1)).item() == 0
    reached = quantiser(torch.linspace(-9, 9, 1001)[:, None]).unique()
    assert reached.tolist() == [-1.0, -0.5, 0.0, 0.5]


@pytest.mark.parametrize("level", [3, 4, 5, 8, 9, 16, 255, 256])
def test_borders_lie_where_the_bound_is_half_way(level):
    half, offset = (level - 1) * 0.999 / 2, 0.5 * (level % 2 == 0)
    shift = math.atanh(offset / half)
    for k in range(-(level // 2), (level - 1) // 2):
        border = math.atanh((k + 0.5 + offset) / half) - shift
        below, above = bins(level, torch.tensor([border - 2e-4, border + 2e-4]).double())
        assert (below, above) == (k + level // 2, k + 1 + level // 2)


def test_two_levels_are_the_sign():
    assert bins(2, torch.tensor([-3.0, -0.01, 0.01, 3.0])).tolist() == [0, 0, 1, 1]


def test_every_code_survives_digits_values_and_index():
    quantiser = FSQ((4, 3, 2, 5))
    assert quantiser.num_codes == 120
    index = torch.arange(120).reshape(6, 20)
    digits = quantiser.from_index(index)
    assert digits.shape == (6, 20, 4)
    assert (digits.amin(dim=(0, 1)) == 0).all()
    assert digits.amax(dim=(0, 1)).tolist() == [3, 2, 1, 4]
    assert torch.equal(quantiser.index(digits), index)
    values = quantiser.values(digits)
    assert values.abs().max() == 1
    assert torch.equal(quantiser.digits(values), digits)
    assert torch.equal(quantiser.digits(values.bfloat16()), digits)


def test_first_channel_runs_fastest():
    quantiser = FSQ((8, 5))
    assert quantiser.index(torch.tensor([3, 2])) == 3 + 8 * 2
    assert quantiser.from_index(torch.tensor(9)).tolist() == [1, 1]


def test_gradient_is_that_of_the_bound():
    quantiser = FSQ((8, 5))
    z = torch.tensor([[0.3, -0.7]], requires_grad=True)
    quantiser(z).sum().backward()
    even, odd = 7 * 0.999 / 2, 4 * 0.999 / 2
    first = even * (1 - math.tanh(0.3 + math.atanh(0.5 / even)) ** 2) / 4
    second = odd * (1 - math.tanh(-0.7) ** 2) / 2
    assert z.grad is not None
    torch.testing.assert_close(z.grad, torch.tensor([[first, second]]))


@pytest.mark.parametrize("level", [2, 3, 6, 7, 8, 200, 255, 256])
def test_bfloat16_falls_into_the_bins_of_the_same_numbers(level):
    z = torch.randn(2000, 1, generator=torch.Generator().manual_seed(0)).bfloat16()
    quantiser = FSQ((level,)).bfloat16()
    values = quantiser(z)
    assert values.dtype == torch.bfloat16
    assert torch.equal(quantiser.digits(values), quantiser.digits(quantiser(z.float())))


def test_nothing_is_stored_or_learned():
    quantiser = FSQ((8, 8, 5))
    assert not quantiser.state_dict()
    assert not list(quantiser.parameters())


def test_impossible_levels_and_codes_are_refused():
    for levels in [(), (8, 1), (300,)]:
        with pytest.raises(ValueError, match="2 to 256"):
            FSQ(levels)
    with pytest.raises(ValueError, match="64-bit"):
        FSQ((256,) * 8)
    with pytest.raises(ValueError, match=r"0 \.\. 39"):
        FSQ((8, 5)).from_index(torch.tensor([40]))
