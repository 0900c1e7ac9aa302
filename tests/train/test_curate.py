import json
from dataclasses import replace

import cv2
import numpy as np
import pytest

from worldline.core import Clip, InputError, Provenance
from worldline.data import read_clip, write_video
from worldline.train.curate import Curator, Drop


def wall(seed: int) -> np.ndarray:
    """A coloured wall that cuts tell apart by colour and layout."""
    generator = np.random.default_rng(seed)
    tint = np.array([[90, 20, 20], [20, 20, 90], [20, 90, 20]])[seed % 3]
    cells = generator.integers(0, 160, (3 + seed % 4, 4 + seed % 5, 1)) + tint
    return cv2.resize(cells.astype(np.uint8), (96, 72), interpolation=cv2.INTER_NEAREST)


def moving(seed: int, num_frames: int = 12, *, start: int = 0, **fields) -> Clip:
    """A white block that crosses the wall of this seed."""
    frames = np.stack([wall(seed)] * num_frames)
    for k in range(num_frames):
        frames[k, 30:42, start + 5 * k : start + 5 * k + 12] = 255
    details = (("episode", str(seed)),)
    return Clip(
        frames=frames,
        time_s=np.arange(num_frames) / 10,
        provenance=Provenance(source="walls", details=details),
        **fields,
    )


def kept(*clips: Clip, **options) -> tuple[list[Clip], Curator]:
    curator = Curator(**options)
    return list(curator.keep(clips)), curator


def test_good_clips_go_through_unchanged():
    clips = [moving(0), moving(1), moving(2)]
    got, curator = kept(*clips)
    assert all(one is other for one, other in zip(got, clips, strict=True))
    report = curator.report
    assert (report.num_in, report.num_cuts, report.num_kept, report.dropped) == (3, 0, 3, {})
    assert report.coverage.domains[0].clips == 3


def test_a_shot_cut_makes_two_clips():
    one, other = moving(0, 10), moving(1, 14)
    joined = Clip(
        frames=np.concatenate([one.frames, other.frames]),
        time_s=np.arange(24) / 10,
        actions=np.arange(24, dtype=np.float32)[:, None],
        provenance=Provenance(source="film"),
    )
    got, curator = kept(joined)
    assert [c.num_frames for c in got] == [10, 14]
    assert [c.actions[0, 0] for c in got] == [0, 10]
    assert [dict(c.provenance.details)["shot"] for c in got] == ["0", "1"]
    assert curator.report.num_cuts == 1


@pytest.mark.parametrize(
    ("clip", "reason", "why"),
    [
        (moving(0, 7), Drop.TOO_SHORT, "7 frames"),
        (replace(moving(0), frames=moving(0).frames // 20), Drop.BLACK, "light 0.0"),
        (replace(moving(0), frames=np.stack([wall(0)] * 12)), Drop.STATIC, "0.00% of the pixels"),
    ],
)
def test_what_teaches_nothing_is_dropped_and_named(clip: Clip, reason: Drop, why: str):
    got, curator = kept(clip, moving(1))
    assert len(got) == 1
    assert curator.report.dropped == {reason: 1}
    (example,) = curator.report.examples[reason]
    assert example.source == "walls"
    assert example.details == {"episode": "0"}
    assert example.why.startswith(why)


def test_the_same_frames_count_once_unless_other_things_were_done():
    def acting(value: float) -> Clip:
        return moving(0, actions=np.full((12, 1), value, np.float32))

    got, curator = kept(moving(0), moving(0), acting(1.0), acting(1.0), acting(2.0))
    assert [None if c.actions is None else c.actions[0, 0] for c in got] == [None, 1.0, 2.0]
    assert curator.report.dropped == {Drop.DUPLICATE: 2}


def test_a_copy_that_was_coded_and_shrunk_is_found(tmp_path):
    original = moving(0)
    write_video(tmp_path / "a.mp4", original.frames, fps=10, provenance=Provenance())
    coded = read_clip(tmp_path / "a.mp4", max_side_px=64)
    got, curator = kept(original, coded)
    assert got == [original]
    assert curator.report.dropped == {Drop.NEAR_DUPLICATE: 1}
    assert curator.report.examples[Drop.NEAR_DUPLICATE][0].why == "like walls episode 0"


def test_the_same_place_with_other_motion_is_no_copy():
    got, _ = kept(moving(0), moving(0, start=20))
    assert len(got) == 2


def test_a_small_thing_elsewhere_is_no_copy():
    """As in Pong, where all frames look alike but for a few pixels."""

    def ball(row: int) -> Clip:
        frames = np.full((12, 64, 64, 3), (144, 72, 17), np.uint8)
        for k in range(12):
            frames[k, row : row + 3, 4 * k : 4 * k + 3] = 236
        return Clip(frames=frames, time_s=np.arange(12) / 10)

    got, _ = kept(ball(10), ball(16), ball(40))
    assert len(got) == 3


def test_many_examples_are_only_counted():
    _, curator = kept(*(moving(k, 4) for k in range(9)))
    assert curator.report.dropped == {Drop.TOO_SHORT: 9}
    assert len(curator.report.examples[Drop.TOO_SHORT]) == 5
    got, _ = kept(moving(0, 4), min_frames=4)
    assert len(got) == 1
    with pytest.raises(InputError, match="min_frames is 1"):
        Curator(min_frames=1)


def test_the_report_is_json_and_text():
    _, curator = kept(moving(0), moving(0), moving(1, 5))
    record = json.loads(json.dumps(curator.report.to_json()))
    assert record["dropped"] == {"exact duplicate": 1, "too short": 1}
    assert record["examples"]["too short"][0]["why"] == "5 frames"
    assert record["coverage"]["domains"][0]["name"] == "walls"
    text = str(curator.report)
    assert text.startswith("3 clips, 0 shot cuts, 1 kept")
    assert "dropped 1 as too short, such as walls (5 frames)" in text
