import pytest
import torch

from worldline.dynamics.levels import check_sampling, draw_levels, mix_at_random

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


def test_parts_of_a_past_are_predicted_ones():
    seen, predicted = torch.zeros(2000, 4, 1, 1), torch.ones(2000, 4, 1, 1)
    starts = torch.arange(2000) % 2 == 0
    mixed = mix_at_random(seen, predicted, seeded(), starts)[..., 0, 0]
    assert set(mixed.unique().tolist()) == {0.0, 1.0}
    assert (mixed[:, 0] == 0).all()
    assert (mixed[starts, 1] == 0).all()
    assert abs(float(mixed[~starts, 1].mean()) - 0.5) < 0.04
    both = float((mixed[:, 2] * mixed[:, 3]).mean())
    assert abs(both - 1 / 3) < 0.04  # the share is the clip's: frames go together


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"coarse": 3}, "must divide the 8 rows"),
        ({"num_steps": 3}, "must divide 4"),
        ({"num_steps": 0, "doublings": 0}, "must be at least 1"),
        ({"sink": 5}, "must leave room in the window of 6"),
    ],
)
def test_numbers_that_do_not_fit_are_told(changed, reason):
    sound = {"rows": 8, "coarse": 2, "window": 6, "sink": 4, "num_steps": 2, "doublings": 2}
    check_sampling(**sound)
    with pytest.raises(ValueError, match=reason):
        check_sampling(**sound | changed)
