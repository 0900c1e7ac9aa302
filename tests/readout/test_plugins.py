"""Plug-ins by entry point, and what is made of what they say."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from worldline.core import InputError, Provenance, Scene
from worldline.readout import Detections, PixelReadout, open_depth, open_detector

PLUGIN = '''
import numpy as np
from worldline.readout import Detections

class Fixed:
    """Sees a thing where it is told to."""
    is_metric = True
    def __init__(self, text):
        self.label = text or "thing"
    def detect(self, frames):
        box = np.array([[10.0, 10.0, 30.0, 30.0]])
        return [Detections(box, (self.label,), np.array([0.9])) for _ in frames]
    def estimate(self, frames):
        return [np.full((8, 8), 3.0) for _ in frames]

class Nothing:
    def __init__(self, text): ...

def broken(text):
    raise OSError("no such model\\nat all")
'''


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package with plug-ins, as pip leaves it."""
    (tmp_path / "sees_things.py").write_text(PLUGIN)
    info = tmp_path / "sees_things-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: sees-things\nVersion: 1.0\n")
    lines = ["fixed = sees_things:Fixed", "nothing = sees_things:Nothing"]
    lines += ["broken = sees_things:broken"]
    groups = [f"[worldline.{kind}]\n" + "\n".join(lines) for kind in ("detectors", "depths")]
    (info / "entry_points.txt").write_text("\n\n".join(groups) + "\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "sees_things", raising=False)


@pytest.mark.usefixtures("installed")
def test_plugins_are_found_by_name_and_told_their_argument():
    (found,) = open_detector("fixed:car").detect([np.zeros((40, 40, 3), np.uint8)])
    assert found.labels == ("car",)
    assert open_depth("fixed").is_metric is True


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("opening", "name", "told"),
    [
        (open_detector, "yolo", r"no detector is called 'yolo'; installed: broken, fixed, nothing"),
        (open_depth, "midas:x", "no depth estimator is called 'midas'"),
        (open_detector, "broken:x", "detector broken:x cannot be opened: OSError: no such model$"),
        (open_detector, "nothing", "detector nothing has no method detect"),
        (open_depth, "nothing", "depth estimator nothing has no method estimate"),
    ],
)
def test_what_cannot_be_opened_is_named(opening: Callable, name: str, told: str):
    with pytest.raises(InputError, match=told):
        opening(name)


class Says:
    """A detector and depth estimator that answers what it is given."""

    def __init__(self, answer: Callable[[int, np.ndarray], object], *, is_metric: bool = True):
        self.answer = answer
        self.is_metric = is_metric
        self.num_seen = 0

    def detect(self, frames: Sequence[np.ndarray]) -> list:
        out = [self.answer(self.num_seen + i, frame) for i, frame in enumerate(frames)]
        self.num_seen += len(frames)
        return out

    estimate = detect


def box(*sides: float, label: str = "car", score: float = 0.9) -> Detections:
    return Detections(np.array([sides], dtype=float), (label,), np.array([score]))


NAN = float("nan")


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (lambda k, f: 1 / 0, r"the detector failed at 0.00 s: ZeroDivisionError: division by zero"),
        (
            lambda k, f: box(1, 2, 3),
            r"boxes \(1, 3\), 1 labels and scores \(1,\); expected \[K, 4\]",
        ),
        (lambda k, f: box(1, 2, NAN, 4), "gave a box that is not finite or inside out at 0.00 s"),
        (lambda k, f: box(9, 2, 3, 4), "inside out"),
        (lambda k, f: box(1, 2, 3, 4, score=1.5), "a score that does not lie between 0 and 1"),
        (lambda k, f: "a car", "gave what is no detections"),
        (lambda k, f: box(1, 2, 3, 4) if k < 5 else 1 / 0, "the detector failed at 0.80 s"),
    ],
)
def test_a_detector_that_fails_is_told_in_a_sentence(make_frames, answer, told):
    frames = make_frames(lambda k: [(8 + 1.5 * k, 40.0)], num_frames=20)
    with pytest.raises(InputError, match=told):
        read(frames, detector=Says(answer))


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (lambda k, f: np.zeros((2, 3, 4)), r"gave \(2, 3, 4\); expected a map \[y, x\]"),
        (lambda k, f: np.full((2, 2), NAN), "a map without a finite number"),
        (lambda k, f: np.full((2, 2), -1.0), "gave negative distances"),
        (lambda k, f: [[1.0], [1.0, 2.0]], "gave what is no map"),
        (lambda k, f: {}["x"], "the depth estimator failed at 0.00 s: KeyError"),
    ],
)
def test_a_depth_estimator_that_fails_is_told_in_a_sentence(make_frames, answer, told):
    frames = make_frames(lambda k: [(8 + 1.5 * k, 40.0)], num_frames=8)
    with pytest.raises(InputError, match=told):
        read(frames, depth=Says(answer))


