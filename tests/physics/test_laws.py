from __future__ import annotations

import numpy as np
import pytest

from worldline.core import STATIC, Contact, Outcome, Provenance, Scene, Verdict
from worldline.physics import LAWS, check_laws
from worldline.physics.laws import check_gravity_form

G = 9.81


def law(scene: Scene, name: str, **options) -> Verdict:
    return next(v for v in check_laws(scene, **options) if v.law == name)


def failed(scene: Scene) -> set[str]:
    return {v.law for v in check_laws(scene) if v.outcome is Outcome.FAIL}


def throw_path(t: np.ndarray, g: float = G) -> np.ndarray:
    return np.stack([1.5 * t, 0.3 * t, 4 + 2 * t - g * t**2 / 2], axis=1)


def drop_and_land(t: np.ndarray) -> tuple[np.ndarray, float]:
    land = float(np.sqrt(2 * 3.0 / G))
    return np.stack([0 * t, 0 * t, np.maximum(3.2 - G * t**2 / 2, 0.2)], axis=1), land


def test_one_verdict_for_each_law_in_order(metric_scene) -> None:
    t = np.arange(24) / 20
    verdicts = check_laws(metric_scene([throw_path(t)], t))
    assert [v.law for v in verdicts] == list(LAWS)
    for v in verdicts:
        assert v.reason
        assert (v.p_value is None) == (v.outcome is Outcome.UNTESTABLE)
        assert v.p_value is None or 0 <= v.p_value <= 1


def test_alpha_must_be_a_probability(metric_scene) -> None:
    t = np.arange(8) / 20
    with pytest.raises(ValueError, match="alpha is 0"):
        check_laws(metric_scene([throw_path(t)], t), alpha=0.0)


def test_true_motion_passes(metric_scene) -> None:
    t = np.arange(40) / 20
    path, land = drop_and_land(t)
    other = throw_path(t) + np.array([3.0, 0.0, 9.0])
    scene = metric_scene([path, other], t, contacts=(Contact(0, STATIC, land, 2.0),))
    outcomes = {v.law: v.outcome for v in check_laws(scene)}
    assert failed(scene) == set()
    for name in ("inertia", "gravity_form", "gravity_parameter", "permanence", "continuity"):
        assert outcomes[name] is Outcome.PASS
    assert outcomes["interpenetration"] is Outcome.PASS


def test_false_alarms_stay_below_alpha(metric_scene) -> None:
    """Known noise on a parabola at uneven times: at most alpha, with room for chance, fail."""
    alpha, num_seeds = 0.05, 200
    alarms = dict.fromkeys(LAWS, 0)
    for seed in range(num_seeds):
        rng = np.random.default_rng(seed)
        std = (0.002, 0.01, 0.05)[seed % 3]
        t = np.cumsum(rng.uniform(0.02, 0.06, 30))
        path = throw_path(t) + rng.normal(0, std, (30, 3))
        scene = metric_scene([path], t, position_m_std=np.full((1, 30, 3), std))
        for v in check_laws(scene, alpha=alpha):
            alarms[v.law] += v.outcome is Outcome.FAIL
    # 95% bound of a binomial count with 200 trials at 5%: 15.
    assert max(alarms.values()) <= 15, alarms


def test_chi_square_is_exact_where_noise_exceeds_what_is_granted(metric_scene) -> None:
    """With known noise far above the granted 4 mm the p-value is uniform."""
    p = []
    for seed in range(120):
        rng = np.random.default_rng(seed)
        t = np.arange(30) / 25
        path = throw_path(t) + rng.normal(0, 0.05, (30, 3))
        scene = metric_scene([path], t, position_m_std=np.full((1, 30, 3), 0.05))
        verdict = check_gravity_form(scene, 0.01)
        if verdict.p_value is not None:
            p.append(verdict.p_value)
    assert len(p) > 90
    quartiles = np.percentile(p, [25, 50, 75])
    np.testing.assert_allclose(quartiles, [0.25, 0.5, 0.75], atol=0.14)


def test_unknown_noise_gives_few_false_alarms(metric_scene) -> None:
    alarms = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        t = np.arange(30) / 25
        scene = metric_scene([throw_path(t) + rng.normal(0, 0.02, (30, 3))], t)
        alarms += bool(failed(scene))
    # Each law has alpha = 1%, with a deviation estimated from 30 samples.
    assert alarms <= 5


def test_wrong_gravity_fails_the_parameter_only(metric_scene) -> None:
    t = np.arange(30) / 25
    scene = metric_scene([throw_path(t, g=0.6 * G)], t)
    assert failed(scene) == {"gravity_parameter"}
    verdict = law(scene, "gravity_parameter")
    assert verdict.quantities["acceleration_mps2"] == pytest.approx(0.6 * G, rel=1e-3)
    assert verdict.objects == (0,)
    weak = metric_scene([throw_path(t, g=2.5)], t, gravity_mps2=np.array([0.0, 0.0, -2.5]))
    assert failed(weak) == set()


