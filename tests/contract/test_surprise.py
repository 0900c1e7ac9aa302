"""Surprise does not look at future frames, whoever is surprised."""

import numpy as np
import torch

from worldline.audit.suites.expectation import flow_warp_error, latent_errors, pixel_difference
from worldline.audit.suites.subject import of_baseline, of_world
from worldline.dynamics import FlowDynamics
from worldline.world import World
from worldline.world.expectation import weigh_evidence

CHANGED = 9


def clip_and_spoiled() -> tuple[np.ndarray, np.ndarray]:
    """A square that goes along, and the same up to a frame after which all is noise."""
    rng = np.random.default_rng(0)
    frames = np.repeat(rng.integers(60, 90, (1, 64, 64, 3)).astype(np.uint8), 16, axis=0)
    for t in range(16):
        frames[t, 24:34, 5 + 2 * t : 15 + 2 * t] = (200, 60, 60)
    spoiled = frames.copy()
    spoiled[CHANGED:] = rng.integers(0, 255, spoiled[CHANGED:].shape)
    return frames, spoiled


def world() -> World:
    """Small, and shaken, because layers that start at zero would hide mistakes."""
    dynamics = FlowDynamics.Config(stem_width=8, width=16, depth=3, heads=2, window=6)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        made = World.Config(dynamics=dynamics, trajectory=None).build()
        with torch.no_grad():
            for parameter in made.dynamics.parameters():
                parameter.add_(0.1 * torch.randn_like(parameter))
    return made


def all_judges():
    small = of_world(world())
    assert small.surprise is not None
    assert small.world is not None
    return {
        "world": small.surprise,
        "world, many at once": lambda frames: latent_errors(small.world, [frames])[0],
        "object files": weigh_evidence,
        "copy-last": of_baseline("copy-last").surprised(),
        "flow-warp": of_baseline("flow-warp").surprised(context=3),
        "pixel difference": pixel_difference,
        "flow-warp error": flow_warp_error,
    }


def test_changing_future_frames_leaves_past_surprise_as_it_is():
    frames, spoiled = clip_and_spoiled()
    for name, judge in all_judges().items():
        before, after = judge(frames), judge(spoiled)
        np.testing.assert_array_equal(before[:CHANGED], after[:CHANGED], err_msg=name)
        assert (before[CHANGED:] != after[CHANGED:]).any(), name
