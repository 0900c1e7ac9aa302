import torch

from worldline.tokenizer.critic import PatchCritic, play
from worldline.tokenizer.losses import PictureLoss


def critic(seed: int = 0) -> PatchCritic:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return PatchCritic(width=8)


def pictures(seed: int) -> torch.Tensor:
    return torch.rand(4, 3, 16, 16, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def test_one_score_per_eight_by_eight_pixels_that_sees_36():
    judge = critic()
    picture = torch.zeros(1, 3, 64, 64, requires_grad=True)
    scores = judge(picture)
    assert scores.shape == (1, 8, 8)
    scores[0, 4, 4].backward()
    assert picture.grad is not None
    rows, columns = picture.grad.abs().sum(dim=(0, 1)).nonzero().T
    assert rows.max() - rows.min() + 1 == 36
    assert columns.max() - columns.min() + 1 == 36


def test_the_sum_teaches_each_player_its_own_loss_only():
    judge, real, fake = critic(), pictures(0), pictures(1).requires_grad_()
    first, second = play(judge, real, fake)
    (first + second).backward()
    apart = [p.grad.clone() for p in judge.parameters()]
    # The same two losses written down alone.
    judge.zero_grad()
    made = fake.detach()
    ((1 - judge(real)).clamp_min(0).mean() + (1 + judge(made)).clamp_min(0).mean()).backward()
    for grad, parameter in zip(apart, judge.parameters(), strict=True):
        torch.testing.assert_close(grad, parameter.grad)
    copy = made.clone().requires_grad_()
    (-judge(copy).mean()).backward()
    torch.testing.assert_close(fake.grad, copy.grad)


def test_each_players_step_goes_its_own_way():
    judge, real, fake = critic(), pictures(0), pictures(1).requires_grad_()

    def margin() -> float:
        with torch.no_grad():
            return float(judge(real).mean() - judge(fake).mean())

    with torch.no_grad():
        margin_before, score_before = margin(), judge(fake).mean()
    sum(play(judge, real, fake)).backward()
    with torch.no_grad():
        fooling = fake - 0.5 * fake.grad / fake.grad.norm()
        assert judge(fooling).mean() > score_before
        for parameter in judge.parameters():
            parameter -= 0.01 * parameter.grad
    assert margin() > margin_before


def test_a_maker_learns_while_the_critic_is_sure_of_itself():
    judge, fake = critic(), pictures(1).requires_grad_()
    with torch.no_grad():
        judge.judge.bias.fill_(-5.0)  # every score far below -1
    _, fooling = play(judge, pictures(0), fake)
    fooling.backward()
    assert fake.grad.abs().max() > 0


def test_one_optimiser_plays_the_game_to_its_end():
    """A maker that can only shift grey pictures finds the shade of the real ones."""
    judge = critic()
    shade = torch.nn.Parameter(torch.tensor(-0.6))
    groups = [{"params": judge.parameters()}, {"params": [shade], "lr": 0.01}]
    optimizer = torch.optim.AdamW(groups, lr=2e-3, betas=(0.0, 0.9), weight_decay=0.0)
    real = torch.full((2, 3, 16, 16), 0.4)
    late = []
    for step in range(200):
        first, second = play(judge, real, shade.expand(2, 3, 16, 16))
        optimizer.zero_grad()
        (first + second).backward()
        optimizer.step()
        if step >= 130:
            late.append(float(shade.detach()))
    assert abs(sum(late) / len(late) - 0.4) < 0.15


def test_no_weight_means_no_critic_and_no_change():
    plain = PictureLoss(gradient_weight=0.5, perceptual_weight=0.0, adversarial_weight=0.0)
    assert not plain.state_dict()
    losses = plain(pictures(0), pictures(1), torch.ones(4, 16, 16))
    assert set(losses) == {"total", "pixel", "edges"}
    torch.testing.assert_close(losses["total"], losses["pixel"] + 0.5 * losses["edges"] / 3)


def test_total_is_the_weighted_sum_of_its_parts():
    full = PictureLoss(gradient_weight=0.5, perceptual_weight=0.3, adversarial_weight=0.2)
    losses = full(pictures(0), pictures(1), torch.ones(4, 16, 16))
    expected = losses["pixel"] + 0.5 * losses["edges"] / 3 + 0.3 * losses["perceptual"]
    expected = expected + 0.2 * (losses["critic"] + losses["fooling"])
    torch.testing.assert_close(losses["total"], expected)
