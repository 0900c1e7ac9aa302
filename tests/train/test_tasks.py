from dataclasses import replace

import numpy as np
import pytest
import torch

from worldline.core import InputError
from worldline.data.shards import Shards
from worldline.dynamics import TrajectoryForecaster
from worldline.tokenizer import ContinuousTokenizer, VideoTokenizer
from worldline.train import TokenizerTask, Trainer, TrajectoryTask, step_generator
from worldline.train.draw import augment

N, T, SIDE = 6, 12, 16


def shards() -> Shards:
    """Every frame says in its blue channel which clip and moment it is."""
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (N, T, SIDE, SIDE, 3), dtype=np.uint8)
    frames[..., 2] = (np.arange(N)[:, None] * 16 + np.arange(T))[..., None, None]
    moving = frames[..., 0] > 128
    slots = np.zeros((N, T, 1), np.float32)
    return Shards(
        frames=frames,
        moving=moving,
        center_px=np.zeros((N, T, 1, 2), np.float32),
        size_px=np.zeros((N, T, 1, 2), np.float32),
        depth_m=slots,
        color_rgb=np.zeros((N, 1, 3), np.float32),
        visible=slots > 0,
        actions=np.zeros((N, T, 0), np.float32),
        has_actions=np.zeros(N, bool),
        records=(),
    )


def image_tokenizer() -> ContinuousTokenizer:
    return ContinuousTokenizer.Config(size_px=SIDE, fine_width=8, coarse_width=8).build()


def video_tokenizer() -> VideoTokenizer:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = VideoTokenizer.Config(
            size_px=SIDE,
            fine_width=8,
            coarse_width=8,
            fine_depth=1,
            perceptual_weight=0.1,
            adversarial_weight=0.1,
        )
        return config.build()


def test_single_frames_are_drawn_as_they_always_were():
    data = shards()
    task = TokenizerTask(image_tokenizer(), data, seed=3, batch=4, object_weight=2.0)
    frames, weight = task.batch(5, step_generator(0, 5))
    generator = step_generator(0, 5)
    clips = data.order(3, 20, 4)
    times = torch.randint(T, (4,), generator=generator).numpy()
    raw = torch.from_numpy(data.frames[clips, times])
    expected, mirrored, _ = augment(raw[:, None], generator)
    assert torch.equal(frames, expected)
    moving = torch.from_numpy(data.moving[clips, times])
    moving = torch.where(mirrored[:, None, None], moving.flip(-1), moving)
    assert torch.equal(weight[:, 0], 1 + 2 * moving.float())
    assert task.num_frames((frames, weight)) == 4


def test_clips_are_consecutive_frames_of_one_clip():
    task = TokenizerTask(video_tokenizer(), shards(), seed=0, batch=N, object_weight=1.0, length=9)
    starts = set()
    for step in range(8):
        frames, weight = task.batch(step, step_generator(0, step))
        assert frames.shape == (N, 9, SIDE, SIDE, 3)
        assert weight.shape == (N, 9, SIDE, SIDE)
        assert task.num_frames((frames, weight)) == N * 9
        # The channel that is one number per frame, wherever the permutation put it.
        flat = frames.flatten(2, 3).int()
        steady = (flat.amax(dim=2) == flat.amin(dim=2)).all(dim=1)
        assert (steady.sum(dim=-1) == 1).all()
        number = flat[:, :, 0].transpose(1, 2)[steady]
        assert (number.diff(dim=1) == 1).all()
        assert sorted((number[:, 0] // 16).tolist()) == list(range(N))
        starts |= set((number[:, 0] % 16).tolist())
    assert starts == {0, 1, 2, 3}


def test_lengths_beyond_the_clips_are_refused():
    for length in (0, T + 1):
        with pytest.raises(InputError, match="between 1 and the 12 frames"):
            TokenizerTask(
                image_tokenizer(), shards(), seed=0, batch=2, object_weight=1.0, length=length
            )


def wandering() -> Shards:
    """A texture that goes to the right by a pixel a frame; the truth is made up."""
    y, x = np.mgrid[:SIDE, : SIDE + T]
    wave = 120 + 50 * np.sin(0.9 * x) + 50 * np.cos(0.7 * x + 0.8 * y)
    one = np.stack([wave[:, T - t : T - t + SIDE] for t in range(T)])
    frames = np.repeat(one[None, ..., None], 3, axis=-1).repeat(N, axis=0).astype(np.uint8)
    tracks = np.ones((N, 2, 3, SIDE // 4, SIDE // 4, 4), np.float16)
    return replace(shards(), frames=frames, tracks=tracks, first_start=7)


def test_flow_is_given_where_it_is_asked_for_and_mirrored_with_the_clip():
    config = TrajectoryForecaster.Config(
        size_px=SIDE, horizon=3, num_flows=2, fine_width=8, width=16, depth=2, late_depth=1, heads=1
    )
    model = config.build()
    speeds = set()
    for flow in (True, False):
        task = TrajectoryTask(model, wandering(), seed=0, batch=N, flow=flow)
        batch = task.batch(0, step_generator(0, 0))
        frames, flows = batch[0], batch[3]
        assert frames.shape == (N, 8, SIDE, SIDE, 3)
        assert flows.shape == (N, 2, 2, SIDE, SIDE)
        inside = flows[..., 4:-4, 4:-4].mean((-1, -2))
        speeds |= set(inside[:, :, 0].flatten().round().int().tolist())
        assert inside[:, :, 1].abs().max() < 0.2
        model.zero_grad()
        task.loss(model, batch, step_generator(0, 0))["total"].backward()
        assert model.flow_out is not None
        assert model.flow_out.weight.grad is not None
        assert bool(model.flow_out.weight.grad.any()) is flow
    assert speeds == {-1, 0, 1}


def test_the_loop_trains_a_video_tokenizer_and_its_critic_and_resumes(tmp_path):
    def run(folder, stop_at=None):
        model = video_tokenizer()
        task = TokenizerTask(model, shards(), seed=0, batch=2, object_weight=1.0, length=5)

        def on_step(step, losses):
            if step == stop_at:
                raise KeyboardInterrupt

        trainer = Trainer.Config(steps=6, warmup=2, checkpoint_every=2, log_every=1).build()
        trainer.run(task, tmp_path / folder, on_step=on_step)
        return model

    whole = run("whole").state_dict()
    with pytest.raises(KeyboardInterrupt):
        run("cut", stop_at=3)
    again = run("cut").state_dict()
    fresh = video_tokenizer().state_dict()
    for name, value in whole.items():
        assert torch.equal(value, again[name]), name
    assert not torch.equal(
        whole["picture.critic.enter.weight"], fresh["picture.critic.enter.weight"]
    )
    assert not torch.equal(whole["enter.weight"], fresh["enter.weight"])
