from dataclasses import replace

import numpy as np
import pytest

from worldline.core import Clip, InputError, Provenance
from worldline.data.actions import ActionSpec
from worldline.train.coverage import Coverage
from worldline.train.measure import measure

ARM = ActionSpec(names=("x", "y"), low=(-1.0, -1.0), high=(1.0, 1.0))
PAD = ActionSpec(names=("stay", "left", "right", "fire"), num_actions=(4,))


def clip(source: str = "arm", *, scene: int = 0, fps: float = 10.0, spec=None, actions=None):
    """20 frames of a picture that `scene` decides."""
    picture = np.random.default_rng(scene).integers(0, 255, (16, 16, 3), dtype=np.uint8)
    details = () if spec is None else (("actions", spec.to_text()),)
    return Clip(
        frames=np.broadcast_to(picture.repeat(4, 0).repeat(4, 1), (20, 64, 64, 3)),
        time_s=np.arange(20) / fps,
        actions=actions,
        provenance=Provenance(source=source, details=details),
    )


def table(*clips: Clip):
    coverage = Coverage()
    for each in clips:
        coverage.add(each, measure(each))
    return coverage.table


def test_a_row_for_each_source_the_largest_first():
    found = table(clip("a"), *(clip("b", scene=k, fps=5.0) for k in range(3)))
    assert [d.name for d in found.domains] == ["b", "a"]
    row = found.domains[0]
    assert (row.clips, row.frames, row.scenes) == (3, 60, 3)
    assert row.seconds == pytest.approx(12.0)
    assert (row.sizes, row.fps) == (("64x64",), (5.0,))
    assert (row.motion, row.action_coverage) == (0.0, None)
    assert 0.4 < row.brightness < 0.6
    assert found.seconds == pytest.approx(14.0)
    assert "b" in str(found)
    assert "3" in str(found).splitlines()[1]


def test_choices_that_occur_are_counted():
    actions = np.eye(4, dtype=np.float32)[np.arange(20) % 2]
    (row,) = table(clip(spec=PAD, actions=actions)).domains
    assert row.action_coverage == 0.5
    rare = np.eye(4, dtype=np.float32)[np.r_[[2], np.zeros(19, int)]]
    still = np.eye(4, dtype=np.float32)[np.zeros(20, int)]
    many = [clip(spec=PAD, actions=a) for a in [rare, *[still] * 60]]
    (row,) = table(*many).domains
    assert row.action_coverage == 0.25  # once in 1,220 frames is too rare to count


def test_the_range_of_numbers_that_occurs_is_counted():
    x = np.linspace(-1, 1, 20)
    (row,) = table(clip(spec=ARM, actions=np.stack([x, 0 * x], 1).astype(np.float32))).domains
    assert row.action_coverage == pytest.approx((1 + 1 / 20) / 2)
    assert row.idle_actions == ("y",)
    half = np.stack([x / 2, x / 2], 1).astype(np.float32)
    (row,) = table(clip(spec=ARM, actions=half)).domains
    assert row.action_coverage == pytest.approx(0.5, abs=0.051)
    assert row.idle_actions == ()


def test_without_limits_only_idle_columns_are_known():
    actions = np.stack([np.arange(20), np.zeros(20)], 1).astype(np.float32)
    (row,) = table(clip(actions=actions)).domains
    assert row.action_coverage is None
    assert row.idle_actions == ("action_1",)


def test_a_narrow_set_is_warned_of():
    still = np.eye(4, dtype=np.float32)[np.zeros(20, int)]
    idle = np.zeros((20, 2), np.float32)
    clips = [
        *(clip("pong", spec=PAD, actions=still) for _ in range(9)),
        clip("arm", scene=1, spec=ARM, actions=idle),
    ]
    warnings = " | ".join(table(*clips).warnings)
    for part in (
        "pong is 90% of all seconds (more than 80%)",
        "pong has 1 different scenes (fewer than 5)",
        "pong covers 25% of its range of actions (less than 50%)",
        "arm covers 5% of its range",
        "arm never changes x, y",
        "all clips have 10 frames/s",
    ):
        assert part in warnings
    assert "warning: pong is 90%" in str(table(*clips))


def test_a_broad_set_is_not():
    actions = [np.eye(4, dtype=np.float32)[(np.arange(20) + k) % 4] for k in range(5)]
    clips = [clip("a", scene=k, spec=PAD, actions=actions[k]) for k in range(5)]
    clips += [clip("b", scene=10 + k, fps=20.0) for k in range(8)]
    assert table(*clips).warnings == ()
    record = table(*clips).to_json()
    assert record["warnings"] == []
    assert [d["name"] for d in record["domains"]] == ["a", "b"]


def test_rates_that_hardly_differ_are_one():
    warnings = table(clip(fps=29.8), clip(fps=30.0)).warnings
    assert any("all clips have 29.8 frames/s" in sentence for sentence in warnings)


def test_actions_of_one_source_must_mean_the_same():
    actions = np.zeros((20, 2), np.float32)
    other = replace(ARM, names=("a", "b"))
    with pytest.raises(InputError, match="different meanings"):
        table(clip(spec=ARM, actions=actions), clip(spec=other, actions=actions))


def test_nothing_gives_an_empty_table():
    assert Coverage().table.warnings == ()
    assert Coverage().table.seconds == 0.0
