"""What a world adds to the scene of motion, and what it never touches."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from worldline.core import Scene
from worldline.readout.completing import MIN_TRUST, complete

NUM = 30
ARRAYS = ("ids", "present", "visible", "center_px", "size_px", "center_px_std", "color_rgb")


def scene_of(
    *paths: np.ndarray, ids: tuple[int, ...] | None = None, size: float = 10.0, fps: float = 20.0
) -> Scene:
    """Bodies along paths `[T, 2]`; NaN where they are not seen."""
    center = np.array(paths).reshape(len(paths), -1, 2) if paths else np.zeros((0, NUM, 2))
    seen = np.isfinite(center[..., 0])
    n, t = seen.shape
    return Scene(
        time_s=np.arange(t) / fps,
        width_px=100,
        height_px=80,
        ids=np.arange(1, n + 1) if ids is None else np.array(ids, dtype=np.int64),
        labels=("object",) * n,
        present=seen,
        visible=seen,
        center_px=center,
        size_px=np.where(seen[..., None], np.full(2, size), np.nan),
        center_px_std=np.where(seen[..., None], np.full(2, 0.5), np.nan),
        color_rgb=np.full((n, 3), 0.5),
    )


def going(num: int = NUM) -> np.ndarray:
    return np.stack([np.linspace(10, 90, num), np.full(num, 20.0)], axis=1)


def at(x: float, y: float, num: int = NUM, jitter_px: float = 0.0) -> np.ndarray:
    return np.array([x, y]) + jitter_px * np.random.default_rng(0).standard_normal((num, 2))


def assert_kept(scene: Scene, fused: Scene) -> None:
    for name in ARRAYS:
        kept = getattr(fused, name)[: scene.num_objects]
        np.testing.assert_array_equal(kept, getattr(scene, name), err_msg=name)


def test_a_resting_body_is_added_behind_what_moves():
    scene = scene_of(going(), ids=(7,))
    fused = complete(scene, scene_of(going(), at(40, 60, jitter_px=0.4)), trust=0.9)
    assert_kept(scene, fused)
    assert fused.ids.tolist() == [7, 8]
    assert fused.visible[1].all()
    assert fused.present[1].all()
    assert np.ptp(fused.center_px[1], axis=0).max() == 0  # it rests
    assert fused.center_px[1, 0] == pytest.approx([40, 60], abs=0.5)
    assert fused.size_px[1, 0] == pytest.approx([10, 10])


def test_what_motion_missed_is_added_with_its_path():
    fused = complete(scene_of(), scene_of(going()), trust=1.0)
    assert fused.ids.tolist() == [1]
    np.testing.assert_allclose(fused.center_px[0], going())


@pytest.mark.parametrize("trust", [0.0, 0.5, MIN_TRUST - 1e-6, float("nan")])
def test_low_trust_adds_nothing(trust):
    scene = scene_of(going())
    assert complete(scene, scene_of(at(40, 60), at(70, 60)), trust=trust) is scene


def test_what_motion_knows_is_not_added_again():
    scene = scene_of(going())
    beside = going() + np.array([4.0, 2.0])
    assert complete(scene, scene_of(beside), trust=1.0) is scene


def test_what_lies_upon_a_moving_object_is_a_part_of_it():
    scene = scene_of(going(), size=40.0)
    assert complete(scene, scene_of(going() + np.array([12.0, 0.0]), size=6.0), trust=1.0) is scene


def test_something_that_passes_in_front_does_not_count():
    scene = scene_of(going())
    fused = complete(scene, scene_of(at(50, 22)), trust=1.0)
    assert fused.num_objects == 2


def test_a_flicker_and_what_is_soon_gone_are_not_added():
    flicker, short = at(40, 60), at(70, 60)
    flicker[::2] = np.nan
    short[6:] = np.nan
    scene = scene_of(going())
    assert complete(scene, scene_of(flicker, short), trust=1.0) is scene


def test_masks_say_where_it_was_seen():
    path = at(40, 60)
    path[:8] = np.nan
    path[20:22] = np.nan
    fused = complete(scene_of(going()), scene_of(path), trust=1.0)
    seen = np.isfinite(path[:, 0])
    np.testing.assert_array_equal(fused.visible[1], seen)
    for name in ("center_px", "size_px", "center_px_std"):
        np.testing.assert_array_equal(np.isfinite(getattr(fused, name)[1, :, 0]), seen)


def test_a_slower_clock_is_followed():
    """A world that sees every third frame, and the first half of the video alone."""
    told = scene_of(at(40, 60, num=5), fps=20 / 3)
    fused = complete(scene_of(going()), told, trust=1.0)
    np.testing.assert_array_equal(fused.visible[1], np.arange(NUM) <= 13)


def test_depth_of_what_is_added_is_unknown():
    depth = np.full((1, NUM), 3.0)
    scene = replace(scene_of(going()), depth_m=depth, depth_m_std=depth / 10)
    fused = complete(scene, scene_of(at(40, 60)), trust=1.0)
    assert fused.depth_m is not None
    assert np.isfinite(fused.depth_m[0]).all()
    assert np.isnan(fused.depth_m[1]).all()


def test_contacts_know_what_was_added():
    """A body rolls up to one that rests, and stays there."""
    x = np.minimum(np.linspace(10, 90, NUM), 40)
    scene = scene_of(np.stack([x, np.full(NUM, 60.0)], axis=1))
    fused = complete(scene, scene_of(at(50.5, 60)), trust=1.0)
    assert {(c.a, c.b) for c in fused.contacts} >= {(1, 2)}


def test_random_scenes_keep_every_track_and_unique_ids():
    rng = np.random.default_rng(1)
    for _ in range(60):
        paths = [
            [
                np.cumsum(rng.normal(0, 2, (NUM, 2)), axis=0) + rng.uniform(0, 80, 2)
                for _ in range(n)
            ]
            for n in rng.integers(0, 5, 2)
        ]
        for path in (*paths[0], *paths[1]):
            path[rng.random(NUM) < 0.2] = np.nan
        ids = rng.permutation(20)[: len(paths[0])]
        scene = scene_of(*paths[0], ids=tuple(ids))
        fused = complete(scene, scene_of(*paths[1]), trust=1.0)
        assert_kept(scene, fused)
        assert len(set(fused.ids.tolist())) == fused.num_objects
        assert scene.num_objects <= fused.num_objects <= scene.num_objects + len(paths[1])


def test_images_of_other_size_are_refused():
    other = replace(scene_of(going()), width_px=64)
    with pytest.raises(ValueError, match="100x80 pixels cannot be completed by one of 64x80"):
        complete(scene_of(going()), other, trust=1.0)
