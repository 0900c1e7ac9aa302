"""Sentences about the sandbox."""

from __future__ import annotations

import numpy as np
import pytest

from worldline.core import InputError
from worldline.sim.sandbox_scene import THINGS
from worldline.sim.sandbox_words import read_sentence


def places(text: str, seed: int = 0) -> dict[str, np.ndarray]:
    scene = read_sentence(text, seed)
    assert scene.labels == THINGS
    assert scene.caption == text
    return dict(zip(scene.labels, scene.position_m[:, 0, [0, 2]], strict=True))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_places_are_as_they_are_told(seed):
    at = places(
        "The ball is on the left, the plank on top of the box, the hand above the ball", seed
    )
    assert at["ball"][0] < 1.1
    assert at["ball"][1] == pytest.approx(0.32)
    np.testing.assert_allclose(at["plank"] - at["box"], (0, 0.46), atol=1e-9)
    assert at["hand"][0] == pytest.approx(at["ball"][0])
    assert at["hand"][1] > at["ball"][1] + 0.5
    at = places("a box in the air, the ball and the plank on the right", seed)
    assert at["box"][1] > 2
    assert min(at["ball"][0], at["plank"][0]) > 2.3
    at = places("the ball to the left of the box; the cube in the middle", seed)
    assert at["ball"][0] < at["box"][0] - 0.6
    assert abs(at["box"][0] - 2) < 0.15


def test_nothing_is_in_anything_and_the_seed_draws_the_rest():
    half = {"ball": (0.3, 0.3), "box": (0.3, 0.3), "plank": (0.6, 0.14), "hand": (0.22, 0.22)}
    drawn = [places("the hand at the top", seed) for seed in range(12)]
    for at in drawn:
        for a in THINGS:
            for b in THINGS:
                apart = np.abs(at[a] - at[b]) > np.add(half[a], half[b])
                assert a == b or apart.any()
    assert len({round(at["box"][0], 3) for at in drawn}) > 8
    again = places("the hand at the top", 3)
    np.testing.assert_array_equal(again["box"], drawn[3]["box"])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "names nothing of the sandbox"),
        ("the ball floats", "does not know the word 'floats'"),
        ("the ball on the box, the hand above it", "does not know what 'it' stands for"),
        ("ball on ball", "places the ball by itself"),
        ("plank on box, box on plank", "places plank and box by one another"),
        ("ball left, ball right", "says twice where the ball is"),
        ("the ball on the plank, the box on the plank", "no room for the box"),
    ],
)
def test_what_it_cannot_read_is_told(text, reason):
    with pytest.raises(InputError, match=reason):
        read_sentence(text, 0)
