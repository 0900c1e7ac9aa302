"""Two workers through Ray Train do what one does, and either goes on where the other was."""

import copy
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from worldline.core import InputError
from worldline.dynamics import (
    AutoregressiveDynamics,
    ControlEncoder,
    FlowDynamics,
    JepaDynamics,
    TrajectoryForecaster,
)
from worldline.readout.latent import LatentReadout
from worldline.scale import WorkersLostError, launch, ray_session
from worldline.tokenizer import ContinuousTokenizer, DiscreteTokenizer, RepresentationTokenizer
from worldline.train import (
    Checkpoint,
    Data,
    Ledger,
    ObjectiveTask,
    Recipe,
    Stage,
    TokenizerTask,
    Trainer,
    TrajectoryTask,
    Workers,
    train_world,
)
from worldline.train.objectives import (
    MaskedVideo,
    NextFrame,
    Reading,
    SketchedGaussian,
    StateAlignment,
)
from worldline.train.recipe import _make_shards
from worldline.world import World

pytestmark = [  # Ray's own, about options that it sets itself
    pytest.mark.filterwarnings("ignore::DeprecationWarning:ray"),
    pytest.mark.filterwarnings("ignore::FutureWarning:ray"),
]

SHAPE = {"stem_width": 8, "width": 16, "depth": 3, "heads": 2}
TRAINER = Trainer.Config(
    steps=12, learning_rate=2e-3, warmup=2, checkpoint_every=4, log_every=1, half=False
)
STEERED = ControlEncoder.Config(action_size=2, dropout=0.3)
CONVOLUTIONS = {"fine_width": 8, "coarse_width": 8, "fine_depth": 2, "coarse_depth": 1}
WORLDS = {
    "flow": World.Config(
        tokenizer=ContinuousTokenizer.Config(
            channels=4, **CONVOLUTIONS, perceptual_weight=0.5, adversarial_weight=0.1
        ),
        dynamics=FlowDynamics.Config(channels=4, **SHAPE, controls=STEERED, shortcut_doublings=1),
        readout=LatentReadout.Config(channels=4, width=8, depth=2),
        trajectory=TrajectoryForecaster.Config(
            fine_width=8, width=16, depth=3, late_depth=1, heads=1
        ),
    ),
    "codes": World.Config(
        tokenizer=DiscreteTokenizer.Config(levels=(4, 3), **CONVOLUTIONS),
        dynamics=AutoregressiveDynamics.Config(levels=(4, 3), **SHAPE),
        readout=LatentReadout.Config(channels=2, width=8, depth=1),
        trajectory=None,
    ),
    "features": World.Config(
        tokenizer=RepresentationTokenizer.Config(
            channels=4, width=16, depth=2, heads=2, decoder_width=8, decoder_depth=1
        ),
        dynamics=JepaDynamics.Config(channels=4, **SHAPE),
        readout=LatentReadout.Config(channels=4, width=8, depth=1),
        trajectory=None,
    ),
}
ENCODED = ObjectiveTask.Config(
    ("tokenizer", "dynamics"),
    (
        NextFrame.Config(),
        MaskedVideo.Config(width=16, depth=2),
        SketchedGaussian.Config(num_directions=8),
        StateAlignment.Config(width=16),
    ),
    augmented=False,
)
PLAIN = ObjectiveTask.Config(augmented=False)
READING = ObjectiveTask.Config(("readout",), (Reading.Config(noise=0.3),), augmented=False)
SENSITIVE = {"critic": 5e-3, "fooling": 2e-2, "edges": 1e-3, "latent_size": 2e-3}
"""Parts of the loss of "pictures" that amplify rounding, as Adam's first steps go by signs: weights
moved by 1e-7 of their size move them by 1e-3, 9e-3, 2e-4 and 4e-4 in 12 steps of one process."""
# Name: world, task, clips of a batch (3 do not divide evenly), frames.
STAGES = {
    "pictures": ("flow", TokenizerTask.Config(), 3, 1),
    "flow": ("flow", PLAIN, 4, 4),
    "reading": ("flow", READING, 3, 3),
    "trajectory": ("flow", TrajectoryTask.Config(), 3, 1),
    "codes": ("codes", TokenizerTask.Config(), 2, 1),
    "autoregressive": ("codes", PLAIN, 3, 4),
    "jepa": ("features", PLAIN, 4, 4),
    "encoded": ("features", ENCODED, 3, 4),
}


@pytest.fixture(scope="module")
def cluster():
    with ray_session("local", num_workers=2):
        yield


@pytest.fixture(scope="module")
def tasks(tmp_path_factory) -> dict:
    folder = tmp_path_factory.mktemp("data")
    data = Data("data", ("driven_disc",), 5, tracked=True)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        worlds = {name: config.build() for name, config in WORLDS.items()}
        shards = _make_shards(data, worlds["flow"], 0, folder, 1, lambda *told: None)
        made = {
            name: task.build(worlds[world], shards, seed=0, batch=batch, length=length)
            for name, (world, task, batch, length) in STAGES.items()
        }
    # Half precision rounds by how many rows there are, so frozen parts compute in fp32 here.
    for task in made.values():
        for part in getattr(task, "frozen", {}).values():
            part.float()
    return made


class Stop(Exception):  # noqa: N818
    pass


def stop_at(last: int):
    def stop(step, losses):
        if step == last:
            raise Stop

    return stop


def losses(folder: Path) -> dict[str, torch.Tensor]:
    lines = [json.loads(line) for line in (folder / "losses.jsonl").read_text().splitlines()]
    return {name: torch.tensor([line[name] for line in lines]) for name in lines[0]}