def test_wrong_gravity_is_found_in_noise(metric_scene) -> None:
    rng, t = np.random.default_rng(0), np.arange(30) / 25
    path = throw_path(t, g=0.6 * G) + rng.normal(0, 0.02, (30, 3))
    scene = metric_scene([path], t, position_m_std=np.full((1, 30, 3), 0.02))
    assert "gravity_parameter" in failed(scene)


def test_hanging_in_the_air_fails_the_form(metric_scene) -> None:
    t = np.arange(40) / 20
    z = np.where(t < 0.6, 6 - G * t**2 / 2, 6 - G * 0.6**2 / 2)
    scene = metric_scene([np.stack([0 * t, 0 * t, z], axis=1)], t)
    verdict = law(scene, "gravity_form")
    assert verdict.outcome is Outcome.FAIL
    assert verdict.moment_s == pytest.approx(0.6, abs=0.06)
    path, land = drop_and_land(t)
    landed = metric_scene([path], t, contacts=(Contact(0, STATIC, land, 2.0),))
    assert failed(landed) == set()


def test_turning_in_flight_fails_inertia(metric_scene) -> None:
    t = np.arange(30) / 25
    path = throw_path(t)
    path[:, 0] = np.where(t < 0.6, 1.5 * t, 0.9 - 1.5 * (t - 0.6))
    verdict = law(metric_scene([path], t), "inertia")
    assert verdict.outcome is Outcome.FAIL
    assert verdict.moment_s == pytest.approx(0.6, abs=0.09)


def test_inertia_without_gravity(metric_scene) -> None:
    t = np.arange(32) / 10
    free = {"gravity_mps2": np.zeros(3)}
    straight = np.stack([1 + 2 * t, 3 - t, 0 * t], axis=1)
    assert law(metric_scene([straight], t, **free), "inertia").outcome is Outcome.PASS
    kinked = straight.copy()
    kinked[16:] = kinked[15] - (straight[16:] - straight[15])
    assert law(metric_scene([kinked], t, **free), "inertia").outcome is Outcome.FAIL
    wall = (Contact(0, STATIC, 1.5, 1.5),)
    assert law(metric_scene([kinked], t, contacts=wall, **free), "inertia").outcome is Outcome.PASS
    driven = metric_scene([kinked], t, labels=("car",), **free)
    assert law(driven, "inertia").outcome is Outcome.UNTESTABLE


def test_a_pendulum_is_not_free(metric_scene) -> None:
    t = np.arange(60) / 20
    for swing in (0.3, 0.8, 1.3):
        angle = swing * np.cos(np.sqrt(G / 1.5) * t)
        path = np.stack([1.5 * np.sin(angle), 0 * t, 3 - 1.5 * np.cos(angle)], axis=1)
        outcomes = {v.law: v.outcome for v in check_laws(metric_scene([path], t))}
        assert outcomes["inertia"] is Outcome.UNTESTABLE
        assert outcomes["gravity_form"] is Outcome.UNTESTABLE
        assert outcomes["gravity_parameter"] is Outcome.UNTESTABLE


def test_unrecorded_contacts_do_not_break_laws(metric_scene) -> None:
    """A recorded scene that lists no contacts may have had some all the same."""
    t = np.arange(40) / 20
    path, _ = drop_and_land(t)
    assert failed(metric_scene([path], t, provenance=Provenance())) == set()


def test_teleport_fails_continuity(metric_scene, pixel_scene) -> None:
    t = np.arange(40) / 20
    path = np.stack([0.5 * t, 0 * t, 0 * t + 0.2], axis=1)
    path[20:, 0] += 1.0
    contacts = (Contact(0, STATIC, 0.0, 2.0),)
    verdict = law(metric_scene([path], t, contacts=contacts), "continuity")
    assert verdict.outcome is Outcome.FAIL
    assert verdict.moment_s == pytest.approx(1.0, abs=1e-6)
    center = np.stack([100 + 60 * t, 240 + 0 * t], axis=1)
    assert law(pixel_scene([center], t, std=0.5), "continuity").outcome is Outcome.PASS
    center[25:, 1] -= 120
    assert law(pixel_scene([center], t, std=0.5), "continuity").outcome is Outcome.FAIL


