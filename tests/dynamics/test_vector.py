"""JEPA dynamics of one vector per frame: copies untrained, learns what actions do, has a slope."""

from __future__ import annotations

import torch

from worldline.core.latents import Controls, Latents
from worldline.dynamics import ControlEncoder, JepaDynamics


def build(**options) -> JepaDynamics:
    sizes = {"channels": 3, "rows": 1, "width": 16, "depth": 2, "rollout_steps": 2}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        controls = ControlEncoder.Config(action_size=2, dropout=0.0)
        return JepaDynamics.Config(**sizes, controls=controls, **options).build().eval()


def some(num_frames: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    tokens = torch.randn(4, num_frames, 1, 3, generator=generator)
    return tokens, torch.randn(4, num_frames, 2, generator=generator)


def roll(model: JepaDynamics, tokens: torch.Tensor, actions: torch.Tensor) -> torch.Tensor:
    context = Latents(tokens[:, :2], (1, 1))
    seeded = torch.Generator().manual_seed(0)
    return model.rollout(context, Controls(actions=actions), seeded, horizon=3).tokens


def test_untrained_it_copies():
    tokens, actions = some(5)
    found = roll(build(), tokens, actions)
    torch.testing.assert_close(found, tokens[:, 1:2].expand(-1, 3, -1, -1))


def test_it_learns_what_actions_do():
    """Actions move the first two numbers; in a loss summed over rollouts that is found."""
    model = build().train()
    generator = torch.Generator().manual_seed(2)
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    errors = []
    for _ in range(80):
        actions = torch.randn(16, 6, 2, generator=generator)
        place = torch.nn.functional.pad(0.5 * actions.cumsum(dim=1), (0, 1))[:, :, None]
        losses = model.loss(Latents(place, (1, 1)), Controls(actions=actions), generator)
        optimizer.zero_grad()
        losses["total"].backward()
        optimizer.step()
        errors.append(losses["error_over_copying"].item())
    assert errors[0] > 0.9
    assert sum(errors[-5:]) / 5 < 0.15


def test_only_the_frame_before_and_its_change_count_and_there_is_no_cache():
    model = build()
    with torch.no_grad():
        model.network.leave.weight.normal_(generator=torch.Generator().manual_seed(3))
    tokens, actions = some(6)
    carry = model.init(Latents(tokens[:, :4], (1, 1)), Controls(actions=actions[:, :4]), _seeded())
    assert carry.cache == ()
    late = model.init(Latents(tokens[:, 2:4], (1, 1)), Controls(actions=actions[:, 2:4]), _seeded())
    now = Controls(actions=actions[:, 4:5])
    torch.testing.assert_close(model.step(carry, now)[1].tokens, model.step(late, now)[1].tokens)


def test_a_step_with_slope_is_the_same_step():
    model = build()
    with torch.no_grad():
        model.network.leave.weight.normal_(generator=torch.Generator().manual_seed(3))
    tokens, actions = some(3)
    carry = model.init(Latents(tokens[:, :2], (1, 1)), Controls(), _seeded())
    free = actions[:, 2:3].clone().requires_grad_()
    _, found = model.step_with_slope(carry, Controls(actions=free))
    _, same = model.step(carry, Controls(actions=free))
    assert not same.tokens.requires_grad
    torch.testing.assert_close(found.tokens, same.tokens)
    found.tokens.sum().backward()
    assert free.grad is not None
    assert (free.grad.abs() > 0).any()


def _seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)
