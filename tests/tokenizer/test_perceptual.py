import torch
import torch.nn.functional as F  # noqa: N812

from worldline.tokenizer.perceptual import RandomFeatures


def textured(seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(2, 3, 8, 8, generator=generator) * 2 - 1
    fine = torch.randn(2, 3, 32, 32, generator=generator) * 0.2
    return (F.interpolate(coarse, 32, mode="bilinear") + fine).clamp(-1, 1)


ONES = torch.ones(2, 32, 32)


def test_equal_pictures_are_at_distance_zero_and_others_are_not():
    features, x = RandomFeatures(), textured()
    assert features(x, x, ONES) == 0
    assert features(x, textured(1), ONES) > 0.1
    assert features(x, textured(1), ONES) == features(textured(1), x, ONES)


def test_distance_is_its_formula():
    features, x, y = RandomFeatures(), textured(), textured(1)
    kernels = list(features.buffers())
    assert abs(kernels[1].std() - (2 / (16 * 16)) ** 0.5) < 0.005  # He et al.: 2 / fan-in
    expected = 0.0
    for kernel in kernels:
        one = F.relu(F.conv2d(x, kernel, stride=2, padding=1))
        other = F.relu(F.conv2d(y, kernel, stride=2, padding=1))
        x, y = one, other
        one = one / (one.square().sum(1, keepdim=True) + 1e-3).sqrt()
        other = other / (other.square().sum(1, keepdim=True) + 1e-3).sqrt()
        expected = expected + (one - other).square().sum(1).mean() / 3
    torch.testing.assert_close(features(textured(), textured(1), ONES), expected)


def test_blur_costs_more_than_a_change_of_brightness_of_equal_error():
    """What the term is for: the pixelwise error of both is the same."""
    features, x = RandomFeatures(), 0.6 * textured()
    blurred = F.avg_pool2d(F.pad(x, (2, 2, 2, 2), mode="replicate"), 5, 1)
    brighter = x + (blurred - x).square().mean().sqrt()
    torch.testing.assert_close((brighter - x).square().mean(), (blurred - x).square().mean())
    assert features(blurred, x, ONES) > 1.5 * features(brighter, x, ONES)


def test_weight_counts_where_it_lies():
    features, x = RandomFeatures(), textured()
    changed = x.clone()
    changed[..., :16] = textured(1)[..., :16]
    left, right = ONES.clone(), ONES.clone()
    left[..., 16:], right[..., :24] = 0, 0
    assert features(changed, x, right) < 0.05 * features(changed, x, left)
    torch.testing.assert_close(features(changed, x, 3 * ONES), 3 * features(changed, x, ONES))


def test_the_same_features_everywhere_and_none_stored():
    one, other = RandomFeatures(), RandomFeatures()
    assert all(torch.equal(a, b) for a, b in zip(one.buffers(), other.buffers(), strict=True))
    assert not one.state_dict()
    assert not list(one.parameters())
    half = RandomFeatures().bfloat16()(textured().bfloat16(), textured(1).bfloat16(), ONES)
    torch.testing.assert_close(half, one(textured(), textured(1), ONES), rtol=0.02, atol=0)
