from dataclasses import replace

import numpy as np
import pytest
from tests.playing import block_clips, playable

from worldline.audit.held import Key, Keys
from worldline.audit.scripts import find_color
from worldline.audit.suites import control_tables
from worldline.audit.suites.control import Settings, run_control
from worldline.core import InputError
from worldline.core.rewards import Rewards

SHORT = Settings(horizons=(1, 3))


def test_all_rows_are_measured_on_the_same_clips():
    world = playable()
    told: list[float] = []
    result = run_control(world, block_clips(4, 8), SHORT, on_progress=told.append)
    assert told == sorted(told)
    assert len(set(told)) >= 5  # each clip, and the end
    assert told[-1] == 1.0
    quality = result.table("quality")
    assert next(row.name for row in quality.rows) == "tiny"
    assert {row.name for row in quality.rows} >= {"another's actions", "persistence", "untrained"}
    assert all(row.cells["+3"].n == 4 for row in quality.rows)
    effect = result.table("effect").rows[0].cells["+3"]
    rows = {row.name: np.array(row.cells["+3"].values) for row in quality.rows}
    expected = (rows["tiny"] - rows["another's actions"]).mean()
    assert effect.value == pytest.approx(expected, abs=1e-3)
    assert result.table("reward").rows[0].cells["true"].n == 4


def test_keys_are_held_in_environments_that_are_known(monkeypatch):
    world, clips = playable(), block_clips(3, 8)
    assert "held" not in {table.name for table in run_control(world, clips, SHORT).tables}
    film = np.zeros((30, 16, 16, 3), np.uint8)
    film[:, 6:10, 13:] = (250, 200, 40)
    keys = Keys(
        (Key("right", (1.0, 0.0), 0, 1),),
        lambda frame: find_color(frame, ((250, 200, 40),)),
        lambda height, width: np.zeros((height, width, 3), np.uint8),
        lambda clip, actions: film,
    )
    monkeypatch.setattr(control_tables, "HELD", {"block": keys})
    known = world.finished({**world.calibration, "play": {"environment": "block"}}, "")
    table = run_control(known, clips, SHORT).table("held")
    assert table.columns == ("right", "grain")
    rows = {row.name: row for row in table.rows}
    assert list(rows) == ["tiny", "untrained", "persistence", "truth"]
    assert rows["truth"].cells["right"].value == 1.0
    assert rows["truth"].cells["grain"].value == 0.0
    assert rows["tiny"].cells["right"].n == 3


def test_what_is_earned_in_the_last_frame_counts():
    """Episodes end there, and nothing is seen after it."""
    clips = []
    for clip in block_clips(3, 7):
        earned, ended = np.zeros(7, np.float32), np.zeros(7, bool)
        earned[-1], ended[-1] = 5.0, True
        clips.append(replace(clip, rewards=Rewards(earned, ended)))
    table = run_control(playable(), clips, SHORT).table("reward")
    assert [row.cells["true"].value for row in table.rows] == [5.0] * 4
    nothing = next(row for row in table.rows if row.name == "no reward")
    assert nothing.cells["error"].value == 5.0


def test_an_untrained_world_gains_nothing_over_persistence():
    world = playable()
    fresh = world.config.build().finished(world.calibration, "")
    gain = run_control(fresh, block_clips(3, 8), SHORT).table("effect").rows[2].cells["+3"]
    assert gain.value == pytest.approx(0.0, abs=1e-6)


def test_clips_that_do_not_fit_are_refused():
    world, clips = playable(), block_clips(3, 8)
    with pytest.raises(InputError, match="at least 2"):
        run_control(world, clips[:1], SHORT)
    with pytest.raises(InputError, match="7 are needed"):
        run_control(world, block_clips(3, 6), SHORT)
    with pytest.raises(InputError, match="actions of 0 numbers"):
        run_control(world, [replace(clip, actions=None) for clip in clips], SHORT)
