"""Things that meet on one line: neither gets past the other."""

import numpy as np

from worldline.world.expectation import TERMS, notice

SIZE = 64


def film(ways: list[tuple[list[float], float, tuple[int, int, int]]]) -> np.ndarray:
    """Discs of radius 5: x in each frame, y, colour."""
    y, x = np.mgrid[:SIZE, :SIZE].astype(float)
    back = np.repeat((90 + 0.5 * x + 0.3 * y)[..., None], 3, axis=-1)
    frames = []
    for t in range(len(ways[0][0])):
        frame = back.copy()
        for places, height, paint in ways:
            cover = np.clip(5.5 - np.hypot(x - places[t], y - height), 0, 1)[..., None]
            frame = cover * np.array(paint) + (1 - cover) * frame
        frames.append(frame.round().astype(np.uint8))
    return np.stack(frames)


RED, BLUE = (220, 60, 60), (50, 60, 220)
AHEAD = [9 + 1.5 * t for t in range(26)]
TOWARD = [60 - 1.5 * t for t in range(26)]


def passed(frames: np.ndarray) -> float:
    return float(notice(frames)["passed"].max())


def test_what_goes_through_another_is_noticed():
    assert passed(film([(AHEAD, 32.0, RED), (TOWARD, 32.0, BLUE)])) > TERMS["passed"]


def test_what_bounces_off_is_not():
    back = [min(a, 2 * 29.0 - a) for a in AHEAD]
    away = [max(b, 2 * 40.0 - b) for b in TOWARD]
    assert passed(film([(back, 32.0, RED), (away, 32.0, BLUE)])) == 0


def test_what_goes_by_on_another_line_is_not():
    assert passed(film([(AHEAD, 28.0, RED), (TOWARD, 36.0, BLUE)])) == 0


def test_equal_looks_say_nothing():
    assert passed(film([(AHEAD, 32.0, RED), (TOWARD, 32.0, RED)])) == 0
