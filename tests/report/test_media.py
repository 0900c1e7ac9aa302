from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from worldline.core import InputError, Origin, Provenance
from worldline.data import probe, read_clip
from worldline.report import encode_film, encode_strip
from worldline.report.media import color_map

from .conftest import paint


def test_a_film_keeps_frames_times_and_mark(tmp_path: Path) -> None:
    frames, time_s = paint(6), np.array([5.0, 5.1, 5.2, 5.4, 5.5, 5.6])
    provenance = Provenance(Origin.GENERATED, "a.mp4", "small", 3)
    film = encode_film(frames, time_s, alt="x", provenance=provenance, poster=5, scale=3)
    assert (film.width_px, film.height_px, film.num_frames) == (96, 96, 6)
    assert film.start_s == 5.0
    assert film.duration_s == pytest.approx(0.72)  # the last frame lasts as long as the mean
    assert film.pixelated
    path = tmp_path / "film.mp4"
    path.write_bytes(film.mp4)
    clip = read_clip(path)
    assert clip.time_s == pytest.approx(time_s - 5.0, abs=1e-4)
    assert probe(path).provenance == provenance
    large = frames.repeat(3, axis=1).repeat(3, axis=2)
    assert np.abs(clip.frames.astype(int) - large).mean() < 3.0
    poster = np.asarray(Image.open(BytesIO(film.poster)))
    assert poster.shape == (96, 96, 3)
    assert np.abs(poster.astype(int) - large[5]).mean() < 4.0
    assert np.abs(poster.astype(int) - large[0]).mean() > 8.0


def test_a_film_takes_a_generator_and_a_poster_out_of_range() -> None:
    frames = paint(3)
    film = encode_film(iter(frames), [0.0, 0.5, 1.0], alt="", provenance=Provenance(), poster=99)
    assert film.num_frames == 3
    assert film.duration_s == pytest.approx(1.5)
    assert not film.pixelated
    with pytest.raises(InputError, match="differ in length"):
        encode_film(iter(frames), [0.0, 0.5], alt="", provenance=Provenance())


def test_a_strip_shows_each_frame_exactly() -> None:
    frames = paint(3, 16)
    still = encode_strip(frames, alt="three", gap_px=2)
    picture = np.asarray(Image.open(BytesIO(still.png)))
    assert (still.width_px, still.height_px) == (3 * 16 + 2 * 2, 16)
    assert picture.shape == (16, 52, 4)
    for k in range(3):
        part = picture[:, 18 * k : 18 * k + 16]
        assert np.array_equal(part[..., :3], frames[k])
        assert np.all(part[..., 3] == 255)
    assert np.all(picture[:, 16:18, 3] == 0)


def test_colors_grow_brighter_with_the_value() -> None:
    values = np.linspace(0.0, 0.2, 50)[None]
    colors = color_map(values, 0.2)
    assert colors.shape == (1, 50, 3)
    luma = colors[0] @ np.array([0.299, 0.587, 0.114])
    assert np.all(np.diff(luma) > 0)
    assert colors[0, 0].tolist() == [0, 0, 4]
    assert np.array_equal(color_map(np.array([0.2, 9.0]), 0.2)[0], colors[0, -1])
    assert color_map(np.array([np.nan]), 0.2)[0].tolist() == [0, 0, 4]
    assert color_map(np.array([1.0]), 0.0)[0].tolist() == [0, 0, 4]
