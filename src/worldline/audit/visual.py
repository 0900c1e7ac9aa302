"""How alike two pictures are, pixel by pixel. Neither number says whether an object is still there:
read them beside `worldline.audit.objects`."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, UInt8
from scipy.ndimage import gaussian_filter

from worldline.core.errors import InputError

__all__ = ["MAX_PSNR_DB", "psnr", "ssim"]

MAX_PSNR_DB = float(10 * np.log10(255.0**2 * 12))
"""58.9 dB: what rounding to 8 bits alone allows (error variance 1/12 of a level). Identical frames
get this instead of infinity, so that means stay finite."""

_LUMA = np.array([0.299, 0.587, 0.114])
_RADIUS_PX, _SIGMA_PX = 5, 1.5
_K1, _K2 = 0.01, 0.03


def psnr(
    predicted: UInt8[np.ndarray, "t h w 3"],
    truth: UInt8[np.ndarray, "_ _ _ 3"],
    region: Bool[np.ndarray, "t h w"] | None = None,
) -> Float[np.ndarray, " t"]:
    """Peak signal-to-noise ratio of each frame, in dB.

    `10 log10(1 / MSE)` with intensities in [0, 1] and the mean over pixels and channels of one
    frame. A mean over frames or clips of these is a mean of decibels: still frames weigh heavily
    in it.

    Args:
        predicted, truth: RGB frames.
        region: pixels to look at; a frame without any gets NaN.

    Returns:
        one value per frame, at most `MAX_PSNR_DB`.

    Raises:
        InputError: the shapes differ.
    """
    _require_same_shape(predicted, truth)
    square = (predicted.astype(np.float64) / 255 - truth.astype(np.float64) / 255) ** 2
    square = square.mean(-1)
    if region is None:
        mse = square.mean((1, 2))
    else:
        count = region.sum((1, 2))
        total = np.where(region, square, 0.0).sum((1, 2))
        mse = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return -10 * np.log10(np.maximum(mse, 10 ** (-MAX_PSNR_DB / 10)))


def ssim(
    predicted: UInt8[np.ndarray, "t h w 3"], truth: UInt8[np.ndarray, "_ _ _ 3"]
) -> Float[np.ndarray, " t"]:
    """Structural similarity of each frame, on luma.

    Wang, Bovik, Sheikh and Simoncelli (2004), "Image quality assessment: from error visibility to
    structural similarity", equation 13 with K1 = 0.01, K2 = 0.03, dynamic range 1 and a Gaussian
    window of 11 by 11 pixels with standard deviation 1.5, averaged over the pixels whose whole
    window lies inside the frame.

    Returns:
        one value per frame, at most 1.

    Raises:
        InputError: the shapes differ, or the frames are smaller than the window.
    """
    _require_same_shape(predicted, truth)
    if min(predicted.shape[1:3]) < 2 * _RADIUS_PX + 1:
        raise InputError(
            f"frames of {predicted.shape[2]} x {predicted.shape[1]} px are too small for SSIM, "
            f"which needs {2 * _RADIUS_PX + 1} px"
        )
    x, y = (frames.astype(np.float64) @ _LUMA / 255 for frames in (predicted, truth))
    mean_x, mean_y = _smooth(x), _smooth(y)
    var_x = _smooth(x * x) - mean_x**2
    var_y = _smooth(y * y) - mean_y**2
    covariance = _smooth(x * y) - mean_x * mean_y
    c1, c2 = _K1**2, _K2**2
    index = ((2 * mean_x * mean_y + c1) * (2 * covariance + c2)) / (
        (mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2)
    )
    return index.mean((1, 2))


def _smooth(stack: np.ndarray) -> np.ndarray:
    smooth = gaussian_filter(stack, _SIGMA_PX, axes=(1, 2), radius=_RADIUS_PX)
    return smooth[:, _RADIUS_PX:-_RADIUS_PX, _RADIUS_PX:-_RADIUS_PX]


def _require_same_shape(predicted: np.ndarray, truth: np.ndarray) -> None:
    if predicted.shape != truth.shape:
        raise InputError(
            f"predicted frames are {predicted.shape} but the true ones {truth.shape}; "
            "bring both to the same number of frames and size"
        )
