from __future__ import annotations

import numpy as np
import pytest

from worldline.audit import psnr, ssim
from worldline.audit.visual import MAX_PSNR_DB
from worldline.core import InputError


def noise(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def test_psnr_of_a_constant_offset() -> None:
    truth = np.full((2, 8, 8, 3), 100, dtype=np.uint8)
    predicted = truth.copy()
    predicted[0] += 51  # a fifth of the range: MSE 1/25
    predicted[1] += 1
    expected = [10 * np.log10(25), 20 * np.log10(255)]
    np.testing.assert_allclose(psnr(predicted, truth), expected)


def test_psnr_of_one_wrong_pixel_counts_all_pixels_and_channels() -> None:
    truth = np.zeros((1, 10, 10, 3), dtype=np.uint8)
    predicted = truth.copy()
    predicted[0, 3, 3, 1] = 255
    np.testing.assert_allclose(psnr(predicted, truth), 10 * np.log10(300))


def test_identical_frames_get_the_quantisation_limit() -> None:
    frames = noise((3, 8, 8, 3))
    np.testing.assert_allclose(psnr(frames, frames), MAX_PSNR_DB)
    assert pytest.approx(58.92, abs=0.01) == MAX_PSNR_DB


def test_psnr_of_a_region_ignores_the_rest() -> None:
    truth = np.zeros((2, 8, 8, 3), dtype=np.uint8)
    predicted = truth.copy()
    predicted[:, :4] = 255
    region = np.zeros((2, 8, 8), dtype=bool)
    region[0, 2:6] = True  # half right, half wrong
    value = psnr(predicted, truth, region)
    assert value[0] == pytest.approx(10 * np.log10(2))
    assert np.isnan(value[1])


def test_ssim_of_identical_frames_is_one() -> None:
    frames = noise((2, 20, 16, 3))
    np.testing.assert_allclose(ssim(frames, frames), 1)


def test_ssim_of_two_plain_frames_is_the_luminance_term() -> None:
    a = np.full((1, 16, 16, 3), 51, dtype=np.uint8)
    b = np.full((1, 16, 16, 3), 204, dtype=np.uint8)
    c1 = 0.01**2
    expected = (2 * 0.2 * 0.8 + c1) / (0.2**2 + 0.8**2 + c1)
    np.testing.assert_allclose(ssim(a, b), expected, rtol=1e-9)


def test_ssim_equals_the_formula_written_out_at_one_pixel() -> None:
    a, b = noise((1, 11, 11, 3), 1), noise((1, 11, 11, 3), 2)
    luma = np.array([0.299, 0.587, 0.114])
    x, y = (f[0] @ luma / 255 for f in (a, b))
    line = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
    window = np.outer(line, line) / line.sum() ** 2
    mx, my = (window * x).sum(), (window * y).sum()
    vx, vy = (window * (x - mx) ** 2).sum(), (window * (y - my) ** 2).sum()
    cov = (window * (x - mx) * (y - my)).sum()
    c1, c2 = 0.01**2, 0.03**2
    expected = (2 * mx * my + c1) * (2 * cov + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2))
    np.testing.assert_allclose(ssim(a, b), [expected], rtol=1e-9)


def test_ssim_of_a_negative_is_below_zero() -> None:
    frames = noise((1, 24, 24, 3))
    assert ssim(255 - frames, frames)[0] < -0.5


def test_bad_shapes_are_named() -> None:
    with pytest.raises(InputError, match="predicted frames are"):
        psnr(noise((1, 8, 8, 3)), noise((2, 8, 8, 3)))
    with pytest.raises(InputError, match="too small for SSIM"):
        ssim(noise((1, 8, 8, 3)), noise((1, 8, 8, 3)))
