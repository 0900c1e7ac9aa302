"""Conformal p-values of the laws, and the films that they come from."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from worldline.audit import tolerances as tolerances_module
from worldline.audit.breaches import BREACHES, STRAYS, film_breach, film_stray
from worldline.audit.calibration import conformal_quantile
from worldline.audit.tolerance_films import MakeTolerances, count_found
from worldline.audit.tolerances import (
    Settings,
    Take,
    Tolerances,
    alarm_rates,
    is_calibrated_kind,
    list_takes,
    load_tolerances,
    perceive_clip,
    score_scene,
)
from worldline.core import InputError, Outcome, Verdict
from worldline.physics import LAWS


def verdict(excess: float) -> Verdict:
    return Verdict(
        "continuity",
        Outcome.PASS,
        1.0,
        0.5,
        (0,),
        "Object 0 moves on by 3 px (p = 1, worst of 1 test).",
        {"excess": excess, "num_tests": 1.0},
    )


def tolerances(num: int) -> Tolerances:
    return Tolerances.of([{"continuity": k / 10} for k in range(num)], {})


def test_p_values_count_the_films_that_go_as_far() -> None:
    films = tolerances(19)
    assert films.num_films("continuity") == 19
    assert films.num_films("energy") == 0
    for excess, p_value in ((0.0, 1.0), (0.9, 11 / 20), (1.8, 0.1), (1.85, 0.05), (99.0, 0.05)):
        assert films.p_value("continuity", excess) == pytest.approx(p_value)
    with pytest.raises(InputError, match="energy"):
        films.p_value("energy", 1.0)


def test_what_fails_is_beyond_the_conformal_quantile() -> None:
    rng = np.random.default_rng(0)
    scores = rng.exponential(size=57).round(4)
    films = Tolerances.of([{"continuity": float(s)} for s in scores], {})
    for alpha in (0.02, 0.05, 0.2):
        limit = films.limit("continuity", alpha)
        assert limit == conformal_quantile(scores, alpha)
        for excess in (*scores.tolist(), *(scores + 2e-4).tolist()):
            failed = films.settle(verdict(excess), alpha).outcome is Outcome.FAIL
            assert failed == (excess > limit)
    assert films.limit("energy", 0.1) == float("inf")


def test_settled_verdicts_say_what_they_rest_on() -> None:
    films = tolerances(19)
    usual = films.settle(verdict(0.9), 0.05)
    assert usual.outcome is Outcome.PASS
    assert usual.reason == "Object 0 moves on by 3 px (p = 0.55: 10 of 19 lawful films go as far)."
    odd = films.settle(verdict(2.0), 0.05)
    assert odd.outcome is Outcome.FAIL
    assert odd.p_value == pytest.approx(0.05)
    assert "none of 19 lawful films go as far" in odd.reason

    # Nineteen films cannot show less than 0.05: then the p-value of the measurement decides.
    few = films.settle(verdict(2.0), 0.04)
    assert few.outcome is Outcome.PASS
    assert few.p_value == 1.0
    assert "farther than all 19 lawful films" in few.reason
    plain = replace(verdict(2.0), outcome=Outcome.FAIL, p_value=1e-9)
    worst = films.settle(plain, 0.04)
    assert worst.outcome is Outcome.FAIL
    assert "p < 0.0001 by its own errors" in worst.reason
    assert films.settle(replace(plain, quantities={"excess": 1.0}), 0.04).outcome is Outcome.PASS
    long = films.settle(verdict(1.8), 0.2, num_frames=64)
    assert long.p_value == pytest.approx(0.2)
    assert long.reason.endswith("1 of 19 lawful films goes as far, times 2 for its length).")
    unknown = Verdict("energy", Outcome.UNTESTABLE, reason="Nothing moves.")
    assert films.settle(unknown, 0.05) is unknown


def test_lawful_films_fail_at_most_at_the_stated_rate() -> None:
    """Exchangeable scores of any distribution, with many ties."""
    alarms = trials = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        films = [{"energy": float(s)} for s in np.floor(rng.exponential(3, 60))]
        known = Tolerances.of(films[:-20], {})
        alarms += sum(known.p_value("energy", film["energy"]) <= 0.1 for film in films[-20:])
        trials += 20
    assert alarms / trials <= 0.1
    rates = alarm_rates(films, 0.1)
    assert rates["energy"][1] == 60
    assert rates["energy"][0] <= 12
    assert rates["any law"] == rates["energy"]


def test_the_films_that_come_with_the_package() -> None:
    films = load_tolerances()
    assert set(films.scores) <= set(LAWS)
    assert films.num_films("continuity") >= 300
    assert all(np.all(np.diff(own) >= 0) and own[0] >= 0 for own in films.scores.values())
    settings = Settings()
    assert films.settings["seed"] == settings.seed
    assert len(list_takes(settings)) == 31 * 12 + 5 * 45 + 2 * 60
    again = Tolerances.from_json(films.to_json())
    assert again.to_json() == films.to_json()


def test_a_film_goes_through_the_whole_chain(tmp_path: Path) -> None:
    clip = Take("disc_bounce", 0, 5000, 64, False).clip()
    scene = perceive_clip(clip, tmp_path)
    assert is_calibrated_kind(scene)
    assert clip.scene is not None
    assert not is_calibrated_kind(clip.scene)
    scores = score_scene(scene)
    assert set(scores) <= set(LAWS)
    for law, score in scores.items():
        known = load_tolerances().scores[law]
        assert np.any(np.isclose(known, score, atol=1e-3)), "this film is one of those kept"


def test_what_is_found_is_counted_in_pixels_and_on_the_truth(tmp_path: Path) -> None:
    clips = [film_breach(kind, 0, seed=3, size_px=64) for kind in ("vanish", "grow")]
    kinds = [dict(clip.provenance.details)["breach"] for clip in clips]
    films = [
        (kind, perceive_clip(clip, tmp_path), clip.scene)
        for kind, clip in zip(kinds, clips, strict=True)
        if clip.scene is not None
    ]
    found = count_found(load_tolerances(), films)
    assert found["vanish"]["metres"] == [1, 1], "it leaps underground"
    assert found["vanish"]["pixels"][1] == 1
    assert found["grow"]["metres"] == [0, 0]


@pytest.mark.parametrize("kind", sorted(BREACHES))
def test_a_breach_is_shown(kind: str) -> None:
    clip = film_breach(kind, 1, seed=3, size_px=48)
    assert clip.frames.shape == (32, 48, 48, 3)
    assert clip.scene is not None
    assert dict(clip.provenance.details)["breach"] == kind
    again = film_breach(kind, 1, seed=3, size_px=48)
    np.testing.assert_array_equal(clip.frames, again.frames)


def test_what_vanishes_is_not_seen_any_more() -> None:
    clip = film_breach("vanish", 0, seed=3, size_px=48)
    assert clip.scene is not None
    moment = float(dict(clip.provenance.details)["breach_s"])
    seen = clip.scene.visible[0]
    assert seen[clip.time_s < moment].all()
    assert not seen[clip.time_s >= moment].any()
    with pytest.raises(InputError, match="unknown breach"):
        film_breach("melt", 0, seed=0, size_px=48)


@pytest.mark.parametrize("kind", sorted(STRAYS))
def test_a_stray_departs_from_the_truth_beside_it(kind: str) -> None:
    clip, truth = film_stray(kind, 0, seed=3, size_px=48)
    assert clip.scene is not None
    np.testing.assert_array_equal(clip.time_s, truth.time_s)
    moment = float(dict(clip.provenance.details)["breach_s"])
    gone = truth.visible[0] & ~clip.scene.visible[0]
    if kind in ("vanish", "gap"):
        assert gone.any()
        assert clip.time_s[gone].min() == pytest.approx(moment)
        assert (np.ptp(clip.time_s[gone]) < 0.5) == (kind == "gap")
    else:
        both = truth.visible[0] & clip.scene.visible[0]
        apart = np.linalg.norm(clip.scene.center_px[0] - truth.center_px[0], axis=-1)
        assert apart[both].max() > 2
    with pytest.raises(InputError, match="unknown stray"):
        film_stray("melt", 0, seed=0, size_px=48)


def test_a_few_films_are_made_as_the_file_has_them(tmp_path: Path) -> None:
    tiny = Settings(rounds=0, more=((("disc_uniform",), 2),), sizes_px=(64,), breach_rounds=1)
    with pytest.raises(InputError, match="--films is 0"):
        MakeTolerances(films=0).run()
    path = tmp_path / "few.json"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("worldline.audit.breaches.BREACHES", ("teleport",))
        MakeTolerances(path, films=1).run(tiny)
    made = json.loads(path.read_text())
    kept = json.loads(Path(tolerances_module.__file__).with_name("tolerances.json").read_text())
    assert set(made) == set(kept)
    assert set(made["measured"]) == set(kept["measured"])
    assert len(made["gate"]) == 1
    assert made["still"] == [0]
    assert made["measured"]["found"]["teleport"]["pixels"][1] == 1
    assert Tolerances.from_json(made).num_films("continuity") == 1
