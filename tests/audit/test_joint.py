"""One error rate for all laws of the gate."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.audit.test_gate import hide, keep, make_scene

from worldline.audit import audit_scene
from worldline.audit.agreement import Sight, tell_sight
from worldline.audit.joint import (
    GATE_ALPHA,
    GateFilms,
    SightFilms,
    correct_holm,
    load_gate_films,
    score_against,
)
from worldline.audit.tolerances import Settings, Take, perceive_clip, pick_gate_takes
from worldline.core import Outcome, Verdict
from worldline.core.camera import Camera
from worldline.physics import check_laws

PLACE, COUNT = "reference_position", "reference_count"


def test_a_lawful_film_fails_any_law_at_most_at_the_stated_rate() -> None:
    """Scores of a common cause, with ties and gaps: laws depend on each other."""
    alarms = trials = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        cause = rng.exponential(size=60)
        films = []
        for own in cause:
            noisy = np.floor(own + rng.exponential(size=5))
            laws = {f"law {k}": float(s) for k, s in enumerate(noisy) if rng.random() < 0.7}
            films.append(laws | {PLACE: float(noisy[0]) + own})
        known = SightFilms.of(films[:50])
        alarms += sum(min(known.p_values(film).values()) <= 0.1 for film in films[50:])
        trials += 10
    assert 0.03 < alarms / trials <= 0.1 + 3 * (0.1 * 0.9 / trials) ** 0.5


def test_many_laws_cost_each_of_them() -> None:
    rng = np.random.default_rng(0)
    one = [{PLACE: float(s)} for s in rng.random(99)]
    more = [film | {f"law {k}": float(rng.random()) for k in range(9)} for film in one]
    alone = SightFilms.of(one).p_values({PLACE: 0.97})[PLACE]
    among = SightFilms.of(more).p_values({PLACE: 0.97, "law 1": 0.5})[PLACE]
    assert alone == pytest.approx((1 + sum(film[PLACE] >= 0.97 for film in one)) / 100)
    assert among > alone
    assert SightFilms.of(one).p_values({PLACE: 99.0, "law": 99.0}) == {PLACE: 0.01}
    assert SightFilms.of([]).p_values({PLACE: 1.0}) == {}


def settle(films: int, shift_px: float, alpha: float, **changes: int) -> dict[str, Verdict]:
    scene, reference = make_scene(std_px=0.5, **changes), make_scene(**changes)
    scene = replace(scene, center_px=scene.center_px + np.array([0.0, shift_px]))
    scores = {"reference_permanence": 0.0, COUNT: 0.0}
    known = GateFilms(tuple((Sight.ALIKE, scores | {PLACE: k / films}) for k in range(films)))
    verdicts = [
        Verdict("momentum", Outcome.UNTESTABLE),
        Verdict("reference_permanence", Outcome.PASS, 1.0),
        Verdict(PLACE, Outcome.FAIL, 1e-9),
        Verdict(COUNT, Outcome.FAIL, 0.03),
    ]
    return {v.law: v for v in known.settle(verdicts, scene, reference, alpha)}


def test_verdicts_are_settled_by_films_that_were_seen_alike() -> None:
    far = settle(99, 30.0, 0.05)
    assert (far[PLACE].outcome, far[PLACE].p_value) == (Outcome.FAIL, 0.01)
    assert far[PLACE].reason.endswith("(p = 0.01 over all laws, by 99 lawful films seen alike).")
    assert far[PLACE].quantities["excess"] > 5
    assert (far[COUNT].outcome, far[COUNT].p_value) == (Outcome.PASS, 1.0)
    assert far["momentum"].outcome is Outcome.UNTESTABLE
    near = settle(99, 1.0, 0.05)[PLACE]
    assert near.outcome is Outcome.PASS
    assert near.p_value == pytest.approx(0.69, abs=0.02)
    long = settle(99, 30.0, 0.05, num_frames=60)[PLACE]
    assert long.p_value == pytest.approx(0.02)


def test_too_few_films_leave_it_to_the_errors_too() -> None:
    far = settle(9, 30.0, 0.05)[PLACE]
    assert (far.outcome, far.p_value) == (Outcome.FAIL, 1e-9)
    assert "by its own errors; farther than all 9 lawful films" in far.reason
    assert settle(9, 0.5, 0.05)[PLACE].outcome is Outcome.PASS


def test_holm() -> None:
    verdicts = [
        Verdict(law, Outcome.FAIL, p) for law, p in zip("abc", (0.02, 0.04, 0.01), strict=True)
    ]
    verdicts.append(Verdict("d", Outcome.UNTESTABLE))
    told = [v.outcome.value for v in correct_holm(verdicts, 0.05)]
    assert told == ["fail", "fail", "fail", "untestable"]
    told = [v.outcome.value for v in correct_holm(verdicts, 0.035)]
    assert told == ["pass", "pass", "fail", "untestable"]


def test_the_films_that_come_with_the_package() -> None:
    films = load_gate_films()
    assert len(films.films) == Settings().gate_films == len(set(pick_gate_takes(Settings())))
    for sight in (Sight.ALIKE, Sight.MORE, Sight.FEWER, Sight.MOVING):
        assert 1 / (len(films.seen(sight).scores) + 1) <= GATE_ALPHA
    assert GateFilms.from_json(films.to_json()).to_json() == films.to_json()
    seen = {sight: films.seen(sight) for sight in Sight}
    lawful = [seen[sight].p_values(scores) for sight, scores in films.films[::6]]
    assert np.mean([min(p.values(), default=1.0) <= GATE_ALPHA for p in lawful]) <= 0.15


def test_a_moving_camera_is_judged_apart() -> None:
    scene, poses = make_scene(std_px=0.5), np.repeat(np.eye(4)[None], 32, axis=0)
    stands = replace(make_scene(), camera=Camera(64.0, 64, 64, poses))
    assert tell_sight(scene, stands) is tell_sight(scene, make_scene()) is Sight.ALIKE
    poses = poses.copy()
    poses[:, 0, 3] = np.linspace(0, 1, 32)
    moves = replace(make_scene(), camera=Camera(64.0, 64, 64, poses))
    assert tell_sight(scene, moves) is Sight.MOVING


def test_a_film_is_one_of_those_kept(tmp_path) -> None:
    clip = Take("disc_bounce", 9, 4000, 96, False).clip()
    assert clip.scene is not None
    seen = perceive_clip(clip, tmp_path)
    sight, scores = score_against(seen, clip.scene, check_laws(seen))
    assert sight is Sight.ALIKE
    kept = load_gate_films().seen(sight)
    own = np.array([scores.get(law, np.nan) for law in kept.laws])
    assert np.isclose(kept.scores, own, atol=1e-3, equal_nan=True).all(axis=1).any()


def test_tracked_scenes_are_judged_by_films_and_true_ones_by_their_errors() -> None:
    truth = make_scene()
    tracked = audit_scene(make_scene(std_px=0.5), truth)
    assert "lawful films seen alike" in tracked[-1].reason
    assert "lawful films" not in audit_scene(make_scene(), truth)[-1].reason
    empty = audit_scene(keep(truth, []), truth, tracked=True)
    assert "lawful films seen alike" in empty[-1].reason
    lost = audit_scene(hide(make_scene(std_px=0.5), 1, 5, 31), truth)
    assert Outcome.FAIL in [v.outcome for v in lost[-3:]]