def test_hits_are_continuous(metric_scene) -> None:
    """A hard hit and a bounce change the velocity at once, but not the place."""
    t = np.arange(40) / 20 + 0.01
    hit = np.stack([np.where(t < 1, 0, 9 * (t - 1)), 0 * t, 0 * t + 0.2], axis=1)
    back = np.stack([np.where(t < 1, 6 * t, 12 - 6 * t), 0 * t, 0 * t + 0.2], axis=1)
    contacts = (Contact(0, STATIC, 0.0, 2.0), Contact(1, STATIC, 0.0, 2.0))
    scene = metric_scene([hit, back + np.array([0.0, 5.0, 0.0])], t, contacts=contacts)
    assert law(scene, "continuity").outcome is Outcome.PASS


def test_vanishing_and_appearing_fail_permanence(metric_scene) -> None:
    t = np.arange(40) / 20
    path = np.stack([-3 + 2 * t, 0 * t, 0 * t + 0.2], axis=1)
    whole = metric_scene([path], t)
    assert law(whole, "permanence").outcome is Outcome.PASS
    for gone in (np.arange(40) < 25, np.arange(40) >= 15):
        scene = metric_scene([path], t, present=gone[None], visible=gone[None])
        verdict = law(scene, "permanence")
        assert verdict.outcome is Outcome.FAIL
        assert verdict.p_value == 0.0
    hidden = metric_scene([path], t, visible=(np.arange(40) < 25)[None])
    assert law(hidden, "permanence").outcome is Outcome.PASS


def walk(t: np.ndarray) -> np.ndarray:
    return np.stack([80 + 120 * t, 240 + 3 * np.sin(12 * t)], axis=1)


def test_perceived_loss_in_view_fails_permanence(pixel_scene) -> None:
    t = np.arange(90) / 25
    center = walk(t)
    assert law(pixel_scene([center], t, std=1.0), "permanence").outcome is Outcome.PASS
    center[50:] = np.nan
    verdict = law(pixel_scene([center], t, std=1.0), "permanence")
    assert verdict.outcome is Outcome.FAIL
    assert verdict.moment_s == pytest.approx(t[49])


def test_excused_losses_do_not_fail_permanence(pixel_scene) -> None:
    t = np.arange(90) / 25
    lost = walk(t)
    lost[50:] = np.nan
    carried = walk(t) + 3.0
    carried[:56] = np.nan
    screen = np.stack([340 + 0 * t, 240 + 0 * t], axis=1)
    cut = walk(t) + np.array([0.0, 120.0])
    cut[50:] = np.nan
    resting = np.stack([300 + 0 * t, 240 + 0 * t], axis=1)
    resting[50:] = np.nan
    leaving = np.stack([430 + 120 * t, 240 + 0 * t], axis=1)
    leaving[leaving[:, 0] > 625] = np.nan
    sizes = np.stack([np.full((90, 2), 20.0), np.full((90, 2), 60.0)])
    for scene in (
        pixel_scene([lost, carried], t, std=1.0),
        pixel_scene([lost, screen], t, std=1.0, size=sizes),
        pixel_scene([lost, cut], t, std=1.0),
        pixel_scene([resting], t, std=1.0),
        pixel_scene([leaving], t, std=1.0),
    ):
        assert law(scene, "permanence").outcome is not Outcome.FAIL


def test_growth_fails_rigidity(metric_scene) -> None:
    t = np.arange(40) / 20
    path = np.stack([0 * t, 2 * t, 0 * t + 0.2], axis=1)
    depth = 4 + 2 * t
    size = np.repeat((40 / depth)[:, None], 2, axis=1)[None]
    edges = np.round(size)
    true = metric_scene([path], t, depth_m=depth[None], size_px=edges)
    assert law(true, "rigidity").outcome is Outcome.PASS
    grown = size * np.where(t > 1, 1 + (t - 1), 1.0)[None, :, None]
    verdict = law(metric_scene([path], t, depth_m=depth[None], size_px=grown), "rigidity")
    assert verdict.outcome is Outcome.FAIL
    boxes = metric_scene([path], t, depth_m=depth[None], size_px=grown, labels=("box",))
    assert law(boxes, "rigidity").outcome is Outcome.UNTESTABLE


def test_a_squashed_ball_fails_rigidity_in_pixels(pixel_scene) -> None:
    t = np.arange(40) / 20
    center = np.stack([100 + 100 * t, 240 + 0 * t], axis=1)
    near = 30 / (3 - t)
    size = np.stack([near, near], axis=1)[None]
    ball = {"labels": ("ball",), "std": 0.5}
    assert law(pixel_scene([center], t, size=size, **ball), "rigidity").outcome is Outcome.PASS
    flat = size * np.where(t > 1, 2.2, 1.0)[None, :, None] ** np.array([1.0, -1.0])
    assert law(pixel_scene([center], t, size=flat, **ball), "rigidity").outcome is Outcome.FAIL
    anything = pixel_scene([center], t, size=flat, std=0.5)
    assert law(anything, "rigidity").outcome is Outcome.UNTESTABLE


