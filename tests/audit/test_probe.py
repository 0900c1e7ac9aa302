import numpy as np
import pytest

from worldline.audit.probe import TARGETS, LinearProbe, main_object, pair_features, state_of
from worldline.core import InputError
from worldline.sim import Split, make_clips


@pytest.fixture(scope="module")
def clips():
    return list(make_clips(("disc_uniform", "drop"), num_clips=24, seed=4, split=Split.TRAIN))


def told(clip):
    """Features that hold the state outright, twice, beside noise."""
    state, known = state_of(clip)
    rng = np.random.default_rng(int(clip.frames.sum()))
    plain = np.where(known, state, 0.0)
    return np.concatenate([plain, 2 * plain, rng.normal(size=(len(plain), 5))], axis=1)


def noise(clip):
    return np.random.default_rng(int(clip.frames.sum())).normal(size=(clip.num_frames, 12))


def test_the_main_object_is_the_one_that_moves_farthest(clips):
    for clip in clips[:4]:
        scene = clip.scene
        row = main_object(scene)
        ways = np.ptp(np.where(scene.visible[..., None], scene.center_px, np.nan), axis=1)
        assert np.nan_to_num(np.hypot(*ways.T)).argmax() == row


def test_velocity_is_the_way_since_the_frame_before(clips):
    state, known = state_of(clips[0])
    both = known[1:, 0] & known[:-1, 0]
    np.testing.assert_allclose(state[1:, 2][both], np.diff(state[:, 0])[both])
    assert not known[0, 2]


def test_what_is_in_the_features_is_read_and_noise_is_not(clips):
    probe = LinearProbe.fit(clips[:16], told)
    scores = probe.score(clips[16:], told)
    assert scores["x_px"].r2 > 0.99
    assert scores["vy_px"].r2 > 0.99
    deaf = LinearProbe.fit(clips[:16], noise).score(clips[16:], noise)
    assert deaf["x_px"].r2 < 0.2
    assert deaf["x_px"].error == pytest.approx(deaf["x_px"].spread, rel=0.25)


def test_what_hardly_varies_is_not_relied_on(clips):
    """It tells the place best, but only as long as nothing errs by a thousandth."""

    def look(clip, error=0.0):
        state, known = state_of(clip)
        plain = np.where(known, state, 0.0)[:, :2]
        rng = np.random.default_rng(int(clip.frames.sum()))
        blurred = plain + rng.normal(size=plain.shape)
        return np.concatenate([blurred, 1e-4 * plain + error], axis=1)

    probe = LinearProbe.fit(clips[:16], look)
    scores = probe.score(clips[16:], lambda clip: look(clip, error=1e-2))
    assert scores["x_px"].error < 2.0
    assert scores["y_px"].error < 2.0


def test_features_of_a_still_picture_have_no_change():
    tokens = np.ones((3, 4, 2))
    features = pair_features(tokens)
    assert features.shape == (3, 16)
    assert (features[:, 8:] == 0).all()


def test_too_few_clips_are_refused(clips):
    with pytest.raises(InputError, match="at least 4"):
        LinearProbe.fit(clips[:3], told)


def test_a_hidden_object_has_a_place_of_its_own_kind():
    clip = next(iter(make_clips(("occlude",), num_clips=1, seed=0, split=Split.TRAIN)))
    state, known = state_of(clip)
    row = main_object(clip.scene)
    column = TARGETS.index("hidden_x_px")
    hidden = known[:, column]
    assert hidden.any()
    assert not clip.scene.visible[row][hidden].any()
    assert not known[hidden, TARGETS.index("x_px")].any()
    np.testing.assert_array_equal(
        state[hidden, column : column + 2], clip.scene.center_px[row][hidden]
    )
    first_seen = int(np.argmax(clip.scene.visible[row]))
    assert not known[:first_seen, column].any()
