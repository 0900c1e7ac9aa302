"""Which tracks of simulated films are light, and what is learned from them."""

from __future__ import annotations

import numpy as np
import pytest

from worldline.audit.shading import (
    SIGNS,
    Labelled,
    Settings,
    answers_of,
    films,
    learn,
    measure,
    on_rod,
)
from worldline.readout.lit_tracks import LIGHT, bundled_light_chances
from worldline.sim import FAMILIES, Split
from worldline.sim.framing import Shot


def test_a_rod_fills_the_box_that_it_crosses():
    rod = np.zeros((40, 40), dtype=bool)
    rod[np.arange(5, 35), np.arange(5, 35)] = True
    assert on_rod(np.array([10.0, 10.0, 20.0, 20.0]), rod) == 1.0
    assert on_rod(np.array([10.0, 0.0, 20.0, 20.0]), rod) == pytest.approx(0.5)
    assert on_rod(np.array([25.0, 0.0, 35.0, 10.0]), rod) == 0.0


def test_tracks_are_told_apart_by_the_truth():
    clip = FAMILIES["bounce"].make(Split.TRAIN, np.random.default_rng([8100, 106]), Shot(128))
    answers = answers_of("as filmed", clip.frames, clip)
    assert {a.is_light for a in answers} == {True, False}
    for answer in answers:
        if answer.is_light:
            assert answer.traits is not None
            assert answer.traits["uneven"] < 0.5


def test_some_scenes_are_shown_in_other_light_too(monkeypatch):
    dark = lambda clip, _: [("dark", clip.frames * np.float32(0.5))]  # noqa: E731
    monkeypatch.setattr("worldline.audit.shading.relit", dark)
    settings = Settings(seed=8200, scenes=2, relit_scenes=1, sizes_px=(48,))
    first, second = films(settings, test=False)
    assert {a.film for a in first} == {"as filmed", "dark"}
    assert {a.film for a in second} == {"as filmed"}


def traits(**given: float) -> dict[str, float]:
    return dict.fromkeys((*SIGNS, "lamp"), 0.0) | given


def labelled(num: int) -> list[Labelled]:
    rng = np.random.default_rng(0)
    return [
        Labelled("as filmed", light, traits(uneven=uneven, tinted=float(rng.random())))
        for _ in range(num)
        for light, uneven in ((True, float(rng.uniform(0, 1))), (False, float(rng.uniform(1, 3))))
    ]


def test_what_is_uneven_is_learned_to_be_a_body():
    chances = learn(labelled(60))
    assert chances.of(LIGHT, traits(uneven=0.1)) > 0.9
    assert chances.of(LIGHT, traits(uneven=2.5)) < 0.1
    assert all(SIGNS[name] * w >= 0 for name, w in chances.weights[LIGHT].items() if name in SIGNS)
    unmeasured = [Labelled("as filmed", True, None), Labelled("as filmed", False, None)]
    told = measure(chances, [*labelled(20), *unmeasured])["as filmed"]
    assert (told["light"], told["bodies"]) == (21, 21)
    assert told["told"] >= 16
    assert told["taken_for_light"] <= 2


def test_tracks_that_are_all_alike_teach_nothing():
    with pytest.raises(ValueError, match="light"):
        learn([Labelled("as filmed", True, traits())] * 3)


def test_a_film_without_light_and_shade_is_left_out():
    clip = FAMILIES["disc_uniform"].make(Split.TRAIN, np.random.default_rng(12), Shot(64))
    assert clip.segmentation is not None
    flat = np.full_like(clip.frames, 150)
    flat[clip.segmentation >= 0] = (40, 60, 200)
    assert answers_of("as filmed", flat, clip) == []


def test_what_comes_along_was_measured_on_other_films():
    filmed = bundled_light_chances().measured["as filmed"]
    assert filmed["bodies"] > 50
    assert filmed["told"] > 0.6 * filmed["light"]
    assert filmed["taken_for_light"] < 0.05 * filmed["bodies"]
