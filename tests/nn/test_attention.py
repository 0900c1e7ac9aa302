import torch

from worldline.nn import KeyValue, SpatialAttention, TemporalAttention, rotate
from worldline.nn.attention import attend


def test_attend_equals_the_fused_kernel():
    generator = torch.Generator().manual_seed(0)
    q, k, v = (torch.randn(3, 2, 7, 8, generator=generator) for _ in range(3))
    allowed = torch.ones(7, 7).tril().bool()
    fused = torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=allowed)
    torch.testing.assert_close(attend(q, k, v, allowed), fused)


def test_attention_in_training_is_the_same_with_its_gradients():
    generator = torch.Generator().manual_seed(0)
    given = [torch.randn(3, 2, 7, 8, generator=generator) for _ in range(3)]
    allowed = torch.ones(7, 7).tril().bool()
    q, k, v = (x.clone().requires_grad_() for x in given)
    q2, k2, v2 = (x.double().requires_grad_() for x in given)  # written out in this number type
    out, plain = attend(q, k, v, allowed), attend(q2, k2, v2, allowed)
    torch.testing.assert_close(out.double(), plain, atol=1e-6, rtol=1e-5)
    own = torch.autograd.grad(out.sin().sum(), (q, k, v))
    other = torch.autograd.grad(plain.sin().sum(), (q2, k2, v2))
    for mine, theirs in zip(own, other, strict=True):
        torch.testing.assert_close(mine.double(), theirs, atol=1e-5, rtol=1e-4)


def test_rotation_depends_on_differences_alone():
    generator = torch.Generator().manual_seed(0)
    q, k = (torch.randn(1, 4, 16, generator=generator) for _ in range(2))
    at = torch.arange(4)
    near = rotate(q, at) @ rotate(k, at).transpose(-1, -2)
    far = rotate(q, at + 11) @ rotate(k, at + 11).transpose(-1, -2)
    torch.testing.assert_close(near, far, atol=1e-4, rtol=1e-4)


def test_rotation_keeps_lengths():
    x = torch.randn(2, 5, 8, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(rotate(x, torch.arange(5)).norm(dim=-1), x.norm(dim=-1))


def temporal(window: int) -> TemporalAttention:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        layer = TemporalAttention(16, 2, window)
        torch.nn.init.normal_(layer.project.out.weight)
    return layer


def test_future_frames_change_nothing_before_them():
    layer = temporal(8)
    x = torch.randn(2, 6, 3, 16, generator=torch.Generator().manual_seed(2))
    changed = x.clone()
    changed[:, 4:] += 1.0
    before, after = layer(x)[0], layer(changed)[0]
    torch.testing.assert_close(before[:, :4], after[:, :4])
    assert not torch.allclose(before[:, 4:], after[:, 4:])


def test_window_forgets_what_is_older():
    layer = temporal(3)
    x = torch.randn(1, 8, 1, 16, generator=torch.Generator().manual_seed(3))
    changed = x.clone()
    changed[:, 2] += 1.0
    out, other = layer(x)[0], layer(changed)[0]
    torch.testing.assert_close(out[:, 5:], other[:, 5:])
    assert not torch.allclose(out[:, 4], other[:, 4])


def test_steps_with_cache_equal_one_parallel_pass():
    layer = temporal(4)
    x = torch.randn(2, 9, 3, 16, generator=torch.Generator().manual_seed(4))
    whole, _ = layer(x)
    _, cache = layer(x[:, :1])
    for t in range(1, 9):
        step, fresh = layer(x[:, t : t + 1], start=t, past=cache)
        torch.testing.assert_close(step[:, 0], whole[:, t], atol=1e-5, rtol=1e-4)
        cache = cache.append(fresh, 3)
        assert cache.key.shape[2] == min(t + 1, 3)


def test_appending_keeps_the_newest():
    old = KeyValue(torch.zeros(1, 1, 2, 4), torch.zeros(1, 1, 2, 4))
    new = KeyValue(torch.ones(1, 1, 1, 4), torch.ones(1, 1, 1, 4))
    joined = old.append(new, 2)
    assert joined.key[0, 0, :, 0].tolist() == [0.0, 1.0]


def test_a_sink_stays_as_if_it_were_just_before_the_window():
    """Steps with a sliding cache equal one pass over the first frames and the newest alone."""
    layer = temporal(6)
    x = torch.randn(2, 14, 3, 16, generator=torch.Generator().manual_seed(6))
    _, cache = layer(x[:, :1])
    for t in range(1, 14):
        step, fresh = layer(x[:, t : t + 1], start=t, past=cache)
        kept = x[:, : t + 1] if t < 6 else torch.cat([x[:, :2], x[:, t - 3 : t + 1]], dim=1)
        whole, _ = layer(kept)
        torch.testing.assert_close(step[:, 0], whole[:, -1], atol=1e-5, rtol=1e-4)
        cache = cache.append(fresh, 5, sink=2)
        assert cache.key.shape[2] == min(t + 1, 5)


def test_spatial_attention_stays_within_a_frame():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        layer = SpatialAttention(16, 4)
        torch.nn.init.normal_(layer.project.out.weight)
    x = torch.randn(1, 3, 5, 16, generator=torch.Generator().manual_seed(5))
    changed = x.clone()
    changed[:, 1, 2] += 1.0
    out, other = layer(x), layer(changed)
    torch.testing.assert_close(out[:, [0, 2]], other[:, [0, 2]])
    assert not torch.allclose(out[:, 1], other[:, 1])
