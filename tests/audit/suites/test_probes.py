from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from worldline.audit.probe import state_of
from worldline.audit.suites import RowKind, Subject, of_baseline, probes
from worldline.audit.suites.probes import (
    RELATIONS,
    Settings,
    coarse_pixels,
    explained,
    placements,
    relations_of,
    run,
)
from worldline.core import Clip, InputError
from worldline.sim import make_clip, make_clips

TINY = Settings(quick=True)


@pytest.fixture(scope="module")
def clip() -> Clip:
    return make_clip("collide", 0, seed=1, size_px=32, events=False)


def test_relations_are_those_of_the_picture(clip: Clip) -> None:
    scene = clip.scene
    assert scene is not None
    holds, clear = relations_of(clip)
    assert holds.shape == (clip.num_frames, len(RELATIONS))
    assert clear.any(axis=0).all()
    mirrored = replace(scene, center_px=scene.center_px * np.array([-1, 1]))
    turned, _ = relations_of(replace(clip, scene=mirrored))
    rows = clear[:, 0]
    np.testing.assert_array_equal(turned[rows, 0], 1 - holds[rows, 0])
    np.testing.assert_array_equal(turned[rows, 1], holds[rows, 1])


def test_a_body_alone_stands_in_no_relation() -> None:
    alone = make_clip("u_slope", 0, seed=0, size_px=32, events=False)
    assert not relations_of(alone)[1].any()
    with pytest.raises(InputError, match="scene"):
        relations_of(replace(alone, scene=None))


def test_explained_is_one_for_the_truth_zero_for_the_mean_and_nan_for_the_unknown() -> None:
    rng = np.random.default_rng(0)
    truths = [(rng.normal(size=(6, 2)), np.ones((6, 2), dtype=bool)) for _ in range(3)]
    truths.append((np.zeros((6, 2)), np.zeros((6, 2), dtype=bool)))
    right = explained([y for y, _ in truths], truths, [0, 1])
    assert right[:3] == [1, 1, 1]
    assert np.isnan(right[3])
    middle = np.mean([y.mean(0) for y, _ in truths[:3]], axis=0)
    mean = explained([np.tile(middle, (6, 1))] * 4, truths, [0, 1])
    assert np.nanmean(mean) == pytest.approx(0)


def test_placements_average_to_the_area_under_the_curve() -> None:
    known = np.ones((4, 1), dtype=bool)
    truths = [
        (np.array([[1.0], [1.0], [0.0], [0.0]]), known),
        (np.array([[1.0], [0.0], [1.0], [0.0]]), known),
    ]
    right = [y.copy() for y, _ in truths]
    assert placements(right, truths, 0) == [1, 1]
    assert placements([1 - y for y in right], truths, 0) == [0, 0]
    assert placements([np.zeros((4, 1))] * 2, truths, 0) == [0.5, 0.5]
    one_sided = [(np.ones((4, 1)), known)]
    assert np.isnan(placements([np.ones((4, 1))], one_sided, 0)).all()


@pytest.fixture(scope="module")
def clips() -> list[Clip]:
    names = ("drop", "collide", "occlude")
    return list(make_clips(names, num_clips=24, seed=0, size_px=32, events=False))


def test_who_knows_the_state_is_read_and_who_sees_other_clips_is_not(
    clips: list[Clip], monkeypatch: pytest.MonkeyPatch
) -> None:
    states = {
        clip.frames.tobytes(): np.column_stack(
            [np.nan_to_num(state_of(clip)[0]), relations_of(clip)[0]]
        )
        for clip in clips
    }

    def encode(frames: np.ndarray) -> np.ndarray:
        whole = states.get(frames.tobytes())
        return np.zeros((len(frames), 12)) if whole is None else whole

    monkeypatch.setattr(probes, "_clips", lambda settings, size_px: (clips[:15], clips[15:]))
    result = run(Subject("knows", encode=encode, size_px=32), TINY)
    table = result.table("states")
    assert [row.name for row in table.rows] == ["knows", "coarse pixels", "chance"]
    assert [row.kind for row in table.rows] == [
        RowKind.SUBJECT,
        RowKind.BASELINE,
        RowKind.FLOOR,
    ]
    for column in ("position", "velocity", "mass"):
        assert table.row("knows").cells[column].value > 0.9
        assert table.row("chance").cells[column].value < 0.4
    relations = result.table("relations")
    assert set(relations.columns) == {"contact", *RELATIONS}
    assert relations.row("knows").cells["left of"].value > 0.9
    assert len(relations.rows[0].cells["left of"].values) == result.num_scenarios == 9


def test_bad_input() -> None:
    with pytest.raises(InputError, match="encode"):
        run(of_baseline("copy-last"), TINY)
    with pytest.raises(InputError, match="at least five"):
        run(Subject("eyes", encode=coarse_pixels), Settings(num_test=2, num_extra=0))
