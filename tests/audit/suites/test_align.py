from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from worldline.audit.suites import Report, RowKind, Subject, SuiteResult, of_baseline
from worldline.audit.suites.align import Settings, run
from worldline.audit.suites.align_measure import HORIZON
from worldline.core import InputError

SMALL = Settings(quick=True)


@pytest.fixture(scope="module")
def result() -> SuiteResult:
    return run(replace(of_baseline("flow-warp"), name="mine", size_px=32), SMALL)


def test_the_subject_comes_first_and_is_measured_like_everybody(result: SuiteResult) -> None:
    table = result.table("iou")
    assert table.report is Report.PHYSICAL
    assert [row.name for row in table.rows] == [
        "mine",
        "copy-last",
        "flow-warp",
        "frozen mean",
        "empty scene",
        "truth",
        "Cosmos, best model",
    ]
    assert table.rows[0].kind is RowKind.SUBJECT
    assert table.rows[0].cells == table.row("flow-warp").cells
    assert table.columns == ("1 frame", "9 frames")
    assert table.goals == {"1 frame": 0.395, "9 frames": 0.598}


def test_truth_is_the_ceiling_and_the_empty_scene_the_floor(result: SuiteResult) -> None:
    table = result.table("iou")
    for column in table.columns:
        values = {row.name: row.cells[column].value for row in table.rows[:-1]}
        assert max(values, key=values.__getitem__) == "truth"
        assert values["truth"] > 0.75
        assert values["empty scene"] < 0.05
    psnr = result.table("psnr")
    assert psnr.report is Report.VISUAL
    assert psnr.row("truth").cells["9 frames"].value > 58
    assert result.table("deep").row("truth").cells["1 frame"].value == 0


def test_what_stands_is_copied_and_what_falls_is_not(result: SuiteResult) -> None:
    copied = result.table("iou_by_scene").row("copy-last").cells
    assert copied["stable stack"].value > 0.75
    assert copied["free fall"].value < 0.4


def test_it_is_json_and_says_what_was_asked(result: SuiteResult) -> None:
    again = SuiteResult.from_json(json.loads(json.dumps(result.to_json())))
    assert again.scenarios == result.scenarios
    assert again.num_scenarios == 3
    assert len(again.table("iou").row("mine").cells["1 frame"].values) == 3


def test_a_model_that_paints_bodies_away_scores_nothing() -> None:
    def blank(frames: np.ndarray, horizon: int, seed: int) -> np.ndarray:
        return np.full((horizon, *frames.shape[1:]), 128, dtype=np.uint8)

    result = run(Subject("blank", predict=blank, size_px=32), SMALL)
    assert result.table("iou").row("blank").cells["9 frames"].value < 0.1
    assert result.tables[0].reaches("9 frames", result.tables[0].rows[0].cells["9 frames"]) is False


def test_bad_input() -> None:
    def short(frames: np.ndarray, horizon: int, seed: int) -> np.ndarray:
        return frames[:1]

    with pytest.raises(InputError, match="predict"):
        run(Subject("mute"), SMALL)
    with pytest.raises(InputError, match=f"expected \\({HORIZON}, 32, 32, 3\\)"):
        run(Subject("short", predict=short, size_px=32), SMALL)
    with pytest.raises(InputError, match="at least one"):
        run(of_baseline("copy-last"), Settings(num_cameras=0))
