"""What holds for the world of every named recipe: it trains, resumes, predicts and is kept."""

import runpy
from dataclasses import replace

import numpy as np
import pytest
import torch

from worldline.core import InputError
from worldline.sim import make_clip
from worldline.train import Recipe, load_recipe, train_world
from worldline.world import World

NAMES = ("genie_like", "cosmos_like", "cosmos_like video", "vjepa_like", "transfer_like")


class Stop(Exception):  # noqa: N818
    pass


def narrow(world: World.Config) -> World.Config:
    """As small as it gets, because maps of every frame make the rest slow enough."""
    return replace(
        world,
        tokenizer=replace(
            world.tokenizer, fine_width=8, coarse_width=16, fine_depth=1, coarse_depth=1
        ),
        dynamics=replace(world.dynamics, stem_width=16, width=32, depth=3),
        readout=replace(world.readout, width=16, depth=1),
    )


def short(name: str) -> Recipe:
    """The recipe with hardly any data and steps."""
    file, _, video = name.partition(" ")
    recipe = load_recipe(file, "nano")
    if video:
        recipe = runpy.run_path(f"recipes/{file}.py")["recipe"]("nano", video=True)
    if file == "transfer_like":
        recipe = replace(recipe, world=narrow(recipe.world))
    stride = recipe.world.build().tokenizer.time_stride
    stages = tuple(
        replace(
            stage,
            batch=2,
            length=min(stage.length, 5 if stride > 1 else 6),
            trainer=replace(stage.trainer, steps=4, warmup=1, checkpoint_every=2, log_every=1),
        )
        for stage in recipe.stages
    )
    data = tuple(
        replace(item, num_clips=4 if file != "transfer_like" else 2) for item in recipe.data
    )
    return replace(recipe, stages=stages, data=data)


@pytest.fixture(scope="module", params=NAMES)
def trained(request, tmp_path_factory) -> tuple[str, World]:
    folder = tmp_path_factory.mktemp(request.param)
    return request.param, train_world(short(request.param), folder)[0]


@pytest.fixture(scope="module")
def clip():
    return make_clip("driven_disc", 0, seed=5)


def test_an_interrupted_run_is_the_same(trained, tmp_path):
    name, world = trained
    recipe = short(name)
    last = recipe.stages[-1].name

    for cut in (recipe.stages[0].name, recipe.stages[1].name, last):

        def stop(stage, step, steps, losses, cut=cut):
            if (stage, step) == (cut, 3):
                raise Stop

        with pytest.raises(Stop):
            train_world(recipe, tmp_path, on_step=stop)
    again, _ = train_world(recipe, tmp_path)
    for part, module in world.parts.items():
        mine, theirs = module.state_dict(), again.parts[part].state_dict()
        assert all(torch.equal(mine[key], theirs[key]) for key in mine), part


def test_every_part_has_learned(trained):
    name, world = trained
    with torch.random.fork_rng():
        torch.manual_seed(0)
        fresh = short(name).world.build()
    for part, module in world.parts.items():
        before = dict(fresh.parts[part].named_parameters())
        moved = [not torch.equal(before[key], p) for key, p in module.named_parameters()]
        assert sum(moved) > 0.9 * len(moved), part


def test_it_predicts_and_is_kept(trained, clip, tmp_path):
    _, world = trained
    forecast = world.predict(clip, horizon=3, samples=2, seed=1)
    assert forecast.frames.shape == (2, 3, 64, 64, 3)
    assert forecast.trust == 0.0  # not calibrated
    again = world.predict(clip, horizon=3, samples=2, seed=1)
    assert np.array_equal(again.frames, forecast.frames)
    world.save(tmp_path, dtype=None)
    stored = World.from_pretrained(tmp_path).predict(clip, horizon=3, samples=2, seed=1)
    assert np.array_equal(stored.frames, forecast.frames)
    assert np.isfinite(world.surprise(clip).per_frame).all()


def test_a_session_steps_and_forks(trained, clip):
    _, world = trained
    session = world.open(clip, seed=3)
    session.step()
    twin = session.fork()
    assert np.array_equal(session.step(), twin.step())
    if world.action_size:
        assert twin.fork().step(np.array([1.0, 0.0])).shape == (64, 64, 3)
    with pytest.raises(InputError, match=f"action must be {world.action_size} finite numbers"):
        twin.step(np.zeros(5))
