from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.playing import block_clips, playable

from worldline.audit import thresholds
from worldline.audit.control import HORIZONS
from worldline.audit.thresholds import THRESHOLDS, choose_thresholds, score_rollouts

LENGTH = 4 + max(HORIZONS)


def test_copying_scores_one_and_still_clips_say_nothing():
    world, clips = playable(), block_clips(3, LENGTH)
    copying = world.config.build().finished(world.calibration, "")  # untrained: copies
    assert score_rollouts(copying, clips, 0) == pytest.approx(1.0)
    still = [replace(clip, frames=np.repeat(clip.frames[:1], LENGTH, 0)) for clip in clips]
    assert score_rollouts(copying, still, 0) == 1.0
    moving = score_rollouts(world, clips, 0)
    assert moving != pytest.approx(1.0)
    told = score_rollouts(world, [*clips, *still], 0)
    assert told > 0.5 * moving  # other noise, but no more pixels that count


def test_the_pair_with_the_lowest_score_is_taken(monkeypatch):
    wanted = THRESHOLDS[-2]
    asked = []

    def score(world, clips, seed):
        pair = world.dynamics.config.shrinkage, world.dynamics.config.onset
        asked.append(pair)
        return 0.5 if pair == wanted else 0.7

    monkeypatch.setattr(thresholds, "score_rollouts", score)
    told: list[float] = []
    world = playable()
    chosen = choose_thresholds(world, block_clips(2, LENGTH), seed=0, on_progress=told.append)
    assert asked == list(THRESHOLDS)
    assert told[-1] == 1.0
    assert (chosen.dynamics.config.shrinkage, chosen.dynamics.config.onset) == wanted
    assert chosen.config.dynamics == chosen.dynamics.config
    own, other = world.dynamics.state_dict(), chosen.dynamics.state_dict()
    assert all(torch.equal(own[key], other[key]) for key in own)


def test_a_threshold_that_stops_everything_scores_as_copying_does():
    world, clips = playable(), block_clips(4, LENGTH)
    frozen = thresholds._sampled(world, world.dynamics, (1e6, 0.0))
    assert score_rollouts(frozen, clips, 0) == pytest.approx(1.0)
