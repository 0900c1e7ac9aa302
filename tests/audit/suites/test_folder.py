"""A model as a folder of videos: what is written can be continued and is found again."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests import tiny_suite

from worldline.audit.suites import RunSettings, of_baseline
from worldline.audit.suites.folder import VideoFolder, record_contexts, write_manifest
from worldline.core import InputError, Origin, Provenance
from worldline.data import iter_frames, write_video

QUICK = tiny_suite.Settings(quick=True)
HERE = Provenance(Origin.GENERATED, "test")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    recorder = record_contexts(tmp_path, size_px=32)
    tiny_suite.run(recorder, QUICK)
    assert write_manifest(tmp_path, recorder, ("tiny",), RunSettings(quick=True)) == 4
    return tmp_path


def contexts(folder: Path) -> dict[str, np.ndarray]:
    record = json.loads((folder / "contexts.json").read_text())
    names = [context["id"] for context in record["contexts"]]
    return {name: np.load(folder / "contexts" / f"{name}.npz")["frames"] for name in names}


def answer(folder: Path) -> dict[str, np.ndarray]:
    """Continue every context by flow-warp, as somebody's own program would."""
    predict = of_baseline("flow-warp").need("predict", "test")
    found = {name: predict(frames, 3, 0) for name, frames in contexts(folder).items()}
    for name, frames in found.items():
        np.savez(folder / "continuations" / f"{name}.npz", frames=frames)
    return found


def test_a_folder_scores_as_the_model_that_filled_it(folder: Path):
    answer(folder)
    opened = VideoFolder.open(folder)
    assert (opened.suites, opened.seed, opened.quick, opened.size_px) == (("tiny",), 0, True, 32)
    there = tiny_suite.run(opened.subject(), QUICK)
    direct = tiny_suite.run(of_baseline("flow-warp"), QUICK)
    assert there.subject == folder.name
    assert there.scenarios == direct.scenarios
    for table in there.tables:
        assert table.rows[0].cells == direct.table(table.name).rows[0].cells


def test_the_manifest_says_what_is_asked(folder: Path):
    record = json.loads((folder / "contexts.json").read_text())
    assert record["suites"] == ["tiny"]
    for context in record["contexts"]:
        assert context["horizon"] == 3
        assert context["num_frames"] == 4
        assert context["size_px"] == [32, 32]
        assert context["seeds"] == [0]


def test_contexts_in_mp4_are_close_to_the_exact_ones(folder: Path):
    for name, exact in contexts(folder).items():
        read = np.stack([f for _, f in iter_frames(folder / "contexts" / f"{name}.mp4")])
        assert read.shape == (4, 128, 128, 3)
        small = read.reshape(4, 32, 4, 32, 4, 3).mean(axis=(2, 4))
        assert np.abs(small - exact).mean() < 2


def test_mp4_npy_and_png_are_read(folder: Path):
    place = folder / "continuations"
    found = answer(folder)
    first, second, third, _ = found
    for name in (first, second, third):
        (place / f"{name}.npz").unlink()
    large = found[first].repeat(4, axis=1).repeat(4, axis=2)
    write_video(place / f"{first}.mp4", large, fps=10, provenance=HERE)
    np.save(place / f"{second}.npy", found[second])
    (place / third).mkdir()
    eleven = np.concatenate([found[third]] * 4)[:11]  # more than asked for, and 10 after 9
    eleven[3:] = 0
    for index, frame in enumerate(eleven):
        Image.fromarray(frame).save(place / third / f"{index}.png")
    predict = VideoFolder.open(folder).subject().need("predict", "test")
    shown = contexts(folder)
    assert np.array_equal(predict(shown[second], 3, 0), found[second])
    assert np.array_equal(predict(shown[third], 2, 0), found[third][:2])
    gap = predict(shown[first], 3, 0).astype(float) - found[first]
    assert np.abs(gap).mean() < 2


