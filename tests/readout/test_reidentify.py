from __future__ import annotations

import numpy as np

from worldline.readout.reidentify import reidentify
from worldline.readout.tracker import Track

RED, BLUE = (0.8, 0.1, 0.1), (0.1, 0.1, 0.8)


def track(first: int, last: int, step: float, *, y=50.0, start=0.0, side=10.0, color=RED) -> Track:
    """Moves along x = start + step * frame."""
    out = Track()
    for k in range(first, last + 1):
        x = start + step * k
        out.frames.append(k)
        out.boxes.append(np.array([x - side / 2, y - side / 2, x + side / 2, y + side / 2]))
        out.filter_std_px.append(0.5)
        out.colors.append(np.array(color))
        out.split.append(False)
        out.shifts.append(np.zeros(2))
        out.unsteady.append(False)
    return out


def test_what_comes_back_where_its_way_leads_is_the_same():
    (one,) = reidentify([track(0, 9, 3.0), track(30, 40, 3.0)], max_gap_frames=25)
    assert one.frames == [*range(10), *range(30, 41)]
    assert len(one.boxes) == len(one.colors) == len(one.shifts) == 21


def test_colour_size_place_and_time_keep_bodies_apart():
    first = track(0, 9, 3.0)
    for other in (
        track(30, 40, 3.0, color=BLUE),
        track(30, 40, 3.0, side=20.0),
        track(30, 40, 3.0, y=90.0),
        track(30, 40, -3.0, start=200.0),
        track(40, 50, 3.0),  # too late
        track(8, 20, 3.0, y=56.0),  # seen at the same time
    ):
        assert len(reidentify([first, other], max_gap_frames=25)) == 2


def test_two_that_cross_behind_a_wall_keep_their_ways():
    left, right = track(0, 9, 3.0), track(0, 9, -3.0, start=105.0)
    again = [track(25, 34, 3.0), track(25, 34, -3.0, start=105.0)]
    joined = reidentify([left, right, *again], max_gap_frames=25)
    assert len(joined) == 2
    for whole in joined:
        x = np.array([(box[0] + box[2]) / 2 for box in whole.boxes])
        assert np.ptp(np.diff(x) / np.diff(whole.frames)) < 1e-9  # one way, one velocity


def test_an_object_may_be_hidden_twice():
    pieces = [track(0, 9, 2.0), track(20, 29, 2.0), track(40, 49, 2.0)]
    (one,) = reidentify(pieces, max_gap_frames=12)
    assert len(one.frames) == 30


def test_hidden_for_more_than_a_second(make_frames, read):
    """A disc slides behind a wide board."""
    import cv2

    def slide(k: int):
        return [(6.0 + 1.0 * k, 40.0)]

    def hide(image, k):
        return cv2.rectangle(image.copy(), (18, 25), (44, 55), (90.0, 120.0, 90.0), -1)

    frames = make_frames(slide, num_frames=54, step_s=0.06, finish=hide)
    scene = read(frames)
    assert scene.num_objects == 1
    assert (~scene.visible[0]).sum() * 0.06 > 0.6
    assert read(frames, max_away_s=0.0).num_objects == 2
