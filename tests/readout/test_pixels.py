"""From frames to world lines, against drawn truth."""

from __future__ import annotations

import tracemalloc

import cv2
import numpy as np
import pytest

from worldline.core import STATIC, InputError, Origin, Provenance, config_from_json
from worldline.readout import PixelReadout


def falling(k: int) -> list[tuple[float, float]]:
    return [(32.0, min(55.0, 8 + 0.5 * 3.0 * (0.25 * k) ** 2))]


def sliding(k: int) -> list[tuple[float, float]]:
    return [(8 + 1.5 * k, 40.0)]


def resting(k: int) -> list[tuple[float, float]]:
    return [(30.0, 30.0)]


@pytest.mark.parametrize("radius", [2.5, 4.0, 7.0])
@pytest.mark.parametrize(("texture", "noise"), [(0, 0), (12, 4), (0, 10), (12, 10)])
def test_a_fall_at_64_pixels(make_frames, read, match, radius, texture, noise):
    scene = read(make_frames(falling, radius=radius, texture=texture, noise=noise))
    assert scene.num_objects == 1
    found = match(scene, falling)
    assert len(found.frames) == 32  # from the very first frame
    assert np.median(found.errors_px) < 0.5
    assert found.errors_px.max() < 1.5
    np.testing.assert_allclose(np.median(scene.size_px[0], axis=0), 2 * radius + 1, atol=1.5)
    np.testing.assert_allclose(np.array(scene.color_rgb) * 255, [[200, 40, 40]], atol=35)
    assert any(c.b == STATIC and c.start_s == pytest.approx(2.25, abs=0.15) for c in scene.contacts)
    assert "stop" in {event.type for event in scene.events}


def test_a_larger_picture(make_frames, read, match):
    def fall(k: int):
        return [(120.0, min(200.0, 20 + 0.5 * 9.8 * (k / 30) ** 2 * 60))]

    frames = make_frames(fall, num_frames=60, step_s=1 / 30, size=240, radius=9, noise=3)
    scene = read(frames)
    assert scene.num_objects == 1
    assert match(scene, fall).errors_px.max() < 1.0
    (event,) = [e for e in scene.events if e.type == "fall"]
    assert event.start_s == pytest.approx(0.0, abs=0.1)


def test_boxes_are_in_pixels_of_the_input(make_frames, read):
    def slide(k: int):
        return [(60.0 + 12 * k, 300.0)]

    frames = make_frames(slide, size=480, radius=30, num_frames=24)
    whole = read(frames)
    shrunk = read(frames, max_side_px=160)
    half = [(t, cv2.resize(f, (240, 240), interpolation=cv2.INTER_AREA)) for t, f in frames]
    zoomed = (
        PixelReadout.Config()
        .build()
        .read(iter(half), provenance=Provenance(), full_size_px=(480, 480))
    )
    truth = np.array([slide(k)[0] for k in range(24)])
    for scene in (whole, shrunk, zoomed):
        assert (scene.width_px, scene.height_px, scene.num_objects) == (480, 480, 1)
        seen = scene.visible[0]
        np.testing.assert_allclose(scene.center_px[0, seen], truth[seen], atol=3.0)
        np.testing.assert_allclose(np.median(scene.size_px[0, seen], axis=0), 61, atol=8)


def test_what_rests_before_it_moves_is_seen_from_the_start(make_frames, read, match):
    def go(k: int):
        return [(20.0 if k < 20 else 20.0 + 3 * (k - 20), 40.0)]

    scene = read(make_frames(go))
    assert scene.num_objects == 1
    found = match(scene, go)
    assert len(found.frames) == 32
    assert found.errors_px.max() < 1.0


def test_what_comes_to_rest_stays(make_frames, read, match):
    def stop(k: int):
        return [(min(8.0 + 3 * k, 38.0), 40.0)]

    scene = read(make_frames(stop))
    assert scene.num_objects == 1
    found = match(scene, stop)
    assert len(found.frames) == 32
    assert found.errors_px.max() < 1.0


