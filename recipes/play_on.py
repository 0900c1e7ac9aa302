"""Train a world to play in on from weights that it has, on other recordings of its environment.

    worldline record --env worldline.sim.sandbox:worldline/Sandbox-v0 \
        --policy worldline.sim.sandbox:press_keys --episodes 480 --max-frames 120 --out out/sandbox
    worldline train play_on --start sandbox --data out/sandbox --out runs/sandbox

As `recipes/play.py` trains, with moments in which something is set in motion drawn more often and
still cells weighted more. If asked, on the world's own rollouts besides. A readout of rewards
learns from these recordings, too, where they tell any.
"""

from dataclasses import replace

from worldline.core.errors import InputError
from worldline.data.recorded import Recorded, open_recording
from worldline.dynamics import FlowDynamics
from worldline.train import ObjectiveTask, Recipe, RewardTask, Stage, Trainer
from worldline.train.objectives import NextFrame, SelfForcing
from worldline.world import World


def recipe(
    data: str,
    start: str,
    steps: int = 1600,
    forced_steps: int = 0,
    stirred_share: float = 0.5,
) -> Recipe:
    """About half an hour on one core, and some minutes more for rewards.

    Args:
        data: folder of the episodes, whose actions are those that the world takes.
        start: the world, bundled or a folder.
        steps: of learning from true frames.
        forced_steps: of learning from true frames and at once from its own rollouts, under a low
            threshold of change, after that; none, because 300 of them made the sandbox worse.
        stirred_share: share of the clips that are drawn by how much is set in motion in them.

    Raises:
        InputError: it is no world of next-frame flow, or takes other actions.
    """
    world, recording = World.from_pretrained(start), open_recording(Recorded(folder=data))
    dynamics = world.config.dynamics
    if not isinstance(dynamics, FlowDynamics.Config) or world.inverse is not None:
        raise InputError(f"the world {world.name} has no flow dynamics under known actions")
    if recording.action_size != world.action_size:
        raise InputError(
            f"{data} has actions of {recording.action_size} numbers, {world.name} takes "
            f"{world.action_size}"
        )
    dynamics = replace(dynamics, weight_floor=0.3)
    if forced_steps:
        dynamics = replace(dynamics, shrinkage=0.1, onset=0.4)
    stages = [
        Stage(
            "dynamics",
            _task((NextFrame.Config(),), stirred_share),
            "data",
            Trainer.Config(steps=steps, learning_rate=8e-4, warmup=50),
            batch=8,
            length=16,
        ),
    ]
    if forced_steps:
        stages.append(
            Stage(
                "forced",
                _task((NextFrame.Config(), SelfForcing.Config(context=4)), stirred_share),
                "data",
                Trainer.Config(
                    steps=forced_steps, learning_rate=4e-4, warmup=50, average_decay=0.99
                ),
                batch=5,
                length=24,
            )
        )
    reward = world.config.reward
    if reward is not None and recording.tells_rewards:
        stages.append(
            Stage(
                "reward",
                RewardTask.Config(imagined=0.0) if reward.hindsight else RewardTask.Config(),
                "data",
                Trainer.Config(steps=min(1200, steps), learning_rate=2e-3, warmup=50),
                batch=128,
                length=24,
            )
        )
    return Recipe(
        held_out=48,
        world=replace(world.config, dynamics=dynamics),
        data=(recording.config,),
        stages=tuple(stages),
        seed=7,
    )


def _task(objectives: tuple, stirred_share: float) -> ObjectiveTask.Config:
    """Of the dynamics; what is told by actions must not be mirrored."""
    return ObjectiveTask.Config(
        ("dynamics",), objectives, augmented=False, stirred_share=stirred_share
    )