def test_interpenetration_of_balls(metric_scene) -> None:
    t = np.arange(40) / 20
    a = np.stack([-1 + t, 0 * t, 0 * t], axis=1)
    through = metric_scene([a, -a], t, gravity_mps2=np.zeros(3))
    verdict = law(through, "interpenetration")
    assert verdict.outcome is Outcome.FAIL
    assert verdict.moment_s == pytest.approx(1.0)
    assert verdict.objects == (0, 1)
    assert verdict.quantities["overlap_m"] == pytest.approx(0.4)
    beside = metric_scene([a, -a + np.array([0.0, 0.41, 0.0])], t, gravity_mps2=np.zeros(3))
    assert law(beside, "interpenetration").outcome is Outcome.PASS


def test_interpenetration_of_boxes_minds_their_rotation(metric_scene) -> None:
    t = np.arange(6) / 20
    place = np.zeros((2, 6, 3))
    place[1, :, 0] = 0.45
    flat = np.tile([1.0, 0.0, 0.0, 0.0], (2, 6, 1))
    extent = np.array([[0.4, 0.4, 0.4], [0.4, 0.4, 0.4]])
    fields = {"labels": ("box", "box"), "extent_m": extent}
    apart = metric_scene(place, t, rotation_wxyz=flat, **fields)
    assert law(apart, "interpenetration").outcome is Outcome.PASS
    turned = flat.copy()
    turned[:] = [np.cos(np.pi / 8), 0.0, 0.0, np.sin(np.pi / 8)]
    corner = metric_scene(place, t, rotation_wxyz=turned, **fields)
    assert law(corner, "interpenetration").outcome is Outcome.FAIL


def test_interpenetration_in_pixels_needs_depth(pixel_scene) -> None:
    t = np.arange(20) / 20
    center = np.full((2, 20, 2), 240.0)
    assert law(pixel_scene(center, t), "interpenetration").outcome is Outcome.UNTESTABLE


def test_free_fall_in_pixels_passes_and_people_are_untestable(pixel_scene) -> None:
    rng, t = np.random.default_rng(1), np.arange(20) / 30
    fall = np.stack([300 + 30 * t, 50 + 900 * t**2], axis=1) + rng.normal(0, 0.5, (20, 2))
    scene = pixel_scene([fall], t, std=0.5)
    assert law(scene, "gravity_form").outcome is Outcome.PASS
    assert law(scene, "gravity_parameter").outcome is Outcome.UNTESTABLE
    assert law(scene, "inertia").outcome is Outcome.UNTESTABLE
    t = np.arange(90) / 25
    person = pixel_scene([walk(t)], t, size=(50.0, 150.0), std=1.0)
    for name in ("inertia", "gravity_form", "gravity_parameter", "rigidity"):
        assert law(person, name).outcome is Outcome.UNTESTABLE


def test_gravity_in_pixels_with_a_known_scale(pixel_scene) -> None:
    t = np.arange(20) / 30
    fall = np.stack([300 + 0 * t, 50 + (G / 0.005) / 2 * t**2], axis=1)
    right = pixel_scene([fall], t, std=0.3, metres_per_px=0.005)
    assert law(right, "gravity_parameter").outcome is Outcome.PASS
    wrong = pixel_scene([fall], t, std=0.3, metres_per_px=0.0036)
    assert law(wrong, "gravity_parameter").outcome is Outcome.FAIL


def test_two_flights_of_one_ball_share_one_gravity(pixel_scene) -> None:
    t = np.arange(50) / 30
    first = 400 - 350 + 1900 / 2 * np.minimum(t, 0.85) ** 2
    for share, outcome in ((1.0, Outcome.PASS), (0.5, Outcome.FAIL)):
        u = np.maximum(t - 0.85, 0)
        y = first - 700 * u + 1900 * share / 2 * u**2
        scene = pixel_scene([np.stack([300 + 0 * t, y], axis=1)], t, std=0.3)
        assert law(scene, "gravity_parameter").outcome is outcome


def test_degenerate_scenes_are_untestable(pixel_scene, metric_scene) -> None:
    one = np.array([0.0])
    for scene in (
        Scene.empty(np.arange(3.0), 64, 64, Provenance()),
        Scene.empty(np.zeros(0), 64, 64, Provenance()),
        pixel_scene(np.full((1, 1, 2), 100.0), one),
        pixel_scene(np.full((2, 9, 2), np.nan), np.arange(9.0)),
        metric_scene(np.zeros((1, 1, 3)), one),
        metric_scene(np.full((2, 9, 3), np.nan), np.arange(9.0), visible=np.zeros((2, 9), bool)),
    ):
        assert {v.outcome for v in check_laws(scene)} == {Outcome.UNTESTABLE}