def test_a_dark_grey_thing_is_not_taken_for_a_shadow(make_frames, read, match):
    scene = read(make_frames(sliding, colors=[(90, 88, 82)]))
    assert scene.num_objects == 1
    assert match(scene, sliding).errors_px.max() < 1.5


def test_a_cast_shadow_is_not_part_of_the_object(make_frames, read, match):
    def with_shadow(image, k):
        center = (round(8 + 1.5 * k), 54)
        shade = np.zeros(image.shape[:2], np.float32)
        cv2.ellipse(shade, center, (6, 3), 0, 0, 360, 1.0, cv2.FILLED)
        return image * (1 - 0.4 * shade[..., None])

    scene = read(make_frames(sliding, finish=with_shadow))
    found = match(scene, sliding)
    assert found.errors_px.max() < 1.5
    assert np.median(scene.size_px[found.row, found.frames, 1]) < 12  # the shadow ends at y = 57


def lit_ball(image, at, radius, color):
    """A ball that is lit from above."""
    y, x = np.mgrid[: image.shape[0], : image.shape[1]] + 0.5
    cover = np.clip(radius + 0.5 - np.hypot(x - at[0], y - at[1]), 0, 1)[..., None]
    light = np.clip(0.75 - 0.45 * (y - at[1]) / radius, 0.2, 1.2)[..., None]
    return image * (1 - cover) + np.array(color) * light * cover


def test_a_hard_dark_shadow_away_from_its_body_is_no_object(make_frames, read):
    def with_shadow(image, k):
        shadow = np.zeros(image.shape[:2], np.float32)
        cv2.ellipse(shadow, (round(8 + 1.5 * k), 56), (7, 4), 0, 0, 360, 1.0, cv2.FILLED)
        image = image * (1 - 0.62 * shadow[..., None])
        return lit_ball(image, (8 + 1.5 * k, 24), 6, (200, 60, 40))

    scene = read(make_frames(lambda k: [], finish=with_shadow, noise=1.0))
    assert scene.num_objects == 1
    assert np.nanmedian(scene.center_px[0, :, 1]) == pytest.approx(24, abs=1.5)


def test_a_dark_ball_of_the_grounds_colour_is_found_beside_another_body(make_frames, read):
    def with_balls(image, k):
        image = lit_ball(image, (8 + 1.5 * k, 54), 6, (62, 57, 52))
        return lit_ball(image, (8 + 1.5 * k, 24), 6, (200, 60, 40))

    scene = read(make_frames(lambda k: [], finish=with_balls, noise=1.0))
    assert scene.num_objects == 2


def shade(share: float, edge_px: float, way_px: float = 1.4):
    """Lets a patch of other light pass over the picture: that of something out of view."""

    def finish(image, k):
        y, x = np.mgrid[: image.shape[0], : image.shape[1]] + 0.5
        outside = (np.hypot((x - 8 - way_px * k) / 1.5, y - 46) - 7) / edge_px
        return image * (1 + (share - 1) * np.clip(0.5 - outside, 0, 1)[..., None])

    return finish


@pytest.mark.parametrize("texture", [0.0, 12.0])
@pytest.mark.parametrize("light", [(0.65, 0.5), (0.65, 6.0), (0.85, 2.0), (1.35, 9.0)], ids=str)
def test_light_that_moves_is_no_object(make_frames, read, texture, light):
    frames = make_frames(lambda k: [], finish=shade(*light), texture=texture, noise=1.0)
    assert read(frames).num_objects == 0


def test_bodies_are_found_beside_light_that_moves(make_frames, read, match):
    for color in ((200, 40, 40), (25, 25, 25)):
        scene = read(make_frames(sliding, colors=[color], finish=shade(0.65, 3.0), noise=1.0))
        assert scene.num_objects == 1
        assert match(scene, sliding).errors_px.max() < 2.5


def test_a_lamp_that_drifts_makes_no_objects(make_frames, read):
    def drift(image, k):
        x = np.linspace(0, 1, image.shape[1])[None, :, None]
        return image * (1 + 0.25 * np.sin(k / 5) * np.exp(-3 * x))

    assert read(make_frames(lambda k: [], finish=drift, texture=8.0, noise=1.0)).num_objects == 0


