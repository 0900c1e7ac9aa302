from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from worldline.audit import audit_scene
from worldline.core import InputError, Origin, Outcome, Provenance, Scene, Verdict
from worldline.physics import check_laws

ASPECTS = ("reference_permanence", "reference_position", "reference_count")


def make_scene(
    *,
    num_frames: int = 31,
    step_s: float = 0.1,
    start_s: float = 0.0,
    width_px: int = 200,
    ids: tuple[int, ...] = (0, 1),
    std_px: float = 0.0,
    still: bool = False,
) -> Scene:
    """Two objects of 12 px on a picture of 200 by 100: one goes right at 40 px/s, one at -20."""
    time_s = start_s + step_s * np.arange(num_frames)
    speed = 0.0 if still else 1.0
    first = np.stack([20 + 40 * time_s * speed, np.full(num_frames, 30.0)], -1)
    second = np.stack([150 - 20 * time_s * speed, np.full(num_frames, 70.0)], -1)
    scale = width_px / 200
    shape = (2, num_frames)
    return Scene(
        time_s=time_s,
        width_px=width_px,
        height_px=width_px // 2,
        ids=np.array(ids),
        labels=("ball", "ball"),
        present=np.ones(shape, dtype=bool),
        visible=np.ones(shape, dtype=bool),
        center_px=np.stack([first, second]) * scale,
        size_px=np.full((*shape, 2), 12.0 * scale),
        center_px_std=np.full((*shape, 2), std_px * scale),
        provenance=Provenance(Origin.SIMULATED, "test"),
    )


def hide(scene: Scene, row: int, start: int, stop: int) -> Scene:
    visible, present = scene.visible.copy(), scene.present.copy()
    visible[row, start:stop] = False
    present[row, start:stop] = False
    center_px = scene.center_px.copy()
    center_px[row, start:stop] = np.nan
    return replace(scene, visible=visible, present=present, center_px=center_px)


def keep(scene: Scene, rows: list[int]) -> Scene:
    return replace(
        scene,
        ids=scene.ids[rows],
        labels=tuple(scene.labels[r] for r in rows),
        present=scene.present[rows],
        visible=scene.visible[rows],
        center_px=scene.center_px[rows],
        size_px=scene.size_px[rows],
        center_px_std=scene.center_px_std[rows],
    )


def reference_verdicts(scene: Scene, reference: Scene) -> dict[str, Verdict]:
    verdicts = audit_scene(scene, reference)
    assert [v.law for v in verdicts[-3:]] == list(ASPECTS)
    return {v.law: v for v in verdicts[-3:]}


def outcomes(scene: Scene, reference: Scene) -> list[str]:
    return [str(v.outcome) for v in reference_verdicts(scene, reference).values()]


def test_without_a_reference_the_laws_alone_speak() -> None:
    scene = make_scene()
    laws = check_laws(scene)
    assert [v.to_json() for v in audit_scene(scene)] == [v.to_json() for v in laws]
    assert len(audit_scene(scene, scene)) == len(laws) + 3


def test_a_scene_agrees_with_itself() -> None:
    verdicts = reference_verdicts(make_scene(), make_scene())
    assert {v.outcome for v in verdicts.values()} == {Outcome.PASS}
    assert verdicts["reference_position"].quantities["max_distance_px"] == 0
    assert verdicts["reference_count"].moment_s is None


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"ids": (7, 3)}, id="other ids"),
        pytest.param({"width_px": 800}, id="larger"),
        pytest.param({"width_px": 50}, id="smaller"),
        pytest.param({"step_s": 0.04, "num_frames": 76}, id="faster"),
        pytest.param({"step_s": 0.25, "num_frames": 13}, id="slower"),
        pytest.param({"start_s": 0.73, "num_frames": 20}, id="later and shorter"),
    ],
)
def test_rate_size_ids_and_span_do_not_matter(other: dict) -> None:
    assert outcomes(make_scene(**other), make_scene()) == ["pass"] * 3
    assert outcomes(make_scene(), make_scene(**other)) == ["pass"] * 3


def test_rows_in_another_order_are_matched() -> None:
    assert outcomes(keep(make_scene(), [1, 0]), make_scene()) == ["pass"] * 3


def test_a_vanished_object_is_named_with_its_moment() -> None:
    scene = hide(make_scene(ids=(5, 6)), 1, 12, 31)
    verdicts = reference_verdicts(scene, make_scene())
    gone = verdicts["reference_permanence"]
    assert gone.outcome is Outcome.FAIL
    assert gone.objects == (1,)
    assert gone.moment_s == pytest.approx(1.2)
    assert gone.quantities["num_missing_frames"] == 19
    assert verdicts["reference_position"].outcome is Outcome.PASS
    count = verdicts["reference_count"]
    assert count.outcome is Outcome.FAIL
    assert count.moment_s == pytest.approx(1.2)
    assert "fewer" in count.reason


