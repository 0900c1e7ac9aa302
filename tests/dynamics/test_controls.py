import pytest
import torch

from worldline.core.latents import Controls
from worldline.dynamics import ControlEncoder

WIDTH, STEM, SHAPE = 8, 4, (2, 3)


def build(**sizes) -> ControlEncoder:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        encoder = ControlEncoder(ControlEncoder.Config(**sizes), WIDTH, STEM)
        with torch.no_grad():
            for parameter in encoder.parameters():
                parameter.add_(torch.randn_like(parameter))
    return encoder


def test_words_are_added_to_every_cell_alike():
    encoder = build(text_size=4)
    text = torch.eye(4)[:2]
    frame, cells, near = encoder(Controls(text=text), SHAPE)
    assert near is None
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
    frame, nothing, _ = plain(Controls(actions=actions), SHAPE)
    again, cells, _ = everywhere(Controls(actions=actions), SHAPE)
    assert nothing is None
    assert torch.equal(frame, again)
    assert torch.equal(cells, frame[:, :, None])
    both = build(action_size=2, rays=True, everywhere=True)
    rays = torch.randn(2, 3, 16, 6, generator=torch.Generator().manual_seed(2))
    frame, cells, _ = both(Controls(actions=actions, rays=rays), SHAPE)
    _, of_rays, _ = both(Controls(rays=rays), SHAPE)
    torch.testing.assert_close(
        cells - of_rays, (frame - both.absent["actions"])[:, :, None].expand_as(cells)
    )


NAMES = {"map_names": ("depth", "segmentation"), "state_names": ("a", "b", "c")}


def named(**options) -> ControlEncoder:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = ControlEncoder.Config.of(**NAMES, **options)
        encoder = ControlEncoder(config, WIDTH, STEM)
        with torch.no_grad():
            for parameter in encoder.parameters():
                parameter.add_(torch.randn_like(parameter))
    return encoder


def draw(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(5))


def test_what_is_not_known_has_no_effect_whatever_stands_there():
    encoder = named()
    known = {"maps": draw(2, 3, 2) > 0, "state": draw(2, 3, 3) > 0}
    known["maps"][0, 0] = False
    given = Controls(maps=draw(2, 3, 16, 64), state=draw(2, 3, 3), known=known)
    spread = known["maps"].repeat_interleave(torch.tensor([16, 48]), -1)[:, :, None]
    other = Controls(
        maps=torch.where(spread, given.maps, 99.0),
        state=torch.where(known["state"], given.state, -99.0),
        known=known,
    )
    for one, two in zip(encoder(given, SHAPE), encoder(other, SHAPE), strict=True):
        assert torch.equal(one, two)
    frame, cells, near = encoder(given, SHAPE)
    absent = encoder(Controls(), SHAPE)
    assert torch.equal(cells[0, 0], absent[1][0, 0].expand(4, -1))
    assert (near[0, 0] == 0).all()
    assert (near[known["maps"].any(-1)] != 0).any()
    everything = Controls(maps=given.maps, state=given.state)
    assert not torch.allclose(encoder(everything, SHAPE)[0], frame)


def test_maps_are_dropped_one_by_one_in_training():
    encoder = named(map_dropout=0.5, dropout=0.0)
    given = Controls(maps=draw(1, 1, 16, 64).expand(64, 1, -1, -1))
    near = encoder(given, (64, 1), generator=torch.Generator().manual_seed(1))[2]
    kinds = torch.unique(near.flatten(1), dim=0)
    assert len(kinds) == 4  # both, either, none
    assert (kinds == 0).all(dim=1).sum() == 1


def test_masks_and_sizes_that_do_not_fit_are_named():
    known = {"state": torch.ones(2, 3, 2, dtype=torch.bool)}
    with pytest.raises(ValueError, match=r"known of state is \(2, 3, 2\), expected \(2, 3, 3\)"):
        named()(Controls(state=draw(2, 3, 3), known=known), SHAPE)
    with pytest.raises(ValueError, match="map_size is 5, but depth make 16"):
        ControlEncoder.Config(map_size=5, map_names=("depth",))
    with pytest.raises(ValueError, match=r"controls\.maps is .* takes 64 numbers"):
        named()(Controls(maps=draw(2, 3, 16, 5)), SHAPE)
