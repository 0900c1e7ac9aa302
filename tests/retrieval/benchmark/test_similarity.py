from dataclasses import replace

import numpy as np
import pytest

from worldline.core import InputError, Origin, Provenance, Scene
from worldline.retrieval.benchmark import takes as takes_module
from worldline.retrieval.benchmark.looks import describe_flow, mirror_flow
from worldline.retrieval.benchmark.similarity import (
    compare_flows,
    compare_looks,
    compare_paths,
    compare_vectors,
    measure,
)
from worldline.retrieval.benchmark.takes import Film, Take, film_takes
from worldline.retrieval.motions.moments import NUM_MOMENTS, Moments
from worldline.retrieval.spotting.course import Course


def path_scene(x, y):
    time_s = np.arange(len(x)) / 20
    center = np.stack([x, y], axis=-1)[None]
    empty = Scene.empty(time_s, 96, 96, Provenance(Origin.RECORDED))
    t = len(x)
    return replace(
        empty,
        ids=np.array([1]),
        labels=("object",),
        present=np.ones((1, t), dtype=bool),
        visible=np.ones((1, t), dtype=bool),
        center_px=center,
        size_px=np.full((1, t, 2), 9.0),
        center_px_std=np.zeros((1, t, 2)),
    )


def make_take(family, index, film, motion, look, moves=True):
    t = np.arange(32.0)
    paths = {
        "right": (10 + 2 * t, 40 + 0 * t),
        "left": (80 - 2 * t, 50 + 0 * t),
        "fall": (40 + 0 * t, 10 + 0.07 * t * t),
        "rise": (40 + 0 * t, 80 - 0.07 * t * t),
    }
    vector = np.eye(4)[look]
    scene = path_scene(*paths[motion])
    moments = Moments(scene.time_s[1:], np.zeros((31, NUM_MOMENTS)))
    flow = np.sqrt(np.full(96, 1 / 96))
    course = Course(np.zeros(0), np.zeros((0, 1)))
    return Take(family, index, film, scene, moments, course, moves, vector, flow)


@pytest.fixture(scope="module")
def takes():
    return [
        make_take("roll", 0, Film.FIRST, "right", 0),
        make_take("roll", 0, Film.AGAIN, "left", 1),
        make_take("roll", 0, Film.LOOKALIKE, "rise", 0),
        make_take("drop", 0, Film.FIRST, "fall", 2),
        make_take("drop", 0, Film.AGAIN, "fall", 3),
        make_take("stack", 0, Film.FIRST, "fall", 3, moves=False),
        make_take("stack", 0, Film.AGAIN, "fall", 3),
    ]


def test_paths_find_the_same_motion_and_looks_the_same_look(takes):
    paths = measure(takes, compare_paths)
    # a fall in `stack` is as alike as the other fall of `drop`: a tie counts against
    assert paths.of_family == {"roll": 1.0, "drop": 0.0}
    assert paths.num_queries == 4
    assert (paths.lookalike_first, paths.num_lookalikes) == (0.0, 1)
    vectors = measure(takes, compare_vectors())
    assert vectors.of_family["roll"] == 1.0
    assert vectors.lookalike_first == 0.0
    looks = measure(takes, compare_looks)
    assert looks.rank_1 == 0.0
    assert looks.lookalike_first == 1.0


def test_what_does_not_move_is_not_asked_for_and_families_can_be_chosen(takes):
    assert measure(takes, compare_paths, ["roll"]).num_queries == 2
    with pytest.raises(InputError, match="nothing to ask"):
        measure(takes, compare_paths, ["stack"])


def test_what_cannot_be_compared_is_a_miss(takes):
    def blind(given):
        return np.full((len(given), len(given)), np.nan)

    outcome = measure(takes, blind)
    assert outcome.rank_1 == 0.0
    assert outcome.lookalike_first == 1.0


def test_flow_knows_the_way_and_its_mirror_image():
    rng = np.random.default_rng(0)
    wide = rng.integers(0, 255, (64, 160, 3), dtype=np.uint8)
    wide = np.repeat(np.repeat(wide[::4, ::4], 4, axis=0), 4, axis=1)
    right = np.stack([wide[:, 60 - 2 * t : 124 - 2 * t] for t in range(8)])
    flow, back = describe_flow(right), describe_flow(right[:, :, ::-1])
    assert np.linalg.norm(flow) == pytest.approx(1.0)
    assert flow @ back < 0.3
    assert mirror_flow(flow[None])[0] @ back > 0.9
    still = describe_flow(np.repeat(right[:1], 8, axis=0))
    assert not still.any()


def test_takes_are_perceived_from_pixels_and_survive_a_file(monkeypatch):
    monkeypatch.setattr(takes_module, "check_pictures", lambda: None)
    monkeypatch.setattr(takes_module, "describe_frames", lambda file: np.ones(3, np.float32))
    films = (Film.FIRST, Film.AGAIN, Film.LOOKALIKE)
    takes = list(film_takes(("drop",), (1,), seed=3, films=films))
    assert [take.film for take in takes] == list(films)
    assert all(take.moves for take in takes)
    assert takes[0].scene.labels[0] == "object"
    again = Take.read(takes_module.to_line(takes[0]))
    np.testing.assert_allclose(again.scene.center_px, takes[0].scene.center_px, atol=1e-5)
    np.testing.assert_allclose(again.moments.value, takes[0].moments.value, atol=1e-9)
    assert compare_flows([again, *takes])[0, 1] == pytest.approx(1.0, abs=1e-4)
