import numpy as np
import pytest
import torch

from worldline.dynamics import LatentActions


def model(seed: int = 0) -> LatentActions:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return LatentActions.Config(action_size=2, levels=5, width=8).build()


def film(num: int = 5) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (num, 16, 16, 3), dtype=np.uint8)


def test_codes_are_levels_between_minus_one_and_one():
    made = model()
    with torch.no_grad():
        made.reader.tell.weight.mul_(100)
    codes = made.read(film(20))
    assert codes.shape == (19, 2)
    assert set(np.unique(codes)) <= {-1.0, -0.5, 0.0, 0.5, 1.0}
    assert len(np.unique(codes)) > 1


def test_a_code_depends_on_the_two_frames_around_its_step_alone():
    made, frames = model(), film()
    other = frames.copy()
    other[3] = 0
    raw, changed = (made.raw(torch.from_numpy(each)[None])[0].detach() for each in (frames, other))
    assert torch.equal(raw[:2], changed[:2])
    assert not torch.equal(raw[2], changed[2])
    assert not torch.equal(raw[3], changed[3])


def test_what_leads_to_the_first_frame_is_not_known():
    codes, known = model().leading(torch.from_numpy(film())[None])
    assert codes.shape == (1, 5, 2)
    assert known[0, :, 0].tolist() == [False, True, True, True, True]
    assert not codes[0, 0].any()


def test_even_levels_have_no_middle():
    with pytest.raises(ValueError, match="odd number of levels"):
        LatentActions.Config(levels=4)
