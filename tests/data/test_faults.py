"""Every file that cannot be used says so in one line that names it; nothing else is printed."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from worldline.core import MediaError
from worldline.data import iter_frames, probe, read_clip


def refuse(path, *words: str) -> None:
    """Probing, streaming and reading all refuse, for the same reason."""
    for use in (probe, read_clip, lambda p: list(iter_frames(p))):
        with pytest.raises(MediaError) as caught:
            use(path)
        message = str(caught.value)
        assert message.startswith(f"{path}: ")
        assert "\n" not in message
        for word in words:
            assert word in message


@pytest.fixture(autouse=True)
def _silence(capfd):
    yield
    out, err = capfd.readouterr()
    assert (out, err) == ("", "")


def test_missing_path(tmp_path):
    refuse(tmp_path / "nothing.mp4", "no such file")


def test_directory(tmp_path):
    refuse(tmp_path, "is a directory")


def test_empty_file(tmp_path):
    (tmp_path / "empty.mp4").touch()
    refuse(tmp_path / "empty.mp4", "empty")


def test_noise(tmp_path):
    (tmp_path / "noise.mp4").write_bytes(np.random.default_rng(0).bytes(5000))
    refuse(tmp_path / "noise.mp4", "damaged or not a video")


@pytest.mark.parametrize("name", ["notes.mp4", "notes.txt"])
def test_text(tmp_path, name):
    (tmp_path / name).write_text("hello world\n" * 50)
    refuse(tmp_path / name, "text file")


def test_playlist_is_not_followed(encode, numbered_frames, tmp_path):
    encode(tmp_path / "part.ts", numbered_frames(20))
    head = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n"
    (tmp_path / "list.m3u8").write_text(head + "part.ts\n#EXT-X-ENDLIST\n")
    refuse(tmp_path / "list.m3u8", "playlist")


@pytest.mark.parametrize(("name", "codec"), [("a.m4a", "aac"), ("a.wav", "pcm_s16le")])
def test_sound_alone(encode_sound, tmp_path, name, codec):
    refuse(encode_sound(tmp_path / name, codec), "has sound but no video")


@pytest.mark.parametrize("name", ["a.png", "a.jpg"])
def test_image(tmp_path, name):
    Image.fromarray(np.zeros((20, 30, 3), np.uint8)).save(tmp_path / name)
    refuse(tmp_path / name, "only one frame")


def test_video_of_one_frame(encode, numbered_frames, tmp_path):
    refuse(encode(tmp_path / "one.mp4", numbered_frames(1)), "only one frame")


def test_two_frames_are_a_video(encode, numbered_frames, tmp_path):
    assert read_clip(encode(tmp_path / "two.mp4", numbered_frames(2))).num_frames == 2


def test_zero_size(tmp_path):
    frames = [Image.new("RGB", (16, 16), (k * 40, 0, 0)) for k in range(4)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:], duration=100)
    assert read_clip(tmp_path / "a.gif").num_frames == 4
    data = bytearray((tmp_path / "a.gif").read_bytes())
    data[6:10] = bytes(4)  # width and height of the screen
    (tmp_path / "zero.gif").write_bytes(data)
    refuse(tmp_path / "zero.gif")


def test_truncated_without_its_index(video, tmp_path):
    data = video.read_bytes()
    (tmp_path / "half.mp4").write_bytes(data[: len(data) // 2])
    refuse(tmp_path / "half.mp4", "truncated or damaged")


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "notes.txt"])
def test_too_short_for_anything(video, tmp_path, name):
    (tmp_path / name).write_bytes(video.read_bytes()[:1])
    refuse(tmp_path / name, "is too short to be a video (1 byte)")
    (tmp_path / name).write_text("seven..")
    refuse(tmp_path / name, "is too short to be a video (7 bytes)")


def test_truncated_inside_its_index(encode, numbered_frames, tmp_path):
    data = encode(tmp_path / "whole.mp4", numbered_frames(20)).read_bytes()
    start = data.index(b"moov")  # it comes last
    for share in (0.4, 0.7):
        (tmp_path / "part.mp4").write_bytes(data[: start + int((len(data) - start) * share)])
        refuse(tmp_path / "part.mp4", "truncated")


def test_an_index_without_a_known_codec_is_not_called_truncated(video, tmp_path):
    data = video.read_bytes().replace(b"avc1", b"zzz1")
    (tmp_path / "odd.mp4").write_bytes(data)
    refuse(tmp_path / "odd.mp4", "uses a codec that cannot be decoded here")


@pytest.mark.parametrize("num_bytes", [8, 40, 100, 300])
def test_matroska_truncated_before_its_first_frame(encode, numbered_frames, tmp_path, num_bytes):
    data = encode(tmp_path / "whole.mkv", numbered_frames(20)).read_bytes()
    (tmp_path / "part.mkv").write_bytes(data[:num_bytes])
    refuse(tmp_path / "part.mkv", "truncated or damaged")


def test_matroska_damaged_in_its_first_frame_is_still_a_video(encode, numbered_frames, tmp_path):
    path = encode(tmp_path / "a.mkv", numbered_frames(60))
    data = bytearray(path.read_bytes())
    start = data.index(b"x264") + 550  # behind the note of the encoder that leads the first frame
    data[start : start + 300] = np.random.default_rng(0).bytes(300)
    path.write_bytes(data)
    refuse(path, "is damaged")
    with pytest.raises(MediaError) as caught:
        probe(path)
    assert "not a video" not in str(caught.value)


def test_matroska_damaged_later_gives_what_comes_before(encode, tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (50, 48, 64, 3)).astype(np.uint8)
    path = encode(tmp_path / "a.mkv", noise, options={"bf": "0"})
    data = bytearray(path.read_bytes())
    third = len(data) // 3
    data[third : third + 300] = np.random.default_rng(1).bytes(300)
    path.write_bytes(data)
    notes: list[str] = []
    frames = list(iter_frames(path, on_damage=notes.append))
    assert 2 <= len(frames) < 50
    assert len(notes) == 1


def test_truncated_with_its_index_gives_what_it_has(encode, numbered_frames, tmp_path):
    whole = encode(
        tmp_path / "whole.mp4",
        numbered_frames(50),
        options={"g": "10", "bf": "0"},
        container_options={"movflags": "faststart"},
    )
    data = whole.read_bytes()
    (tmp_path / "part.mp4").write_bytes(data[: int(len(data) * 0.9)])
    info = probe(tmp_path / "part.mp4")
    assert info.damage.startswith("truncated: the last ")
    clip = read_clip(tmp_path / "part.mp4")
    assert 2 <= clip.num_frames < 50
    assert dict(clip.provenance.details)["damage"] == info.damage
    np.testing.assert_array_equal(clip.frames, read_clip(whole).frames[: clip.num_frames])


def test_truncated_without_any_index_is_noticed_at_its_end(encode, tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (50, 48, 64, 3)).astype(np.uint8)
    data = encode(tmp_path / "a.mkv", noise).read_bytes()
    (tmp_path / "part.mkv").write_bytes(data[: len(data) // 2])
    notes: list[str] = []
    frames = list(iter_frames(tmp_path / "part.mkv", on_damage=notes.append))
    assert 2 <= len(frames) < 50
    assert len(notes) == 1
    assert notes[0].startswith("truncated")


def test_damage_in_the_middle_is_passed_over(encode, tmp_path):
    path = encode(
        tmp_path / "a.mp4",
        np.random.default_rng(1).integers(0, 255, (50, 48, 64, 3)).astype(np.uint8),
        options={"g": "5", "bf": "0"},
        container_options={"movflags": "faststart"},
    )
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 3000] = np.random.default_rng(2).bytes(3000)
    path.write_bytes(data)
    notes: list[str] = []
    times = [t for t, _ in iter_frames(path, on_damage=notes.append)]
    assert 20 <= len(times) < 50
    assert np.all(np.diff(times) > 0)
    assert len(notes) == 1


def test_first_packets_damaged_beyond_use(encode, numbered_frames, tmp_path):
    path = encode(
        tmp_path / "a.mp4",
        numbered_frames(6),
        options={"bf": "0"},
        container_options={"movflags": "faststart"},
    )
    data = bytearray(path.read_bytes())
    start = data.index(b"mdat") + 4
    data[start:] = bytes(len(data) - start)
    path.write_bytes(data)
    refuse(path)


def test_a_name_that_no_system_takes():
    with pytest.raises(MediaError, match="cannot be opened"):
        probe("a\0b.mp4")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"start_s": 30.0}, "no frame from 30 s; its last one is at 1.960 s"),
        ({"start_s": 1.0, "end_s": 1.0}, "nothing to read"),
        ({"start_s": 0.41, "end_s": 0.42}, "no frame from 0.41 s to 0.42 s"),
        ({"max_frames": 0}, "cannot read 0 frames"),
        ({"max_side_px": 0}, "cannot be shrunk"),
    ],
)
def test_impossible_requests(video, options, words):
    with pytest.raises(MediaError, match=words):
        read_clip(video, **options)
