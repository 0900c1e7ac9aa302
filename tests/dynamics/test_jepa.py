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
    # Changes of 8 cells in 2 frames: 4 once, 0 seven times; their mean is 1/2, so the weights are
    # 8 and seven times the least, 0.1. Two steps ahead, of frame 2 alone, the copy of frame 0 is
    # wrong by 4 in the cell that no longer moves.
    assert float(found["error"]) == pytest.approx(4 / 8)
    assert float(found["error_2"]) == pytest.approx(4 / 4)
    assert float(found["total"]) == pytest.approx(8 * 4 / 8.7 + 0.1 * 4 / 0.4)
    assert float(found["error_over_copying"]) == pytest.approx(1.0)


def test_still_clips_cost_a_copier_nothing(copying):
    assert float(loss(copying, torch.ones(2, 4, 4, 2))["total"]) == 0.0


def test_the_encoder_learns_along_but_not_through_the_weights(copying):
    tokens = torch.zeros(1, 3, 4, 2)
    tokens[0, 1:, 0] = 2.0
    tokens.requires_grad_()
    generator = torch.Generator().manual_seed(0)
    copying.loss(Latents(tokens, (2, 2)), Controls(), generator)["total"].backward()
    assert tokens.grad is not None
    # d/dx of 8/8.7 * mean((x1 - x0)^2) and of the two-step term, per channel.
    one = 8 / 8.7 * 2 * 2 / 2
    two = 0.1 / 0.4 * 2 * 2 / 2
    assert tokens.grad[0, 1, 0].tolist() == pytest.approx([one, one])
    assert tokens.grad[0, 0, 0].tolist() == pytest.approx([-one - two] * 2)


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
