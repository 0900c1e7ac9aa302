from __future__ import annotations

import numpy as np
import pytest

from worldline.core import InputError, Origin, Provenance
from worldline.data import probe, read_clip, write_video

MADE = Provenance(Origin.SIMULATED, "drop", "worldline", 3)


def blocks(count: int = 6, height: int = 32, width: int = 40) -> np.ndarray:
    frames = np.full((count, height, width, 3), (40, 90, 160), np.uint8)
    for k in range(count):
        frames[k, 8:20, 4 + 4 * k : 16 + 4 * k] = (220, 60, 30)
    return frames


def test_frames_and_times_survive(tmp_path):
    time_s = np.array([5.0, 5.1, 5.15, 5.5, 5.6, 7.0])
    write_video(tmp_path / "a.mp4", blocks(), time_s=time_s, provenance=MADE, scale=2)
    clip = read_clip(tmp_path / "a.mp4")
    np.testing.assert_allclose(clip.time_s, time_s - 5.0, atol=1e-4)
    assert clip.size_px == (80, 64)
    expected = blocks().repeat(2, axis=1).repeat(2, axis=2).astype(float)
    assert np.abs(clip.frames - expected).mean() < 2.0
    assert clip.provenance == MADE


def test_duration_counts_the_last_frame(tmp_path):
    write_video(tmp_path / "a.mp4", blocks(10), fps=20, provenance=MADE)
    info = probe(tmp_path / "a.mp4")
    assert info.duration_s == pytest.approx(0.5, abs=1e-3)
    assert info.fps == pytest.approx(20.0, rel=1e-3)
    assert info.codec == "h264"


def test_enlarging_repeats_pixels(tmp_path):
    rng = np.random.default_rng(0)
    checks = rng.integers(0, 2, (3, 8, 8, 1)).astype(np.uint8).repeat(3, axis=3) * 200 + 20
    write_video(tmp_path / "a.mp4", checks, fps=5, provenance=MADE, scale=16)
    frames = read_clip(tmp_path / "a.mp4").frames
    assert frames.shape == (3, 128, 128, 3)
    # The middle of each enlarged pixel has its value; smoothing would mix neighbours.
    np.testing.assert_allclose(frames[:, 8::16, 8::16].astype(int), checks.astype(int), atol=12)


def test_the_colour_of_single_pixels_is_kept_where_it_is_asked_for(tmp_path):
    frames = np.full((4, 32, 32, 3), (155, 150, 140), np.uint8)
    frames[:, 9:23, 15:17] = (188, 50, 50)
    frames[:, 5, 5] = (240, 220, 80)
    worst = {}
    for full_color in (False, True):
        path = tmp_path / "a.mp4"
        write_video(path, frames, fps=5, provenance=MADE, full_color=full_color)
        worst[full_color] = np.abs(read_clip(path).frames.astype(int) - frames).max()
    assert worst[True] < 12
    assert worst[False] > 40


@pytest.mark.parametrize(("height", "width"), [(33, 40), (32, 41), (33, 41), (1, 1)])
def test_odd_sides_grow_by_one(tmp_path, height, width):
    frames = np.full((3, height, width, 3), 120, np.uint8)
    write_video(tmp_path / "a.mp4", frames, fps=5, provenance=MADE)
    got = read_clip(tmp_path / "a.mp4").frames
    assert got.shape[1:3] == (height + height % 2, width + width % 2)
    np.testing.assert_allclose(got, 120, atol=3)


def test_index_lies_before_the_pictures(tmp_path):
    write_video(tmp_path / "a.mp4", blocks(), fps=5, provenance=MADE)
    data = (tmp_path / "a.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_a_generator_is_enough(tmp_path):
    write_video(
        tmp_path / "deep" / "a.mp4",
        (frame for frame in blocks(5)),
        time_s=(0.1 * k for k in range(5)),
        provenance=MADE,
    )
    assert read_clip(tmp_path / "deep" / "a.mp4").num_frames == 5


def test_a_name_may_be_as_long_as_names_can_be(tmp_path):
    path = tmp_path / ("x" * 251 + ".mp4")
    write_video(path, np.zeros((2, 16, 16, 3), np.uint8), fps=25, provenance=Provenance())
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_a_failure_leaves_no_file(tmp_path):
    def break_off():
        yield from blocks(3)
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        write_video(tmp_path / "a.mp4", break_off(), fps=5, provenance=MADE)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("frames", "options", "words"),
    [
        (blocks(3), {}, "either time_s or fps"),
        (blocks(3), {"fps": 5, "time_s": [0, 1, 2]}, "either time_s or fps"),
        (blocks(3), {"fps": 0}, "positive"),
        (blocks(3), {"fps": 5, "scale": 0}, "scale"),
        (blocks(3), {"time_s": [0.0, 0.2, 0.1]}, "does not increase at 0.1 s"),
        (blocks(3), {"time_s": [0.0, 0.2]}, "differ in length"),
        (blocks(0), {"fps": 5}, "no frames"),
        ([blocks(1)[0], blocks(1, 16, 16)[0]], {"fps": 5}, "the first one is"),
    ],
)
def test_bad_input(tmp_path, frames, options, words):
    with pytest.raises(InputError, match=words):
        write_video(tmp_path / "a.mp4", frames, provenance=MADE, **options)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("full_color", [False, True])
@pytest.mark.parametrize("side_px", [16, 32, 48, 72])
def test_small_frames_give_the_same_file_each_time(tmp_path, side_px: int, full_color: bool):
    generator = np.random.default_rng(0)
    frames = np.full((16, side_px, side_px, 3), (30, 60, 90), np.uint8)
    for frame in frames:
        column = generator.integers(0, side_px - 8)
        frame[4:12, column : column + 8] = (250, 200, 40)
    contents = set()
    for _ in range(20):
        write_video(
            tmp_path / "a.mp4", frames, fps=10, provenance=Provenance(), full_color=full_color
        )
        contents.add((tmp_path / "a.mp4").read_bytes())
    assert len(contents) == 1
