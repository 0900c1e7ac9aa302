import pytest
import torch

from worldline.core.latents import Controls, Latents
from worldline.dynamics import ControlEncoder, FlowDynamics, sample_clips

NANO = FlowDynamics.Config(
    channels=2,
    rows=2,
    stem_width=8,
    width=16,
    depth=3,
    heads=1,
    window=4,
    controls=ControlEncoder.Config(text_size=2),
    shortcut_doublings=2,
    unrolled_share=0.0,
    start_share=0.5,
)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def build(config: FlowDynamics.Config = NANO) -> FlowDynamics:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return config.build()


def told(words: torch.Tensor) -> Controls:
    return Controls(text=torch.eye(2)[words])


@pytest.fixture(scope="module")
def taught() -> FlowDynamics:
    """Taught that the first word means +1 everywhere, the second -1; what follows flickers."""
    model = build()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    for step in range(80):
        generator = seeded(step)
        words = torch.randint(2, (16,), generator=generator)
        value = 1.0 - 2.0 * words
        x = value[:, None, None, None].expand(-1, 3, 4, 2)
        x = x + 0.1 * torch.randn(16, 3, 4, 2, generator=generator)
        loss = model.loss(Latents(x, (2, 2)), told(words), generator)["total"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model.eval()


def sample(model: FlowDynamics, words: list[int], **options) -> torch.Tensor:
    options = {"horizon": 3, "first_steps": 4, **options}
    controls = told(torch.tensor(words))
    return sample_clips(model, controls, seeded(7), samples=len(words), **options).tokens


def test_words_decide_what_a_clip_starts_with(taught):
    found = sample(taught, [0, 1, 1, 0])
    assert found.shape == (4, 3, 4, 2)
    target = torch.tensor([1.0, -1.0, -1.0, 1.0])[:, None, None, None]
    assert (found - target).abs().max() < 0.5


def test_the_seed_decides_the_rest_and_a_single_frame_is_the_first_of_more(taught):
    torch.testing.assert_close(sample(taught, [0, 1]), sample(taught, [0, 1]))
    torch.testing.assert_close(sample(taught, [0, 1], horizon=1), sample(taught, [0, 1])[:, :1])


def test_small_cells_of_a_first_frame_are_not_taken_for_noise():
    """However much is shrunk of the changes after it."""
    calm = build(FlowDynamics.Config(**{**vars(NANO), "shrinkage": 100.0}))
    with torch.no_grad():
        assert calm.network.leave.bias is not None
        calm.network.leave.bias.fill_(0.1)
    found = sample_clips(calm, Controls(), seeded(), samples=2, horizon=2, first_steps=1).tokens
    torch.testing.assert_close(found, torch.full((2, 2, 4, 2), 0.1))


def test_models_that_cannot_start_say_so():
    plain = build(FlowDynamics.Config(**{**vars(NANO), "start_share": 0.0}))
    assert not plain.can_start
    assert build().can_start
    with pytest.raises(ValueError, match="not learned to start"):
        sample(plain, [0])
    with pytest.raises(ValueError, match="num_steps is 3, must divide 4"):
        sample(build(), [0], first_steps=3)
    with pytest.raises(ValueError, match="start_share is 2"):
        FlowDynamics.Config(start_share=2.0)


def test_a_model_that_only_starts_still_learns():
    model = build(FlowDynamics.Config(**{**vars(NANO), "start_share": 1.0}))
    x = torch.randn(3, 2, 4, 2, generator=seeded(1))
    losses = model.loss(Latents(x, (2, 2)), told(torch.tensor([0, 1, 0])), seeded(2))
    assert set(losses) == {"total", "first"}
    assert torch.isfinite(losses["total"])
