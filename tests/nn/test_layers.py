import torch

from worldline.nn import Average, ConvBlock, FeedForward, embed_level, pack, unpack


def test_pack_and_unpack_are_inverse_and_keep_squares_together():
    x = torch.arange(2 * 3 * 4 * 6, dtype=torch.float32).reshape(2, 3, 4, 6)
    packed = pack(x, 2)
    assert packed.shape == (2, 12, 2, 3)
    assert sorted(packed[0, :, 0, 0].tolist()) == sorted(x[0, :, :2, :2].flatten().tolist())
    assert torch.equal(unpack(packed, 2), x)


def test_blocks_start_as_identity_and_zero():
    x = torch.randn(1, 4, 5, 5, generator=torch.Generator().manual_seed(0))
    assert torch.equal(ConvBlock(4)(x), x)
    assert FeedForward(8)(torch.ones(2, 8)).abs().max() == 0


def test_squared_relu_has_the_gradient_that_pytorch_finds():
    generator = torch.Generator().manual_seed(0)
    layer = FeedForward(8)
    torch.nn.init.normal_(layer.down.weight, generator=generator)
    x = torch.randn(5, 8, generator=generator, requires_grad=True)
    out = layer(x)
    hidden = torch.relu(layer.up(x))
    plain = layer.down(hidden * hidden)
    assert torch.equal(out, plain)
    inputs = (x, *layer.parameters())
    for own, other in zip(
        torch.autograd.grad(out.sin().sum(), inputs),
        torch.autograd.grad(plain.sin().sum(), inputs),
        strict=True,
    ):
        assert torch.equal(own, other)
    with torch.no_grad():
        assert torch.equal(layer(x), plain)


def test_levels_are_told_apart():
    features = embed_level(torch.linspace(0, 1, 11), 32)
    distance = torch.cdist(features, features) + 10 * torch.eye(11)
    assert features.shape == (11, 32)
    assert distance.min() > 0.3


def test_average_follows_its_formula():
    layer = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.zeros_(layer.weight)
    average = Average(layer, decay=0.5)
    torch.nn.init.ones_(layer.weight)
    average.update(layer, step=0)  # decay (1 + 0) / (10 + 0) = 0.1
    assert abs(average.tensors["weight"].item() - 0.9) < 1e-6
    average.update(layer, step=1000)  # decay 0.5
    assert abs(average.tensors["weight"].item() - 0.95) < 1e-6
