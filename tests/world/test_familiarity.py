import json
from dataclasses import replace

import numpy as np
import pytest
from tests.playing import block_clips

from worldline.core import InputError
from worldline.world.familiarity import Familiarity, describe_frames


def true_frames(start: int, stop: int) -> np.ndarray:
    return np.concatenate([clip.frames for clip in block_clips(stop, 8)[start:]])


def known() -> Familiarity:
    return Familiarity.fit(true_frames(0, 6), true_frames(6, 10))


def test_descriptions_are_shares_and_do_not_say_where():
    frames = true_frames(0, 1)[:1]
    (told,) = describe_frames(frames)
    assert np.square(told[:64]).sum() == pytest.approx(1)
    assert np.square(told[64:]).sum() == pytest.approx(1)
    assert np.square(told[:64]).max() == pytest.approx(1 - 16 / 256)
    moved = np.roll(frames, (1, 1), axis=(1, 2))
    assert describe_frames(moved)[0][:64] == pytest.approx(told[:64])


def test_true_frames_are_near_and_spoilt_ones_farther_the_more_they_are_spoilt():
    fitted, frames = known(), true_frames(10, 12)
    own = np.median(fitted.distances(frames))
    assert own < 2
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 1, frames.shape)
    worse = [
        np.median(fitted.distances((frames + scale * noise).clip(0, 255).astype(np.uint8)))
        for scale in (4, 16, 64)
    ]
    assert own < worse[0] < worse[1] < worse[2]
    empty = np.full_like(frames[:1], 30)
    assert fitted.distances(empty)[0] > 3 * own


def test_it_is_kept_as_json():
    fitted, frames = known(), true_frames(10, 12)
    again = Familiarity.from_json(json.loads(json.dumps(fitted.to_json())))
    assert again.distances(frames) == pytest.approx(fitted.distances(frames), rel=1e-2)


def test_few_frames_are_too_few():
    with pytest.raises(InputError, match="3 and 4 true frames"):
        Familiarity.fit(true_frames(0, 1)[:3], true_frames(0, 1)[:4])


def test_trust_falls_with_the_distance_of_several_frames():
    fitted, frames = known(), true_frames(10, 12)
    assert fitted.trust(frames) == 1
    curved = replace(fitted, slope=4.0, middle=float(np.log(2)), offset=0.0)
    away = fitted.distances(frames[:3]).mean()
    assert curved.trust(frames[:3]) == pytest.approx(1 / (1 + (away / 2) ** 4))
    spoilt = 255 - frames
    assert curved.trust(spoilt) < 0.1
    again = Familiarity.from_json(json.loads(json.dumps(curved.to_json())))
    assert again.trust(frames) == pytest.approx(curved.trust(frames), rel=1e-2)
