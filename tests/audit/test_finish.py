import json

import numpy as np
import pytest
import torch

from worldline.audit.card import families_on
from worldline.audit.finish import WorldPredictor, finish_world
from worldline.audit.outside import make_outside_clips
from worldline.dynamics import ConstantVelocityWarp, FlowDynamics, TrajectoryForecaster
from worldline.readout.latent import LatentReadout
from worldline.sim import make_clip
from worldline.tokenizer import ContinuousTokenizer
from worldline.world import World

FAMILIES = ("disc_uniform", "drop")
FACTS = {
    "command": "worldline train nano", "recipe": "0" * 12, "seed": 0, "machine": "a test",
    "clips": {"tokenizer": "look"}, "data": {"look": 0}, "reused": [],
}  # fmt: skip


@pytest.fixture(scope="module")
def finished():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        raw = World.Config(
            name="nano",
            tokenizer=ContinuousTokenizer.Config(
                fine_width=8, coarse_width=8, fine_depth=1, coarse_depth=1
            ),
            dynamics=FlowDynamics.Config(stem_width=8, width=16, depth=3, heads=1),
            readout=LatentReadout.Config(width=8, depth=1),
            trajectory=TrajectoryForecaster.Config(
                fine_width=8, width=16, depth=2, late_depth=1, heads=1
            ),
        ).build()
        with torch.no_grad():
            for parameter in raw.dynamics.parameters():
                parameter.add_(0.1 * torch.randn_like(parameter))
    return finish_world(raw, families=FAMILIES, num_clips=2, seed=0, facts={**FACTS, "ledgers": {}})


def test_calibration_is_plain_json_and_used(finished, tmp_path):
    world, _ = finished
    calibration = json.loads(json.dumps(dict(world.calibration), allow_nan=False))
    assert len(calibration["correction_threshold"]) == 16
    assert all(0 <= limit <= 4 for limit in calibration["correction_threshold"])
    assert len(calibration["trajectory_share"]) == 16
    assert all(0 <= share <= 1 for share in calibration["trajectory_share"])
    assert len(calibration["trajectory_gap_px"]) == 16
    assert all(gap_px >= 1 for gap_px in calibration["trajectory_gap_px"])
    assert len(calibration["surprise_quantiles"]) == 201
    assert np.all(np.diff(calibration["surprise_quantiles"]) >= 0)
    assert 0 <= calibration["trust_auroc"] <= 1
    clip = make_clip("drop", 0, seed=9)
    forecast = world.predict(clip, horizon=3, samples=2)
    assert 0 < forecast.trust <= 1
    assert (forecast.uncertainty > 0).all()
    assert world.surprise(clip).quantile <= 1
    world.save(tmp_path / "w", dtype=None)
    again = World.from_pretrained(tmp_path / "w")
    assert again.predict(clip, horizon=3, samples=2).trust == forecast.trust


def test_card_and_table_hold_the_baselines(finished):
    world, table = finished
    assert set(table.predictors) == {
        "nano", "nano, network alone", "nano, trajectories alone",
        "copy-last", "flow-warp", "untrained", "truth",
    }  # fmt: skip
    for heading in ("## Data", "## Cost", "## Metrics", "## Limits", "copy-last", "flow-warp"):
        assert heading in world.card


@pytest.mark.parametrize("name", ["small", "small-jepa", "imagine"])
def test_a_card_speaks_of_trajectories_if_there_are_any(finished, name):
    for world in (finished[0], World.from_pretrained(name)):
        told = "along forecast trajectories" in world.card
        assert told == (world.trajectory is not None)
        assert told == ("trajectories alone |" in world.card)


def test_a_world_that_corrects_nothing_is_constant_velocity(finished):
    world, _ = finished
    clip = make_clip("disc_uniform", 0, seed=3)
    still = world.finished({"correction_threshold": [4.0], "trajectory_share": [0.0]}, "")
    mine = WorldPredictor(still).predict(clip.frames[:8], 4, 0)[0]
    theirs = ConstantVelocityWarp().predict(clip.frames[:8], 4, 0)[0]
    assert np.abs(mine.astype(int) - theirs.astype(int)).max() <= 1


def test_outside_clips_are_seeded_and_move():
    clips = list(make_outside_clips(4, seed=1, size_px=64, num_frames=8))
    again = list(make_outside_clips(4, seed=1, size_px=64, num_frames=8))
    for one, two in zip(clips, again, strict=True):
        np.testing.assert_array_equal(one.frames, two.frames)
        assert one.frames.shape == (8, 64, 64, 3)
        assert np.abs(np.diff(one.frames.astype(int), axis=0)).mean() > 1
    assert len({clip.provenance.source for clip in clips}) == 4


def test_a_card_says_which_families_its_world_learned_from(finished):
    world, _ = finished
    assert families_on(world.card) == FAMILIES
    assert families_on("# bare\n") == ()
    assert families_on(World.from_pretrained("small").card)[:2] == ("drop", "throw")