def test_a_future_per_seed_comes_before_one_for_all(folder: Path):
    found = answer(folder)
    name = next(iter(found))
    np.savez(folder / "continuations" / f"{name}-0.npz", frames=found[name] // 2)
    predict = VideoFolder.open(folder).subject().need("predict", "test")
    frames = contexts(folder)[name]
    assert np.array_equal(predict(frames, 3, 0), found[name] // 2)
    assert np.array_equal(predict(frames, 3, 1), found[name])


def test_missing_and_odd_ones_are_named(folder: Path):
    found = answer(folder)
    place = folder / "continuations"
    missing, short, small, broken = found
    (place / f"{missing}.npz").unlink()
    np.savez(place / f"{short}.npz", frames=found[short][:2])
    np.savez(place / f"{small}.npz", frames=found[small][:, :20])
    (place / f"{broken}.npz").write_bytes(b"nothing")
    with pytest.raises(InputError) as caught:
        VideoFolder.open(folder)
    text = str(caught.value)
    assert "4 of 4 continuations cannot be used" in text
    assert f"{missing} is missing" in text
    assert f"{short}.npz has 2 frames, expected 3" in text
    assert f"{small}.npz is 32 x 20 pixels, expected 32 x 32" in text
    assert f"{broken}.npz cannot be read" in text
    np.savez(place / f"{missing}.npz", frames=found[missing].astype(float))
    np.savez(place / f"{broken}.npz", video=found[broken])
    np.save(place / f"{short}.npy", found[short])
    with pytest.raises(InputError, match=r"float64.*no array `frames`|no array.*float64") as caught:
        VideoFolder.open(folder)
    assert f"{short} is there more than once" in str(caught.value)


def test_files_that_are_not_what_their_names_say(folder: Path):
    found = answer(folder)
    place = folder / "continuations"
    damaged, other, swapped, _ = found
    noise = np.random.default_rng(0).integers(0, 9, (3, 32, 32, 3), dtype=np.uint8)
    np.savez_compressed(place / f"{damaged}.npz", frames=noise)
    spoilt = bytearray((place / f"{damaged}.npz").read_bytes())
    spoilt[1000:1100] = b"\xff" * 100
    (place / f"{damaged}.npz").write_bytes(spoilt)
    with (place / f"{other}.npz").open("wb") as file:
        np.save(file, found[other])
    (place / f"{swapped}.npz").rename(place / f"{swapped}.npy")
    with pytest.raises(InputError, match=rf"1 of 4 .* {damaged}.npz cannot be read") as caught:
        VideoFolder.open(folder)
    assert other not in str(caught.value)  # what can be read is read
    np.savez(place / f"{damaged}.npz", frames=found[damaged])
    predict = VideoFolder.open(folder).subject().need("predict", "test")
    for name in (other, swapped):
        assert np.array_equal(predict(contexts(folder)[name], 3, 0), found[name])


def test_other_questions_than_the_recorded_ones_are_refused(folder: Path):
    answer(folder)
    subject = VideoFolder.open(folder).subject()
    with pytest.raises(InputError, match="not among its contexts"):
        tiny_suite.run(subject, tiny_suite.Settings(seed=5, quick=True))
    shown = next(iter(contexts(folder).values()))
    with pytest.raises(InputError, match="has 3 frames, 9 are asked for"):
        subject.need("predict", "test")(shown, 9, 0)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "no such file or directory; write contexts first"),
        ("{", "is no list of contexts"),
        ("{}", "is no list of contexts"),
        (
            '{"version": 1, "suites": [], "seed": 0, "quick": true, "size_px": 32, '
            '"contexts": [{"id": "a"}]}',
            "is no list of contexts",
        ),
        ('{"version": 7}', "is of version 7, expected 1"),
    ],
)
def test_a_folder_without_a_manifest_is_refused(tmp_path: Path, text: str | None, reason: str):
    if text is not None:
        (tmp_path / "contexts.json").write_text(text)
    with pytest.raises(InputError, match=reason):
        VideoFolder.open(tmp_path)


def test_a_suite_that_asks_for_nothing_leaves_no_contexts(tmp_path: Path):
    with pytest.raises(InputError, match="monitor: asks for no continuation"):
        write_manifest(tmp_path, record_contexts(tmp_path), ("monitor",), RunSettings())
