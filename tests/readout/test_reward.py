import pytest
import torch

from worldline.readout.reward import RewardMoments, RewardReadout


def readout(**options) -> RewardReadout:
    torch.manual_seed(0)
    config = {"channels": 4, "rows": 4, "action_size": 2, "width": 8, "depth": 1} | options
    return RewardReadout.Config(**config).build()


def test_untrained_it_expects_nothing():
    reward, end = readout().read(torch.randn(3, 16, 4), torch.randn(3, 16, 4), torch.zeros(3, 2))
    torch.testing.assert_close(reward, torch.zeros(3))
    assert (end < 0.01).all()


def test_a_bin_stands_for_its_reward_and_between_two_both_count():
    """Twohot encoding, inverted by the expectation over bins, in half precision too."""
    made = readout().bfloat16()
    for reward in (-20.0, -1.3, 0.0, 0.5, 20.0):
        hot = made._two_hot(torch.tensor([reward]))
        assert hot.sum().item() == pytest.approx(1.0)
        assert int((hot > 1e-6).sum()) <= 2
        told = torch.expm1((hot * made.bins).sum().abs()) * (hot * made.bins).sum().sign()
        assert told.item() == pytest.approx(reward, rel=1e-3, abs=1e-5)


def test_it_learns_what_an_action_earns_and_ends():
    made = readout()
    generator = torch.Generator().manual_seed(0)
    before, now = torch.randn(2, 80, 16, 4, generator=generator)
    actions = torch.randint(2, (80, 2), generator=generator).float()
    earned, ended = 2.0 * actions[:, 0], actions[:, 1] > 0
    moments = RewardMoments(before, now, actions, earned, ended, torch.ones(80))
    optimiser = torch.optim.Adam(made.parameters(), 1e-2)
    for _ in range(150):
        optimiser.zero_grad()
        made.loss(moments)["total"].backward()
        optimiser.step()
    reward, end = made.read(before, now, actions)
    assert (reward - earned).abs().mean() < 0.2
    assert ((end > 0.5) == ended).float().mean() > 0.9


def test_weights_count_and_places_are_told_apart():
    made = readout()
    generator = torch.Generator().manual_seed(0)
    spot = torch.randint(16, (64,), generator=generator)
    now = torch.zeros(64, 16, 4)
    now[torch.arange(64), spot] = 3.0
    # rewarded on the left, whatever the picture shows elsewhere; moments without weight lie
    lies = torch.arange(64) % 4 == 0
    earned = ((spot % 4 < 2) ^ lies).float()
    moments = RewardMoments(
        now, now, torch.zeros(64, 2), earned, torch.zeros(64).bool(), (~lies).float()
    )
    optimiser = torch.optim.Adam(made.parameters(), 1e-2)
    for _ in range(150):
        optimiser.zero_grad()
        made.loss(moments)["total"].backward()
        optimiser.step()
    reward, _ = made.read(now, now, torch.zeros(64, 2))
    assert ((reward > 0.5) == (spot % 4 < 2)).float().mean() > 0.95


def test_rewards_fall_into_the_nearest_bin():
    made = readout(most=1.0)
    found = made.nearest_bin(torch.tensor([-5.0, -1.0, 0.0, 0.001, 1.0]))
    assert found.tolist() == [0, 0, 20, 20, 40]


def test_bins_must_be_odd():
    with pytest.raises(ValueError, match="odd"):
        readout(num_bins=40)
