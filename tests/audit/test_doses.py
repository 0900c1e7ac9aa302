from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from worldline.audit import ObjectProbe, psnr, ssim
from worldline.audit.doses import DOSES, Fault, spoil
from worldline.audit.perceptual import Eyes, gmsd
from worldline.audit.silhouettes import Silhouettes
from worldline.core import Clip, InputError

SCORED = slice(8, 16)


def curve(fault: Fault, clip: Clip, measure) -> list[float]:
    doses = (0.0, *DOSES)
    return [float(measure(spoil(fault, clip, SCORED, dose))) for dose in doses]


def overlap_in(clip: Clip):
    finder = Silhouettes.of(clip)
    assert clip.segmentation is not None
    masks = clip.segmentation[SCORED]
    return lambda frames: np.nanmean(
        [finder.overlaps(frame, mask) for frame, mask in zip(frames, masks, strict=True)]
    )


def error_in(clip: Clip):
    probes = [
        ObjectProbe.prepare(clip, context_start=0, context_stop=8, frame=frame)
        for frame in range(SCORED.start + 3, SCORED.stop, 4)
    ]

    def error(frames: np.ndarray) -> float:
        found = [m for p, f in zip(probes, frames[3::4], strict=True) for m in p.measure(f)]
        return float(np.mean([match.penalised_error_px for match in found]))

    return error


@pytest.mark.parametrize("fault", [Fault.DISPLACED, Fault.ERASED, Fault.FROZEN])
def test_overlap_falls_with_every_larger_dose_of_what_is_physical(
    fault: Fault, crossing: Clip
) -> None:
    found = curve(fault, crossing, overlap_in(crossing))
    assert found[0] > 0.85
    assert all(a >= b - 1e-9 for a, b in pairwise(found))
    assert found[-1] < 0.75 * found[0]


@pytest.mark.parametrize("fault", [Fault.DISPLACED, Fault.FROZEN])
def test_position_error_grows_with_every_larger_dose(fault: Fault, crossing: Clip) -> None:
    found = curve(fault, crossing, error_in(crossing))
    assert found[0] == 0
    assert all(b >= a - 0.05 for a, b in pairwise(found))
    assert found[-1] > found[0] + 1


@pytest.mark.parametrize("fault", [Fault.BLURRED, Fault.RECOLORED])
def test_physical_metrics_stay_under_blur_and_other_colours(fault: Fault, crossing: Clip) -> None:
    overlaps = curve(fault, crossing, overlap_in(crossing))
    errors = curve(fault, crossing, error_in(crossing))
    assert max(abs(x - overlaps[0]) for x in overlaps) < 0.05
    assert max(errors) < 0.5


@pytest.mark.parametrize(("name", "sign"), [("psnr", -1), ("ssim", -1), ("gmsd", 1), ("deep", 1)])
@pytest.mark.parametrize("fault", [Fault.NOISE, Fault.ERASED, Fault.BLURRED])
def test_visual_metrics_get_worse_with_every_larger_dose(
    name: str, sign: int, fault: Fault, crossing: Clip
) -> None:
    metric = {"psnr": psnr, "ssim": ssim, "gmsd": gmsd}.get(name) or Eyes.open().distance
    truth = crossing.frames[SCORED]
    found = curve(fault, crossing, lambda frames: metric(frames, truth).mean())
    assert all(sign * (b - a) >= -1e-9 for a, b in pairwise(found))
    assert sign * (found[-1] - found[0]) > 0


def test_no_dose_is_the_truth_and_larger_ones_spoil_more_pixels(crossing: Clip) -> None:
    for fault in Fault:
        truth = crossing.frames[SCORED]
        assert (spoil(fault, crossing, SCORED, 0.0) == truth).all()
        changed = [
            (spoil(fault, crossing, SCORED, dose) != truth).any(-1).mean() for dose in (0.2, 0.5)
        ]
        assert changed[1] > 0
        assert changed[0] <= changed[1]


def test_half_of_the_end_is_frozen(crossing: Clip) -> None:
    frames = spoil(Fault.FROZEN, crossing, SCORED, 0.5)
    assert (frames[:4] == crossing.frames[8:12]).all()
    assert (frames[4:] == frames[3]).all()


def test_a_dose_is_a_share(crossing: Clip) -> None:
    with pytest.raises(InputError, match="share"):
        spoil(Fault.NOISE, crossing, SCORED, 5.0)
