from __future__ import annotations

import math

import cv2
import numpy as np
from tests.serve.play.conftest import unpack

from worldline.serve.play.pictures import CUT, FORKED, HEADER, PAUSED, RECORDING, Shown, pack


def test_frames_come_back_as_they_went():
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 256, (64, 64, 3), dtype=np.uint8) for _ in range(2)]
    actions = [np.array([0.5, -1.0], np.float32), np.array([0.0, 1.0], np.float32)]
    shown = Shown(7, 2, pictures, actions, step_s=0.02, is_recording=True)
    data = pack(shown, act=3, waited_s=0.04)
    seen = unpack(data)
    assert (seen.frame, seen.oldest, seen.act) == (7, 2, 3)
    assert seen.flags == FORKED | RECORDING
    assert seen.actions == [[0.5, -1.0], [0.0, 1.0]]
    for sent, picture in zip(seen.pictures, pictures, strict=True):
        image = cv2.imdecode(np.frombuffer(sent, np.uint8), cv2.IMREAD_COLOR)
        np.testing.assert_array_equal(image[..., ::-1], picture)  # to the last bit
    took_ms, waited_ms, reward, end, trust = HEADER.unpack_from(data)[-5:]
    assert math.isclose(took_ms, 20, rel_tol=1e-6)
    assert math.isclose(waited_ms, 40, rel_tol=1e-6)
    assert all(math.isnan(x) for x in (reward, end, trust))


def test_one_picture_without_actions():
    picture = np.zeros((16, 16, 3), np.uint8)
    seen = unpack(pack(Shown(0, 0, [picture], is_cut=True), is_paused=True))
    assert seen.flags == PAUSED | CUT
    assert seen.actions == [[]]
    assert len(seen.pictures) == 1
