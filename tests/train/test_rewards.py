import numpy as np
import pytest
import torch
from tests.playing import block_clips, playable, with_hindsight

from worldline.core import InputError
from worldline.data.shards import write_shards
from worldline.data.windows import mark_changes
from worldline.train import RewardTask, Trainer
from worldline.train.rewards import imagine_clips


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    clips = [mark_changes(clip) for clip in block_clips(40, 10)]
    return write_shards(tmp_path_factory.mktemp("shards"), clips, num_clips=40, recipe={})


def make(world, shards, length=6, batch=64, **options) -> RewardTask:
    config = RewardTask.Config(**options)
    return config.build(world, shards, seed=0, batch=batch, length=length)


def test_weights_undo_that_rare_moments_are_drawn_more_often(shards):
    task = make(playable(), shards, batch=4096, imagined=0.5)
    drawn = task.batch(0, torch.Generator().manual_seed(0))
    # the true share, half of it of all frames and half of those that are imagined
    share = 0.5 * (shards.earned.mean() + shards.earned[:, 4:].mean())
    assert 0 < share < 0.2
    assert drawn.earned.mean() > 1.3 * share
    assert (drawn.weight * drawn.earned).mean().item() == pytest.approx(share, rel=0.1)
    assert drawn.weight.mean().item() == pytest.approx(1, rel=0.05)
    again = task.batch(0, torch.Generator().manual_seed(0))
    torch.testing.assert_close(again.now, drawn.now)


def test_clips_are_continued_as_sessions_continue_them(shards):
    """With the world's own noise, from the same start, under the same actions."""
    world = playable()
    part, made = next(imagine_clips(world, shards, 3, (0.0,), seed=0))
    assert part == slice(0, 32)
    assert made.shape == (32, 3, 16, 48)
    world.dynamics._noise = lambda shape, generator: torch.zeros(shape)
    kept = world.dynamics.config.shrinkage
    _, still = next(imagine_clips(world, shards, 3, (kept,), seed=0))
    clip = block_clips(1, 10)[0]
    session = world.open(clip.slice(0, 4), seed=0)
    for t in range(3):
        session.step(clip.actions[3 + t])
    torch.testing.assert_close(session.snapshot().latents[0, 1], still[0, 2], atol=1e-4, rtol=0)


def test_what_was_imagined_is_kept_for_these_dynamics_alone(shards):
    world = playable()
    first = make(world, shards)
    files = set(shards.folder.glob("imagined-*.npy"))
    np.testing.assert_array_equal(first.imagined, make(world, shards).imagined)
    assert set(shards.folder.glob("imagined-*.npy")) == files
    with torch.no_grad():
        next(world.dynamics.parameters()).add_(0.1)
    other = make(world, shards)
    assert not np.array_equal(first.imagined, other.imagined)


def test_it_learns_what_is_rare_without_expecting_too_much(shards, tmp_path):
    """Of true frames: the mean of what is told is that of what is true, and events stand out."""
    world = playable()
    task = make(world, shards, batch=64, imagined=0.0)
    trainer = Trainer.Config(steps=150, learning_rate=1e-2, warmup=5, average_decay=0.9)
    trainer.build().run(task, tmp_path)
    told, true = [], []
    for clip in block_clips(60, 10)[40:]:
        latents = world.encode(clip).tokens[0]
        actions = torch.from_numpy(clip.actions)
        reward, _ = world.reward.read(latents[:-1], latents[1:], actions[1:])
        told.append(reward.numpy())
        true.append(clip.rewards.earned[1:])
    told, true = np.concatenate(told), np.concatenate(true)
    assert told.mean() == pytest.approx(true.mean(), abs=0.06)
    assert told[true > 0].mean() > 3 * told[true == 0].mean()


def test_with_hindsight_it_learns_from_what_an_action_led_to(shards):
    """Pairs are of a frame and the next, so there is none of a last frame; sessions and readouts of
    true frames look at the same."""
    world = with_hindsight(playable())
    task = make(world, shards, imagined=0.5)
    for kind, clip, time in ((0, 3, 2), (1, 3, 7)):
        now, after = task._look(kind, clip, time)
        if kind:
            seen = [task.imagined[clip, at - task.context].astype(np.float32) for at in (7, 8)]
            np.testing.assert_array_equal(torch.stack([now, after]).numpy(), np.stack(seen))
        else:
            torch.testing.assert_close(torch.stack([now, after]), task._encode(clip, 2, 4))
    assert task.rows[task.rows[:, 0] == 0, 2].max() == shards.frames.shape[1] - 2
    assert task.rows[task.rows[:, 0] == 1, 2].max() == task.context + 4
    clip = block_clips(1, 10)[0]
    session = world.open(clip.slice(0, 4), seed=0)
    session.step(clip.actions[3])
    last = session.snapshot().latents
    told, _ = world.reward.read(last[:, 0], last[:, 1], torch.from_numpy(clip.actions[3:4]))
    assert session.reward == pytest.approx(told.item(), abs=1e-6)
    session.close()


def test_what_cannot_be_learned_from_is_refused(shards):
    with pytest.raises(InputError, match="there are 6"):
        make(playable(), shards, length=7)
    with pytest.raises(ValueError, match="imagined"):
        RewardTask.Config(imagined=2.0)
