import numpy as np
import pytest

from worldline.audit.following import follow
from worldline.core import InputError


def film(places, radius=5.0, color=(220, 60, 40), factor=None, start=0):
    """A disc on plain ground; `factor[t]` times as large."""
    y, x = np.mgrid[:64, :64] + 0.5
    frames = []
    for t, (cx, cy) in enumerate(places):
        size = radius * (1.0 if factor is None else factor[t])
        cover = np.clip(size + 0.5 - np.hypot(x - cx, y - cy), 0, 1)[..., None]
        frames.append(np.rint(120 * (1 - cover) + cover * np.array(color)).astype(np.uint8))
    return np.stack(frames)


def line(num, first=(12.0, 30.0), step=(1.5, 0.25)):
    return [(first[0] + step[0] * t, first[1] + step[1] * t) for t in range(num)]


def test_a_disc_is_followed_to_a_fraction_of_a_pixel():
    frames = film(line(20))
    course = follow(frames[:8], frames[8:])
    assert course.center_px.shape == (1, 20, 2)
    assert np.abs(course.center_px[0] - line(20)).max() < 0.25
    assert np.abs(course.size[0]).max() < 0.03
    assert course.misfit.max() < 0.1
    assert course.strange_px.max() == 0


def test_growth_is_measured():
    factor = np.r_[np.ones(12), np.full(8, 1.05)]
    frames = film(line(20), factor=factor)
    course = follow(frames[:8], frames[8:])
    assert course.size[0, 12:].mean() - course.size[0, 8:12].mean() == pytest.approx(
        np.log(1.05), abs=0.015
    )


def test_what_is_gone_is_not_explained():
    frames = film(line(20))
    frames[14:] = 120
    course = follow(frames[:8], frames[8:])
    assert course.misfit[0, :14].max() < 0.1
    assert course.misfit[0, 14:].min() > 0.8


def test_frames_have_to_fit():
    frames = film(line(6))
    with pytest.raises(InputError, match="three context frames"):
        follow(frames[:2], frames[2:])
