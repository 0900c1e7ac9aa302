from __future__ import annotations

import tracemalloc
from pathlib import Path

import cv2
import numpy as np
import pytest

from worldline.core import Clip, Origin, Provenance
from worldline.data import decode, iter_frames, probe, read_clip, write_video


def brightness(image: np.ndarray) -> float:
    """Of the lower right quarter, where a numbered frame holds its number."""
    height, width = image.shape[:2]
    return float(image[height // 2 :, width // 2 :].mean())


def test_probe_describes_a_file(video):
    info = probe(video)
    assert (info.width_px, info.height_px, info.codec) == (64, 48, "h264")
    assert info.fps == pytest.approx(25.0)
    assert info.duration_s == pytest.approx(2.0, abs=0.05)
    assert info.num_frames_hint == 50
    assert info.rotation_deg == 0
    assert info.damage == ""
    assert info.provenance == Provenance(source=str(video))


def test_frames_come_in_order_with_their_times(video):
    times, levels = [], []
    for time_s, image in iter_frames(video):
        assert image.shape == (48, 64, 3)
        times.append(time_s)
        levels.append(brightness(image))
    np.testing.assert_allclose(times, np.arange(50) * 0.04, atol=1e-9)
    expected = np.minimum(235, 20 + 5 * np.arange(50))
    np.testing.assert_allclose(levels, expected, atol=3)


def test_colours_are_red_green_blue(encode, tmp_path):
    frames = np.zeros((3, 48, 64, 3), np.uint8)
    frames[..., 0], frames[..., 2] = 200, 40
    _, image = next(iter_frames(encode(tmp_path / "red.mp4", frames)))
    np.testing.assert_allclose(image.reshape(-1, 3).mean(axis=0), [200, 0, 40], atol=6)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts", "a.h264"])
def test_any_container_starts_at_time_zero(encode, numbered_frames, tmp_path, name):
    clip = read_clip(encode(tmp_path / name, numbered_frames(12)))
    np.testing.assert_allclose(clip.time_s, np.arange(12) * 0.04, atol=1e-3)


@pytest.mark.parametrize("name", ["late.mkv", "late.mp4", "late.ts"])
def test_a_first_time_stamp_that_is_late_is_no_missing_part(
    encode, numbered_frames, tmp_path, name
):
    ticks = [100_000 + 40 * k for k in range(30)]
    path = encode(tmp_path / name, numbered_frames(30), ticks=ticks)
    notes: list[str] = []
    frames = list(iter_frames(path, on_damage=notes.append))
    assert (len(frames), frames[0][0], notes) == (30, 0.0, [])
    assert probe(path).duration_s == pytest.approx(1.2, abs=0.1)


def test_uneven_times_are_kept(encode, numbered_frames, tmp_path):
    ticks = [0, 40, 50, 500, 510, 1700]
    path = encode(tmp_path / "vfr.mp4", numbered_frames(6), ticks=ticks)
    np.testing.assert_allclose(read_clip(path).time_s, np.array(ticks) / 1000, atol=1e-3)


@pytest.mark.parametrize("start_s", [0.02, 0.4, 0.41, 1.0, 1.96])
def test_reading_starts_at_the_asked_time(video, start_s):
    time_s, image = next(iter_frames(video, start_s=start_s))
    expected = int(np.ceil(start_s / 0.04 - 1e-9))
    assert time_s == pytest.approx(expected * 0.04)
    assert brightness(image) == pytest.approx(min(235, 20 + 5 * expected), abs=3)


@pytest.mark.parametrize("name", ["a.mkv", "a.ts", "a.h264"])
def test_seeking_gives_what_reading_through_gives(encode, numbered_frames, tmp_path, name):
    path = encode(tmp_path / name, numbered_frames(40), options={"g": "8"})
    whole = read_clip(path)
    part = read_clip(path, start_s=0.6, end_s=1.2)
    inside = (whole.time_s >= 0.6 - 1e-6) & (whole.time_s < 1.2 - 1e-6)
    np.testing.assert_allclose(part.time_s, whole.time_s[inside], atol=1e-6)
    np.testing.assert_array_equal(part.frames, whole.frames[inside])


def test_intervals_are_half_open_so_that_parts_add_up(video):
    parts = [read_clip(video, start_s=a, end_s=a + 0.4) for a in (0.0, 0.4, 0.8)]
    assert [p.num_frames for p in parts] == [10, 10, 10]
    times = np.concatenate([p.time_s for p in parts])
    np.testing.assert_allclose(times, np.arange(30) * 0.04, atol=1e-9)


def test_seeking_does_not_decode_what_lies_before(video, monkeypatch):
    seen = []
    original = decode.FrameClock.time_s

    def count(self, frame):
        seen.append(frame)
        return original(self, frame)

    monkeypatch.setattr(decode.FrameClock, "time_s", count)
    next(iter_frames(video, start_s=1.9))
    assert len(seen) <= 10  # from the key frame at 1.6 s on, not from 0


def test_one_frame_of_a_longer_video_is_fine(video):
    assert read_clip(video, start_s=0.4, end_s=0.43).num_frames == 1
    assert read_clip(video, max_frames=1).num_frames == 1
    assert read_clip(video, end_s=0.04).num_frames == 1


def test_max_side_shrinks_and_never_enlarges(encode, numbered_frames, tmp_path):
    path = encode(tmp_path / "wide.mp4", numbered_frames(4, height=96, width=160))
    _, small = next(iter_frames(path, max_side_px=40))
    assert small.shape == (24, 40, 3)
    _, same = next(iter_frames(path, max_side_px=1000))
    assert same.shape == (96, 160, 3)
    assert small[2, 2].min() > 240  # the white block is still in its corner


@pytest.mark.parametrize("side_px", [80, 53, 31])
def test_shrunk_frames_look_like_the_whole_ones_made_smaller(encode, tmp_path, side_px):
    rng = np.random.default_rng(0)
    coarse = rng.integers(60, 190, (3, 5, 3)).astype(np.uint8)
    whole = cv2.resize(coarse, (160, 96), interpolation=cv2.INTER_CUBIC)
    path = encode(tmp_path / "colors.mp4", np.stack([whole] * 3), options={"crf": "4"})
    _, full = next(iter_frames(path))
    _, small = next(iter_frames(path, max_side_px=side_px))
    size = small.shape[1], small.shape[0]
    expected = cv2.resize(full, size, interpolation=cv2.INTER_AREA)
    apart = small.astype(float) - expected
    assert size == (side_px, round(side_px * 0.6))
    assert np.abs(apart).mean() < 3.0
    assert np.abs(apart.mean(axis=(0, 1))).max() < 2.0


@pytest.mark.parametrize(
    ("degrees", "clockwise", "corner"),
    [(0, 0, (0, 0)), (-90, 90, (0, -1)), (180, 180, (-1, -1)), (90, 270, (-1, 0))],
)
def test_rotation_is_applied(encode, numbered_frames, tmp_path, degrees, clockwise, corner):
    path = encode(
        tmp_path / "turned.mp4",
        numbered_frames(4),
        turn=lambda stream: stream.set_display_rotation(degrees),
    )
    info = probe(path)
    _, image = next(iter_frames(path))
    assert info.rotation_deg == clockwise
    assert (info.height_px, info.width_px) == image.shape[:2]
    assert image.shape[:2] == ((48, 64) if clockwise % 180 == 0 else (64, 48))
    corners = {(r, c): float(image[r, c].mean()) for r in (0, -1) for c in (0, -1)}
    assert max(corners, key=lambda key: corners[key]) == corner


def test_mirroring_is_applied(encode, numbered_frames, tmp_path):
    path = encode(
        tmp_path / "mirror.mp4",
        numbered_frames(4),
        turn=lambda stream: stream.set_display_rotation(0, hflip=True),
    )
    _, image = next(iter_frames(path))
    assert image[0, -1].min() > 240
    assert image[0, 0].max() < 40
    assert probe(path).rotation_deg == 0


def test_memory_does_not_grow_with_length(encode, numbered_frames, tmp_path):
    path = encode(tmp_path / "long.mp4", np.repeat(numbered_frames(10, 96, 128), 14, axis=0))

    def peak(num_frames: int) -> int:
        tracemalloc.start()
        for k, _ in enumerate(iter_frames(path)):
            if k == num_frames:
                break
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size

    peak(5)
    assert peak(130) < peak(30) + 10 * 96 * 128 * 3


def test_clip_read_finds_the_reader(video):
    clip = Clip.read(video, start_s=0.2, max_frames=5)
    np.testing.assert_allclose(clip.time_s, 0.2 + 0.04 * np.arange(5), atol=1e-9)
    assert clip.provenance.origin is Origin.RECORDED


def test_generated_video_is_recognised(tmp_path):
    made = Provenance(Origin.GENERATED, "throw", "worldline small", 7, (("note", "x"),))
    frames = np.zeros((4, 32, 32, 3), np.uint8)
    write_video(tmp_path / "made.mp4", frames, fps=10, provenance=made)
    assert probe(tmp_path / "made.mp4").provenance == made
    assert read_clip(tmp_path / "made.mp4").provenance == made


def test_too_long_for_memory_names_the_ways_out(video, monkeypatch):
    monkeypatch.setattr(decode, "MAX_CLIP_BYTES", 20 * 64 * 48 * 3)
    with pytest.raises(decode.MediaError, match=r"too long for memory.*start_s"):
        read_clip(video)
    assert read_clip(video, max_frames=20).num_frames == 20


def test_the_end_of_a_path_may_look_like_a_protocol(encode, numbered_frames, tmp_path):
    folder = tmp_path / "http:"
    folder.mkdir()
    path = encode(tmp_path / "plain.mp4", numbered_frames(3)).rename(folder / "take:2 #1%03d.mp4")
    assert read_clip(path).num_frames == 3
    assert Path(probe(path).path) == path