def test_an_answer_is_due_for_each_frame(make_frames):
    class Lazy:
        def detect(self, frames):
            return []

    with pytest.raises(InputError, match="answered 0 times for 4 frames"):
        read(make_frames(lambda k: [(8.0, 40.0)]), detector=Lazy())


def read(frames, **plugins) -> Scene:
    return PixelReadout.Config().build().read(iter(frames), provenance=Provenance(), **plugins)


def sliding(k: int) -> list[tuple[float, float]]:
    return [(8 + 1.5 * k, 40.0), (50.0, 14.0)]


def around(center: tuple[float, float], radius: float = 4.5) -> list[float]:
    x, y = center
    return [x - radius, y - radius, x + radius, y + radius]


def test_names_go_to_what_moves_and_what_rests_is_found_too(make_frames, match):
    def see(k: int, frame: np.ndarray) -> Detections:  # every second frame of ten a second
        boxes = [around(at) for at in sliding(2 * k)]
        return Detections(np.array(boxes), ("car", "lamp"), np.array([0.8, 0.9]))

    frames = make_frames(sliding, noise=2)
    assert read(frames).labels == ("object",)
    scene = read(frames, detector=Says(see))
    assert sorted(scene.labels) == ["car", "lamp"]
    car, lamp = match(scene, sliding, 0), match(scene, sliding, 1)
    assert (scene.labels[car.row], scene.labels[lamp.row]) == ("car", "lamp")
    assert len(car.frames) == 32  # those of the motion
    assert len(lamp.frames) >= 30
    assert car.errors_px.max() < 1.5
    assert lamp.errors_px.max() < 0.5
    assert np.nanmin(scene.center_px_std[lamp.row]) > 0
    color = scene.color_rgb[lamp.row] * 255
    np.testing.assert_allclose(color, (40, 60, 200), atol=45)


def test_a_box_around_pieces_makes_them_one(make_frames):
    def pair(k: int):
        return [(12 + 1.2 * k, 30.0), (12 + 1.2 * k, 46.0)]

    def see(k: int, frame: np.ndarray) -> Detections:
        return box(6 + 2.4 * k, 24, 18 + 2.4 * k, 52, label="person")

    assert read(make_frames(pair)).num_objects == 2
    scene = read(make_frames(pair), detector=Says(see))
    assert scene.labels == ("person",)
    np.testing.assert_allclose(np.median(scene.size_px[0], axis=0), (12, 28), atol=2)


def test_slips_of_a_detector_are_no_objects(make_frames):
    def see(k: int, frame: np.ndarray) -> Detections:
        if k == 4:
            return box(40, 2, 60, 12)
        return (
            box(5, 5, 20, 20, score=0.2) if k % 2 else Detections(np.zeros((0, 4)), (), np.zeros(0))
        )

    scene = read(make_frames(sliding), detector=Says(see))
    assert scene.labels == ("object",)


@pytest.mark.parametrize("is_metric", [True, False])
def test_depth_is_that_of_the_middle_of_a_thing(make_frames, is_metric):
    def far(k: int, frame: np.ndarray) -> np.ndarray:
        depth = np.full(frame.shape[:2], 9.0)
        x, y = sliding(2 * k)[0]
        depth[int(y) - 3 : int(y) + 4, int(x) - 3 : int(x) + 4] = 2.0 + 0.1 * k
        depth[:3] = np.nan
        return depth

    scene = read(make_frames(sliding), depth=Says(far, is_metric=is_metric))
    value, std = (
        (scene.depth_m, scene.depth_m_std) if is_metric else (scene.nearness, scene.nearness_std)
    )
    assert (scene.depth_m is None) is not is_metric
    known = np.isfinite(value[0])
    assert known.sum() >= 30
    np.testing.assert_allclose(value[0, known], 2.0 + 0.05 * np.flatnonzero(known), atol=0.2)
    assert (std[0, known] >= 0).all()
    assert Scene.from_json(scene.to_json()).to_json() == scene.to_json()
