from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from worldline.audit import ObjectMatch, ObjectProbe
from worldline.core import Clip, InputError

CONTEXT, TARGET = 8, 15
RED = (0.8, 0.1, 0.1)


def probe_of(clip: Clip) -> ObjectProbe:
    return ObjectProbe.prepare(clip, context_start=0, context_stop=CONTEXT, frame=TARGET)


def by_id(matches: tuple[ObjectMatch, ...]) -> dict[int, ObjectMatch]:
    return {match.object_id: match for match in matches}


def test_true_frames_are_their_own_answer(crossing: Clip) -> None:
    probe = probe_of(crossing)
    matches = probe.measure(crossing.frames[TARGET])
    assert [m.object_id for m in matches] == [0, 1]
    assert probe.num_untestable == 0
    for match, true_px in zip(matches, [(32.5, 20.0), (45.0, 35.0)], strict=True):
        assert match.found
        assert match.moving
        assert match.error_px == 0
        assert match.area_share == pytest.approx(1, abs=0.2)
        assert match.found_px == pytest.approx(true_px, abs=0.5)


@pytest.mark.parametrize("shift_px", [0.5, 1.0, 2.0, 3.0])
def test_a_shifted_object_gives_that_error(
    paint_clip: Callable[..., Clip], shift_px: float
) -> None:
    path = [(10 + 1.5 * t, 20.0) for t in range(24)]
    shifted = [(x + 0.6 * shift_px, y - 0.8 * shift_px) for x, y in path]
    colors = [(0.8, 0.1, 0.1)]
    truth, predicted = paint_clip([path], colors), paint_clip([shifted], colors)
    (match,) = probe_of(truth).measure(predicted.frames[TARGET])
    assert match.found
    assert match.error_px == pytest.approx(shift_px, abs=0.25)


def disc_iou(radius_px: float, shift_px: float) -> float:
    """Of a disc with itself, shifted: the lens is 2 r^2 acos(d / 2r) - d sqrt(4 r^2 - d^2) / 2."""
    reach = math.sqrt(4 * radius_px**2 - shift_px**2)
    lens = 2 * radius_px**2 * math.acos(shift_px / (2 * radius_px)) - shift_px * reach / 2
    return lens / (2 * math.pi * radius_px**2 - lens)


@pytest.mark.parametrize("shift_px", [1.0, 3.0, 4.0, 6.0])
def test_overlap_of_a_shifted_disc_is_that_of_geometry(
    paint_clip: Callable[..., Clip], shift_px: float
) -> None:
    path = [(10 + 1.5 * t, 30.0) for t in range(24)]
    shifted = [(x + 0.6 * shift_px, y - 0.8 * shift_px) for x, y in path]
    truth, predicted = (paint_clip([p], [(0.8, 0.1, 0.1)], radius_px=7.0) for p in (path, shifted))
    (match,) = probe_of(truth).measure(predicted.frames[TARGET])
    wanted = disc_iou(7.0, shift_px)
    assert match.found
    assert match.iou == pytest.approx(wanted, abs=0.06)
    assert match.covered == (wanted >= 0.5)  # .57 at 3 px, .47 at 4 px
    assert match.coverage == pytest.approx(wanted, abs=0.06 + 0.05)  # 19 steps of .05
    assert match.coverage == np.mean([match.iou >= k / 20 for k in range(1, 20)])


def test_half_overlap_is_the_border(paint_clip: Callable[..., Clip]) -> None:
    def covered(shift_px: float) -> bool:
        clip = paint_clip([[(30 - shift_px * (t < CONTEXT), 30.0) for t in range(24)]], [RED])
        (match,) = probe_of(clip).measure(clip.frames[CONTEXT - 1])
        assert match.found
        return match.covered

    assert disc_iou(4.0, 1.75) > 0.55
    assert disc_iou(4.0, 3.0) < 0.4
    assert covered(1.75)
    assert not covered(3.0)


def test_what_is_missing_or_smeared_covers_nothing(paint_clip: Callable[..., Clip]) -> None:
    clip = paint_clip([[(10 + 1.5 * t, 20.0) for t in range(24)]], [RED], radius_px=5.0)
    probe = probe_of(clip)
    (exact,) = probe.measure(clip.frames[TARGET])
    assert exact.iou == 1
    assert exact.covered
    assert exact.coverage == 1
    (missing,) = probe.measure(clip.background[0])  # type: ignore[index]
    assert missing.iou == 0
    assert not missing.covered
    assert missing.coverage == 0
    smear = clip.frames[TARGET].copy()
    for t in range(CONTEXT - 1, 24):  # the object everywhere on its way
        mask = clip.segmentation[t] == 0  # type: ignore[index]
        smear[mask] = clip.frames[t][mask]
    (match,) = probe.measure(smear)
    assert match.iou < 0.5
    assert not match.covered