def test_an_object_that_never_was_is_missed_from_the_start() -> None:
    gone = reference_verdicts(keep(make_scene(), [0]), make_scene())["reference_permanence"]
    assert gone.outcome is Outcome.FAIL
    assert gone.objects == (1,)
    assert gone.moment_s == 0
    assert gone.quantities["num_unmatched"] == 1


def test_a_short_gap_proves_nothing() -> None:
    assert outcomes(hide(make_scene(), 1, 12, 15), make_scene()) == ["pass"] * 3


def test_what_the_reference_hides_may_be_missing_or_not() -> None:
    hidden = hide(make_scene(), 1, 10, 25)
    assert outcomes(hidden, hidden) == ["pass"] * 3


def test_a_resting_object_cannot_be_asked_of_a_motion_detector() -> None:
    reference = make_scene(still=True)
    moving = make_scene()
    reference = replace(
        reference, center_px=np.stack([moving.center_px[0], reference.center_px[1]])
    )
    assert outcomes(keep(moving, [0]), reference) == ["pass"] * 3
    assert outcomes(keep(reference, [1]), keep(reference, [1])) == ["pass"] * 3


def test_an_extra_object_is_counted() -> None:
    verdicts = reference_verdicts(make_scene(), keep(make_scene(), [0]))
    assert verdicts["reference_count"].outcome is Outcome.FAIL
    assert "more" in verdicts["reference_count"].reason
    assert verdicts["reference_permanence"].outcome is Outcome.PASS


def test_a_departure_is_named_with_its_first_significant_moment() -> None:
    scene = make_scene()
    center_px = scene.center_px.copy()
    center_px[0, 15:, 1] += 3.0 * np.arange(1, 17)  # veers off from 1.5 s
    verdict = reference_verdicts(replace(scene, center_px=center_px), make_scene())[
        "reference_position"
    ]
    assert verdict.outcome is Outcome.FAIL
    assert verdict.objects == (0,)
    assert verdict.moment_s is not None
    assert 1.5 <= verdict.moment_s <= 1.7
    assert verdict.quantities["max_distance_px"] == pytest.approx(48)
    assert verdict.p_value is not None
    assert verdict.p_value < 0.01


def test_noise_of_the_stated_size_is_no_departure_but_unstated_noise_is() -> None:
    rng = np.random.default_rng(0)
    reference = make_scene()
    alarms = 0
    for _ in range(40):
        scene = make_scene(std_px=4.0)
        noisy = replace(scene, center_px=scene.center_px + rng.normal(0, 4.0, (2, 31, 2)))
        alarms += outcomes(noisy, reference)[1] == "fail"
    assert alarms <= 1  # alpha is one in a hundred
    scene = make_scene(std_px=0.0)
    noisy = replace(scene, center_px=scene.center_px + rng.normal(0, 4.0, (2, 31, 2)))
    assert outcomes(noisy, reference)[1] == "fail"


def test_a_renamed_track_is_no_vanished_object() -> None:
    both = make_scene()
    head, tail = hide(both, 1, 15, 31), hide(both, 1, 0, 15)
    scene = replace(
        both,
        ids=np.array([0, 1, 2]),
        labels=("ball", "ball", "ball"),
        present=np.concatenate([head.present, tail.present[1:]]),
        visible=np.concatenate([head.visible, tail.visible[1:]]),
        center_px=np.concatenate([head.center_px, tail.center_px[1:]]),
        size_px=np.concatenate([head.size_px, tail.size_px[1:]]),
        center_px_std=np.concatenate([head.center_px_std, tail.center_px_std[1:]]),
    )
    assert outcomes(scene, both) == ["pass"] * 3


def test_objects_leaving_the_picture_are_not_asked_for() -> None:
    reference = make_scene(num_frames=60)  # the first one leaves at 4.5 s
    scene = hide(reference, 0, 43, 60)
    assert reference_verdicts(scene, reference)["reference_permanence"].outcome is Outcome.PASS


def test_an_empty_scene_against_an_empty_reference_is_untestable() -> None:
    time_s = 0.1 * np.arange(10)
    empty = Scene.empty(time_s, 200, 100, Provenance())
    assert outcomes(empty, empty) == ["untestable"] * 3
    against = outcomes(empty, make_scene())
    assert against == ["fail", "untestable", "fail"]


def test_scenes_of_other_times_or_views_are_refused() -> None:
    with pytest.raises(InputError, match="do not overlap in time"):
        audit_scene(make_scene(), make_scene(start_s=10.0))
    square = replace(make_scene(), height_px=200)
    with pytest.raises(InputError, match="must show the same view"):
        audit_scene(square, make_scene())
