import numpy as np
import torch
from tests.discs import disc_clips

from worldline.core import Outcome, Verdict
from worldline.world.render import make_reference, measure_spread, render, worst_verdicts


def test_small_corrections_leave_the_reference_and_large_ones_replace_it(nano):
    first, second = (clip.frames[:3] for clip in disc_clips(2))
    reference = make_reference(nano.tokenizer, first)
    same = nano.encode_frames(first)
    np.testing.assert_allclose(
        render(nano.tokenizer, same, reference)[0].astype(int), first.astype(int), atol=1
    )
    other = nano.encode_frames(second)
    with torch.no_grad():
        decoded = nano.tokenizer.decode(other)[0].numpy().astype(int)
    whole = render(nano.tokenizer, other, reference, (0.0,))[0].astype(int)
    held = render(nano.tokenizer, other, reference, (100.0,))[0].astype(int)
    np.testing.assert_allclose(held, first.astype(int), atol=1)
    assert np.abs(whole - decoded).mean() < np.abs(held - decoded).mean()


def test_thresholds_are_per_frame_and_the_last_goes_on(nano):
    first, second = (clip.frames[:3] for clip in disc_clips(2))
    reference = make_reference(nano.tokenizer, first)
    other = nano.encode_frames(second)
    mixed = render(nano.tokenizer, other, reference, (0.0, 100.0))[0]
    np.testing.assert_array_equal(mixed[0], render(nano.tokenizer, other, reference)[0, 0])
    held = render(nano.tokenizer, other, reference, (100.0,))[0]
    np.testing.assert_array_equal(mixed[1:], held[1:])


def test_spread_is_the_scaled_standard_deviation():
    drawn = np.zeros((2, 3, 4, 4, 3), np.uint8)
    drawn[1] = 51  # 0.2 apart: standard deviation 0.2 / sqrt(2)
    per_frame, per_px = measure_spread(drawn, (1.0, 2.0))
    expected = 0.2 / np.sqrt(2) * np.array([1, 2, 2])
    np.testing.assert_allclose(per_frame, expected)
    np.testing.assert_allclose(per_px[:, 2, 1], expected)
    with_floor, _ = measure_spread(drawn, (1.0,), (0.1,))
    np.testing.assert_allclose(with_floor, np.hypot(expected[0], 0.1))


def test_the_worst_future_speaks_for_all():
    good = Verdict("inertia", Outcome.PASS, 0.5)
    bad = Verdict("inertia", Outcome.FAIL, 0.001)
    unknown = Verdict("inertia", Outcome.UNTESTABLE)
    (worst,) = worst_verdicts([(unknown,), (bad,), (good,), (bad,)])
    assert worst.outcome is Outcome.FAIL
    assert worst.quantities["futures_failed"] == 2
    assert worst_verdicts([(unknown,), (good,)])[0].outcome is Outcome.PASS
