from __future__ import annotations

import numpy as np
import pytest

from worldline.data.orientation import orient, rotation_deg

IMAGE = np.arange(2 * 3, dtype=np.uint8).reshape(2, 3, 1).repeat(3, axis=2)


@pytest.mark.parametrize(
    ("matrix", "degrees", "expected"),
    [
        ((1, 0, 0, 1), 0, [[0, 1, 2], [3, 4, 5]]),
        ((0, 1, -1, 0), 90, [[3, 0], [4, 1], [5, 2]]),
        ((-1, 0, 0, -1), 180, [[5, 4, 3], [2, 1, 0]]),
        ((0, -1, 1, 0), 270, [[2, 5], [1, 4], [0, 3]]),
        ((-1, 0, 0, 1), 0, [[2, 1, 0], [5, 4, 3]]),
        ((1, 0, 0, -1), 180, [[3, 4, 5], [0, 1, 2]]),
        ((0, 1, 1, 0), 270, [[0, 3], [1, 4], [2, 5]]),
        ((0, -1, -1, 0), 90, [[5, 2], [4, 1], [3, 0]]),
    ],
)
def test_all_eight_orientations(matrix, degrees, expected):
    assert orient(IMAGE, matrix)[..., 0].tolist() == expected
    assert rotation_deg(matrix) == degrees
