from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from worldline.audit import (
    ConstantVelocityWarp,
    CopyLast,
    FrozenMean,
    Metric,
    PredictionTable,
    evaluate_predictors,
)
from worldline.audit.prediction import CEILING
from worldline.audit.visual import MAX_PSNR_DB
from worldline.core import Clip, InputError
from worldline.sim import make_clip

HORIZONS = (1, 4, 8)


@dataclass(frozen=True)
class Bad:
    shape: tuple[int, ...]

    def predict(self, context_frames: np.ndarray, horizon: int, seed: int) -> np.ndarray:
        return np.zeros(self.shape, dtype=np.uint8)


@dataclass(frozen=True)
class SecondIsBetter:
    """Sample 0 is the last frame, sample 1 the truth."""

    truth: np.ndarray

    def predict(self, context_frames: np.ndarray, horizon: int, seed: int) -> np.ndarray:
        copied = np.repeat(context_frames[-1:], horizon, axis=0)
        k = len(context_frames)
        return np.stack([copied, self.truth[k : k + horizon]])


@pytest.fixture(scope="module")
def clips(paint_clip: Callable[..., Clip]) -> list[Clip]:
    rng = np.random.default_rng(3)
    result = []
    for number in range(8):
        speed = rng.uniform(0.8, 2.0)
        y = rng.uniform(15, 50)
        fast = [(8 + speed * t, y) for t in range(20)]
        still = [(50.0, 64 - y)] * 20
        family = "slide" if number % 2 else "roll"
        colors = [(0.8, 0.1, 0.1), (0.1, 0.2, 0.9)]
        result.append(paint_clip([fast, still], colors, seed=number, family=family))
    return result


@pytest.fixture(scope="module")
def table(clips: list[Clip]) -> PredictionTable:
    predictors = {
        "copy-last": CopyLast(),
        "flow-warp": ConstantVelocityWarp(),
        "erase": FrozenMean(),
    }
    return evaluate_predictors(predictors, iter(clips), horizons=HORIZONS)


def test_the_ceiling_is_reached_by_the_truth_alone(table: PredictionTable) -> None:
    for horizon in HORIZONS:
        assert table.value(CEILING, Metric.PSNR, horizon) == pytest.approx(MAX_PSNR_DB)
        assert table.value(CEILING, Metric.SSIM, horizon) == pytest.approx(1)
        assert table.value(CEILING, Metric.RECALL, horizon) == 1
        assert table.value(CEILING, Metric.RECALL_IOU50, horizon) == 1
        assert table.value(CEILING, Metric.RECALL_HOTA, horizon) == 1
        assert table.value(CEILING, Metric.ERROR, horizon) == 0
    assert table.num_untestable.sum() == 0


def test_parts_that_are_joined_are_the_whole(clips: list[Clip], table: PredictionTable) -> None:
    predictors = {
        "copy-last": CopyLast(),
        "flow-warp": ConstantVelocityWarp(),
        "erase": FrozenMean(),
    }
    parts = [
        evaluate_predictors(predictors, iter(clips[span]), horizons=HORIZONS, first=span.start)
        for span in (slice(0, 3), slice(3, 8))
    ]
    assert PredictionTable.join(parts).to_json() == table.to_json()
    other = evaluate_predictors(predictors, iter(clips[:1]), horizons=(1,))
    with pytest.raises(InputError, match="differ in horizons"):
        PredictionTable.join([table, other])
    with pytest.raises(InputError, match="no tables"):
        PredictionTable.join([])


def test_the_order_of_predictors_on_constant_velocity(table: PredictionTable) -> None:
    for metric, sign in [(Metric.PSNR, 1), (Metric.PSNR_ACTION, 1), (Metric.ERROR, -1)]:
        value, low, high = table.difference("flow-warp", "copy-last", metric, 8)
        assert low <= value <= high
        assert min(sign * low, sign * high) > 0
    assert table.value("flow-warp", Metric.RECALL, 8) == 1
    assert table.value("copy-last", Metric.RECALL, 8) < 0.5
    assert table.value("copy-last", Metric.RECALL_IOU50, 8) == 0
    assert table.value("flow-warp", Metric.RECALL_IOU50, 8) > 0.8
    assert table.value("flow-warp", Metric.RECALL_HOTA, 8) > 0.6
    assert table.value("copy-last", Metric.RECALL_HOTA, 8) < 0.1


def test_erasing_is_seen_by_the_objects_not_by_psnr(table: PredictionTable) -> None:
    assert table.value("erase", Metric.PSNR, 8) > table.value("copy-last", Metric.PSNR, 8)
    assert table.value("erase", Metric.RECALL, 8) < 0.2
    assert table.value("erase", Metric.ERROR, 8) > table.value("flow-warp", Metric.ERROR, 8) + 3


def test_counts_and_families(table: PredictionTable) -> None:
    assert table.families == ("all", "roll", "slide")
    assert table.count("copy-last", Metric.PSNR, 4) == 8
    assert table.count("copy-last", Metric.PSNR, 4, "roll") == 4
    assert table.count("copy-last", Metric.RECALL, 8) == 8  # the still discs do not count
    assert table.count("copy-last", Metric.RECALL_ALL, 8) == 16
    both = [table.value("erase", Metric.PSNR, 1, f) for f in ("roll", "slide")]
    assert table.value("erase", Metric.PSNR, 1) == pytest.approx(np.mean(both))


