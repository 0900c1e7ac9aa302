from __future__ import annotations

import numpy as np
import pytest

from worldline.readout.opener import MAX_BUFFER, Opener, SmallFrame, make_ready
from worldline.readout.shot import Picture


def picture(index: int, step_s: float = 0.04) -> Picture:
    image = np.random.default_rng(index).integers(90, 110, (24, 32, 3)).astype(np.uint8)
    return make_ready(SmallFrame(index, step_s * index, image, 1.0, index == 0))


@pytest.mark.parametrize(
    ("step_s", "num_held"),
    [(0.04, 40), (0.03, 51), (0.001, MAX_BUFFER)],
    ids=["enough frames", "enough time", "no more than that"],
)
def test_a_shot_is_opened_once_enough_is_held(step_s, num_held):
    opener = Opener(buffer_s=1.5, absorb_s=12.0)
    given = [list(opener.take(picture(k, step_s))) for k in range(num_held + 2)]
    assert [len(pairs) for pairs in given] == [0] * (num_held - 1) + [num_held, 1, 1]
    assert [found.index for pairs in given for _, found in pairs] == list(range(num_held + 2))
    assert len({shot for pairs in given for shot, _ in pairs}) == 1


def test_a_short_shot_is_opened_at_its_end():
    opener = Opener(buffer_s=1.5, absorb_s=12.0)
    for k in range(3):
        assert not list(opener.take(picture(k)))
    first = list(opener.end())
    assert [found.index for _, found in first] == [0, 1, 2]
    assert not list(opener.end())
    assert not list(opener.take(picture(3)))  # of another shot
    ((shot, found),) = opener.end()
    assert found.index == 3
    assert shot is not first[0][0]


def test_small_pictures_that_were_enlarged_are_smoothed_more():
    image = np.random.default_rng(0).integers(0, 255, (24, 32, 3)).astype(np.uint8)
    plain, enlarged = (
        make_ready(SmallFrame(0, 0.0, image, scale, new_shot=True)) for scale in (1.0, 3.0)
    )
    assert enlarged.image.std() < plain.image.std() < image.std()
    np.testing.assert_array_equal(plain.gray, enlarged.gray)
    assert (plain.scale, enlarged.scale) == (1.0, 3.0)
