"""What holds for every family of dynamics: learning, rollouts, causality, controls, saving."""

import pytest
import torch

from worldline.core.artifact import Artifact
from worldline.core.config import config_from_json
from worldline.core.latents import Controls, Latents
from worldline.dynamics import DYNAMICS, ControlEncoder, Dynamics, MaskedParallel, NextToken
from worldline.nn import FSQ

SHAPE = {"rows": 4, "stem_width": 8, "width": 16, "depth": 3, "heads": 2, "window": 6}
LEVELS = (5, 3, 3)
CONTROLS = ControlEncoder.Config(
    action_size=2, num_embodiments=2, rays=True, map_size=3, state_size=2, text_size=5, dropout=0.5
)
NAMED = ControlEncoder.Config.of(
    map_names=("depth", "segmentation"), state_names=("a", "b"), dropout=0.2, map_dropout=0.3
)
FLOW, JEPA = DYNAMICS["flow"].Config, DYNAMICS["jepa"].Config
TOKENS = DYNAMICS["autoregressive"].Config
CASES = {
    "flow": FLOW(**SHAPE, channels=3),
    "flow-shortcut": FLOW(**SHAPE, channels=3, shortcut_doublings=2, num_steps=2),
    "flow-guided": FLOW(**SHAPE, channels=3, controls=CONTROLS, guidance=2.0),
    "flow-sink": FLOW(**SHAPE | {"window": 4}, channels=3, sink=1),
    "flow-named": FLOW(**SHAPE, channels=3, controls=NAMED),
    "masked": TOKENS(**SHAPE, levels=LEVELS, decoder=MaskedParallel.Config(num_steps=3)),
    "next-token": TOKENS(**SHAPE, levels=LEVELS, controls=CONTROLS, decoder=NextToken.Config()),
    "jepa": JEPA(**SHAPE, channels=3),
    "jepa-controlled": JEPA(**SHAPE, channels=3, controls=CONTROLS, rollout_steps=3),
}
CONTROLLED = ["flow-guided", "next-token", "jepa-controlled"]


