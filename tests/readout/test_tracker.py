import numpy as np

from worldline.readout.regions import Region
from worldline.readout.shot import MovingRegions
from worldline.readout.tracker import RegionTracker, Track


def region(left: int, width: int, color: tuple[int, int, int]) -> Region:
    window = slice(20, 30), slice(left, left + width)
    pixels = np.full((10, width, 3), color, np.uint8)
    return Region(
        window=window,
        mask=np.ones((10, width), np.uint8),
        box=np.array([left, 20, left + width, 30], np.float64),
        color=np.array(color) / 255.0,
        area_px=10.0 * width,
        pixels=pixels,
        frame_from_work=np.eye(3),
    )


def follow(frames: list[tuple[Region, ...]], shift_px: float = 0.0) -> list[Track]:
    tracker = RegionTracker(max_gap_frames=5, measurement_std_px=1.0)
    for index, regions in enumerate(frames):
        shift = np.array([shift_px * index, 0.0])
        tracker.update(MovingRegions(index, index / 25, regions, index == 0, shift, bool(shift_px)))
    return tracker.end_shot()


def test_a_track_holds_what_was_measured() -> None:
    (track,) = follow([(region(10 + 3 * t, 10, (200, 0, 0)),) for t in range(6)])
    assert track.frames == list(range(6))
    np.testing.assert_allclose([box[0] for box in track.boxes], 10 + 3 * np.arange(6))
    assert track.split == [False] * 6
    assert track.unsteady == [False] * 6
    assert np.all(np.diff(track.filter_std_px[1:]) < 0)  # it grows sure


def test_the_cameras_shift_is_taken_out() -> None:
    frames = [(region(2 + 12 * t, 10, (200, 0, 0)),) for t in range(6)]
    (track,) = follow(frames, shift_px=12.0)
    assert len(track.frames) == 6
    assert [float(shift[0]) for shift in track.shifts] == [12.0 * t for t in range(6)]


def test_pieces_of_what_is_known_are_joined() -> None:
    whole = [(region(10 + 2 * t, 30, (200, 0, 0)),) for t in range(5)]
    pieces = (region(20, 12, (200, 0, 0)), region(36, 14, (200, 0, 0)))
    (track,) = follow([*whole, pieces])
    np.testing.assert_allclose(track.boxes[-1], [20, 20, 50, 30])


def test_a_region_that_two_share_is_cut_up() -> None:
    apart = [
        (region(10 + 4 * t, 20, (255, 0, 0)), region(80 - 4 * t, 20, (0, 0, 255))) for t in range(6)
    ]
    both = region(34, 42, (255, 0, 0))
    both.pixels[:, 21:] = (0, 0, 255)
    tracks = follow([*apart, (both,)])
    assert [len(track.frames) for track in tracks] == [7, 7]
    assert [track.split[-1] for track in tracks] == [True, True]
    assert abs(tracks[0].boxes[-1][2] - 55) <= 1
    assert abs(tracks[1].boxes[-1][0] - 55) <= 1


def test_nothing_goes_on_after_a_shot() -> None:
    tracker = RegionTracker(max_gap_frames=5, measurement_std_px=1.0)
    for index in range(4):
        moment = MovingRegions(index, 0.0, (region(10, 10, (9, 9, 9)),), False, np.zeros(2), False)
        tracker.update(moment)
    assert len(tracker.end_shot()) == 1
    assert tracker.end_shot() == []