def test_paths_that_cross_keep_their_objects(make_frames, read, match):
    def cross(k: int):
        return [(6 + 1.7 * k, 30.0), (58 - 1.7 * k, 34.0)]

    scene = read(make_frames(cross))
    assert scene.num_objects == 2
    first, second = match(scene, cross, 0), match(scene, cross, 1)
    assert first.row != second.row
    assert np.median(first.errors_px) < 0.5
    assert np.median(second.errors_px) < 0.5
    assert max(first.errors_px.max(), second.errors_px.max()) < 3.0
    assert not scene.contacts  # passing by is no contact


def test_a_collision_is_a_contact(make_frames, read, match):
    def collide(k: int):
        return [(10 + 2.0 * min(k, 11), 32.0), (41 + 1.8 * max(0, k - 11), 32.0)]

    scene = read(make_frames(collide))
    assert scene.num_objects == 2
    assert match(scene, collide, 0).errors_px.max() < 2.0
    assert np.median(match(scene, collide, 1).errors_px) < 1.0
    (contact,) = [c for c in scene.contacts if c.b != STATIC]
    assert contact.start_s == pytest.approx(1.1, abs=0.15)
    assert "collide" in {event.type for event in scene.events}


def test_a_short_occlusion_is_bridged(make_frames, read, match):
    def hide(image, k):
        return cv2.rectangle(image.copy(), (24, 20), (36, 60), (90.0, 120.0, 90.0), -1)

    scene = read(make_frames(sliding, finish=hide))
    assert scene.num_objects == 1
    hidden = np.flatnonzero(~scene.visible[0])
    assert len(hidden) >= 2
    assert scene.present[0].all()
    truth = np.array([sliding(k)[0] for k in range(32)])
    errors = np.linalg.norm(scene.center_px[0] - truth, axis=1)
    assert errors[hidden].max() < 4.0
    # What was not seen is less certain than what was.
    assert scene.center_px_std[0, hidden].min() > np.median(scene.center_px_std[0])


def test_a_still_scene_has_no_objects(make_frames, read):
    assert read(make_frames(resting, noise=5)).num_objects == 0


def test_flicker_makes_no_objects_and_hides_none(make_frames, read, match):
    def flicker(image, k):
        return image * (1 + 0.25 * np.sin(2.1 * k))

    assert read(make_frames(resting, noise=3, finish=flicker)).num_objects == 0
    scene = read(make_frames(sliding, noise=3, finish=flicker))
    assert scene.num_objects == 1
    assert np.median(match(scene, sliding).errors_px) < 0.5


def shaken(image: np.ndarray, k: int) -> np.ndarray:
    shift = np.array([[1, 0, 3 * np.sin(1.9 * k)], [0, 1, 2 * np.cos(2.7 * k)]], np.float32)
    size = image.shape[1], image.shape[0]
    return cv2.warpAffine(image, shift, size, borderMode=cv2.BORDER_REFLECT)


def test_camera_shake_makes_no_objects(make_frames, read):
    frames = make_frames(
        lambda k: [(100.0, 90.0)], size=200, radius=10, texture=30, noise=2, finish=shaken
    )
    assert read(frames).num_objects == 0


def test_an_object_under_a_shaking_camera(make_frames, read):
    def slide(k: int):
        return [(30.0 + 4 * k, 90.0)]

    frames = make_frames(slide, size=200, radius=10, texture=30, noise=2, finish=shaken)
    scene = read(frames)
    assert scene.num_objects == 1
    shift = np.array([[3 * np.sin(1.9 * k), 2 * np.cos(2.7 * k)] for k in range(32)])
    truth = np.array([slide(k)[0] for k in range(32)]) + shift
    seen = scene.visible[0]
    assert seen.sum() >= 28
    assert np.median(np.linalg.norm(scene.center_px[0] - truth, axis=1)[seen]) < 1.5


