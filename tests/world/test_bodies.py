"""Bodies that are carried as a whole, by the bundled world."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from worldline.audit.suites.disc_readings import LawReadings, read_discs
from worldline.audit.suites.disc_scenes import CONTEXT, LAWS, STEP_S, Law, Range, draw_scene, film
from worldline.dynamics import Bodies
from worldline.sim import Split, make_clip
from worldline.world import World
from worldline.world.bodies import Carried, carry_bodies


@pytest.fixture(scope="module")
def small() -> World:
    return World.from_pretrained("small")


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("where", Range)
def test_laws_hold_within_and_beyond_the_ranges_of_training(small: World, law: Law, where: Range):
    scene = draw_scene(law, where, np.random.default_rng((11, 1)))
    twice = film(scene, 64, published=False)
    carried = carry_bodies(small, twice.frames[:CONTEXT], horizon=29, samples=1, seed=0)
    assert carried is not None
    assert carried.is_all_that_moves
    frames = np.concatenate([twice.frames[:CONTEXT], carried.alone()[0]])
    found = read_discs(frames, len(scene.radius_m), scene.radius_m, published=False)
    read = LawReadings.of(found, twice.position_m, scene.radius_m, law, CONTEXT, STEP_S)
    assert read.velocity_error < 0.1


def test_futures_part_by_how_well_paths_are_known(small: World):
    twice = film(draw_scene(Law.UNIFORM, Range.IN, np.random.default_rng(2)), 64, published=False)
    carried = carry_bodies(small, twice.frames[:CONTEXT], horizon=16, samples=64, seed=0)
    assert carried is not None
    spread = carried.shift_px[1:].std(axis=0).mean(-1)
    assert spread == pytest.approx(carried.std_px, rel=0.35)
    again = carry_bodies(small, twice.frames[:CONTEXT], horizon=16, samples=64, seed=0)
    assert again is not None
    assert np.array_equal(again.shift_px, carried.shift_px)


def test_what_is_not_known_well_is_not_carried(small: World):
    clip = make_clip("pendulum", 0, seed=5, events=False)
    assert carry_bodies(small, clip.frames[:8], horizon=16, samples=1, seed=0) is None


def test_a_world_without_calibration_carries_nothing(small: World):
    twice = film(draw_scene(Law.UNIFORM, Range.IN, np.random.default_rng(2)), 64, published=False)
    fresh = small.finished({}, "")
    assert carry_bodies(fresh, twice.frames[:CONTEXT], horizon=16, samples=1, seed=0) is None


def carried_disc() -> Carried:
    twice = film(draw_scene(Law.UNIFORM, Range.IN, np.random.default_rng(4)), 64, published=False)
    last = twice.frames[2]
    share = (255.0 - last[..., 1]) / 255
    y, x = np.mgrid[:64, :64] + 0.5
    center = np.array([(share * x).sum(), (share * y).sum()]) / share.sum()
    bodies = Bodies(
        center_px=center[None, None],
        radius_px=np.sqrt(share.sum() / np.pi)[None, None],
        residual=np.zeros(1),
        spread=np.ones(1),
        is_cut=np.zeros((1, 1), dtype=bool),
        share=share[None],
        color=np.array([[1.0, 0.0, 0.0]]),
        ground=np.ones((1, 3)),
    )
    plain = np.full((1, 64, 64, 3), 255, np.uint8)
    return Carried(bodies, plain, np.zeros((1, 1, 1, 2)), np.zeros((1, 1)), last)


@pytest.mark.parametrize("shift", [(0.0, 0.0), (0.3, -0.4), (-7.25, 3.5), (100.0, 0.0)])
def test_a_body_is_laid_down_where_it_should_be_and_keeps_its_colour(shift: tuple[float, float]):
    carried = carried_disc()
    moved = replace(carried, shift_px=np.array(shift).reshape(1, 1, 1, 2))
    frame = moved.lay_over(np.full((1, 1, 64, 64, 3), 255, np.uint8))[0, 0]
    if shift == (0.0, 0.0):
        assert np.abs(frame.astype(int) - carried.last).max() <= 1
    if shift[0] == 100.0:
        assert (frame == 255).all()
        return
    share = (255.0 - frame[..., 1]) / 255
    y, x = np.mgrid[:64, :64] + 0.5
    center = np.array([(share * x).sum(), (share * y).sum()]) / share.sum()
    expected = carried.bodies.center_px[0, 0] + np.asarray(shift)
    assert center == pytest.approx(expected, abs=0.03)
    assert frame[int(center[1]), int(center[0])].tolist() == [255, 0, 0]


def test_only_latents_that_can_be_seen_are_rolled_out(small: World, monkeypatch):
    """And the pictures are those of a full roll-out, to the bit."""
    frames = make_clip("drop", 1, seed=3, events=False).frames[:8]
    latents = small.encode_frames(frames)
    whole = small.continue_latents(latents, horizon=6, samples=2, seed=4)
    expected = small.render_forecast(whole, frames, 4, horizon=6)
    asked = []
    rolled = World.continue_latents

    def count(self: World, latents, *, horizon: int, **options):
        asked.append(horizon)
        return rolled(self, latents, horizon=horizon, **options)

    monkeypatch.setattr(World, "continue_latents", count)
    found = small.continue_frames(frames, horizon=6, samples=2, seed=4)
    assert np.array_equal(found, expected)
    limits = small.calibration["correction_threshold"][:6]
    assert asked == [max(step + 1 for step, limit in enumerate(limits) if limit < 4.0)]


@pytest.mark.parametrize("index", [0, 2, 8])
def test_how_many_frames_are_asked_for_does_not_decide_what_is_carried(small: World, index: int):
    clip = make_clip("collide", index, seed=0, split=Split.HELD_OUT, events=False)
    for horizon in (1, 8, 16, 24):
        assert carry_bodies(small, clip.frames[:8], horizon=horizon, samples=1, seed=0) is None
