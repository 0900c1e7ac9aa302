import numpy as np
import pytest

from worldline.core import ArtifactError
from worldline.retrieval.motions import (
    NUM_FEATURES,
    Kind,
    MotionVector,
    compare,
    compare_all,
    describe,
    describe_both,
    embedding_name,
)
from worldline.retrieval.motions.embedding import load_network
from worldline.retrieval.motions.moments import NUM_MOMENTS, Moments
from worldline.retrieval.spotting.course import Course
from worldline.retrieval.spotting.spots import load_spotter


def similarity(asked, stored):
    """As a search has it: as it is or in a mirror."""
    own = describe(stored)
    vectors, kinds = np.stack([m.vector for m in own]), [m.kind for m in own]
    return max(compare(view, kinds, vectors)[0] for view in describe_both(asked))


@pytest.mark.parametrize("name", ["fall", "bounce", "stop", "swing", "slow"])
def test_place_size_and_mirror_change_nothing(scene_of, paths, name):
    asked = scene_of(paths[name])
    assert similarity(asked, asked) == pytest.approx(1.0, abs=1e-5)
    moved = scene_of(1.7 * paths[name] + [40, -30], size_px=1.7 * 12)
    assert similarity(asked, moved) > 0.99
    turned = scene_of([320, 0] + [-1, 1] * paths[name])
    assert similarity(asked, turned) > 0.99


@pytest.mark.parametrize(
    ("name", "other"), [("fall", "rise"), ("bounce", "stop"), ("fall", "bounce"), ("swing", "slow")]
)
def test_other_motion_of_the_same_look_is_farther_than_the_same_in_another(
    scene_of, paths, name, other
):
    rng = np.random.default_rng(1)
    asked = scene_of(paths[name])
    shaken = 1.4 * paths[name] + rng.normal(0, 0.7, paths[name].shape) + [5, 9]
    near = similarity(asked, scene_of(shaken, size_px=21))
    assert near > similarity(asked, scene_of(paths[other])) + 0.1


def test_speed_tells_motions_apart(scene_of, paths):
    asked = scene_of(paths["bounce"])
    slow = scene_of(paths["bounce"], step_s=1 / 12)
    again = scene_of(1.3 * paths["bounce"] + 4, size_px=16)
    assert similarity(asked, again) > similarity(asked, slow) + 0.1


def test_there_is_a_vector_for_each_body_each_meeting_and_all_motion(scene_of, paths):
    t = np.arange(40) / 25
    left = np.stack([60 + 60 * np.minimum(t, 1.2), 120 + 0 * t], axis=1)
    right = np.stack([230 - 60 * np.minimum(t, 1.2), 120 + 0 * t], axis=1)
    found = describe(scene_of(left, right))
    assert [(m.kind, m.tracks) for m in found] == [
        (Kind.FIELD, (3, 4)),
        (Kind.BODY, (3,)),
        (Kind.BODY, (4,)),
        (Kind.PAIR, (3, 4)),
    ]
    assert all(m.vector.shape == (NUM_FEATURES,) for m in found)
    assert [np.linalg.norm(m.vector) for m in found] == pytest.approx([1.0] * 4)
    assert all(m.weight > 0 and m.start_s == 0.0 and m.end_s > 1.0 for m in found)
    far = describe(scene_of(left, right + np.array([0, 110])))
    assert Kind.PAIR not in {m.kind for m in far}


def test_what_happens_when_has_a_vector_that_a_mirror_does_not_change(scene_of, paths):
    types = load_spotter().config.types
    scene, time_s = scene_of(paths["fall"]), np.arange(20) * 0.08

    def courses(name):
        chance = np.zeros((20, len(types)))
        chance[:, types.index(name)] = 1.0
        views = describe_both(scene, None, Course(time_s, chance))
        return [[m for m in view if m.kind is Kind.COURSE] for view in views]

    (plain,), (mirrored,) = courses("fall")
    assert (plain.segment, plain.tracks) == (0, ())
    np.testing.assert_array_equal(plain.vector, mirrored.vector)
    assert np.linalg.norm(plain.vector) == pytest.approx(1.0)
    (other,), _ = courses("roll")
    assert plain.vector @ other.vector < 0.5
    nothing = Course(np.zeros(0), np.zeros((0, len(types))))
    assert Kind.COURSE not in {m.kind for m in describe(scene, None, nothing)}


def test_what_stands_still_or_is_one_frame_has_no_vectors(scene_of, paths):
    assert describe(scene_of(np.full((40, 2), 50.0))) == []
    assert describe(scene_of(paths["fall"][:1])) == []
    assert describe_both(scene_of(paths["fall"][:1])) == ([], [])


def test_measured_moments_stand_in_where_no_track_was_found(scene_of):
    still = scene_of(np.full((40, 2), 50.0))
    value = np.zeros((39, NUM_MOMENTS))
    value[5:30, 2] = np.linspace(0.01, 0.05, 25)
    value[5:30, 8:] = (0.02, 0.5 * 0.02, 0.5 * 0.02, 0.02)
    (only,) = describe(still, Moments(np.arange(1, 40) / 25, value))
    assert (only.kind, only.tracks) == (Kind.FIELD, ())
    assert 0.1 < only.start_s < 0.3
    assert describe(still, Moments(np.arange(1, 40) / 25, 0 * value)) == []


def test_long_videos_have_windows(scene_of, paths):
    long = np.concatenate([paths["swing"]] * 5)
    segments = {m.segment: m for m in describe(scene_of(long))}
    assert sorted(segments) == [0, 1, 2]
    assert segments[2].start_s == pytest.approx(4.0, abs=0.05)


def test_weights_that_are_not_there_or_do_not_fit_are_named(tmp_path):
    with pytest.raises(ArtifactError, match=r"model\.safetensors: cannot be read"):
        embedding_name(tmp_path)
    with pytest.raises(ArtifactError, match=r"model\.safetensors"):
        load_network(tmp_path)
    assert embedding_name().startswith("motions/")


def test_many_segments_at_once_are_what_late_interaction_says():
    rng = np.random.default_rng(0)

    def vectors(num):
        made = rng.normal(size=(num, NUM_FEATURES))
        return made / np.linalg.norm(made, axis=1, keepdims=True)

    asked = [
        MotionVector(0, 0.0, 1.0, kind, (), vector, weight)
        for kind, vector, weight in zip(
            (Kind.FIELD, Kind.BODY, Kind.BODY, Kind.COURSE),
            vectors(4),
            (1.0, 0.3, 0.2, 0.7),
            strict=True,
        )
    ]
    segments = [
        (("field", "body"), vectors(2)),
        (("course", "body", "body"), vectors(3)),
        (("pair",), vectors(1)),
    ]
    kinds = [kind for own, _ in segments for kind in own]
    scores, rows = compare_all(
        asked, kinds, np.array([0, 2, 5]), np.concatenate([own for _, own in segments])
    )
    for number, (own, stored) in enumerate(segments):
        total = weights = 0.0
        for motion in asked:
            if motion.kind is Kind.COURSE and "course" not in own:
                continue
            same = [v for kind, v in zip(own, stored, strict=True) if kind == motion.kind]
            fits = [float(motion.vector @ v) for v in same]
            total += motion.weight * max(fits, default=0.0)
            weights += motion.weight
        assert scores[number] == pytest.approx(total / weights)
        assert compare(asked, own, stored)[0] == pytest.approx(total / weights)
    assert rows[0].tolist() == [0, 1, 1, -1]
    assert rows[1, 0] == -1
    assert rows[1, 3] == 2
    assert rows[2].tolist() == [-1] * 4
