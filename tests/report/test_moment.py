from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from worldline.core import Provenance, Scene
from worldline.report.moment import choose_moment


def make_scene(*, moves_from_s: float, size_px: float = 20.0, num_frames: int = 101) -> Scene:
    """One object, 10 frames a second, still and then 40 px/s to the right for one second."""
    time_s = np.arange(num_frames) / 10
    x = 60 + 40 * np.clip(time_s - moves_from_s, 0, 1)
    shape = (1, num_frames)
    return Scene(
        time_s=time_s,
        width_px=200,
        height_px=100,
        ids=np.array([3]),
        labels=("object",),
        present=np.ones(shape, dtype=bool),
        visible=np.ones(shape, dtype=bool),
        center_px=np.stack([x, np.full(num_frames, 50.0)], axis=-1)[None],
        size_px=np.full((*shape, 2), size_px),
        center_px_std=np.ones((*shape, 2)),
        provenance=Provenance(),
    )


def test_the_moment_covers_the_motion() -> None:
    moment = choose_moment(make_scene(moves_from_s=5.0), length_s=1.0)
    assert moment is not None
    assert (moment.start_s, moment.end_s) == pytest.approx((5.0, 6.0))
    x, y, side = moment.square_px
    # The object's box goes from x = 50 to 110 and from y = 40 to 60, and lies inside.
    assert x <= 50
    assert x + side >= 110
    assert y <= 40
    assert y + side >= 60
    assert side <= 100
    assert "object 3" in moment.reason


def test_no_moment_goes_across_a_cut() -> None:
    scene = make_scene(moves_from_s=5.0)
    moment = choose_moment(scene, length_s=2.0, cuts_s=(5.5,))
    assert moment is not None
    assert moment.end_s <= 5.4 + 1e-9 or moment.start_s >= 5.5


def test_without_motion_the_longest_shot_is_taken() -> None:
    scene = replace(make_scene(moves_from_s=50.0))
    moment = choose_moment(scene, length_s=2.0, cuts_s=(2.0,))
    assert moment is not None
    assert moment.start_s == pytest.approx(5.0)  # the middle of 2 to 10 s, less half of 2 s
    assert moment.square_px == (50, 0, 100)
    assert "No object" in moment.reason
    empty = Scene.empty(scene.time_s, 200, 100, Provenance())
    assert choose_moment(empty, length_s=2.0, cuts_s=(2.0,)) == moment


def test_a_large_thing_counts_more_than_a_speck() -> None:
    early, late = make_scene(moves_from_s=1.0, size_px=3.0), make_scene(moves_from_s=7.0)
    both = {
        name: np.concatenate([getattr(early, name), getattr(late, name)])
        for name in ("present", "visible", "center_px", "size_px", "center_px_std")
    }
    scene = replace(early, ids=np.array([1, 2]), labels=("object",) * 2, **both)
    moment = choose_moment(scene, length_s=1.0)
    assert moment is not None
    assert moment.start_s == pytest.approx(7.0)
    assert "object 2" in moment.reason


def test_shots_may_be_too_short() -> None:
    scene = make_scene(moves_from_s=5.0)
    assert choose_moment(scene, length_s=11.0) is None
    assert choose_moment(scene, length_s=4.0, cuts_s=(3.0, 6.0, 9.0)) is None
    one = Scene.empty(np.zeros(1), 10, 10, Provenance())
    assert choose_moment(one, length_s=1.0) is None
