"""Flow on the way of the frames, and pictures of odd shapes."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from worldline.retrieval.motions.flow import FlowWatch


def watch(height, width, num=8):
    rng = np.random.default_rng(0)
    frames = [
        (i / 25, rng.integers(0, 255, (height, width, 3)).astype(np.uint8)) for i in range(num)
    ]
    found = FlowWatch()
    assert len(list(found.pass_on(frames))) == num
    return found.moments


@pytest.mark.parametrize(("height", "width"), [(8, 8), (32, 640), (20, 96), (640, 32), (90, 160)])
def test_pictures_of_any_shape_are_measured(height, width):
    # in a process of its own: what is tested ended the whole process
    code = f"from tests.retrieval.motions.test_flow import watch; watch({height}, {width})"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_border_that_was_added_does_not_move():
    wide = np.zeros((32, 640, 3), np.uint8)
    frames = [(i / 25, wide + 90) for i in range(6)]
    found = FlowWatch()
    list(found.pass_on(frames))
    assert found.moments.value.max() == 0
