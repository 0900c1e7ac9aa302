import dataclasses

import pytest
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


@pytest.fixture(scope="module")
def copying() -> JepaDynamics:
    """Untrained, so that every frame is expected to be as the one before it."""
    config = JepaDynamics.Config(
        channels=2, rows=2, stem_width=4, width=8, depth=3, heads=2, rollout_steps=2, relative=True
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return config.build()


def loss(model: JepaDynamics, tokens: torch.Tensor) -> dict[str, torch.Tensor]:
    with torch.no_grad():
        generator = torch.Generator().manual_seed(0)
        return dict(model.loss(Latents(tokens, (2, 2)), Controls(), generator))


def test_cells_that_move_weigh_as_much_as_they_move(copying):
    tokens = torch.zeros(1, 3, 4, 2)
    tokens[0, 1:, 0] = 2.0  # one cell of four moves once, by 4 in mean square
    found = loss(copying, tokens)
    # Changes of 8 cells in 2 frames: 4 once. Two steps ahead, of frame 2 alone, the copy of frame 0
    # is wrong by 4 in the cell that no longer moves.
    assert float(found["error"]) == pytest.approx(4 / 8)
    assert float(found["error_2"]) == pytest.approx(4 / 4)
    assert float(found["total"]) == pytest.approx(2.0)
    assert float(found["error_over_copying"]) == pytest.approx(1.0)


def test_still_clips_cost_a_copier_nothing(copying):
    assert float(loss(copying, torch.ones(2, 4, 4, 2))["total"]) == 0.0


def test_standing_still_gains_an_encoder_nothing(copying):
    tokens = torch.randn(2, 4, 4, 2, generator=torch.Generator().manual_seed(1)).requires_grad_()
    generator = torch.Generator().manual_seed(0)
    total = copying.loss(Latents(tokens, (2, 2)), Controls(), generator)["total"]
    (slope,) = torch.autograd.grad(total, tokens)
    # A copier is as wrong as copying, whatever the latents are.
    assert float(total.detach()) == pytest.approx(2.0)
    assert float(slope.abs().max()) < 1e-6


def test_mistakes_where_things_move_cost_more(copying):
    """The same mistake in a cell that moves and in one that does not."""

    class Mistaken(torch.nn.Module):
        cell = 0

        def forward(self, x, controls, **options):
            change = torch.zeros(*x.shape[:3], 2)
            change[:, :, self.cell] = 0.5
            return change, ()

    tokens = torch.zeros(1, 3, 4, 2)
    tokens[0, 1, 0], tokens[0, 2, 0] = 2.0, 4.0  # moves on evenly; the mistake is a good guess here
    own, found = copying.network, {}
    mistaken = Mistaken()
    try:
        copying.network = mistaken
        for mistaken.cell in (0, 1):
            found[mistaken.cell] = float(loss(copying, tokens)["total"])
    finally:
        copying.network = own
    # Weights 4 and 1 of a cell that moves by 4 in mean square and of three that do not.
    # One step: 1.5^2 of 2^2; two steps: 3^2 of 4^2. Elsewhere copying's 1 and the mistakes' share.
    assert found[0] == pytest.approx(1.5**2 / 2**2 + 3**2 / 4**2)
    assert found[1] == pytest.approx((4 * 4 + 0.25) / (4 * 4) + (4 * 16 + 1.0) / (4 * 16))


def shaken(config: JepaDynamics.Config) -> JepaDynamics:
    """Not copying any more."""
    with torch.random.fork_rng():
        torch.manual_seed(1)
        model = config.build().eval()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(0.1 * torch.randn_like(parameter))
    return model


def test_expectations_of_whole_clips_are_those_of_single_steps(copying):
    model = shaken(copying.config)
    tokens = torch.randn(1, 5, 4, 2, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        each, _ = model.expect_each(tokens, Controls())
    carry = model.init(Latents(tokens[:, :4], (2, 2)), Controls(), torch.Generator())
    torch.testing.assert_close(model.step(carry, Controls())[1].tokens[:, 0], each[:, 4])


def test_rollouts_leave_alone_what_hardly_changes(copying):
    """Surprise does not: it is about what was expected, not about what is shown."""
    plain = shaken(copying.config)
    calm = shaken(dataclasses.replace(copying.config, shrinkage=1e3))
    tokens = torch.randn(1, 5, 4, 2, generator=torch.Generator().manual_seed(2))
    seen = Latents(tokens[:, :4], (2, 2))
    after = {}
    for name, model in (("plain", plain), ("calm", calm)):
        carry = model.init(seen, Controls(), torch.Generator())
        after[name] = model.step(carry, Controls())[1].tokens
        after[name + " surprise"] = model.surprise(
            carry, Latents(tokens[:, 4:], (2, 2)), Controls()
        )
    torch.testing.assert_close(after["calm"], tokens[:, 3:4])
    assert not torch.allclose(after["plain"], tokens[:, 3:4])
    assert torch.equal(after["plain surprise"], after["calm surprise"])