def test_a_like_neighbour_keeps_its_pixels(paint_clip: Callable[..., Clip]) -> None:
    left = [(5 + 1.5 * t, 20.0) for t in range(24)]
    right = [(36.0, 20.0)] * 24
    probe = probe_of(paint_clip([left, right], [RED] * 2))
    for away_px, wanted in ((0.0, 1.0), (1.0, disc_iou(4.0, 1.0)), (5.0, disc_iou(4.0, 5.0))):
        shifted = paint_clip([[(x - away_px, y) for x, y in left], right], [RED] * 2)
        matches = by_id(probe.measure(shifted.frames[TARGET]))
        assert matches[0].iou == pytest.approx(wanted, abs=0.12)
        assert matches[1].iou > 0.8
        assert matches[0].covered == (wanted > 0.5)
    alone = by_id(probe.measure(paint_clip([right], [RED]).frames[TARGET]))
    assert not alone[0].covered
    assert alone[1].covered


def test_an_object_too_far_away_is_missed(paint_clip: Callable[..., Clip]) -> None:
    path = [(10 + 1.5 * t, 20.0) for t in range(24)]
    away = [(x, y + 25) for x, y in path]
    colors = [(0.8, 0.1, 0.1)]
    truth, predicted = paint_clip([path], colors), paint_clip([away], colors)
    (match,) = probe_of(truth).measure(predicted.frames[TARGET])
    assert not match.found
    assert match.error_px == pytest.approx(25, abs=0.5)
    assert match.area_share > 0.8
    assert match.penalised_error_px == match.radius_px == pytest.approx(8, abs=0.5)


def test_erased_objects_are_not_recalled(crossing: Clip) -> None:
    assert crossing.background is not None
    matches = probe_of(crossing).measure(crossing.background[0])
    assert len(matches) == 2
    assert not any(m.found for m in matches)
    assert max(m.area_share for m in matches) < 0.05
    one = crossing.frames[TARGET].copy()
    mask = crossing.segmentation[TARGET] == 0  # type: ignore[index]
    wide = cv2.dilate(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    one[wide] = crossing.background[0][wide]
    found = by_id(probe_of(crossing).measure(one))
    assert not found[0].found
    assert found[1].found


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda f: gaussian_filter(f, 1.0, axes=(0, 1)), id="blur"),
        pytest.param(lambda f: 0.8 * f, id="darker"),
        pytest.param(lambda f: 0.7 * f + 60, id="flatter"),
        pytest.param(lambda f: f * np.array([1.0, 0.9, 0.8]), id="tint"),
        pytest.param(
            lambda f: f + np.random.default_rng(0).normal(0, 8, f.shape), id="sensor noise"
        ),
        pytest.param(
            lambda f: cv2.imdecode(
                cv2.imencode(".jpg", f.astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 50])[1], 1
            ),
            id="codec",
        ),
    ],
)
def test_spoiling_the_whole_frame_hardly_matters(
    crossing: Clip, spoil: Callable[[np.ndarray], np.ndarray]
) -> None:
    frame = spoil(crossing.frames[TARGET].astype(np.float64))
    matches = probe_of(crossing).measure(np.clip(np.rint(frame), 0, 255).astype(np.uint8))
    assert len(matches) == 2
    for match in matches:
        assert match.found
        assert match.error_px < 0.5


def test_a_faint_object_counts_by_its_opacity(crossing: Clip) -> None:
    assert crossing.background is not None
    true, plate = crossing.frames[TARGET].astype(float), crossing.background[0].astype(float)

    def shares(opacity: float) -> list[float]:
        mixed = np.rint(opacity * true + (1 - opacity) * plate).astype(np.uint8)
        return [m.area_share for m in probe_of(crossing).measure(mixed)]

    faint, half, strong = shares(0.15), shares(0.5), shares(0.85)
    assert max(faint) < 0.4 < min(strong)
    assert all(a < b < c for a, b, c in zip(faint, half, strong, strict=True))


def ghosted(clip: Clip, strength: float) -> np.ndarray:
    """The true frame with the object also where it was last seen, at `strength` opacity."""
    now, then = clip.frames[TARGET].astype(float), clip.frames[CONTEXT - 1].astype(float)
    plate = clip.background[0].astype(float)  # type: ignore[index]
    mixed = plate + (1 - strength) * (now - plate) + strength * (then - plate)
    return np.clip(np.rint(mixed), 0, 255).astype(np.uint8)


def test_a_ghost_is_no_better_than_where_its_stronger_half_is(
    paint_clip: Callable[..., Clip],
) -> None:
    clip = paint_clip([[(10 + 2.0 * t, 20.0) for t in range(24)]], [(0.8, 0.1, 0.1)])
    probe = probe_of(clip)
    weak, even, strong = (probe.measure(ghosted(clip, s))[0] for s in (0.2, 0.5, 0.8))
    assert weak.found
    assert weak.error_px < 1
    assert not even.found
    assert even.error_px == pytest.approx(16, abs=1)
    assert not strong.found
    both = np.minimum(clip.frames[TARGET], clip.frames[CONTEXT - 1])
    assert not probe.measure(both)[0].found


