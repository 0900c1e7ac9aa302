"""Somebody's model: it can neither spoil what is shown to others nor fail without its own words."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

import numpy as np
import pytest

from worldline.audit.suites import Subject, load_subject, of_baseline
from worldline.core import InputError

FRAMES = np.arange(3 * 16 * 16 * 3, dtype=np.uint32).astype(np.uint8).reshape(3, 16, 16, 3)

MODEL = """
import numpy as np
BUFFER = np.zeros((2, 16, 16, 3), dtype=np.uint8)

def scribbles(frames, n):
    BUFFER[:] = frames[0, 0, 0, 0]
    frames[:] = 0
    return BUFFER

def fails(frames, n):
    raise KeyError("weights")

def quits(frames, n):
    raise SystemExit(3)

def ragged(frames, n):
    return [frames, frames[0]]

def floats(frames, n):
    return np.repeat(frames[-1:], n, axis=0) / 255

class Asks:
    def __init__(self, weights):
        self.predict = fails

class Breaks:
    def __init__(self):
        raise OSError("no weights here")

class Large:
    size_px = "64 x 64"
    predict = fails

class Huge:
    size_px = 10**9
    predict = fails

class Yes:
    size_px = True
    predict = fails

class Lazy:
    @property
    def predict(self):
        raise OSError("no weights there")

class Namesake:
    name = "copy-last"
    predict = fails

class Wordy:
    name = "two\\n  lines \\x1b[31m" + "x" * 99
    predict = fails

class Partly:
    predict = None
    def encode(self, frames):
        return [[1.0], [2.0, 3.0], [4.0]]
    def surprise(self, frames):
        return [1.0, float("nan"), 2.0]
"""


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "path", list(sys.path))
    path = tmp_path / "their_model_here.py"
    path.write_text(MODEL)
    return path


def test_what_is_shown_and_what_was_returned_stay_as_they_are(model: Path):
    predict = load_subject(f"{model}:scribbles").need("predict", "test")
    shown = FRAMES.copy()
    shown[0] = 7
    before = shown.copy()
    first = predict(shown, 2, 0)
    predict(FRAMES, 2, 0)
    assert np.array_equal(shown, before)
    assert (first == 7).all()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("fails", "in line 11 of their_model_here.py, KeyError: 'weights'"),
        ("quits", "in line 14 of their_model_here.py, SystemExit: 3"),
        ("ragged", "inhomogeneous shape"),
        ("floats", r"predict gave float64 \(2, 16, 16, 3\), expected uint8"),
    ],
)
def test_a_prediction_that_is_none_is_told(model: Path, name: str, reason: str):
    predict = load_subject(f"{model}:{name}").need("predict", "test")
    with pytest.raises(InputError, match=reason):
        predict(FRAMES, 2, 0)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("Asks", "Asks: TypeError: .*missing 1 required positional argument: 'weights'"),
        ("Breaks", "in line 28 of their_model_here.py, OSError: no weights here"),
        ("Large", "size_px is '64 x 64'"),
        ("Huge", "size_px is 1000000000; it must be a number from 16 to 512"),
        ("Yes", "size_px is True"),
        ("Lazy", "in line 45 of their_model_here.py, OSError: no weights there"),
        ("BUFFER", "has none of predict"),
        ("Nothing", "has no Nothing"),
    ],
)
def test_a_model_that_cannot_be_made_is_told(model: Path, name: str, reason: str):
    with pytest.raises(InputError, match=reason):
        load_subject(f"{model}:{name}")


@pytest.mark.parametrize("place", ["clip.mp4:predict", "some/folder:predict"])
def test_a_path_that_is_no_python_file_is_told_so(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clip.mp4").touch()
    with pytest.raises(InputError, match=r"is no Python file; name a model as FILE\.py:NAME"):
        load_subject(place)


def test_a_model_is_told_from_the_rows_beside_it(model: Path):
    assert load_subject(f"{model}:Namesake").name == "copy-last (tested)"
    assert of_baseline("copy-last").name == "copy-last"
    long = load_subject(f"{model}:Wordy").name
    assert long.startswith(r"two lines \x1b[31mxxx")
    assert len(long) == 60


def test_numbers_have_to_be_finite_and_of_one_length(model: Path):
    subject = load_subject(f"{model}:Partly")
    assert subject.predict is None
    with pytest.raises(InputError, match="expected one finite number for each"):
        subject.need("surprise", "test")(FRAMES)
    with pytest.raises(InputError, match="inhomogeneous shape"):
        subject.need("encode", "test")(FRAMES)


def test_a_model_finds_the_modules_beside_it(model: Path, monkeypatch: pytest.MonkeyPatch):
    (model.parent / "their_network_here.py").write_text("AHEAD = 5\n")
    model.write_text("from their_network_here import AHEAD\nname = AHEAD\npredict = print\n")
    assert load_subject(f"{model}:predict").predict is not None
    sys.path.remove(str(model.parent))
    monkeypatch.chdir(model.parent)
    assert load_subject("their_model_here:predict").predict is not None
    model.write_text("raise RuntimeError('no weights')\n")
    with pytest.raises(
        InputError, match=r"line 1 of their_model_here.py, RuntimeError: no weights"
    ):
        load_subject(f"{model}:predict")


def test_a_model_is_loaded_again_where_a_subject_is_carried_to(model):
    ours = load_subject(f"{model}:Partly", size_px=32)
    theirs = pickle.loads(pickle.dumps(ours))
    assert (theirs.name, theirs.size_px) == ("Partly", 32)
    assert theirs.predict is None
    assert theirs.encode is not None
    warp = pickle.loads(pickle.dumps(of_baseline("flow-warp"))).need("predict", "laws")
    assert np.array_equal(
        warp(FRAMES, 2, 0), of_baseline("flow-warp").need("predict", "")(FRAMES, 2, 0)
    )
    with pytest.raises(pickle.PicklingError, match="this process alone"):
        pickle.dumps(Subject("here", predict=lambda frames, horizon, seed: frames))
