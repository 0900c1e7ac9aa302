"""What a clip brings beside its pictures, on its way into forecasts and sessions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from worldline.core import Camera, InputError
from worldline.core.readings import Readings
from worldline.data.shards import write_shards
from worldline.dynamics import ControlEncoder, FlowDynamics
from worldline.readout.latent import LatentReadout
from worldline.sim import make_clip
from worldline.tokenizer import ContinuousTokenizer
from worldline.train.draw import draw_clips
from worldline.world import World
from worldline.world.feed import describe_controls

STATE = ("gyro_x_radps", "accel_z_mps2")
TAKES = ControlEncoder.Config.of(
    map_names=("segmentation", "depth", "edges"), state_names=STATE, rays=True, action_size=2
)


@pytest.fixture(scope="module")
def world() -> World:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        made = World.Config(
            name="driven",
            tokenizer=ContinuousTokenizer.Config(
                fine_width=8, coarse_width=8, fine_depth=1, coarse_depth=1
            ),
            dynamics=FlowDynamics.Config(
                stem_width=8, width=16, depth=3, heads=2, controls=TAKES, shrinkage=0.0
            ),
            readout=LatentReadout.Config(width=8, depth=1),
            trajectory=None,
        ).build()
        with torch.no_grad():
            for parameter in made.parts["dynamics"].parameters():
                parameter.add_(0.2 * torch.randn_like(parameter))
    return made.with_state(np.array([0.5, 4.0]), np.array([2.0, 5.0]))


@pytest.fixture(scope="module")
def clip():
    return make_clip("push", 1, seed=0, events=False, moving_camera=True)


def test_a_clip_gives_what_training_would_draw_of_it(world, clip, tmp_path):
    maps = TAKES.map_names
    shards = write_shards(tmp_path, [clip], num_clips=1, recipe={}, maps=maps)
    options = {"seed": 0, "step": 0, "batch": 1, "length": 32, "augmented": False, "takes": TAKES}
    drawn = draw_clips(
        shards, generator=torch.Generator(), state_scale=world.state_scale, **options
    ).controls
    fed = world.feed(clip)
    for name in ("actions", "rays", "maps", "state"):
        known = drawn.known[name]
        assert torch.equal(fed.known[name], known), name
        mine, theirs = getattr(fed, name), getattr(drawn, name)
        if name != "maps":
            mine, theirs = mine * known.any(-1, True).view(1, 32, *[1] * (mine.dim() - 2)), theirs
        atol = 5e-3 if name == "maps" else 1e-4  # shards keep depth in half precision
        torch.testing.assert_close(mine, theirs, rtol=1e-3, atol=atol)
    assert not fed.known["actions"][0, 0].any()
    assert fed.known["actions"][0, 1:].all()
    assert not fed.known["state"][0, 0, 1]
    assert fed.known["state"][0, 0, 0]


def test_what_a_clip_lacks_is_absent_and_so_is_what_it_does_not_cover(world, clip):
    bare = replace(clip, actions=None, camera=None, state=None, depth_m=None, segmentation=None)
    fed = world.feed(bare)
    assert fed.actions is fed.rays is fed.state is None
    assert fed.known["maps"].all(dim=(0, 1)).tolist() == [False, False, True]  # edges need pixels
    later = np.concatenate(
        [clip.time_s, clip.time_s[-1] + np.diff(clip.time_s)[0] * np.array([1.0, 2.0])]
    )
    fed = world.feed(clip, later)
    assert fed.known["actions"][0, :, 0].tolist() == [False] + [True] * 32 + [False]
    assert fed.known["rays"][0, :, 0].tolist() == [True] * 32 + [False] * 2
    assert not fed.known["maps"][0, 32:].any()
    every_other = world.feed(clip, clip.time_s[::2])
    expected = clip.actions.reshape(16, 2, 2).mean(axis=1)[:15]
    np.testing.assert_allclose(every_other.actions[0, 1:], expected, atol=1e-5)


def test_a_guide_drives_a_forecast_and_others_than_the_truth_another(world, clip):
    start = clip.slice(0, 8)
    options = {"context": 3, "horizon": 1, "samples": 1, "seed": 2}
    guided = world.predict(start, guide=clip, **options).frames
    again = world.predict(start, guide=clip, **options).frames
    np.testing.assert_array_equal(guided, again)
    moved = replace(clip, segmentation=clip.segmentation[:, ::-1].copy())
    for other in (moved, replace(clip, camera=None), replace(clip, state=None), None):
        assert (world.predict(start, guide=other, **options).frames != guided).any()
    # of the pictures after the context nothing but edges is used
    frames = clip.frames.copy()
    frames[8:] //= 2
    blind = world.feed(replace(clip, frames=frames))
    seen = world.feed(clip)
    assert torch.equal(blind.maps[..., :64], seen.maps[..., :64])


def test_a_session_is_driven_frame_by_frame(world, clip):
    session = world.open(clip.slice(0, 8), context=6, seed=1)
    now = clip.slice(8, 9)
    told = session.fork().step(clip.actions[7], guide=now)
    np.testing.assert_array_equal(told, session.fork().step(clip.actions[7], guide=now))
    assert (told != session.fork().step(clip.actions[7])).any()
    assert (told != session.fork().step(clip.actions[7], guide=replace(now, camera=None))).any()
    whole = world.feed(clip, clip.time_s[2:9]).frames(6, 7)
    alone = session._feed(now)
    for name in ("rays", "maps"):
        torch.testing.assert_close(getattr(alone, name), getattr(whole, name))
    torch.testing.assert_close(alone.state[..., 0], whole.state[..., 0])
    small = make_clip("push", 1, seed=0, size_px=32, events=False).slice(0, 1)
    with pytest.raises(InputError, match="expected one like those"):
        session.step(guide=small)


def test_controls_that_do_not_fit_are_named(world, clip):
    wide = replace(clip, actions=np.zeros((32, 3)))
    with pytest.raises(InputError, match=r"push: its actions have 3 numbers, .* driven takes 2"):
        world.predict(wide)
    broken = clip.actions.copy()
    broken[4, 1] = np.nan
    with pytest.raises(InputError, match="push: action 4 is not finite"):
        world.predict(replace(clip, actions=broken))
    with pytest.raises(InputError, match="push: actions or other controls drive the world beyond"):
        world.predict(replace(clip, actions=np.full_like(clip.actions, 1e38)), samples=1)


@pytest.mark.usefixtures("as_users_run")
def test_a_clip_refuses_cameras_and_readings_that_are_not_its_own(clip):
    with pytest.raises(ValueError, match="32 frames but 3 camera poses"):
        replace(clip, camera=Camera(60.0, 64, 64, np.tile(np.eye(4), (3, 1, 1))))
    with pytest.raises(ValueError, match="64x64 pixels, its camera 32x32"):
        replace(clip, camera=Camera(60.0, 32, 32, np.eye(4)[None]))
    with pytest.raises(ValueError, match="32 frames but 2 readings"):
        replace(clip, state=Readings(("a",), np.zeros((2, 1)), np.ones((2, 1), bool)))


def test_the_scale_of_readings_is_kept_with_the_world(world, tmp_path):
    world.save(tmp_path)
    mean, std = World.from_pretrained(tmp_path).state_scale
    assert mean.tolist() == [0.5, 4.0]
    assert std.tolist() == [2.0, 5.0]


def test_a_world_says_what_it_takes(world, nano):
    assert describe_controls(nano.controls) == {}
    told = describe_controls(world.controls)
    assert list(told) == ["actions", "camera", "maps", "state"]
    assert told["state"]["names"] == list(STATE)