def test_two_alike_objects_are_not_mistaken_for_each_other(
    paint_clip: Callable[..., Clip],
) -> None:
    left = [(10 + 1.0 * t, 20.0) for t in range(24)]
    right = [(50 - 0.5 * t, 45.0) for t in range(24)]
    clip = paint_clip([left, right], [(0.8, 0.1, 0.1)] * 2)
    probe = probe_of(clip)
    exact = by_id(probe.measure(clip.frames[TARGET]))
    assert [exact[i].error_px for i in (0, 1)] == [0, 0]
    copied = by_id(probe.measure(clip.frames[CONTEXT - 1]))
    assert copied[0].error_px == pytest.approx(8, abs=0.5)
    assert copied[1].error_px == pytest.approx(4, abs=0.5)
    alone = paint_clip([right], [(0.8, 0.1, 0.1)])
    half = by_id(probe.measure(alone.frames[TARGET]))
    assert not half[0].found
    assert half[1].found


def test_touching_alike_objects_are_told_apart(paint_clip: Callable[..., Clip]) -> None:
    left = [(5 + 1.5 * t, 20.0) for t in range(24)]
    right = [(36.0, 20.0)] * 24
    clip = paint_clip([left, right], [(0.1, 0.3, 0.9)] * 2)
    probe = probe_of(clip)
    matches = by_id(probe.measure(clip.frames[TARGET]))
    assert all(matches[i].found for i in (0, 1))
    assert matches[0].truth_px == pytest.approx((27.5, 20), abs=1)
    assert matches[1].truth_px == pytest.approx((36, 20), abs=1)
    assert matches[0].moving
    assert not matches[1].moving


def test_a_shadow_is_not_an_object(paint_clip: Callable[..., Clip]) -> None:
    path = [(10 + 1.5 * t, 20.0) for t in range(24)]
    clip = paint_clip([path], [(0.15, 0.15, 0.15)])
    assert clip.background is not None
    shaded = clip.background[0].astype(float)
    shaded[35:50, 25:45] *= 0.55
    (match,) = probe_of(clip).measure(np.rint(shaded).astype(np.uint8))
    assert not match.found
    assert match.area_share < 0.4


def test_objects_first_seen_after_the_context_do_not_count(
    paint_clip: Callable[..., Clip],
) -> None:
    late = [(-20.0, 30.0)] * 12 + [(20.0, 30.0)] * 12
    early = [(40.0, 10.0 + t) for t in range(24)]
    clip = paint_clip([late, early], [(0.9, 0.8, 0.1), (0.1, 0.2, 0.9)])
    assert [m.object_id for m in probe_of(clip).measure(clip.frames[TARGET])] == [1]


def test_an_object_hidden_at_the_end_of_the_context_still_counts(
    paint_clip: Callable[..., Clip],
) -> None:
    hidden = [(6 + 3.0 * t, 30.0) for t in range(24)]
    cover = [(28.0, 30.0)] * 24
    clip = paint_clip([hidden, cover], [(0.8, 0.1, 0.1), (0.2, 0.6, 0.2)], radius_px=5)
    matches = by_id(probe_of(clip).measure(clip.frames[CONTEXT - 1]))
    assert not matches[0].found  # copying cannot bring it back
    assert by_id(probe_of(clip).measure(clip.frames[TARGET]))[0].found


def test_a_camouflaged_object_is_set_aside(paint_clip: Callable[..., Clip]) -> None:
    clip = paint_clip([[(10 + 1.5 * t, 20.0) for t in range(24)]], [(0.8, 0.1, 0.1)])
    hidden = replace(clip, frames=np.repeat(clip.background, 24, axis=0))  # type: ignore[arg-type]
    probe = probe_of(hidden)
    assert probe.num_untestable == 1
    assert probe.measure(clip.frames[TARGET]) == ()


def test_objects_are_followed_out_of_the_frame(paint_clip: Callable[..., Clip]) -> None:
    clip = paint_clip([[(2 + 4.0 * t, 20.0) for t in range(24)]], [(0.8, 0.1, 0.1)])
    (match,) = probe_of(clip).measure(clip.frames[TARGET])  # centre at 62 of 64 px
    assert match.found
    assert match.error_px == 0


def test_bad_input_is_named(crossing: Clip) -> None:
    with pytest.raises(InputError, match="segmentation and background"):
        probe_of(replace(crossing, background=None))
    with pytest.raises(InputError, match="do not fit a clip of 24 frames"):
        ObjectProbe.prepare(crossing, context_start=0, context_stop=8, frame=30)
    with pytest.raises(InputError, match="resize the prediction"):
        probe_of(crossing).measure(np.zeros((32, 32, 3), dtype=np.uint8))
