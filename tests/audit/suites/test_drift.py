import numpy as np
import pytest
from tests.playing import block_clips, playable

from worldline.audit.suites.drift import Settings, measure_patches, play_long, run_drift
from worldline.core import InputError

FEW = Settings(num_clips=2, marks=(1, 3, 6))


def test_patches_of_one_colour_are_counted():
    frame = np.full((16, 16, 3), 200, np.uint8)
    assert measure_patches(frame)[0] == 0
    frame[2:6, 2:6] = (250, 20, 20)
    frame[2:6, 9:13] = (250, 20, 20)
    frame[10, 1:5] = 10  # too few pixels
    assert measure_patches(frame) == (2, 16 / 256)


def test_the_frames_are_those_of_a_session_under_recorded_actions():
    world, clips = playable(), block_clips(4, 8)
    film = list(play_long(world, clips[0], clips, (2, 5), seed=3))
    rng = np.random.default_rng(3)
    actions = clips[int(rng.integers(4))].actions
    session = world.open(clips[0].slice(0, world.context), seed=3)
    frames = [session.step(actions[t]) for t in range(5)]
    assert np.array_equal(film, [frames[1], frames[4]])


def test_a_world_is_measured_beside_copying_and_the_truth():
    world, clips = playable(), block_clips(8, 8)
    told = []
    result = run_drift(world, clips, FEW, on_progress=told.append)
    assert told[-1] == 1
    assert [table.name for table in result.tables] == ["distance", "contrast", "patches", "size"]
    distance = result.tables[0]
    assert [row.name for row in distance.rows] == [
        "tiny",
        "without its threshold of change",
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
