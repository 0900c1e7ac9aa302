from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from worldline.audit import (
    ConstantVelocityWarp,
    CopyLast,
    FrozenMean,
    ObjectProbe,
    Predictor,
    StateOracle,
    psnr,
)
from worldline.core import Clip, InputError

CONTEXT, HORIZON = 8, 16


def future(predictor: Predictor, clip: Clip, horizon: int = HORIZON) -> np.ndarray:
    frames = predictor.predict(clip.frames[:CONTEXT], horizon, 0)
    assert frames.shape == (1, horizon, *clip.frames.shape[1:])
    assert frames.dtype == np.uint8
    return frames[0]


def errors(predictor: Predictor, clip: Clip, step: int) -> list[float]:
    probe = ObjectProbe.prepare(
        clip, context_start=0, context_stop=CONTEXT, frame=CONTEXT + step - 1
    )
    matches = probe.measure(future(predictor, clip)[step - 1])
    assert matches
    return [match.error_px for match in matches]


def test_copy_last_repeats_the_last_context_frame(crossing: Clip) -> None:
    frames = future(CopyLast(), crossing)
    assert np.array_equal(frames, np.repeat(crossing.frames[7:8], HORIZON, axis=0))


def test_copy_last_is_wrong_by_the_true_displacement(crossing: Clip) -> None:
    assert errors(CopyLast(), crossing, 4) == pytest.approx([6.0, 4.0], abs=0.4)


def test_frozen_mean_is_the_background_of_what_moves_fast(paint_clip: Callable[..., Clip]) -> None:
    clip = paint_clip([[(5 + 4.0 * t, 20.0) for t in range(24)]], [(0.8, 0.1, 0.1)], radius_px=3)
    assert clip.background is not None
    frame = future(FrozenMean(), clip)[-1]
    assert np.abs(frame.astype(int) - clip.background[0]).max() <= 1


@pytest.mark.parametrize("step", [1, 4, 8, 16])
def test_the_warp_keeps_constant_velocity(crossing: Clip, step: int) -> None:
    assert max(errors(ConstantVelocityWarp(), crossing, step)) < 0.2 + 0.1 * step


def test_the_warp_beats_copying_on_constant_velocity_in_pixels_too(crossing: Clip) -> None:
    truth = crossing.frames[CONTEXT : CONTEXT + HORIZON]
    warp = psnr(future(ConstantVelocityWarp(), crossing), truth)
    copy = psnr(future(CopyLast(), crossing), truth)
    assert (warp - copy).min() > 3


def test_the_warp_leaves_still_pixels_alone_and_no_ghost(crossing: Clip) -> None:
    assert crossing.segmentation is not None
    assert crossing.background is not None
    frame = future(ConstantVelocityWarp(), crossing)[-1].astype(int)
    assert np.array_equal(frame[:8, 40:], crossing.frames[7, :8, 40:])
    left_behind = crossing.segmentation[7] >= 0
    assert np.abs(frame - crossing.background[0])[left_behind].mean() < 12


def test_the_warp_of_a_still_scene_is_the_last_frame(paint_clip: Callable[..., Clip]) -> None:
    clip = paint_clip([[(30.0, 20.0)] * 24], [(0.8, 0.1, 0.1)])
    assert np.array_equal(future(ConstantVelocityWarp(), clip), future(CopyLast(), clip))


def test_the_warp_lets_things_leave_the_frame(paint_clip: Callable[..., Clip]) -> None:
    clip = paint_clip([[(20 + 4.0 * t, 20.0) for t in range(24)]], [(0.8, 0.1, 0.1)])
    assert clip.background is not None
    gone = future(ConstantVelocityWarp(), clip)[-1].astype(int)
    assert np.abs(gone - clip.background[0]).mean() < 1


def test_the_warp_does_not_mind_odd_sizes(paint_clip: Callable[..., Clip]) -> None:
    clip = paint_clip([[(20 + 1.0 * t, 20.0) for t in range(24)]], [(0.8, 0.1, 0.1)], size_px=45)
    assert max(errors(ConstantVelocityWarp(), clip, 8)) < 1


def test_the_warp_needs_two_frames(crossing: Clip) -> None:
    with pytest.raises(InputError, match="at least two"):
        ConstantVelocityWarp().predict(crossing.frames[:1], 4, 0)


def test_the_oracle_tells_the_truth_or_nothing(crossing: Clip) -> None:
    oracle = StateOracle((crossing,))
    assert np.array_equal(future(oracle, crossing), crossing.frames[8:24])
    later = oracle.predict(crossing.frames[3:6], 2, 0)
    assert np.array_equal(later[0], crossing.frames[6:8])
    with pytest.raises(InputError, match="holds this context and 17 frames"):
        oracle.predict(crossing.frames[:8], 17, 0)
    with pytest.raises(InputError, match="no clip of the oracle"):
        oracle.predict(255 - crossing.frames[:8], 2, 0)