def test_intervals_hold_the_value_and_shrink_to_it_without_spread(table: PredictionTable) -> None:
    low, high = table.interval("copy-last", Metric.PSNR, 8)
    assert low < table.value("copy-last", Metric.PSNR, 8) < high
    assert table.interval(CEILING, Metric.RECALL, 8) == (1, 1)


def test_bootstrap_width_is_that_of_the_mean() -> None:
    rng = np.random.default_rng(0)
    num = 400
    sums = rng.normal(30, 2, (2, num, len(Metric), 1))
    table = PredictionTable(
        predictors=("a", CEILING),
        baselines=(),
        horizons=(1,),
        clip_families=("x",) * num,
        sums=sums,
        counts=np.ones(sums.shape, dtype=np.int64),
        num_untestable=np.zeros((num, 1), dtype=np.int64),
        context=8,
        seed=0,
    )
    low, high = table.interval("a", Metric.PSNR, 1)
    assert high - low == pytest.approx(2 * 1.96 * 2 / np.sqrt(num), rel=0.15)


def test_only_the_first_sample_counts(clips: list[Clip]) -> None:
    clip = clips[0]
    table = evaluate_predictors(
        {"lucky": SecondIsBetter(clip.frames), "copy-last": CopyLast()}, [clip], horizons=(8,)
    )
    for metric in Metric:
        ours, theirs = (table.value(name, metric, 8) for name in ("lucky", "copy-last"))
        assert ours == theirs or (np.isnan(ours) and np.isnan(theirs))


def test_json_and_markdown_say_the_same(table: PredictionTable) -> None:
    record = json.loads(json.dumps(table.to_json()))
    assert record["num_clips"] == 8
    row = next(r for r in record["rows"] if r["predictor"] == "flow-warp" and r["family"] == "all")
    cell = row["psnr_db"]["8"]
    assert cell["value"] == pytest.approx(table.value("flow-warp", Metric.PSNR, 8), abs=1e-4)
    assert cell["minus"]["copy-last"][0] == pytest.approx(
        cell["value"] - table.value("copy-last", Metric.PSNR, 8), abs=1e-3
    )
    assert "flow-warp" not in cell["minus"]
    text = table.to_markdown(("all", "slide"))
    assert f"{cell['value']:.2f} [{cell['low']:.2f}, {cell['high']:.2f}]" in text
    assert "**slide**: 4 clips" in text


def test_nothing_to_measure_is_none_not_zero(paint_clip: Callable[..., Clip]) -> None:
    still = paint_clip([[(30.0, 30.0)] * 20], [(0.8, 0.1, 0.1)])
    table = evaluate_predictors({"copy-last": CopyLast()}, [still], horizons=(4,))
    assert np.isnan(table.value("copy-last", Metric.RECALL, 4))
    assert table.value("copy-last", Metric.RECALL_ALL, 4) == 1
    assert table.to_json()["rows"][0]["recall"]["4"] == {
        "value": None,
        "low": None,
        "high": None,
        "n": 0,
    }
    assert "| copy-last | none |" in table.to_markdown()


def test_bad_input_is_named(clips: list[Clip]) -> None:
    copy = {"copy-last": CopyLast()}
    with pytest.raises(InputError, match="no clips"):
        evaluate_predictors(copy, [])
    with pytest.raises(InputError, match=r"clip 0 \(roll\) has 20 frames"):
        evaluate_predictors(copy, clips, horizons=(16,))
    with pytest.raises(InputError, match="expected \\(S, 8, 64, 64, 3\\)"):
        evaluate_predictors({"bad": Bad((1, 7, 64, 64, 3))}, clips, horizons=HORIZONS)
    with pytest.raises(InputError, match="none called 'truth'"):
        evaluate_predictors({CEILING: CopyLast()}, clips)
    table = evaluate_predictors(copy, clips[:1], horizons=(2,))
    with pytest.raises(InputError, match=r"no copy-last at \+3"):
        table.value("copy-last", Metric.PSNR, 3)
    with pytest.raises(InputError, match="no clips of fall"):
        table.value("copy-last", Metric.PSNR, 2, "fall")


def test_who_can_be_driven_is_told_the_clip():
    told = []

    class Driven(CopyLast):
        def predict_driven(self, clip, context, horizon, seed):
            told.append(clip.actions[: context + horizon])
            return self.predict(clip.frames[:context], horizon, seed)

    clip = make_clip("driven_disc", 0, seed=1)
    predictors = {"driven": Driven(), "copy-last": CopyLast()}
    table = evaluate_predictors(predictors, [clip], context=4, horizons=(1, 6))
    assert len(told) == 1
    np.testing.assert_allclose(told[0], clip.actions[:10], rtol=1e-6)
    assert table.value("driven", Metric.PSNR, 6) == table.value("copy-last", Metric.PSNR, 6)
