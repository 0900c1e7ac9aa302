"""The suite on uniform motion, collision and parabola: scenes, instruments and rows."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from worldline.audit.suites import RowKind, Subject, SuiteResult
from worldline.audit.suites.disc_readings import LawReadings, read_discs
from worldline.audit.suites.disc_scenes import (
    BEYOND,
    CONTEXT,
    LAWS,
    STEP_S,
    WITHIN,
    DiscScene,
    Law,
    Range,
    draw_scene,
    film,
)
from worldline.audit.suites.laws import COLUMNS, Settings, run
from worldline.core import InputError, Outcome
from worldline.physics import check_laws
from worldline.sim import FIRST_FAMILIES
from worldline.sim.families import FAMILIES


def scene_of(law: Law, where: Range, index: int = 0) -> DiscScene:
    return draw_scene(law, where, np.random.default_rng((3, index)))


def collision(speed: float) -> DiscScene:
    return DiscScene(
        Law.COLLISION,
        np.array([1.0, 1.2]),
        np.array([[2.0, 5.0], [5.0, 5.0]]),
        np.array([[speed / 2, 0.0], [-speed / 2, 0.0]]),
    )


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("where", Range)
def test_numbers_lie_in_their_ranges(law: Law, where: Range):
    for index in range(20):
        scene = scene_of(law, where, index)
        speed = np.linalg.norm(scene.velocity_mps, axis=1)
        within = [
            ((low <= x) & (x <= high)).all()
            for x, (low, high) in (
                (scene.radius_m, WITHIN["radius_m"]),
                (speed, WITHIN["speed_mps"]),
            )
        ]
        assert all(within) == (where is Range.IN)


def test_training_never_sees_what_lies_beyond():
    """Radii and speeds of every family of flat discs that worlds learn from."""
    for name in FIRST_FAMILIES:
        if not name.startswith("disc"):
            continue
        for parameter, beyond in BEYOND.items():
            for low, high in FAMILIES[name].ranges.train[parameter]:
                assert all(high < a or low > b for a, b in beyond), (name, parameter)


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("where", Range)
def test_the_corrected_truth_satisfies_the_laws(law: Law, where: Range):
    clip = film(scene_of(law, where), 64, published=False).clip
    assert clip.scene is not None
    verdicts = {v.law: v.outcome for v in check_laws(clip.scene)}
    assert Outcome.FAIL not in verdicts.values(), verdicts
    free = "gravity_form" if law is Law.PARABOLA else "inertia"
    assert verdicts[free] is Outcome.PASS


def test_a_corrected_collision_is_elastic_and_a_published_slow_one_is_not():
    for speed, bounces in ((0.9, False), (3.0, True)):
        exact, solved = (film(collision(speed), 64, published=p) for p in (False, True))
        for twice, elastic in ((exact, True), (solved, bounces)):
            v = np.diff(twice.position_m[..., 0], axis=1) / STEP_S
            apart = v[1, -1] - v[0, -1]
            assert apart == pytest.approx(speed if elastic else 0.0, abs=0.05)


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("where", Range)
def test_the_instrument_reads_the_truth(law: Law, where: Range):
    scene = scene_of(law, where, 1)
    twice = film(scene, 64, published=False)
    found = read_discs(twice.frames, len(scene.radius_m), scene.radius_m, published=False)
    read = LawReadings.of(found, twice.position_m, scene.radius_m, law, CONTEXT, STEP_S)
    assert read.velocity_error < 0.03
    assert read.found_share == 1.0
    if law is Law.COLLISION:
        assert read.momentum_share < 0.02
        assert read.energy_gain < 0.02
    else:
        assert read.form_m < 0.005
        assert read.parameter_mps2 < 0.05


@pytest.mark.parametrize("share", [0.1, 0.2, 0.3, 0.4, 0.5])
def test_error_grows_with_the_dose(share: float):
    """Discs that go so much faster than they should."""
    scene = scene_of(Law.UNIFORM, Range.IN)
    slow = film(scene, 64, published=False)
    found = []
    for dose in (share - 0.1, share):
        fast = film(
            replace(scene, velocity_mps=scene.velocity_mps * (1 + dose)), 64, published=False
        )
        places = read_discs(fast.frames, 1, scene.radius_m, published=False)
        found.append(
            LawReadings.of(places, slow.position_m, scene.radius_m, scene.law, CONTEXT, STEP_S)
        )
    assert found[1].velocity_error > found[0].velocity_error + 0.05


def test_blur_and_faded_colours_do_not_move_the_measure():
    scene = scene_of(Law.PARABOLA, Range.IN)
    twice = film(scene, 64, published=False)
    for changed in (
        np.stack([cv2.GaussianBlur(f, (0, 0), 1.0) for f in twice.frames]),
        (255 - 0.8 * (255.0 - twice.frames)).astype(np.uint8),
    ):
        found = read_discs(changed, 1, scene.radius_m, published=False)
        read = LawReadings.of(found, twice.position_m, scene.radius_m, scene.law, CONTEXT, STEP_S)
        assert read.velocity_error < 0.05


def test_a_lost_disc_counts_as_standing_still():
    scene = scene_of(Law.UNIFORM, Range.IN)
    twice = film(scene, 64, published=False)
    blank = np.full_like(twice.frames, 255)
    found = read_discs(blank, 1, scene.radius_m, published=False)
    read = LawReadings.of(found, twice.position_m, scene.radius_m, scene.law, CONTEXT, STEP_S)
    assert read.found_share == 0.0
    assert read.velocity_error == pytest.approx(abs(scene.velocity_mps[0, 0]))


def test_every_row_and_column_is_there():
    def still(frames: np.ndarray, horizon: int, seed: int) -> np.ndarray:
        return np.repeat(frames[-1:], horizon, axis=0)

    result = run(Subject("still", predict=still, size_px=48), Settings(quick=True))
    table = result.table("velocity_error")
    assert table.columns == COLUMNS
    assert [row.kind for row in table.rows].count(RowKind.PUBLISHED) == 1
    assert table.rows[0].name == "still"
    own, copying = (table.row(name).cells for name in ("still", "copy-last"))
    for column in COLUMNS:
        assert own[column].value == copying[column].value
        assert len(own[column].values) == 3
    oracle = table.row("state oracle (noise of the instrument)").cells
    assert all(oracle[c].value < 0.06 for c in COLUMNS)
    assert table.reaches("uniform out", own["uniform out"]) is False
    assert SuiteResult.from_json(result.to_json()).to_json() == result.to_json()
    again = run(Subject("still", predict=still, size_px=48), Settings(quick=True, num_workers=2))
    assert again.to_json() == result.to_json()


def test_who_cannot_predict_is_told():
    with pytest.raises(InputError, match="predict"):
        run(Subject("mute"), Settings(quick=True))
