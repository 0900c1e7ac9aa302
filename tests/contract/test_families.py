"""What holds for every dynamics that is registered."""

import pytest
import torch

from worldline.core.config import config_from_json
from worldline.core.latents import Controls, Latents
from worldline.dynamics import Dynamics, FlowDynamics

DYNAMICS = [
    FlowDynamics.Config(channels=4, rows=4, stem_width=8, width=16, depth=3, heads=2, window=5)
]


def build(config):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = config.build().eval()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(0.05 * torch.randn_like(parameter))
    return model


@pytest.mark.parametrize("config", DYNAMICS)
def test_config_survives_json(config):
    assert config_from_json(config.to_json()) == config


@pytest.mark.parametrize("config", DYNAMICS)
def test_rollouts_are_seeded_and_carries_independent(config):
    dynamics = build(config)
    assert isinstance(dynamics, Dynamics)
    context = Latents(torch.randn(1, 4, 16, 4, generator=seeded()), (4, 4))

    def roll(seed, steps=3):
        carry = dynamics.init(context, Controls(), seeded(seed))
        frames = []
        for _ in range(steps):
            carry, frame = dynamics.step(carry, Controls())
            frames.append(frame.tokens)
        return torch.cat(frames, dim=1)

    assert torch.equal(roll(1), roll(1))
    assert not torch.equal(roll(1), roll(2))
    assert torch.equal(roll(1, steps=5)[:, :3], roll(1))


@pytest.mark.parametrize("config", DYNAMICS)
def test_loss_is_finite_seeded_and_teaches_every_parameter(config):
    dynamics = build(config).train()
    latents = Latents(torch.randn(4, 6, 16, 4, generator=seeded()), (4, 4))
    first = dynamics.loss(latents, Controls(), seeded(3))["total"]
    again = dynamics.loss(latents, Controls(), seeded(3))["total"]
    assert torch.equal(first, again)
    first.backward()
    untouched = [
        name
        for name, p in dynamics.named_parameters()
        if p.grad is None or not torch.isfinite(p.grad).all()
    ]
    assert untouched == []


@pytest.mark.parametrize("config", DYNAMICS)
def test_weights_survive_saving_bit_for_bit(config, tmp_path):
    from worldline.core.artifact import Artifact

    model = build(config)
    Artifact(config.to_json(), model.state_dict()).save(tmp_path)
    stored = Artifact.load(tmp_path)
    other = config_from_json(stored.config).build()
    other.load_state_dict(stored.tensors)
    assert all(torch.equal(v, other.state_dict()[k]) for k, v in model.state_dict().items())


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
