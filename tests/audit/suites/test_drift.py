from dataclasses import replace

import numpy as np
import pytest
from tests.playing import block_clips, playable

from worldline.audit.suites.drift import Settings, measure_patches, run_drift
from worldline.core import InputError
from worldline.world import World

FEW = Settings(num_clips=2, marks=(1, 3, 6), sink=2)


def test_patches_of_one_colour_are_counted():
    frame = np.full((16, 16, 3), 200, np.uint8)
    assert measure_patches(frame)[0] == 0
    frame[2:6, 2:6] = (250, 20, 20)
    frame[2:6, 9:13] = (250, 20, 20)
    frame[10, 1:5] = 10  # too few pixels
    assert measure_patches(frame) == (2, 16 / 256)


def test_a_world_is_measured_beside_copying_and_the_truth():
    world, clips = playable(), block_clips(8, 8)
    told = []
    result = run_drift(world, clips, FEW, on_progress=told.append)
    assert told[-1] == pytest.approx(1)
    assert [table.name for table in result.tables] == ["distance", "contrast", "patches", "size"]
    distance = result.tables[0]
    assert [row.name for row in distance.rows] == [
        "tiny",
        "without its threshold of change",
        "its first 2 frames kept in the cache",
        "copy-last",
        "truth",
    ]
    assert distance.columns == ("+1", "+3", "+6")
    last = {row.name: row.cells["+6"].value for row in distance.rows}
    assert last["tiny"] > 2 * last["truth"]  # untrained weights, shaken
    copied = distance.row("copy-last").cells
    assert copied["+1"].values == copied["+6"].values
    assert result.num_scenarios == 2
    assert run_drift(world, clips, FEW).to_json() == result.to_json()


def test_what_cannot_be_measured_is_refused():
    world, clips = playable(), block_clips(4, 8)
    with pytest.raises(InputError, match="3 clips"):
        run_drift(world, clips[:3], FEW)
    with pytest.raises(InputError, match="clip 0 has 4 frames, 5 are needed"):
        run_drift(world, [clip.slice(0, 4) for clip in clips], FEW)
    with pytest.raises(InputError, match="rising numbers"):
        run_drift(world, clips, Settings(marks=(3, 1)))


def test_longer_clips_say_whether_trust_tells():
    world = playable()
    result = run_drift(world, block_clips(8, 8), FEW, longer=block_clips(3, 22))
    table = result.table("trust")
    assert [row.name for row in table.rows] == [
        "tiny",
        "context evidence alone",
        "frames since the opening",
    ]
    with_sink = world.dynamics.sampled(sink=2)
    other = World(
        replace(world.config, dynamics=with_sink.config),
        replace(world.whole, dynamics=with_sink),
        world.calibration,
        "",
    )
    names = [row.name for row in run_drift(other, block_clips(8, 8), FEW).tables[0].rows]
    assert "without its first frames kept" in names
