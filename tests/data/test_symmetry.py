"""Images of clips by quarter turns and a mirror: pictures, actions and states turn alike."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from worldline.core.clip import Clip
from worldline.core.errors import InputError
from worldline.core.readings import Readings
from worldline.data.actions import ActionSpec
from worldline.data.symmetry import directions, images_of, turned

SIDE = 9
NAMES = ("mass_kg", "seen_dot_x_px", "seen_dot_y_px", "dot_x_px", "seen_angle")


def spec_of(*names: str) -> ActionSpec:
    return ActionSpec(names=names, low=(-1.0,) * len(names), high=(1.0,) * len(names))


def walk(up: bool = False) -> Clip:
    """A bright dot that goes where the actions say, told as seen from the middle."""
    actions = np.array([(1, 0), (0, 1), (0, 1), (-1, 0)], np.float32)
    places = np.cumsum([(1, -2), *actions[:-1]], axis=0)
    frames = np.zeros((4, SIDE, SIDE, 3), np.uint8)
    for frame, (x, y) in zip(frames, places.astype(int), strict=True):
        frame[SIDE // 2 + y, SIDE // 2 + x] = 255
    values = np.stack([np.full(4, 2.0), *places.T, places[:, 0], np.ones(4)], axis=1)
    if up:
        actions = actions * (1, -1)
    state = Readings(NAMES, values, np.ones(values.shape, bool))
    return Clip(
        frames=frames, time_s=np.arange(4.0), actions=actions.astype(np.float32), state=state
    )


def dot(frame: np.ndarray) -> np.ndarray:
    row, column = np.argwhere(frame[..., 0])[0]
    return np.array([column, row]) - SIDE // 2


def test_directions_are_found_by_name():
    assert directions(("right", "down")) == ((0, 1, 1),)
    assert directions(("grip", "up", "right")) == ((2, 1, -1),)
    assert directions(NAMES) == ((1, 2, 1),)
    assert directions(("left", "seen_x_px", "seen_max")) == ()


@pytest.mark.parametrize("up", [False, True])
@pytest.mark.parametrize("which", range(8))
def test_pictures_actions_and_states_turn_alike(which, up):
    spec = spec_of("right", "up" if up else "down")
    clip = turned(walk(up), spec, which % 4, mirrored=which >= 4)
    assert clip.actions is not None
    assert clip.state is not None
    places = np.array([dot(frame) for frame in clip.frames])
    np.testing.assert_allclose(clip.state.values[:, 1:3], places)
    steps = clip.actions[:-1] * (1, -1 if up else 1)
    np.testing.assert_allclose(np.diff(places, axis=0), steps)
    # what is no direction is not known any more
    assert clip.state.known.all(axis=0).tolist() == [False, True, True, False, False]


def test_a_clip_comes_first_and_no_image_twice():
    clip = walk()
    images = list(images_of(clip, spec_of("right", "down"), 8, np.random.default_rng(0)))
    assert images[0] is clip
    assert len({image.frames.tobytes() for image in images}) == 8
    few = list(images_of(clip, spec_of("right", "down"), 3, np.random.default_rng(1)))
    assert len(few) == 3


def test_what_has_no_known_directions_is_refused():
    with pytest.raises(InputError, match="grip"):
        turned(walk(), spec_of("right", "grip"), 1, mirrored=False)
    wide = walk()
    wide = Clip(frames=wide.frames[:, 1:], time_s=wide.time_s, actions=wide.actions)
    with pytest.raises(InputError, match="square"):
        turned(wide, spec_of("right", "down"), 1, mirrored=False)
    marked = replace(walk(), segmentation=np.zeros((4, SIDE, SIDE), int))
    with pytest.raises(InputError, match="segmentation"):
        turned(marked, spec_of("right", "down"), 1, mirrored=False)
