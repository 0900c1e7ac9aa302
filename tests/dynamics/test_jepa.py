"""What JEPA dynamics are asked for in training."""

import pytest
import torch

from worldline.core.latents import Controls, Latents
from worldline.dynamics import JepaDynamics


@pytest.fixture(scope="module")
def copying() -> JepaDynamics:
    """Untrained, so that every frame is expected to be as the one before it."""
    config = JepaDynamics.Config(
        channels=2, rows=2, stem_width=4, width=8, depth=3, heads=2, rollout_steps=2
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


def test_expectations_of_whole_clips_are_those_of_single_steps(copying):
    with torch.random.fork_rng():
        torch.manual_seed(1)
        model = copying.config.build().eval()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(0.1 * torch.randn_like(parameter))
    tokens = torch.randn(1, 5, 4, 2, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        each, _ = model.expect_each(tokens, Controls())
    carry = model.init(Latents(tokens[:, :4], (2, 2)), Controls(), torch.Generator())
    torch.testing.assert_close(model.step(carry, Controls())[1].tokens[:, 0], each[:, 4])
