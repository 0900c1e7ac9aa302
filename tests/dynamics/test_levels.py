import torch

from worldline.dynamics.levels import draw_levels

SHAPE = (4000, 3)


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_levels_lie_on_the_grid_of_their_step():
    level, step = draw_levels(SHAPE, seeded(), doublings=2, level_zero_share=0.0, starts=None)
    assert step is not None
    assert (step == step[:, :1]).all()
    assert set(step.unique().tolist()) == {0.25, 0.5, 1.0}
    assert abs(float((step[:, 0] == 0.25).float().mean()) - 0.5) < 0.03
    assert (level / step).frac().abs().max() == 0
    assert level.max() == 0.75
    assert (level[step == 1.0] == 0).all()


def test_whole_clips_are_at_pure_noise_but_first_frames_keep_their_level():
    starts = torch.arange(SHAPE[0]) % 2 == 0
    level, step = draw_levels(SHAPE, seeded(), doublings=0, level_zero_share=0.5, starts=starts)
    assert step is None
    silent = (level[:, 2] == 0) & (level[:, 0] == 0)
    assert abs(float(silent.float().mean()) - 0.5) < 0.03
    assert (level[~starts & silent, 1] == 0).all()
    assert (level[starts, 1] > 0).all()
    whole, _ = draw_levels(SHAPE, seeded(), doublings=0, level_zero_share=0.5, starts=None)
    torch.testing.assert_close(level[~starts], whole[~starts])
