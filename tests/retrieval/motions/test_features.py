import numpy as np
import pytest
import torch

from worldline.retrieval.motions.disturb import align, disturb, disturb_moments, other_physics
from worldline.retrieval.motions.features import Tracks, align_moments, measure, mirror, sum_up
from worldline.retrieval.motions.flow import FlowWatch
from worldline.retrieval.motions.tracks import STEP_S, cut_segments, pack_segment


@pytest.fixture
def tracks(scene_of, paths) -> Tracks:
    packed = []
    for first, second in (("fall", "slow"), ("bounce", "swing"), ("rise", "stop")):
        scene = scene_of(paths[first], paths[second] + [0, 30])
        packed.append(pack_segment(next(cut_segments(scene))))
    box, seen = (torch.from_numpy(np.stack(part)) for part in zip(*packed, strict=True))
    return Tracks(box[..., :2], box[..., 2:], seen)


def test_features_know_neither_place_nor_scale(tracks):
    plain = measure(tracks, align_moments(sum_up(tracks)))
    large = Tracks(3 * tracks.center + 7, 3 * tracks.size, tracks.seen)
    other = measure(large, align_moments(sum_up(large)))
    for name in ("body", "pair", "field"):
        torch.testing.assert_close(getattr(other, name), getattr(plain, name), atol=2e-3, rtol=1e-3)
    assert plain.has_body.sum() == 6


def test_a_mirror_twice_is_no_mirror(tracks):
    moments = sum_up(tracks)
    once = mirror(tracks, moments)
    torch.testing.assert_close(sum_up(once[0]), once[1], rtol=1e-4, atol=1e-2)
    twice = mirror(*once)
    torch.testing.assert_close(twice[0].center, tracks.center)
    torch.testing.assert_close(twice[1], moments)


def test_trackers_faults_keep_shapes_and_no_amount_changes_nothing(tracks):
    rng = torch.Generator().manual_seed(0)
    none = disturb(align(tracks), torch.zeros(3), rng)
    torch.testing.assert_close(none.center, align(tracks).center)
    assert torch.equal(none.seen, tracks.seen)
    many = Tracks(*(torch.cat([part] * 40) for part in (tracks.center, tracks.size, tracks.seen)))
    noisy = disturb(many, torch.ones(120), rng)
    assert noisy.center.shape == many.center.shape
    assert noisy.center.isfinite().all()
    lost = 1 - noisy.seen.any(dim=2).float().sum() / many.seen.any(dim=2).float().sum()
    assert 0.1 < lost < 0.9
    assert not disturb_moments(sum_up(many), torch.ones(120), rng).isnan().any()


def test_other_physics_is_other_motion_and_the_same_for_all_views(tracks):
    first = other_physics(tracks, torch.Generator().manual_seed(4))
    second = other_physics(tracks, torch.Generator().manual_seed(4))
    torch.testing.assert_close(first.center, second.center)
    away = (first.center - align(tracks).center)[first.seen & tracks.seen].norm(dim=-1)
    assert away.mean() > 5


def discs(path, width=192, height=144, radius=14):
    y, x = np.mgrid[:height, :width]
    rng = np.random.default_rng(0)
    ground = np.repeat(np.repeat(rng.integers(60, 110, (height // 8, width // 8)), 8, 0), 8, 1)
    inside = (x - path[:, :1, None]) ** 2 + (y - path[:, 1:, None]) ** 2 < radius**2
    light = 200 + 40 * np.sin(0.9 * (x - path[:, :1, None]))
    frames = np.where(inside, light, ground)
    return np.repeat(frames.astype(np.uint8)[..., None], 3, axis=-1)


def test_flow_and_boxes_tell_the_same(scene_of):
    t = np.arange(30) / 25
    path = np.stack([40 + 60 * t, 30 + 50 * t**2], axis=1)
    watch = FlowWatch()
    frames = discs(path)
    passed = list(watch.pass_on(zip(t.tolist(), frames, strict=True)))
    assert len(passed) == 30
    np.testing.assert_array_equal(passed[7][1], frames[7])
    measured = watch.moments.on_grid(np.arange(96) * STEP_S)
    box, seen = (torch.from_numpy(part)[None] for part in pack_segment(
        next(cut_segments(scene_of(path, size_px=28.0)))))  # fmt: skip
    known = sum_up(Tracks(box[..., :2], box[..., 2:], seen))[0].numpy()
    for rows in (slice(0, 8),):
        one, other = measured[rows, 3:26].ravel(), known[rows, 3:26].ravel()
        assert one @ other / np.linalg.norm(one) / np.linalg.norm(other) > 0.9


def test_still_pictures_have_no_moments_and_few_frames_none():
    watch = FlowWatch()
    frames = discs(np.full((10, 2), 60.0))
    list(watch.pass_on((k / 25, frame) for k, frame in enumerate(frames)))
    assert watch.moments.value.shape == (9, 12)
    assert not watch.moments.value.any()
    empty = FlowWatch()
    list(empty.pass_on([(0.0, frames[0])]))
    assert not empty.moments.on_grid(np.arange(5.0)).any()
