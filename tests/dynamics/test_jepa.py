import torch

from worldline.core.latents import Controls, Latents
from worldline.dynamics import ControlEncoder, JepaDynamics


def build(**options) -> JepaDynamics:
    controls = ControlEncoder.Config(action_size=2, dropout=0.0, everywhere=True)
    sizes = {"channels": 3, "rows": 2, "stem_width": 8, "width": 16, "depth": 3, "heads": 2}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return JepaDynamics.Config(**sizes, controls=controls, **options).build().eval()


def steady() -> torch.Tensor:
    """Every number goes on at a speed of its own: `[2, 8, 4, 3]`."""
    generator = torch.Generator().manual_seed(1)
    start, speed = torch.randn(2, 2, 1, 4, 3, generator=generator)
    return start + speed * torch.arange(8.0)[:, None, None]


def roll(dynamics: JepaDynamics, tokens: torch.Tensor, actions: torch.Tensor) -> torch.Tensor:
    future = dynamics.rollout(
        Latents(tokens[:, :3], (2, 2)),
        Controls(actions=actions),
        torch.Generator().manual_seed(0),
        horizon=5,
    )
    return future.tokens


def test_untrained_it_copies_or_goes_on_at_constant_velocity():
    tokens, actions = steady(), torch.zeros(2, 8, 2)
    copied = roll(build(), tokens, actions)
    torch.testing.assert_close(copied, tokens[:, 2:3].expand(-1, 5, -1, -1))
    torch.testing.assert_close(roll(build(second_order=True), tokens, actions), tokens[:, 3:])


def test_untrained_loss_of_second_order_vanishes_for_steady_motion_alone():
    """The first step has no velocity to go on with."""
    dynamics = build(second_order=True, rollout_steps=1)
    tokens, controls = steady(), Controls(actions=torch.zeros(2, 8, 2))
    losses = dynamics.loss(Latents(tokens, (2, 2)), controls, torch.Generator())
    first = (tokens[:, 1] - tokens[:, 0]).square().mean() / 7
    torch.testing.assert_close(losses["error"], first)


def test_second_order_learns_what_actions_do():
    """Actions accelerate the first number of every cell; a few steps find it."""
    dynamics = build(second_order=True, rollout_steps=2).train()
    generator = torch.Generator().manual_seed(2)
    optimizer = torch.optim.Adam(dynamics.parameters(), lr=4e-3)
    errors = []
    for _ in range(60):
        actions = torch.randn(8, 8, 2, generator=generator)
        velocity = 0.2 * actions[..., 0].cumsum(dim=1)
        place = velocity.cumsum(dim=1)
        tokens = torch.zeros(8, 8, 4, 3)
        tokens[..., 0] = place[..., None]
        losses = dynamics.loss(Latents(tokens, (2, 2)), Controls(actions=actions), generator)
        optimizer.zero_grad()
        losses["total"].backward()
        optimizer.step()
        errors.append(float(losses["error"].detach()))
    assert sum(errors[-5:]) < 0.25 * sum(errors[:5])
