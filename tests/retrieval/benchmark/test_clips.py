"""The benchmark's clips: the same by seed, and each kind shows what it is made for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from worldline.physics import detect_events
from worldline.retrieval.benchmark import clips
from worldline.retrieval.benchmark.clips import make_clip, make_clips
from worldline.retrieval.benchmark.disturbances import DISTURBANCES
from worldline.retrieval.benchmark.looking import library_of, look_at_clips
from worldline.retrieval.benchmark.queries import questions
from worldline.retrieval.benchmark.recipes import RECIPES, Part
from worldline.retrieval.benchmark.run import score_library

ROWS = {recipe.name: row for row, recipe in enumerate(RECIPES)}


def events_of(name: str, index: int = 0) -> set[str]:
    clip = make_clip(ROWS[name], index, part=Part.TEST, seed=3, size_px=48)
    assert clip.scene is not None
    return {event.type for event in detect_events(clip.scene)}


def test_there_are_enough_clips_of_enough_kinds():
    assert sum(recipe.count for recipe in RECIPES) >= 400
    assert len(ROWS) == len(RECIPES)


@pytest.mark.parametrize(
    ("name", "there", "absent"),
    [
        ("near_miss", {"near_miss"}, {"collide"}),
        ("crash", {"collide"}, {"near_miss"}),
        ("lowering", {"contact"}, {"fall", "bounce"}),
        ("drop", {"fall"}, set()),
        ("roll", {"roll"}, set()),
        ("sliding_ball", {"slide"}, {"roll"}),
        ("behind_screen", {"occlude", "reappear"}, set()),
        ("before_screen", {"slide"}, {"occlude", "reappear"}),
        ("following", {"follow"}, {"overtake"}),
        ("overtaking", {"overtake"}, {"follow"}),
        ("turning", {"turn"}, {"collide"}),
        ("accelerating", {"accelerate"}, {"brake"}),
        ("braking", {"brake"}, {"accelerate"}),
        ("starting", {"start"}, {"stop"}),
        ("stopping", {"stop"}, {"start"}),
        ("picking_up", {"pick_up"}, {"put_down"}),
        ("putting_down", {"put_down"}, {"pick_up"}),
        ("carrying", {"carry"}, {"pick_up"}),
        ("pushing", {"push"}, {"carry"}),
        ("stacking", {"support"}, {"fall"}),
    ],
)
def test_each_kind_shows_what_it_is_made_for(name, there, absent):
    found = events_of(name)
    assert there <= found
    assert not absent & found


@pytest.mark.parametrize("name", sorted(DISTURBANCES))
def test_a_disturbance_changes_pictures_and_nothing_moves(name):
    clip = make_clip(ROWS[name], 0, part=Part.TEST, seed=0, size_px=48)
    assert np.ptp(clip.frames.astype(int), axis=0).max() > 8
    assert clip.scene is not None
    assert {e.type for e in detect_events(clip.scene)} <= {"contact", "still", "support"}


def test_clips_depend_on_part_seed_and_index_alone():
    args = {"seed": 1, "size_px": 48}
    one = make_clip(ROWS["crash"], 0, part=Part.TEST, **args)
    again = make_clip(ROWS["crash"], 0, part=Part.TEST, **args)
    other = make_clip(ROWS["crash"], 0, part=Part.DEVELOPMENT, **args)
    np.testing.assert_array_equal(one.frames, again.frames)
    assert not np.array_equal(one.frames[0], other.frames[0])


def test_files_are_made_once_with_the_truth_elsewhere(tmp_path):
    files = make_clips(tmp_path, Part.TEST, seed=0, quick=True, num_workers=1)
    stamps = [file.video.stat().st_mtime_ns for file in files]
    assert all(not list(f.video.parent.glob("*.json")) for f in files)
    assert files[0].read_truth().num_frames > 10
    again = make_clips(tmp_path, Part.TEST, seed=0, quick=True, num_workers=1)
    assert [file.video.stat().st_mtime_ns for file in again] == stamps


def test_clips_of_a_folder_that_is_given_relative_to_here_are_found(tmp_path, monkeypatch):
    """As the folder is that `worldline eval retrieval` takes when none is given."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(clips, "_QUICK", {"drop"})
    made = make_clips(Path("kept"), Part.TEST, seed=0, quick=True, num_workers=1)
    sights = look_at_clips(made, num_workers=1)
    asked = [question for question in questions() if question.text == "something falls"]
    assert score_library(library_of(sights, of_truth=True), asked, sights).tolist() == [[1.0]]