def test_a_panning_camera(make_frames, read):
    """A wide picture passes by; only what moves against it is an object."""

    def slide(k: int):
        return [(60.0 + 6 * k, 80.0)]

    wide = make_frames(slide, size=320, radius=10, texture=30, noise=1, num_frames=36)
    panned = [
        (t, np.ascontiguousarray(f[:160, 2 * k : 2 * k + 200])) for k, (t, f) in enumerate(wide)
    ]
    scene = read(panned)
    truth = np.array([(60.0 + 4 * k, 80.0) for k in range(36)])
    errors = [
        np.median(np.linalg.norm(scene.center_px[r] - truth, axis=1)[scene.visible[r]])
        for r in range(scene.num_objects)
    ]
    assert len(errors) == 1
    assert errors[0] < 1.5


def test_tracks_end_at_cuts(make_frames, read):
    rng = np.random.default_rng(9)
    first = make_frames(sliding, num_frames=16, texture=20)
    other = rng.integers(0, 255, (8, 8, 3)).astype(np.uint8)
    wall = cv2.resize(other, (64, 64), interpolation=cv2.INTER_NEAREST)
    second = []
    for k in range(16):
        image = wall.copy()
        image[20:30, 30 + k : 40 + k] = (250, 250, 250)
        second.append((1.6 + 0.1 * k, image))
    scene = read(first + second)
    assert scene.num_objects == 2
    assert not scene.present[0, 16:].any()
    assert not scene.present[1, :16].any()
    assert scene.present[:, [2, 30]].tolist() == [[True, False], [False, True]]


def test_uneven_times_are_passed_on(make_frames, read):
    times = np.cumsum(np.random.default_rng(0).uniform(0.02, 0.2, 32))
    frames = [(float(t), f) for t, (_, f) in zip(times, make_frames(sliding), strict=True)]
    scene = read(frames)
    np.testing.assert_array_equal(scene.time_s, times)
    assert scene.num_objects == 1


def test_uncertainty_grows_with_noise(make_frames, read):
    """The stated deviation is of the size of the actual error, or a stated floor."""
    for noise in (0.0, 10.0):
        scene = read(make_frames(sliding, noise=noise, texture=10))
        truth = np.array([sliding(k)[0] for k in range(32)])
        seen = scene.visible[0]
        error = np.sqrt(np.mean((scene.center_px[0] - truth)[seen] ** 2))
        assert np.all(scene.center_px_std[0, seen] >= 0.25 / 3 - 1e-9)
        assert error < 3 * np.median(scene.center_px_std[0, seen])


def test_the_same_frames_give_the_same_scene(make_frames, read):
    frames = make_frames(sliding, noise=6)
    assert read(frames).to_json() == read(frames).to_json()


def test_memory_does_not_grow_with_length(make_frames):
    still = make_frames(resting, size=96, num_frames=8, noise=3)

    def peak(num_frames: int) -> int:
        frames = ((0.04 * k, still[k % 8][1].copy()) for k in range(num_frames))
        tracemalloc.start()
        PixelReadout.Config().build().read(frames, provenance=Provenance())
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size

    peak(80)
    assert peak(640) < 1.5 * peak(90)  # threads run a few frames ahead, more or less of them


def test_provenance_is_kept(make_frames):
    made = Provenance(Origin.GENERATED, "x", "y", 1)
    scene = PixelReadout.Config().build().read(make_frames(sliding), provenance=made)
    assert scene.provenance == made
    assert scene.labels == ("object",)


def test_config_survives_json():
    config = PixelReadout.Config(max_gap_s=1.5)
    assert config_from_json(config.to_json()) == config


def test_bad_input(read):
    with pytest.raises(InputError, match="no frames"):
        read([])
    small, large = np.zeros((20, 20, 3), np.uint8), np.zeros((20, 22, 3), np.uint8)
    with pytest.raises(InputError, match="but the first one is"):
        read([(0.0, small), (0.1, large)])


def test_very_short_and_very_small_input(read):
    tiny = np.zeros((1, 1, 3), np.uint8)
    assert read([(0.0, tiny)]).num_frames == 1
    assert read([(0.0, tiny), (0.1, tiny)]).num_objects == 0
    narrow = np.zeros((4, 600, 3), np.uint8)
    assert read([(0.1 * k, narrow) for k in range(10)]).num_objects == 0
