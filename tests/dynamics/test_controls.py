import torch

from worldline.core.latents import Controls
from worldline.dynamics import ControlEncoder

WIDTH, SHAPE = 8, (2, 3)


def build(**sizes) -> ControlEncoder:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        encoder = ControlEncoder(ControlEncoder.Config(**sizes), WIDTH)
        with torch.no_grad():
            for parameter in encoder.parameters():
                parameter.add_(torch.randn_like(parameter))
    return encoder


def test_words_are_added_to_every_cell_alike():
    encoder = build(text_size=4)
    text = torch.eye(4)[:2]
    frame, cells = encoder(Controls(text=text), SHAPE)
    assert frame.abs().max() == 0
    assert cells.shape == (2, 3, 1, WIDTH)
    # A unit vector is brought to unit variance, or most of it would drown in the bias.
    read = encoder.read["text"]
    expected = 2 * read.weight.T[:2] + read.bias
    torch.testing.assert_close(cells, expected[:, None, None].expand(-1, 3, 1, -1))


def test_what_is_absent_counts_like_what_is_dropped():
    encoder = build(text_size=4, rays=True, action_size=2)
    given = Controls(
        actions=torch.randn(2, 3, 2, generator=torch.Generator().manual_seed(1)),
        rays=torch.randn(2, 3, 16, 6, generator=torch.Generator().manual_seed(2)),
        text=torch.eye(4)[:2],
    )
    dropped = encoder(given, SHAPE, dropped=torch.ones(2, dtype=torch.bool))
    absent = encoder(Controls(), SHAPE)
    torch.testing.assert_close(dropped[0], absent[0])
    torch.testing.assert_close(dropped[1], absent[1].expand(-1, -1, 4, -1))
    full = encoder(given, SHAPE)
    assert full[1].shape == (2, 3, 4, WIDTH)
    assert (full[1] - dropped[1]).abs().max() > 0.1


def test_actions_reach_every_cell_if_they_are_to():
    actions = torch.randn(2, 3, 2, generator=torch.Generator().manual_seed(1))
    plain, everywhere = build(action_size=2), build(action_size=2, everywhere=True)
    frame, nothing = plain(Controls(actions=actions), SHAPE)
    again, cells = everywhere(Controls(actions=actions), SHAPE)
    assert nothing is None
    assert torch.equal(frame, again)
    assert torch.equal(cells, frame[:, :, None])
    both = build(action_size=2, rays=True, everywhere=True)
    rays = torch.randn(2, 3, 16, 6, generator=torch.Generator().manual_seed(2))
    frame, cells = both(Controls(actions=actions, rays=rays), SHAPE)
    _, of_rays = both(Controls(rays=rays), SHAPE)
    torch.testing.assert_close(
        cells - of_rays, (frame - both.absent["actions"])[:, :, None].expand_as(cells)
    )