def alone(task, folder: Path, trainer: Trainer.Config = TRAINER, **options) -> Ledger:
    return trainer.build().run(copy.deepcopy(task), folder, **options)


def test_two_workers_train_as_one_does(cluster, tasks, tmp_path):
    half = replace(TRAINER, half=True)
    alone_then_two, two_then_alone = tmp_path / "alone_then_two", tmp_path / "two_then_alone"
    with pytest.raises(Stop):
        alone(tasks["flow"], alone_then_two, on_step=stop_at(6))

    def work(team, device):
        ledgers = {}
        for name, task in tasks.items():
            ledgers[name] = TRAINER.build().run(
                copy.deepcopy(task), tmp_path / "two" / name, team=team
            )
        half.build().run(copy.deepcopy(tasks["flow"]), tmp_path / "two" / "half", team=team)
        TRAINER.build().run(copy.deepcopy(tasks["flow"]), alone_then_two, team=team)
        try:
            TRAINER.build().run(
                copy.deepcopy(tasks["flow"]), two_then_alone, team=team, on_step=stop_at(6)
            )
        except Stop:
            return ledgers

    ledgers = launch(work, num_workers=2, folder=tmp_path / "ray", retries=0)
    for name, task in tasks.items():
        ledger = alone(task, tmp_path / "one" / name)
        one, two = losses(tmp_path / "one" / name), losses(tmp_path / "two" / name)
        assert set(one) == set(two)
        assert len(two["total"]) == TRAINER.steps
        for part, values in one.items():
            told = f"{name} {part}"
            torch.testing.assert_close(two[part][:2], values[:2], rtol=1e-4, atol=1e-5, msg=told)
            rtol = SENSITIVE.get(part, 1e-4) if name == "pictures" else 1e-4
            torch.testing.assert_close(two[part], values, rtol=rtol, atol=1e-5, msg=told)
        assert ledgers[name].frames_seen == ledger.frames_seen
        assert ledger.flop <= ledgers[name].flop <= 1.8 * ledger.flop  # rows that are repeated
    alone(tasks["flow"], two_then_alone)
    same = Checkpoint.load(tmp_path / "one" / "flow")
    for folder in (alone_then_two, two_then_alone, tmp_path / "two" / "flow"):
        found = Checkpoint.load(folder)
        assert found.tensors.keys() == same.tensors.keys()
        for name, tensor in same.tensors.items():
            assert found.tensors[name].dtype == tensor.dtype
            if not name.startswith("optimizer"):
                torch.testing.assert_close(found.tensors[name], tensor, rtol=1e-3, atol=1e-4)
    alone(tasks["flow"], tmp_path / "one" / "half", half)
    one, two = losses(tmp_path / "one" / "half"), losses(tmp_path / "two" / "half")
    torch.testing.assert_close(two["total"], one["total"], rtol=2e-2, atol=0)


def test_workers_that_die_are_started_again(cluster, tasks, tmp_path):
    mark, folder = tmp_path / "died", tmp_path / "run"

    def work(team, device):
        def die(step, losses):
            if step == 6 and team.rank == 1 and not mark.exists():
                mark.touch()
                os._exit(1)

        return TRAINER.build().run(copy.deepcopy(tasks["jepa"]), folder, team=team, on_step=die)

    ledger = launch(work, num_workers=2, folder=tmp_path / "ray", retries=1)
    assert mark.exists()
    assert ledger.sessions == 2
    alone(tasks["jepa"], tmp_path / "one")
    torch.testing.assert_close(
        losses(folder)["total"], losses(tmp_path / "one")["total"], rtol=1e-4, atol=0
    )


def test_errors_of_the_work_and_too_many_deaths(cluster, tmp_path):
    def refuse(team, device):
        (tmp_path / f"called-{team.rank}").open("a").write("x")
        raise InputError("this cannot be trained")

    with pytest.raises(InputError, match=r"^this cannot be trained$"):
        launch(refuse, num_workers=1, folder=tmp_path / "ray", retries=2)
    assert (tmp_path / "called-0").read_text() == "x"  # no second try

    def crash(team, device):
        raise KeyError("lost")

    with pytest.raises(WorkersLostError, match="the workers died 1 times"):
        launch(crash, num_workers=1, folder=tmp_path / "ray", retries=0)


def test_a_recipe_is_trained_by_workers(cluster, tmp_path):
    recipe = Recipe(
        world=WORLDS["features"],
        data=(Data("data", ("disc_uniform",), 4),),
        stages=(Stage("dynamics", PLAIN, "data", TRAINER, batch=2, length=4),),
    )
    told = []

    def tell(stage, step, steps, losses):
        if stage == "dynamics":
            told.append(step)

    two, ledgers = train_world(recipe, tmp_path / "two", workers=Workers(2), on_step=tell)
    one, alone_ledgers = train_world(recipe, tmp_path / "one")
    assert told == list(range(1, 13))
    assert ledgers["dynamics"].frames_seen == alone_ledgers["dynamics"].frames_seen == 12 * 2 * 4
    assert ledgers["dynamics"].flop == pytest.approx(alone_ledgers["dynamics"].flop)
    for name, value in one.dynamics.state_dict().items():
        torch.testing.assert_close(two.dynamics.state_dict()[name], value, rtol=1e-3, atol=1e-4)
    with pytest.raises(InputError, match="a batch of the stage dynamics has 2 clips"):
        train_world(recipe, tmp_path / "three", workers=Workers(3))
