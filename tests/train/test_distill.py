"""Distillation: the student learns where its teacher's steps lead, and resumes exactly."""

from dataclasses import replace

import pytest
import torch

from worldline.core.errors import InputError
from worldline.core.latents import Controls, Latents
from worldline.data.shards import Shards
from worldline.dynamics import ControlEncoder, FlowDynamics, JepaDynamics
from worldline.nn import KeyValue
from worldline.readout.latent import LatentReadout
from worldline.tokenizer import ContinuousTokenizer
from worldline.train import (
    ObjectiveTask,
    Trainer,
    distill_world,
    distillation_recipe,
    halvings,
)
from worldline.train.objectives import Distillation
from worldline.world import World
from worldline.world.steps import at_steps

SHAPE = {"channels": 4, "stem_width": 8, "width": 16, "depth": 3, "heads": 2}
KINDS = {
    "plain": FlowDynamics.Config(**SHAPE, num_steps=4),
    "shortcut": FlowDynamics.Config(**SHAPE, num_steps=4, shortcut_doublings=2),
}
TRAINER = Trainer.Config(
    steps=8, learning_rate=2e-3, warmup=2, checkpoint_every=3, log_every=1, average_decay=0.9
)


def make(dynamics) -> World:
    """Weights are shaken, so that a step of the teacher depends on where it starts."""
    config = World.Config(
        name="nano",
        tokenizer=ContinuousTokenizer.Config(
            channels=4, fine_width=8, coarse_width=8, fine_depth=1, coarse_depth=1
        ),
        dynamics=dynamics,
        readout=LatentReadout.Config(channels=4, width=8, depth=1),
        trajectory=None,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        world = config.build()
        with torch.no_grad():
            for parameter in world.dynamics.parameters():
                parameter.add_(0.1 * torch.randn_like(parameter))
    return world


@pytest.fixture(params=KINDS)
def teacher(request) -> World:
    return make(KINDS[request.param])


def plan(
    teacher: World,
    *,
    steps: int = 1,
    trainer: Trainer.Config = TRAINER,
    seed: int = 0,
    family: str = "disc_uniform",
):
    return distillation_recipe(
        teacher,
        steps=steps,
        teacher_steps=4,
        families=(family,),
        num_clips=3,
        trainer=trainer,
        batch=2,
        length=4,
        seed=seed,
    )


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_steps_are_halved_round_by_round():
    assert halvings(8, 1) == ((8, 4), (4, 2), (2, 1))
    assert halvings(8, 2) == ((8, 4), (4, 2))
    assert halvings(12, 2) == ((12, 6), (6, 2))
    assert halvings(3, 1) == ((3, 1),)
    for teacher, student in ((1, 1), (4, 8), (8, 3), (8, 0)):
        with pytest.raises(InputError, match="must be fewer and divide"):
            halvings(teacher, student)


def test_the_aim_of_one_step_is_the_teachers_own_sample(teacher):
    """From pure noise, one student step to the aim lands where `FlowDynamics.step` lands."""
    plain = replace(teacher.dynamics.config, shrinkage=0.0)
    dynamics = plain.build()
    dynamics.load_state_dict(teacher.dynamics.state_dict())
    x = torch.randn(2, 1, 64, 4, generator=seeded(1))
    # a clip of one frame stands before itself: no past, nothing moved
    noise = torch.randn(x.shape, generator=seeded(2))
    carry = dynamics.init(Latents(x, (8, 8)), Controls(), seeded(2))
    empty = tuple(KeyValue(kv.key[:, :, :0], kv.value[:, :, :0]) for kv in carry.cache)
    state = seeded(2).get_state()
    bare = replace(carry, cache=empty, num_frames=0, generator_state=state)
    _, sample = dynamics.step(bare, Controls())
    objective = Distillation.Config(teacher_steps=4, student_steps=1).build(teacher)
    aim = objective._aim(noise, x, torch.zeros(2, 1), Controls())
    torch.testing.assert_close(aim, sample.tokens, rtol=1e-4, atol=1e-4)


def test_a_step_to_the_aim_lands_where_the_teacher_does(teacher):
    """Half way up: two steps of a quarter, or one of a half to the aim."""
    objective = Distillation.Config(teacher_steps=4, student_steps=2).build(teacher)
    x, noised = (torch.randn(1, 3, 64, 4, generator=seeded(k)) for k in (1, 2))
    level = torch.tensor([[0.0, 0.5, 0.0]])
    aim = objective._aim(noised, x, level, Controls())
    landed = noised + 0.5 / (1 - level[..., None, None]) * (aim - noised)
    quarter, at, tau = torch.full((1, 3), 0.25), noised, level
    for _ in range(2):
        given = teacher.dynamics._inputs(at, x)
        clean = teacher.dynamics.clean(given, Controls(), level=tau, step=quarter)[0]
        at = at + 0.25 / (1 - tau[..., None, None]) * (clean - at)
        tau = tau + 0.25
    torch.testing.assert_close(landed, at, rtol=1e-4, atol=1e-4)


def test_a_student_equal_to_its_teacher_has_nothing_to_learn(teacher):
    """As many steps as the teacher, from the same weights: no error but rounding."""
    objective = Distillation.Config(teacher_steps=4, student_steps=4).build(teacher)
    x, noised = (torch.randn(2, 3, 64, 4, generator=seeded(k)) for k in (1, 2))
    level = torch.tensor([[0.0, 0.25, 0.75], [0.5, 0.5, 0.0]])
    aim = objective._aim(noised, x, level, Controls())
    given, quarter = teacher.dynamics._inputs(noised, x), torch.full((2, 3), 0.25)
    clean = teacher.dynamics.clean(given, Controls(), level=level, step=quarter)[0]
    torch.testing.assert_close(aim, clean, rtol=1e-4, atol=1e-4)


def test_the_student_learns_and_says_its_steps(teacher, tmp_path):
    recipe = plan(teacher, steps=2, trainer=replace(TRAINER, steps=40, average_decay=0.8))
    before = {k: v.clone() for k, v in teacher.dynamics.state_dict().items()}
    student, ledgers = distill_world(teacher, recipe, tmp_path)
    assert list(ledgers) == ["distil-4-to-2"]
    assert student.dynamics.config.num_steps == student.config.dynamics.num_steps == 2
    assert student.name == "nano-2-step"
    assert all(torch.equal(before[k], v) for k, v in teacher.dynamics.state_dict().items())
    kept = teacher.tokenizer.state_dict()
    assert all(torch.equal(kept[k], v) for k, v in student.tokenizer.state_dict().items())
    untaught, taught = held_out(teacher, teacher, tmp_path), held_out(teacher, student, tmp_path)
    assert taught < 0.7 * untaught
    student.save(tmp_path / "world", dtype=None)
    again = World.from_pretrained(tmp_path / "world")
    assert again.config.dynamics.num_steps == 2


def held_out(teacher: World, student: World, folder) -> float:
    """Loss on batches that training did not see."""
    objective = Distillation.Config(teacher_steps=4, student_steps=2)
    task = ObjectiveTask.Config(("dynamics",), (objective,)).build(
        teacher, Shards.open(folder / "data"), seed=9, batch=2, length=4
    )
    losses = []
    for step in range(4):
        batch = task.batch(step, seeded(step))
        latents = teacher.tokenizer.encode(batch.frames)
        with torch.no_grad():
            found = task.model["objectives"][0].loss(
                student.parts, batch, latents, seeded(100 + step)
            )
        losses.append(float(found["error"]))
    return sum(losses) / len(losses)


class Stop(Exception):  # noqa: N818
    pass


def test_an_interrupted_run_gives_the_same_student(tmp_path):
    """Cut in the second round, when the teacher is no longer what the command started with."""
    teacher = make(KINDS["shortcut"])
    whole, _ = distill_world(teacher, plan(teacher), tmp_path / "whole")

    def stop(stage, step, steps, losses):
        if (stage, step) == ("distil-2-to-1", 5):
            raise Stop

    with pytest.raises(Stop):
        distill_world(teacher, plan(teacher), tmp_path / "cut", on_step=stop)
    again, _ = distill_world(teacher, plan(teacher), tmp_path / "cut")
    mine, theirs = whole.dynamics.state_dict(), again.dynamics.state_dict()
    assert all(torch.equal(mine[k], theirs[k]) for k in mine)
    assert not torch.equal(
        mine["network.enter.weight"], teacher.dynamics.state_dict()["network.enter.weight"]
    )


def test_a_folder_belongs_to_one_teacher_and_recipe(tmp_path):
    teacher = make(KINDS["plain"])
    short = plan(teacher, steps=2, trainer=replace(TRAINER, steps=1))
    distill_world(teacher, short, tmp_path)
    with pytest.raises(InputError, match="holds a run of another recipe"):
        distill_world(teacher, plan(teacher, seed=1), tmp_path)
    other = make(KINDS["plain"])
    with torch.no_grad():
        other.dynamics.network.place.add_(1.0)
    with pytest.raises(InputError, match="holds a run from another teacher"):
        distill_world(other, short, tmp_path)


def test_what_cannot_be_distilled_is_refused():
    jepa = make(JepaDynamics.Config(**SHAPE))
    with pytest.raises(InputError, match="only flow worlds have a number of them"):
        plan(jepa)
    with pytest.raises(InputError, match="only flow worlds can be distilled"):
        Distillation.Config().build(jepa)
    shortcut = make(KINDS["shortcut"])
    with pytest.raises(InputError, match="in 8 steps; give a divisor of 4"):
        at_steps(shortcut, 8)
    with pytest.raises(InputError, match="in 0 steps; give at least 1"):
        at_steps(make(KINDS["plain"]), 0)
    driven = make(replace(KINDS["plain"], controls=ControlEncoder.Config(action_size=2)))
    with pytest.raises(InputError, match="2 numbers, but clips of disc_uniform have 0"):
        plan(driven)
    turning = ControlEncoder.Config(action_size=2, rays=True)
    with pytest.raises(InputError, match="takes controls beside actions"):
        plan(make(replace(KINDS["plain"], controls=turning)), family="driven_disc")
    with pytest.raises(ValueError, match="must divide the teacher's 4"):
        Distillation.Config(teacher_steps=4, student_steps=3).build(shortcut)


def test_the_student_of_a_driven_world_hears_actions_too(tmp_path):
    """Its clips come with actions and stay as they are, because actions say where things go."""
    controls = ControlEncoder.Config(action_size=2, dropout=0.0)
    teacher = make(replace(KINDS["plain"], controls=controls))
    recipe = plan(teacher, family="driven_disc")
    assert [stage.task.augmented for stage in recipe.stages] == [False, False]
    distill_world(teacher, recipe, tmp_path)
    shards = Shards.open(tmp_path / "data")
    task = recipe.stages[0].task.build(teacher, shards, seed=0, batch=2, length=4)
    given = task.batch(0, seeded(0)).controls
    assert given.actions.shape == (2, 4, 2)
    assert given.actions[:, 1:].abs().sum() > 0


def test_other_steps_share_the_weights():
    world = make(KINDS["plain"])
    twin = at_steps(world, 2)
    assert twin.config.dynamics.num_steps == twin.dynamics.config.num_steps == 2
    assert twin.dynamics.network is world.dynamics.network
    assert world.dynamics.config.num_steps == 4
