"""A world to play in, from episodes that were recorded in any environment.

    worldline record --env gym_pusht/PushT-v0 --episodes 300 --hold 8 --out out/pusht
    worldline train play --data out/pusht --out runs/pusht
    worldline play runs/pusht/world

Next-frame flow with actions on the pixels themselves, packed into cells, so that nothing fades by
being encoded again and again; one pass of a network of 3.4 M parameters makes a frame. What an
action earns and whether it ends the episode are learned where the episodes tell, from true frames
and from what the finished dynamics make of them.

From video without actions it learns latent ones first: what an inverse model has to say of two
frames so that a forward model can make the second of the first. `worldline adapt` then puts a real
controller in their place, by a few episodes whose actions are known.
"""

import sys
from pathlib import Path

from worldline.core.config import Config
from worldline.core.errors import InputError
from worldline.data.recorded import Recorded, open_recording
from worldline.dynamics import ControlEncoder, FlowDynamics, LatentActions
from worldline.readout.latent import LatentReadout
from worldline.readout.reward import RewardReadout
from worldline.tokenizer import PatchTokenizer
from worldline.train import (
    ObjectiveTask,
    Recipe,
    RewardTask,
    Stage,
    TokenizerTask,
    Trainer,
)
from worldline.train.objectives import HiddenActions, NextFrame, SelfForcing
from worldline.world import World

ROWS = 16
"""Cells a side, whatever the pictures' size: cells are what a frame costs."""


def recipe(
    data: str,
    steps: int = 2800,
    size: str = "64",
    forced_steps: int = 0,
    hindsight: bool = False,
    stirred_share: float = 0.0,
    onset: float = 0.0,
) -> Recipe:
    """Of the episodes in a folder; about forty minutes on one core.

    Args:
        data: the folder.
        steps: of the dynamics; no other stage takes more.
        size: side of the pictures in pixels, a multiple of 16 such as 96.
        forced_steps: of learning from the dynamics' own rollouts after that, two thirds of them on
            short clips and one third on long ones; none, because it made the sandbox worse.
        hindsight: rewards are read off what an action led to, and learned from true frames alone:
            nothing is paid for what is not to be seen, and ends are not told.
        stirred_share: share of the dynamics' clips that are drawn by how much is set in motion in
            them, where the episodes tell a state; 0 draws all alike.
        onset: change that something near a cell must have for the cell to change at all, so that
            the threshold of change can be low and what is pushed goes on; 0 asks for none.

    Raises:
        InputError: cells do not fill pictures of that size.
    """
    if not size.isdecimal() or not int(size) or int(size) % ROWS:
        raise InputError(
            f"its size is in pixels, a multiple of {ROWS} such as 64 or 96, not {size!r}"
        )
    recording = open_recording(Recorded(folder=data))
    step_s = 1 / recording.fps
    hidden = None if recording.action_size else LatentActions.Config()
    action_size = recording.action_size if hidden is None else hidden.action_size
    most = max(recording.most_reward, 1e-3)
    tokenizer = PatchTokenizer.Config(size_px=int(size), patch_px=int(size) // ROWS)
    rows = ROWS
    channels = 3 * tokenizer.patch_px**2
    stages = [
        Stage(
            "tokenizer",
            TokenizerTask.Config(),
            "data",
            Trainer.Config(steps=10, warmup=2),
            batch=32,
            length=1,
        ),
        *([] if hidden is None else [_inverse(min(2500, steps))]),
        Stage(
            "dynamics",
            _task("dynamics", NextFrame.Config(inferred=hidden is not None), stirred_share),
            "data",
            Trainer.Config(steps=steps, learning_rate=2e-3, warmup=50),
            batch=8,
            length=16,
        ),
    ]
    if forced_steps:
        stages += [
            _forced("short", (2 * forced_steps + 2) // 3, batch=8, length=16),
            _forced("long", (forced_steps + 2) // 3, batch=4, length=32),
        ]
    has_rewards = recording.tells_rewards and hidden is None
    if recording.has_rewards and not recording.tells_rewards:
        print("all rewards are 0 and no episode ends by itself: none are learned", file=sys.stderr)
    if has_rewards:
        stages.append(
            Stage(
                "reward",
                RewardTask.Config(imagined=0.0) if hindsight else RewardTask.Config(),
                "data",
                Trainer.Config(steps=min(1200, steps), learning_rate=2e-3, warmup=50),
                batch=128,
                length=24,
            )
        )
    return Recipe(
        held_out=48,
        world=World.Config(
            name=Path(data).name,
            tokenizer=tokenizer,
            dynamics=FlowDynamics.Config(
                rows=rows,
                channels=channels,
                stem_width=64,
                width=192,
                depth=6,
                heads=3,
                coarse=4,
                level_zero_share=0.75,
                mends=True,
                onset=onset,
                controls=ControlEncoder.Config(action_size=action_size, everywhere=True),
            ),
            readout=LatentReadout.Config(rows=rows, channels=channels, width=32, depth=1),
            trajectory=None,
            reward=(
                RewardReadout.Config(
                    rows=rows,
                    channels=channels,
                    action_size=action_size,
                    most=most,
                    hindsight=hindsight,
                )
                if has_rewards
                else None
            ),
            inverse=hidden,
            step_min_s=step_s,
            step_max_s=step_s,
        ),
        data=(recording.config,),
        stages=tuple(stages),
    )


def _inverse(steps: int) -> Stage:
    """Some six minutes of one core for 2500 steps."""
    return Stage(
        "inverse",
        _task("inverse", HiddenActions.Config(blind_share=1.0)),
        "data",
        Trainer.Config(steps=steps, learning_rate=2e-3, warmup=100),
        batch=48,
        length=3,
    )


def _forced(name: str, steps: int, *, batch: int, length: int) -> Stage:
    """Some second of one core for each step."""
    return Stage(
        name,
        _task("dynamics", SelfForcing.Config(context=4)),
        "data",
        Trainer.Config(steps=steps, learning_rate=4e-4, warmup=20, average_decay=0.98),
        batch=batch,
        length=length,
    )


def _task(part: str, objective: Config, stirred_share: float = 0.0) -> ObjectiveTask.Config:
    """What is told by actions must not be mirrored."""
    return ObjectiveTask.Config((part,), (objective,), augmented=False, stirred_share=stirred_share)