def shaken(config) -> Dynamics:
    """Weights are shaken, because many layers start at zero and would hide mistakes."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = config.build().eval()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(0.1 * torch.randn_like(parameter))
    return model


@pytest.fixture(params=CASES, scope="module")
def dynamics(request) -> Dynamics:
    return shaken(CASES[request.param])


@pytest.fixture(params=CONTROLLED, scope="module")
def controlled(request) -> Dynamics:
    return shaken(CASES[request.param])


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def latents(num_frames: int, batch: int = 4) -> Latents:
    """Values that are codes too, so that every family can take them."""
    z = torch.randn(batch, num_frames, 16, 3, generator=seeded(3))
    return Latents(FSQ(LEVELS)(z), (4, 4))


def given(model: Dynamics, num_frames: int, batch: int = 4) -> Controls:
    if not model.config.controls.any:
        return Controls()

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=seeded(4))

    takes = model.config.controls
    if takes.map_names:
        known = {"maps": draw(batch, num_frames, 2) > -1, "state": draw(batch, num_frames, 2) > -1}
        maps, state = draw(batch, num_frames, 16, takes.map_size), draw(batch, num_frames, 2)
        return Controls(maps=maps, state=state, known=known)
    return Controls(
        actions=draw(batch, num_frames, 2),
        embodiment=torch.arange(batch) % 2,
        rays=draw(batch, num_frames, 16, 6),
        maps=draw(batch, num_frames, 16, 3),
        state=draw(batch, num_frames, 2),
        text=draw(batch, 5),
    )


def test_every_family_has_a_case():
    assert {type(config.build()) for config in CASES.values()} == set(DYNAMICS.values())
    for name, kind in DYNAMICS.items():
        assert kind.Config.type_name == f"dynamics/{name}"


def test_rollouts_are_seeded_and_longer_ones_begin_alike(dynamics):
    context, controls = latents(4), given(dynamics, 9)

    def roll(seed, horizon=3):
        return dynamics.rollout(context, controls, seeded(seed), horizon=horizon).tokens

    first = roll(1)
    assert first.shape == (4, 3, 16, 3)
    assert torch.isfinite(first).all()
    assert torch.equal(first, roll(1))
    assert torch.equal(roll(1, horizon=5)[:, :3], first)
    assert torch.equal(first, roll(2)) != dynamics.is_random


def test_a_kept_carry_repeats_its_future(dynamics):
    controls = given(dynamics, 8)
    carry = dynamics.init(latents(4), controls.frames(0, 4), seeded(7))
    now, after = controls.frames(4, 5), controls.frames(5, 6)
    first, a = dynamics.step(carry, now)
    _, b = dynamics.step(first, after)
    twin, a_again = dynamics.step(carry, now)
    _, b_again = dynamics.step(twin, after)
    assert torch.equal(a.tokens, a_again.tokens)
    assert torch.equal(b.tokens, b_again.tokens)


def test_frame_by_frame_equals_all_at_once(dynamics):
    """A carry that saw the context in one pass expects what one that saw it piece by piece does."""
    whole, controls = latents(6), given(dynamics, 6)
    frames = [Latents(whole.tokens[:, t : t + 1], whole.grid) for t in range(6)]
    start = Latents(whole.tokens[:, :5], whole.grid)
    last = controls.frames(5, 6)
    at_once = dynamics.init(start, controls.frames(0, 5), seeded(1))
    one_by_one = dynamics.init(frames[0], controls.frames(0, 1), seeded(1))
    for t in range(1, 5):
        one_by_one = dynamics.observe(one_by_one, frames[t], controls.frames(t, t + 1))
    expected = dynamics.surprise(at_once, frames[5], last)
    found = dynamics.surprise(one_by_one, frames[5], last)
    # the flow keeps noised frames in its cache, with other noise in either way of looking
    rtol = 0.5 if isinstance(dynamics, DYNAMICS["flow"]) else 1e-4
    torch.testing.assert_close(found, expected, rtol=rtol, atol=1e-4)


def test_nothing_later_changes_what_was_expected(dynamics):
    clip, controls = latents(7), given(dynamics, 7)
    series = dynamics.surprises(clip, controls, seeded(1))
    spoiled = clip.tokens.clone()
    spoiled[:, 5:] = -spoiled[:, 5:]
    other = dynamics.surprises(Latents(spoiled, clip.grid), controls, seeded(1))
    torch.testing.assert_close(series[:, :5], other[:, :5])
    assert not torch.allclose(series[:, 5], other[:, 5])


def test_loss_is_finite_seeded_and_teaches_every_parameter(dynamics):
    clip, controls = latents(6, batch=8), given(dynamics, 6, batch=8)
    first = dynamics.loss(clip, controls, seeded(3))["total"]
    again = dynamics.loss(clip, controls, seeded(3))["total"]
    assert torch.equal(first, again)
    first.backward()
    untouched = [
        name
        for name, p in dynamics.named_parameters()
        if p.grad is None or not torch.isfinite(p.grad).all() or not p.grad.any()
    ]
    dynamics.zero_grad()
    assert untouched == []


@pytest.mark.parametrize("name", ["actions", "embodiment", "rays", "maps", "state", "text"])
def test_every_control_has_an_effect_and_none_on_the_past(controlled, name):
    clip, controls = latents(6), given(controlled, 6)
    before = controlled.surprises(clip, controls, seeded(1))
    value = getattr(controls, name).clone()
    timeless = name in ("embodiment", "text")
    if name == "embodiment":
        value = 1 - value
    elif timeless:
        value += 1
    else:
        value[:, 4:] += 1
    parts = {k: getattr(controls, k) for k in ("actions", "embodiment", "rays", "maps")}
    parts |= {"state": controls.state, "text": controls.text, name: value}
    after = controlled.surprises(clip, Controls(**parts), seeded(1))
    assert not torch.allclose(before[:, 4:], after[:, 4:])
    if not timeless:
        torch.testing.assert_close(before[:, :4], after[:, :4])


def test_controls_may_be_absent_and_wrong_ones_are_named(controlled):
    clip = latents(3)
    assert torch.isfinite(controlled.surprises(clip, Controls(), seeded())).all()
    with pytest.raises(ValueError, match=r"controls\.actions"):
        controlled.surprises(clip, Controls(actions=torch.zeros(4, 3, 5)), seeded())


def test_weights_and_config_survive_saving(dynamics, tmp_path):
    config = dynamics.config
    assert config_from_json(config.to_json()) == config
    Artifact(config.to_json(), dynamics.state_dict()).save(tmp_path)
    stored = Artifact.load(tmp_path)
    other = config_from_json(stored.config).build()
    other.load_state_dict(stored.tensors)
    assert all(torch.equal(v, other.state_dict()[k]) for k, v in dynamics.state_dict().items())
