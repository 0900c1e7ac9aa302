import copy
import json

import numpy as np
import pytest
import torch
from tests.discs import disc_clips

from worldline.core import ArtifactError, Clip, InputError, Origin
from worldline.world import World
from worldline.world.render import make_reference, render
from worldline.world.trust import Trust


@pytest.fixture(scope="module")
def clip() -> Clip:
    return next(disc_clips(1))


def test_forecast_is_complete_and_says_that_it_is_generated(nano, clip):
    forecast = nano.predict(clip, context=6, horizon=5, samples=3, seed=1)
    assert forecast.frames.shape == (3, 5, 64, 64, 3)
    assert forecast.frames.dtype == np.uint8
    np.testing.assert_allclose(forecast.time_s, clip.time_s[-1] + 0.05 * np.arange(1, 6))
    assert forecast.uncertainty.shape == (5,)
    assert (forecast.uncertainty > 0).all()
    assert forecast.provenance.origin is Origin.GENERATED
    assert all(scene.provenance.origin is Origin.GENERATED for scene in forecast.scenes)
    assert all(scene.num_frames == 5 for scene in forecast.scenes)
    assert {v.law for v in forecast.audit} >= {"inertia", "permanence", "rigidity"}
    assert forecast.trust == 0.0
    assert "not been calibrated" in forecast.trust_reason
    np.testing.assert_array_equal(forecast.context_frames, clip.frames[-6:])
    json.dumps(forecast.to_json(), allow_nan=False)


def test_the_same_seed_gives_the_same_futures(nano, clip):
    first = nano.predict(clip, horizon=3, samples=2, seed=5)
    again = nano.predict(clip, horizon=3, samples=2, seed=5)
    other = nano.predict(clip, horizon=3, samples=2, seed=6)
    np.testing.assert_array_equal(first.frames, again.frames)
    assert (first.frames != other.frames).any()


def test_only_the_context_counts(nano, clip):
    whole = nano.predict(clip, context=4, horizon=2, samples=1)
    short = nano.predict(clip.slice(8, 16), context=4, horizon=2, samples=1)
    np.testing.assert_array_equal(whole.frames, short.frames)


def test_a_context_without_motion_earns_no_trust(nano, clip):
    trusting = nano.finished(
        {"trust": Trust(mean=np.full(3, 9.0), precision=np.eye(3), slope=1.0).to_json()}, ""
    )
    assert trusting.predict(clip, context=3, horizon=2, samples=1).trust > 0.9
    for context in (1, 2):
        forecast = trusting.predict(clip, context=context, horizon=2, samples=1)
        assert forecast.trust == 0
        assert "give at least 3" in forecast.trust_reason


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"context": 17}, "17 context frames"),
        ({"context": 0}, "context"),
        ({"horizon": 0}, "horizon"),
        ({"samples": -1}, "samples"),
        ({"seed": -1}, "seed"),
    ],
)
def test_impossible_requests_are_named(nano, clip, arguments, word):
    with pytest.raises(InputError, match=word):
        nano.predict(clip, **arguments)


def test_still_background_keeps_its_detail(nano, clip):
    """Whatever the decoder loses of a still picture is put back from the last frame."""
    still = np.repeat(clip.frames[:1], 8, axis=0)
    reference = make_reference(nano.tokenizer, still[-1:])
    frames = render(nano.tokenizer, nano.encode_frames(still), reference)[0]
    assert np.abs(frames.astype(int) - still.astype(int)).max() <= 1


def test_surprise_is_calibrated_and_causal(nano, clip):
    found = nano.surprise(clip, seed=2)
    assert found.per_frame.shape == (16,)
    assert (found.per_frame[:2] == 0).all()
    assert found.max == found.per_frame.max()
    spoiled = clip.frames.copy()
    spoiled[10:] = 255 - spoiled[10:]
    other = nano.surprise(Clip(frames=spoiled, time_s=clip.time_s), seed=2)
    np.testing.assert_allclose(other.per_frame[:10], found.per_frame[:10], rtol=1e-5)
    assert other.per_frame[10] > found.per_frame[10]
    with pytest.raises(InputError, match="at least 3"):
        nano.surprise(clip.slice(0, 2))


