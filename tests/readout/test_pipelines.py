"""Pipelines of `transformers`, with tiny models of random weights that are built here."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

from worldline.core import InputError, Provenance
from worldline.readout import PixelReadout
from worldline.readout.pipelines import open_depth, open_detector, open_metric_depth

with warnings.catch_warnings():  # how other packages are built is not tested here
    warnings.simplefilter("ignore")
    import transformers

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def detector_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("yolos")
    config = transformers.YolosConfig(
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        image_size=[32, 32],
        patch_size=16,
        num_detection_tokens=3,
        id2label={0: "car", 1: "person"},
        label2id={"car": 0, "person": 1},
    )
    transformers.YolosForObjectDetection(config).save_pretrained(folder)
    transformers.YolosImageProcessorPil(size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def depth_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("glpn")
    config = transformers.GLPNConfig(
        num_encoder_blocks=4,
        depths=[1] * 4,
        hidden_sizes=[8] * 4,
        decoder_hidden_size=8,
        num_attention_heads=[1] * 4,
    )
    transformers.GLPNForDepthEstimation(config).save_pretrained(folder)
    transformers.GLPNImageProcessorPil().save_pretrained(folder)
    return folder


def frames(num: int = 3) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 255, (48, 64, 3)).astype(np.uint8) for _ in range(num)]


def test_a_detection_pipeline_is_a_detector(detector_folder):
    detector = open_detector(str(detector_folder))
    detector._least_score = 0.0
    found = detector.detect(frames())
    assert len(found) == 3
    for seen in found:
        assert seen.boxes_px.shape == (len(seen.labels), 4)
        assert set(seen.labels) <= {"car", "person"}
    assert any(seen.labels for seen in found)


def test_a_depth_pipeline_is_a_depth_estimator(depth_folder):
    relative, metric = open_depth(str(depth_folder)), open_metric_depth(str(depth_folder))
    assert (relative.is_metric, metric.is_metric) == (False, True)
    maps = metric.estimate(frames())
    assert len(maps) == 3
    assert all(m.ndim == 2 and np.isfinite(m).all() for m in maps)


def test_both_see_a_whole_video(detector_folder, depth_folder, make_frames):
    scene = (
        PixelReadout.Config()
        .build()
        .read(
            make_frames(lambda k: [(8 + 1.5 * k, 40.0)]),
            provenance=Provenance(),
            detector=open_detector(str(detector_folder)),
            depth=open_metric_depth(str(depth_folder)),
        )
    )
    assert scene.num_objects >= 1
    assert np.isfinite(scene.depth_m[0]).any()


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"holds no model: there is no config.json"):
        open_detector(str(tmp_path))
    with pytest.raises(InputError, match="write transformers:FOLDER"):
        open_depth("")
