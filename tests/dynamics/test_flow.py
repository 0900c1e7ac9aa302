import copy
import dataclasses

import pytest
import torch

from worldline.core.latents import Controls, Latents
from worldline.dynamics import FlowDynamics
from worldline.dynamics.controls import ControlEncoder
from worldline.dynamics.levels import shortcut_target
from worldline.nn import shrink

NANO = FlowDynamics.Config(
    channels=4,
    rows=4,
    stem_width=16,
    width=32,
    depth=6,
    heads=2,
    window=6,
    controls=ControlEncoder.Config(action_size=2),
)


@pytest.fixture(scope="module")
def dynamics() -> FlowDynamics:
    """A model whose zero-initialised outputs were shaken, so that everything has an effect."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = NANO.build().eval()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(0.05 * torch.randn_like(parameter))
    return model


def latents(num_frames: int, batch: int = 2) -> Latents:
    generator = torch.Generator().manual_seed(3)
    return Latents(torch.randn(batch, num_frames, 16, 4, generator=generator), (4, 4))


def actions(num_frames: int, batch: int = 2) -> Controls:
    generator = torch.Generator().manual_seed(4)
    return Controls(torch.randn(batch, num_frames, 2, generator=generator))


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_untrained_model_copies_the_last_frame():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        fresh = NANO.build()
    context = latents(3)
    carry = fresh.init(context, Controls(), seeded())
    _, frame = fresh.step(carry, Controls())
    torch.testing.assert_close(frame.tokens, context.tokens[:, -1:])


def predict(dynamics, noised, seen, level, controls):
    return dynamics.clean(dynamics._inputs(noised, seen), controls, level=level, step=None)


def test_steps_with_cache_equal_one_parallel_pass(dynamics):
    x = latents(12).tokens
    level = torch.full((2, 12), 0.5)
    noised = dynamics._corrupt(x, level, seeded(5))
    given = actions(12)
    whole, _ = predict(dynamics, noised, x, level, given)
    _, cache = predict(dynamics, noised[:, :4], x[:, :4], level[:, :4], given.frames(0, 4))
    carry = dynamics.init(Latents(x[:, :4], (4, 4)), given.frames(0, 4), seeded())
    carry = copy.copy(carry)
    object.__setattr__(carry, "cache", cache)
    for t in range(4, 12):
        control = given.frames(t, t + 1)
        clean, fresh = dynamics._advance(carry, noised[:, t : t + 1], 0.5, control)
        torch.testing.assert_close(clean[:, 0], whole[:, t], atol=2e-5, rtol=1e-4)
        carry = dynamics._commit(carry, x[:, t : t + 1], fresh, seeded())


@pytest.mark.parametrize("changed", ["frame", "action"])
def test_the_future_cannot_change_the_past(dynamics, changed):
    x, given = latents(8).tokens, actions(8).actions
    level = torch.full((2, 8), 0.3)
    noised = dynamics._corrupt(x, level, seeded(6))
    before, _ = predict(dynamics, noised, x, level, Controls(given))
    x2, given2 = x.clone(), given.clone()
    if changed == "frame":
        x2[:, 5:] += 1.0
    else:
        given2[:, 5:] += 1.0
    noised2 = dynamics._corrupt(x2, level, seeded(6))
    after, _ = predict(dynamics, noised2, x2, level, Controls(given2))
    torch.testing.assert_close(before[:, :5], after[:, :5])
    assert not torch.allclose(before[:, 5:], after[:, 5:], atol=1e-3)


def test_a_kept_carry_repeats_its_future(dynamics):
    carry = dynamics.init(latents(4), Controls(), seeded(7))
    first, a = dynamics.step(carry, Controls())
    dynamics.step(first, Controls())
    _, b = dynamics.step(carry, Controls())
    assert torch.equal(a.tokens, b.tokens)
    other = dynamics.init(latents(4), Controls(), seeded(8))
    assert not torch.equal(dynamics.step(other, Controls())[1].tokens, a.tokens)


def test_cache_stays_within_the_window(dynamics):
    carry = dynamics.init(latents(9), Controls(), seeded())
    for _ in range(4):
        carry, _ = dynamics.step(carry, Controls())
        assert all(kv.key.shape[2] == NANO.window - 1 for kv in carry.cache)
    assert carry.num_frames == 13


def test_surprise_sees_nothing_later_and_grows_with_the_deviation(dynamics):
    context, after = latents(6), latents(7)
    carry = dynamics.init(context, Controls(), seeded())
    expected = dynamics.surprise(carry, Latents(after.tokens[:, 6:], (4, 4)), Controls())
    far = dynamics.surprise(carry, Latents(after.tokens[:, 6:] + 3.0, (4, 4)), Controls())
    assert (far > expected).all()
    series = dynamics.surprises(after, Controls(), seeded(1))
    spoiled = after.tokens.clone()
    spoiled[:, 5:] += 2.0
    other = dynamics.surprises(Latents(spoiled, (4, 4)), Controls(), seeded(1))
    torch.testing.assert_close(series[:, :5], other[:, :5])
    assert (other[:, 5] > series[:, 5]).all()


def test_loss_of_copying_is_the_weighted_change():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        fresh = FlowDynamics.Config(
            channels=4, rows=4, stem_width=8, width=16, depth=3, heads=1,
            context_noise=0.0, unrolled_share=0.0,
        ).build()  # fmt: skip
    with torch.no_grad():
        losses = fresh.loss(latents(5), Controls(), seeded())
    assert abs(float(losses["total"]) - 1.0) < 1e-5
    assert abs(float(losses["error_over_copying"]) - 1.0) < 1e-5


def test_small_changes_are_shrunk_to_nothing_and_large_ones_kept():
    change = torch.tensor([[0.2, -0.2], [3.0, 4.0]])
    out = shrink(change, 0.3)
    assert out[0].abs().max() == 0
    torch.testing.assert_close(out[1], change[1] * (1 - 0.09 / 12.5))
    assert torch.equal(shrink(change, 0.0), change)


def test_weak_changes_are_kept_beside_strong_ones_alone():
    change = torch.full((2, 1, 25, 3), 0.2)
    change[0, 0, 12] = 1.0  # the middle of a grid of 5x5 cells
    out = shrink(change, 0.1, 0.6)
    kept = out[0, 0].any(dim=-1).view(5, 5)
    assert kept[1:4, 1:4].all()
    assert kept.sum() == 9
    assert not out[1].any()
    assert torch.equal(out[0, 0, 6], shrink(change, 0.1)[0, 0, 6])
    dynamics = FlowDynamics.Config(channels=4, rows=4, stem_width=8, width=16, depth=3, heads=1)
    still = dynamics.build().sampled(onset=0.6)
    assert still.config.onset == 0.6


def test_the_finest_shortcut_steps_learn_from_data_and_coarser_ones_from_two_halves():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = FlowDynamics.Config(
            channels=4, rows=4, stem_width=8, width=16, depth=3, heads=1, shortcut_doublings=2
        )
        model = config.build()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(0.05 * torch.randn_like(parameter))
    x = latents(4).tokens
    noised = torch.randn(x.shape, generator=seeded(1))
    level = torch.zeros(2, 4)
    step = torch.tensor([[0.25], [1.0]]).expand(-1, 4)

    def expect(at, tau, size):
        return model.clean(model._inputs(at, x), Controls(), level=tau, step=size)[0]

    aim = shortcut_target(expect, x, noised, level, step, finest=0.25)
    torch.testing.assert_close(aim[0], x[0])
    half = torch.full((1, 4), 0.5)

    def clean(at, tau):
        return model.clean(model._inputs(at, x[1:]), Controls(), level=tau, step=half)[0]

    first = clean(noised[1:], torch.zeros(1, 4))
    middle = noised[1:] + 0.5 * (first - noised[1:])
    # two halves: the second starts half way and goes the rest of the way to what it expects
    torch.testing.assert_close(aim[1:], clean(middle, half), atol=1e-5, rtol=1e-5)
    assert model.sampled(num_steps=4).config.num_steps == 4
    assert model.sampled(num_steps=4).network is model.network
    losses = model.loss(latents(4), Controls(), seeded())
    losses["total"].backward()
    assert torch.isfinite(losses["total"])


def test_guidance_exaggerates_what_the_action_does(dynamics):
    context, given = latents(4), actions(5)

    def shift(guidance):
        twin = copy.copy(dynamics)
        twin.config = dataclasses.replace(dynamics.config, guidance=guidance, shrinkage=0.0)
        carry = twin.init(context, given.frames(0, 4), seeded(2))
        return twin.step(carry, given.frames(4, 5))[1].tokens

    def unasked():
        carry = dynamics.init(context, Controls(), seeded(2))
        twin = copy.copy(dynamics)
        twin.config = dataclasses.replace(dynamics.config, shrinkage=0.0)
        return twin.step(carry, Controls())[1].tokens

    plain, strong = shift(1.0), shift(3.0)
    torch.testing.assert_close(strong - unasked(), 3 * (plain - unasked()), atol=2e-4, rtol=1e-3)


def test_guidance_needs_something_to_be_guided_by():
    with pytest.raises(ValueError, match="controls"):
        FlowDynamics.Config(guidance=2.0).build()


def test_a_sink_keeps_the_first_frames_in_mind(dynamics):
    """One block over time: after fifteen frames a step still tells another first frame."""
    shallow = dataclasses.replace(NANO, depth=3, sink=2)

    def after(config, shift):
        with torch.random.fork_rng():
            torch.manual_seed(0)
            model = config.build().eval()
            for parameter in model.parameters():
                parameter.data.add_(0.1 * torch.randn_like(parameter))
        clip = latents(15).tokens.clone()
        clip[:, 0] += shift
        carry = model.init(Latents(clip[:, :9], (4, 4)), actions(9), seeded())
        for t in range(9, 15):
            carry = model.observe(carry, Latents(clip[:, t : t + 1], (4, 4)), Controls())
        assert all(kv.key.shape[2] == 5 for kv in carry.cache)
        return model.step(carry, Controls())[1].tokens

    assert not torch.allclose(after(shallow, 0.0), after(shallow, 1.0))
    plain = dataclasses.replace(shallow, sink=0)
    torch.testing.assert_close(after(plain, 0.0), after(plain, 1.0))
    with pytest.raises(ValueError, match="sink is 5, must leave room in the window of 6"):
        dataclasses.replace(NANO, sink=5)


def test_a_past_that_is_given_is_gone_on_from(dynamics):
    """What is wanted is the truth; a past that is wrong costs, and is what is seen."""
    clip, controls = latents(6), actions(6)
    found = dynamics.forced_loss(clip, clip.tokens, controls, seeded())
    assert set(found) == {"total", "error", "error_over_copying"}
    wrong = clip.tokens.clone()
    wrong[:, 3] += 1.0
    other = dynamics.forced_loss(clip, wrong, controls, seeded())
    assert other["error"] > found["error"]
    last = clip.tokens.clone()
    last[:, -1] += 1.0  # nothing follows it
    again = dynamics.forced_loss(clip, last, controls, seeded())
    torch.testing.assert_close(again["error"], found["error"])
