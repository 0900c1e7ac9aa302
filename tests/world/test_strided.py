"""A world whose tokenizer folds time: the same questions, frame by frame."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.discs import disc_clips

from worldline.core import Clip, InputError
from worldline.core.latents import Controls, Latents, lead_to
from worldline.dynamics import AutoregressiveDynamics, ControlEncoder, FlowDynamics, MaskedParallel
from worldline.readout.latent import LatentReadout
from worldline.tokenizer import VideoTokenizer
from worldline.world import World
from worldline.world.export import export_world

SHAPE = {"stem_width": 8, "width": 16, "depth": 3, "heads": 2}
LEVELS = (5, 3, 3)


def build(kind: str) -> World:
    """Weights are shaken, because many layers start at zero and would hide mistakes."""
    actions = ControlEncoder.Config(action_size=8)
    codes = LEVELS if kind == "codes" else ()
    dynamics = FlowDynamics.Config(**SHAPE, channels=3, controls=actions, num_steps=2)
    if codes:
        decoder = MaskedParallel.Config(num_steps=2)
        dynamics = AutoregressiveDynamics.Config(
            **SHAPE, levels=LEVELS, controls=actions, decoder=decoder
        )
    config = World.Config(
        name=kind,
        tokenizer=VideoTokenizer.Config(
            channels=3, levels=codes, fine_width=8, coarse_width=16, fine_depth=1, coarse_depth=1
        ),
        dynamics=dynamics,
        readout=LatentReadout.Config(channels=3, width=8, depth=1),
        trajectory=None,
        context=9,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        world = config.build()
        with torch.no_grad():
            for name, part in world.parts.items():
                # so that what actions change is not lost in rounding, nor codes the same
                scale = (0.5 if codes else 0.2) if name == "dynamics" else 0.03
                for parameter in part.parameters():
                    parameter.add_(scale * torch.randn_like(parameter))
    return world


@pytest.fixture(scope="module", params=["numbers", "codes"])
def world(request) -> World:
    return build(request.param)


@pytest.fixture(scope="module")
def clip() -> Clip:
    return next(disc_clips(1))


def test_forecasts_have_as_many_frames_as_asked_for(world, clip):
    forecast = world.predict(clip, horizon=6, samples=2, seed=1)
    assert forecast.frames.shape == (2, 6, 64, 64, 3)
    np.testing.assert_allclose(forecast.time_s, clip.time_s[-1] + 0.05 * np.arange(1, 7))
    assert all(scene.num_frames == 6 for scene in forecast.scenes)
    longer = world.predict(clip, horizon=8, samples=2, seed=1)
    np.testing.assert_array_equal(longer.frames[:, :6], forecast.frames)


def test_the_newest_frames_of_whole_steps_are_the_context(world, clip):
    cut = world.predict(clip, context=8, horizon=3, samples=1)
    whole = world.predict(clip, context=5, horizon=3, samples=1)
    np.testing.assert_array_equal(cut.frames, whole.frames)
    np.testing.assert_array_equal(cut.context_frames, clip.frames[-5:])
    actions = torch.randn(1, 11, 2, generator=torch.Generator().manual_seed(0))
    cut = world.predict(clip, context=8, horizon=3, controls=Controls(actions=actions))
    late = Controls(actions=actions[:, 3:])
    whole = world.predict(clip, context=5, horizon=3, controls=late)
    np.testing.assert_array_equal(cut.frames, whole.frames)


def test_pieces_are_the_whole_clip(world):
    frames = np.concatenate([c.frames for c in disc_clips(17)])
    assert len(frames) > 257  # more than one piece
    frames = world.newest(frames)
    whole = world.tokenizer.encode(torch.from_numpy(frames)[None])
    torch.testing.assert_close(world.encode_frames(frames).tokens, whole.tokens, rtol=0, atol=1e-5)


def test_surprise_has_a_value_for_each_frame_and_is_one_per_step(world, clip):
    found = world.surprise(clip)
    assert found.per_frame.shape == (16,)
    # 16 frames: 3 are cut off, then steps of 1, 4, 4 and 4 frames
    assert (found.per_frame[:8] == 0).all()
    assert (found.per_frame[8:] > 0).all()
    for step in (slice(8, 12), slice(12, 16)):
        assert len(set(found.per_frame[step])) == 1
    with pytest.raises(InputError, match="at least 9 are needed"):
        world.surprise(clip.slice(0, 8))
    with pytest.raises(InputError, match="has 1 frame at"):
        world.surprise(clip.slice(0, 1))


def test_a_session_gives_a_frame_per_call_and_equals_the_whole_rollout(world, clip):
    session = world.open(clip, seed=3)
    frames = [session.step() for _ in range(10)]
    assert session.num_steps == 10
    assert frames[0].shape == (64, 64, 3)
    seen = world.encode_frames(clip.frames[-9:])
    carry = world.dynamics.init(seen, Controls(), torch.Generator().manual_seed(3))
    steps = []
    for _ in range(3):
        carry, step = world.dynamics.step(carry, Controls())
        steps.append(step.tokens)
    at_once = world.render_forecast(
        Latents(torch.cat(steps, dim=1), seen.grid), clip.frames[-9:], 0, horizon=10
    )
    difference = np.abs(at_once[0].astype(int) - np.stack(frames).astype(int))
    assert difference.max() <= 1  # of rounding


@pytest.mark.parametrize("moment", [1, 2, 4])
def test_forks_and_snapshots_are_exact_within_a_step(world, clip, moment):
    session = world.open(clip, seed=3)
    push = np.array([1.0, -1.0])
    for _ in range(moment):
        session.step(push)
    kept, twin = session.snapshot(), session.fork()
    first = [session.step(push) for _ in range(6)]
    np.testing.assert_array_equal(first, [twin.step(push) for _ in range(6)])
    session.restore(kept)
    np.testing.assert_array_equal(first, [session.step(push) for _ in range(6)])


def test_every_action_reaches_the_next_latent_step(world, clip):
    """Call 2 falls within the first step, so it changes what is shown from call 5 on."""
    calm, moved = world.open(clip, seed=3), world.open(clip, seed=3)
    for session in (calm, moved):
        session.step(np.zeros(2))
    shown = [(calm.step(np.zeros(2)), moved.step(np.array([90.0, 0.0])))]
    shown += [(calm.step(np.zeros(2)), moved.step(np.zeros(2))) for _ in range(6)]
    same = [bool((a == b).all()) for a, b in shown]
    assert same[:3] == [True] * 3
    assert not all(same[3:])
    assert world.action_size == 2
    with pytest.raises(InputError, match="action must be 2 finite numbers"):
        moved.step(np.zeros(8))


def test_perception_covers_the_frames_of_whole_steps(world, clip):
    scene = world.perceive(clip)
    np.testing.assert_allclose(scene.time_s, clip.time_s[-13:])


def test_a_world_that_folds_time_is_not_exported(world, tmp_path):
    with pytest.raises(InputError, match="folds 4 frames into a latent step"):
        export_world(world, tmp_path)


def test_action_sizes_that_do_not_fit_a_step_are_named():
    config = World.Config(
        tokenizer=VideoTokenizer.Config(),
        dynamics=FlowDynamics.Config(controls=ControlEncoder.Config(action_size=3)),
    )
    with pytest.raises(ValueError, match="multiple of the tokenizer's time_stride 4"):
        config.build()


def test_actions_of_a_clip_drive_every_step(world, clip):
    """Given by a guide, they are the same as the controls that a caller would make of them."""
    actions = np.random.default_rng(0).normal(size=(16, 2)) * 50
    driven = replace(clip, actions=actions)
    start = driven.slice(0, 10)
    options = {"horizon": 5, "samples": 1, "seed": 1}
    guided = world.predict(start, guide=driven, **options).frames
    assert (world.predict(start, **options).frames != guided).any()
    led = torch.from_numpy(lead_to(actions)[1:15]).float()[None]  # 9 of 10 frames are whole steps
    told = world.predict(start, context=9, controls=Controls(actions=led), **options).frames
    np.testing.assert_array_equal(told, guided)
    assert (world.surprise(driven).per_frame != world.surprise(clip).per_frame).any()
    pushed, calm = world.open(start, seed=3), world.open(clip.slice(0, 10), seed=3)
    assert (pushed.step() != calm.step()).any()


@pytest.mark.parametrize(
    "takes",
    [{"rays": True}, {"map_names": ("depth",)}, {"state_names": ("gyro_x_radps",)}],
    ids=["rays", "maps", "state"],
)
def test_controls_that_belong_to_single_frames_are_refused(takes):
    config = World.Config(
        tokenizer=VideoTokenizer.Config(),
        dynamics=FlowDynamics.Config(controls=ControlEncoder.Config.of(**takes)),
        trajectory=None,
    )
    with pytest.raises(ValueError, match="leave out rays, maps and state"):
        config.build()


@pytest.mark.parametrize("head", ["contacts", "camera"])
def test_heads_that_belong_to_single_frames_are_refused(head):
    config = World.Config(
        tokenizer=VideoTokenizer.Config(),
        dynamics=FlowDynamics.Config(),
        readout=LatentReadout.Config(**{head: True}),
        trajectory=None,
    )
    with pytest.raises(ValueError, match="set contacts and camera to False"):
        config.build()
