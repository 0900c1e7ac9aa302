"""The gate: a true clip goes in, one in which something else happens does not, and it says why."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.audit.conftest import paint_clip

from worldline.audit import validate, validate_many
from worldline.audit.stillness import judge_stillness, load_still_runs, measure_stillness
from worldline.audit.validation import judge
from worldline.core import Clip, InputError, Outcome, Scene, Verdict
from worldline.data import write_video

COLOR = (0.85, 0.15, 0.1)


def glide(jump_px: float = 0.0, stop: int = 24) -> Clip:
    """A disc that goes right at 1.5 px a frame; from frame 12 on it is `jump_px` lower."""
    path = [(10 + 1.5 * t, 28.0 + (jump_px if t >= 12 else 0)) for t in range(24)]
    clip = paint_clip([path], [COLOR], radius_px=5)
    empty = paint_clip([[(-20.0, -20.0)] * 24], [COLOR], radius_px=5).frames
    return replace(clip, frames=np.concatenate([clip.frames[:stop], empty[stop:]]))


@pytest.fixture(scope="module")
def truth() -> Scene:
    """The glide, as a simulator would tell it."""
    clip = glide()
    shape = (1, 24)
    center = np.stack([10 + 1.5 * np.arange(24), np.full(24, 28.0)], -1)[None]
    return Scene(
        time_s=clip.time_s,
        width_px=64,
        height_px=64,
        ids=np.array([7]),
        labels=("ball",),
        present=np.ones(shape, dtype=bool),
        visible=np.ones(shape, dtype=bool),
        center_px=center,
        size_px=np.full((*shape, 2), 10.0),
        center_px_std=np.zeros((*shape, 2)),
        provenance=clip.provenance,
    )


def test_what_truly_happened_is_accepted(truth: Scene):
    found = validate(glide(), truth)
    assert found.accepted
    assert found.law == ""
    assert found.num_tested >= 3
    assert found.reason.startswith("Accepted: ")
    laws = {v.law: v.outcome for v in found.verdicts}
    assert laws["reference_position"] is Outcome.PASS


def test_a_loss_is_rejected_with_law_moment_and_chance(truth: Scene):
    found = validate(glide(stop=12), truth)
    assert not found.accepted
    assert found.moment_s == pytest.approx(1.2, abs=0.25)
    assert found.p_value is not None
    assert found.p_value <= 0.05
    assert found.reason.startswith("Rejected: ")
    broken = {v.law for v in found.verdicts if v.outcome is Outcome.FAIL}
    assert broken & {"reference_position", "reference_permanence"}


def test_recorded_pixels_and_a_clip_with_its_scene_serve_as_reference(truth: Scene):
    assert validate(glide(), glide()).accepted
    assert not validate(glide(stop=12), glide()).accepted
    carries = replace(glide(jump_px=14), scene=truth)  # its scene counts, not its pixels
    assert validate(glide(), carries).accepted


def test_a_batch_goes_on_at_what_cannot_be_used(truth: Scene, tmp_path):
    clip = glide()
    write_video(tmp_path / "good.mp4", clip.frames, time_s=clip.time_s, provenance=clip.provenance)
    late = replace(clip, time_s=clip.time_s + 100)
    pairs = [
        (tmp_path / "good.mp4", truth),
        (tmp_path / "missing.mp4", truth),
        (late, truth),
        (glide(stop=12), truth),
    ]
    found = list(validate_many(pairs))
    assert [v.accepted for v in found] == [True, False, False, False]
    assert "missing.mp4" in found[1].error
    assert found[1].to_json()["error"] == found[1].error
    assert "time" in found[2].error
    assert not found[3].error


def test_the_first_law_to_break_is_named():
    verdicts = [
        Verdict("momentum", Outcome.FAIL, 0.001, 1.5, reason="Momentum jumps."),
        Verdict("reference_count", Outcome.FAIL, 0.002, None),
        Verdict("permanence", Outcome.FAIL, 0.004, 0.5, reason="A ball is gone."),
        Verdict("inertia", Outcome.PASS, 0.5),
    ]
    found = judge(verdicts)
    assert (found.law, found.moment_s, found.p_value) == ("permanence", 0.5, 0.004)
    assert found.reason == (
        "Rejected: permanence is broken at 0.50 s (p = 0.004); 2 more laws later. A ball is gone."
    )
    alone = judge([Verdict("reference_count", Outcome.FAIL, 0.002, None, reason="Two, not one.")])
    assert alone.reason == "Rejected: reference count is broken (p = 0.002). Two, not one."


def test_no_evidence_is_said():
    found = judge([Verdict("inertia", Outcome.UNTESTABLE)])
    assert found.accepted
    assert found.num_tested == 0
    assert found.reason == "Accepted for want of evidence: no law could be tested."


def test_alpha_is_a_chance(truth: Scene):
    with pytest.raises(InputError, match="alpha is 0"):
        validate(glide(), truth, alpha=0.0)
    with pytest.raises(InputError, match="alpha is 1"):
        next(validate_many([(glide(), truth)], alpha=1.0))


@pytest.mark.parametrize("kept", [slice(0, 16), slice(6, None), slice(0, 2)])
def test_a_clip_that_shows_a_part_is_rejected_and_told(truth: Scene, kept: slice):
    whole = glide()
    found = validate(Clip(frames=whole.frames[kept], time_s=whole.time_s[kept]), truth)
    assert not found.accepted
    assert "cut the reference" in found.reason


def test_a_frame_less_at_the_end_is_granted(truth: Scene):
    whole = glide()
    assert validate(Clip(frames=whole.frames[:-1], time_s=whole.time_s[:-1]), truth).accepted


def test_what_is_no_clip_is_told(truth: Scene, as_users_run: None):
    with pytest.raises(InputError, match="generated is a str, expected a Clip"):
        validate("drop.mp4", truth)  # pyright: ignore[reportArgumentType]
    with pytest.raises(InputError, match="reference is a NoneType, expected a Scene or a Clip"):
        validate(glide(), None)  # pyright: ignore[reportArgumentType]
    (told,) = validate_many([(glide(), None)])  # pyright: ignore[reportArgumentType]
    assert not told.accepted
    assert "reference is a NoneType" in told.error


@pytest.mark.parametrize("grey", [0, 128])
def test_a_blank_clip_is_rejected_by_permanence(truth: Scene, grey: int):
    clip = glide()
    found = validate(replace(clip, frames=np.full_like(clip.frames, grey)), truth)
    assert not found.accepted
    assert found.law == "reference_permanence"
    assert found.p_value is not None
    assert found.p_value < 0.05
    assert "The picture is blank where the reference shows object 7 in" in found.reason
    rests = replace(truth, center_px=np.full((1, 24, 2), 30.0))  # it need not move to be missed
    again = validate(replace(clip, frames=np.full_like(clip.frames, grey)), rests)
    assert again.law == "reference_permanence"


def test_a_standing_clip_is_rejected(truth: Scene):
    clip = glide()
    still = replace(clip, frames=np.repeat(clip.frames[:1], 24, axis=0))
    found = validate(still, truth)
    assert found.law == "reference_permanence"
    assert "No pixel changes where the reference shows object 7 move" in found.reason


def test_stillness_is_judged_by_films(truth: Scene):
    moved = measure_stillness(glide(), truth)
    assert moved is not None
    assert (moved.num_frames, moved.object_id) == (0, 7)
    lost = measure_stillness(glide(stop=12), truth)
    assert lost is not None
    assert 6 <= lost.num_frames <= 12  # it is gone from frame 12 on, and seen to go before
    assert lost.moment_s == pytest.approx(1.5, abs=0.2)
    assert judge_stillness(lost, [0] * 19) is not None
    assert judge_stillness(lost, [0] * 19 + [lost.num_frames]) is None  # a lawful film did so
    assert judge_stillness(None, [0]) is None
    assert len(load_still_runs()) >= 100
