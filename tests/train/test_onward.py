from dataclasses import replace

import pytest
import torch
from tests.playing import playable

from worldline.core import InputError
from worldline.train import Recipe
from worldline.train.onward import begin_from
from worldline.world import World


def test_weights_are_taken_over_and_thresholds_are_the_recipes():
    source = playable()
    config = replace(
        source.config, dynamics=replace(source.config.dynamics, shrinkage=0.1, onset=0.4)
    )
    world = begin_from(Recipe(world=config), source)
    assert world.config == config
    assert world.dynamics.config.onset == 0.4
    for name, part in world.parts.items():
        own, other = part.state_dict(), source.parts[name].state_dict()
        assert all(torch.equal(own[key], other[key]) for key in own)
    assert not world.calibration
    # nothing is shared: what is trained on leaves its source as it was
    with torch.no_grad():
        next(world.dynamics.parameters()).add_(1.0)
    first = next(source.dynamics.parameters())
    assert not torch.equal(first, next(world.dynamics.parameters()))


def test_other_networks_are_refused():
    source = playable()
    wider = replace(source.config, dynamics=replace(source.config.dynamics, width=32))
    with pytest.raises(InputError, match="dynamics of the world tiny is made otherwise"):
        begin_from(Recipe(world=wider), source)
    bare = World(replace(source.config, reward=None), replace(source.whole, reward=None), {}, "")
    with pytest.raises(InputError, match="has no reward"):
        begin_from(Recipe(world=source.config), bare)