def test_saved_world_is_the_same_world(nano, clip, tmp_path):
    nano.save(tmp_path / "w", dtype=None)
    again = World.from_pretrained(tmp_path / "w")
    assert again.config == nano.config
    assert again.num_parameters == nano.num_parameters
    for part in ("tokenizer", "dynamics", "readout"):
        mine, theirs = getattr(nano, part).state_dict(), getattr(again, part).state_dict()
        assert all(torch.equal(mine[k], theirs[k]) for k in mine)
    first = nano.predict(clip, horizon=2, samples=1)
    np.testing.assert_array_equal(first.frames, again.predict(clip, horizon=2, samples=1).frames)


def test_unfit_artifacts_are_named(nano, tmp_path, monkeypatch):
    with pytest.raises(ArtifactError, match="no world 'nowhere'"):
        World.from_pretrained("nowhere")
    nano.save(tmp_path / "w")
    config = tmp_path / "w" / "config.json"
    record = json.loads(config.read_text())
    record["dynamics"]["width"] = 64
    config.write_text(json.dumps(record))
    with pytest.raises(ArtifactError, match="do not fit") as caught:
        World.from_pretrained(tmp_path / "w")
    assert str(caught.value).startswith(str(tmp_path / "w"))
    config.unlink()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ArtifactError, match=r"w.*config\.json"):
        World.from_pretrained("w")


@pytest.mark.parametrize(
    ("part", "field", "value", "words"),
    [
        ("", "context", "8", "context is '8', not a whole number"),
        ("", "context", 0, "context is 0"),
        ("", "step_min_s", -1.0, "step_min_s is -1.0"),
        ("", "step_max_s", None, "step_max_s is None, not a number"),
        ("tokenizer", "channels", -1, "cannot be built|at most"),
        ("tokenizer", "size_px", 7, "must be a multiple of 8"),
        ("dynamics", "heads", -1, "must split into -1 heads"),
        ("dynamics", "type", "dynamics/wheel", "config.json: .*wheel' is not known"),
        ("dynamics", "depth", 10**9, "has depth 1000000000, at most 100000"),
        ("dynamics", "width", [32], "width is .*, not a whole number"),
        ("readout", "width", True, "width is True, not a whole number"),
        ("", "readout", 3, "readout is 3, not a config"),
    ],
)
def test_odd_values_in_a_config_are_named(nano, tmp_path, part, field, value, words):
    nano.save(tmp_path)
    record = json.loads((tmp_path / "config.json").read_text())
    (record[part] if part else record)[field] = value
    (tmp_path / "config.json").write_text(json.dumps(record))
    with pytest.raises(ArtifactError, match=words) as caught:
        World.from_pretrained(tmp_path)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path))


def test_a_session_needs_a_context(nano, clip):
    with pytest.raises(InputError, match="context is 0"):
        nano.open(clip, context=0)


def test_weights_that_are_no_numbers_are_refused(nano, tmp_path):
    broken = copy.deepcopy(nano)
    next(broken.readout.parameters()).data.fill_(float("nan"))
    broken.save(tmp_path / "w")
    with pytest.raises(ArtifactError, match="weights of the readout are damaged"):
        World.from_pretrained(tmp_path / "w")


def test_sessions_fork_and_go_back(nano, clip):
    session = nano.open(clip, seed=3)
    first = session.step()
    assert first.shape == (64, 64, 3)
    kept = session.snapshot()
    twin = session.fork()
    np.testing.assert_array_equal(session.step(), twin.step())
    third = session.step()
    session.restore(kept)
    session.step()
    np.testing.assert_array_equal(session.step(), third)
    assert session.num_steps == 3
    assert twin.num_steps == 2
    with pytest.raises(InputError, match="action"):
        session.step(np.zeros(2))


def test_perceive_answers_in_the_pixels_of_the_clip(nano, clip):
    scene = nano.perceive(clip)
    assert (scene.width_px, scene.height_px) == (64, 64)
    assert scene.num_frames == 16
