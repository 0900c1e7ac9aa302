import numpy as np
import pytest

from worldline.core import Clip, InputError
from worldline.world.arguments import require_clip, require_positive, require_seed


def test_whole_numbers_of_any_kind_pass():
    require_positive(context=1, horizon=np.int64(16), samples=np.uint8(3))
    assert type(require_seed(np.int64(3))) is int
    assert require_seed(2**63 - 1) == 2**63 - 1


@pytest.mark.parametrize("value", [3.5, float("nan"), "4", None, True, np.array([1, 2]), 2.0])
def test_what_is_no_whole_number_is_named(value: object):
    with pytest.raises(InputError, match=r"^horizon is .*, must be a whole number$"):
        require_positive(horizon=value)
    with pytest.raises(InputError, match=r"^seed is .*, must be a whole number$"):
        require_seed(value)


def test_bounds():
    with pytest.raises(InputError, match="samples is 0, must be at least 1"):
        require_positive(context=1, samples=0)
    for seed in (-1, 2**63):
        with pytest.raises(InputError, match=f"seed is {seed}, must lie between 0 and"):
            require_seed(seed)


def test_what_is_no_clip_is_refused():
    require_clip(Clip(frames=np.zeros((1, 4, 4, 3), np.uint8), time_s=np.zeros(1)))
    with pytest.raises(InputError, match=r"but got a str; read a video with Clip.read"):
        require_clip("drop.mp4")
    with pytest.raises(InputError, match="but got a ndarray"):
        require_clip(np.zeros((1, 4, 4, 3), np.uint8))
