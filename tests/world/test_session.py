"""Sessions: what they remember, what they say of it, what they learn, how they end."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest
from tests.discs import disc_clips
from tests.world.test_outlook import known as known
from tests.world.test_strided import build

from worldline.core import Clip, InputError, Origin, Provenance
from worldline.dynamics import ControlEncoder
from worldline.sim import make_clip
from worldline.world import World
from worldline.world.familiarity import Familiarity
from worldline.world.hindsight import RECENT, judge_moments
from worldline.world.trust import Trust


@pytest.fixture(scope="module")
def clip() -> Clip:
    return next(disc_clips(1))


@pytest.fixture(scope="module")
def driven(nano) -> World:
    """An untrained world that takes two numbers, and would copy its last frame for ever."""
    controls = ControlEncoder.Config(action_size=2)
    dynamics = replace(nano.config.dynamics, controls=controls)
    return replace(nano.config, dynamics=dynamics).build()


def test_it_remembers_the_last_frames_and_no_more(driven, clip):
    clip = replace(clip, actions=np.full((clip.num_frames, 2), 0.5))
    session = driven.open(clip, context=4)
    recent = session.snapshot().recent
    np.testing.assert_array_equal([m.frame for m in recent], clip.frames[-4:])
    np.testing.assert_array_equal([m.action for m in recent], np.full((4, 2), 0.5))
    action = np.array([1.0, 0.0])
    shown = session.step(action)
    action[:] = 9.0  # the caller's own
    last = session.snapshot().recent[-1]
    np.testing.assert_array_equal(last.frame, shown)
    np.testing.assert_array_equal(last.action, [1.0, 0.0])
    for _ in range(RECENT):
        session.step()
    assert len(session.snapshot().recent) == RECENT
    assert session.snapshot().recent[-1].action is None


def test_state_is_the_scene_of_the_last_frames(driven):
    """The pixels of the opening show what moves; times count from its last frame."""
    frames = np.full((16, 64, 64, 3), 40, np.uint8)
    for t in range(16):
        frames[t, 20:30, 8 + 2 * t : 18 + 2 * t] = (220, 60, 30)
    made = Provenance(source="slide.mp4")
    slide = Clip(frames=frames, time_s=0.05 * np.arange(16), provenance=made)
    session = driven.open(slide, context=16)
    session.step()
    scene = session.state()
    assert scene.num_frames == 17
    np.testing.assert_allclose(scene.time_s, driven.step_s * np.arange(-15, 2))
    assert scene.provenance.origin is Origin.GENERATED
    assert scene.provenance.source == "slide.mp4"
    assert scene.num_objects == 1
    np.testing.assert_allclose(scene.center_px[0, 8], [13 + 16, 25], atol=2)


def test_state_is_read_off_latents_by_a_trained_readout(nano, clip):
    trained = copy.deepcopy(nano).finished({"ledgers": {"readout": {}}}, "")
    trained.readout.config = replace(trained.readout.config, threshold=0.02)
    session = trained.open(clip, context=6)
    frame = session.step()
    seen = Clip(
        frames=np.concatenate([clip.frames[-6:], frame[None]]),
        time_s=nano.step_s * np.arange(-5, 2),
    )
    wanted, scene = trained.perceive(seen), session.state()
    assert scene.num_objects == wanted.num_objects > 0
    np.testing.assert_allclose(scene.center_px, wanted.center_px)
    assert scene.events == wanted.events


def test_trust_is_that_of_a_forecast_from_these_frames(nano, clip):
    session = nano.open(clip, seed=5)
    assert session.trust == 0.0
    assert "not been calibrated" in session.judge()[1]
    features = nano.context_features(clip, seed=5)
    known = Trust(features + 0.1, np.eye(3), slope=2.0, middle=0.0, offset=1e-3)
    sure = nano.finished({"trust": known.to_json()}, "")
    session = sure.open(clip, seed=5)
    assert session.trust == sure.predict(clip, horizon=1, samples=1, seed=5).trust > 0.9
    told = session.judge()[1]
    assert told.startswith("High trust")


def test_trust_is_lost_where_pictures_leave_the_data(nano, clip):
    """A session is trusted no more than pictures so far from the data are right."""
    features = nano.context_features(clip, seed=5)
    sure = Trust(features + 0.1, np.eye(3), slope=2.0, middle=0.0, offset=1e-3).to_json()
    fitted = Familiarity.fit(clip.frames, clip.frames)

    def told(middle):
        known = replace(fitted, slope=4.0, middle=middle)
        world = nano.finished({"trust": sure, "familiarity": known.to_json()}, "")
        session = world.open(clip, seed=5)
        recent = np.stack([m.frame for m in session.snapshot().recent[-world.context :]])
        return session.judge(), known.trust(recent)

    (value, reason), _ = told(5.0)
    assert value == pytest.approx(nano.finished({"trust": sure}, "").open(clip, seed=5).trust)
    assert reason.startswith("High trust: the context")
    (value, reason), alone = told(0.0)
    assert value == pytest.approx(alone, rel=1e-3)
    assert 0.3 < value < 0.8
    assert "begin to look unlike" in reason or "gone astray" in reason
    (value, reason), _ = told(-2.0)
    assert value < 0.05
    assert reason.startswith("Low trust: this session has gone astray")


def test_surprise_that_true_clips_have_too_is_no_reason_for_doubt(nano, clip):
    features = nano.context_features(clip, seed=5)
    unsure = Trust(features - 3.0, np.eye(3), slope=2.0, middle=1.5, offset=1e-3).to_json()
    evidence = nano.finished({"trust": unsure}, "").open(clip, seed=5).trust
    assert 0.1 < evidence < 0.6
    fitted = replace(Familiarity.fit(clip.frames, clip.frames), slope=4.0, middle=5.0)
    for heeded, counts in ((1.0, True), (evidence + 0.01, True), (evidence - 0.01, False)):
        known = replace(fitted, heeded=heeded).to_json()
        world = nano.finished({"trust": unsure, "familiarity": known}, "")
        session = world.open(clip, seed=5)
        assert session.trust == pytest.approx(evidence)  # what it was given is doubted by all
        made = session.snapshot().recent
        made = tuple(replace(moment, given=False) for moment in made)
        trust, _ = judge_moments(world, made, 5)
        assert (trust == pytest.approx(evidence)) is counts
        assert (trust > 0.9) is not counts


def test_a_closed_session_is_closed(nano, clip):
    session = nano.open(clip)
    kept, twin = session.snapshot(), session.fork()
    session.close()
    session.close()
    calls = (session.step, session.state, session.judge, session.fork)
    for call in (*calls, lambda: session.restore(kept)):
        with pytest.raises(InputError, match="this session is closed"):
            call()
    assert twin.step().shape == (64, 64, 3)


def test_what_a_session_cannot_begin_with_is_told(nano, clip, as_users_run):
    with pytest.raises(InputError, match="the world nano is neither"):
        nano.open("a ball falls")
    with pytest.raises(InputError, match="a Scene says where things are"):
        nano.open(make_clip("drop", 0, seed=1).scene)
    with pytest.raises(InputError, match="a Clip is needed, but got a int"):
        nano.open(3)


@pytest.fixture(scope="module")
def film() -> Clip:
    """Longer than a context, for true frames that come later."""
    return next(disc_clips(1, num_frames=12))


def test_what_follows_goes_on_from_an_observed_frame(nano, film):
    told, blind = nano.open(film.slice(0, 8)), nano.open(film.slice(0, 8))
    told.observe(film.frames[8])
    blind.step()
    assert told.num_steps == blind.num_steps == 1
    assert (told.step() != blind.step()).any()
    twin = nano.open(film.slice(0, 8))
    twin.observe(film.frames[8])
    twin.observe(film.frames[9])
    again = nano.open(film.slice(0, 8))
    for frame in film.frames[8:10]:
        again.observe(frame)
    np.testing.assert_array_equal(twin.step(), again.step())


def test_a_forecast_is_that_of_the_frames_seen_and_leaves_the_session_where_it_is(nano, film):
    session = nano.open(film.slice(0, 8))
    session.observe(film.frames[8])
    after = session.fork().step()
    forecast = session.forecast(horizon=2, samples=1, seed=3)
    whole = nano.predict(film.slice(1, 9), horizon=2, samples=1, seed=3)
    np.testing.assert_array_equal(forecast.frames, whole.frames)
    np.testing.assert_array_equal(session.step(), after)
    assert session.levels == ()
    assert forecast.monitor.radius_px is None


def test_a_calibrated_session_waits_for_what_it_forecast(nano, film, known, monkeypatch):
    monkeypatch.setattr(nano, "calibration", {"monitor": known.to_json()})
    session = nano.open(film.slice(0, 8))
    forecast = session.forecast(horizon=3, samples=1)
    assert forecast.monitor.radius_px.shape == forecast.scene.visible.shape
    assert len(session.snapshot().outlook.waiting) == 1
    session.observe(film.frames[8])
    assert session.snapshot().outlook.waiting[0].age == 1
    twin = session.fork()
    twin.step()
    assert twin.snapshot().outlook.waiting == ()
    assert len(session.snapshot().outlook.waiting) == 1
    twin.adapt(session.levels)
    assert twin.levels == session.levels
    with pytest.raises(InputError, match="one for each lead"):
        twin.adapt(session.levels[1:])


def test_frames_that_cannot_be_observed_are_refused(nano, film):
    with pytest.raises(InputError, match="frame is"):
        nano.open(film).observe(film.frames[0, :32])
    with pytest.raises(InputError, match="at once"):
        build("numbers").open(film).observe(film.frames[0])
