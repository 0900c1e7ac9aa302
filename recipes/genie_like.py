"""After Google's Genie 2: latent diffusion, one frame after the other, driven by actions.

    worldline train recipes/genie_like --out runs/genie

A continuous tokenizer; dynamics that denoise each frame given the past and the action (diffusion
forcing) in one or more steps of any size (shortcut). The default size trains in minutes on two
cores.
"""

from worldline.core.config import Config
from worldline.dynamics import ControlEncoder, FlowDynamics
from worldline.readout.latent import LatentReadout
from worldline.tokenizer import ContinuousTokenizer
from worldline.train import Data, ObjectiveTask, Recipe, Stage, TokenizerTask, Trainer, size_named
from worldline.train.objectives import NextFrame, Reading
from worldline.world import World


def recipe(size: str = "nano") -> Recipe:
    """A disc that accelerates as it is told."""
    shape = size_named(size)
    return Recipe(
        held_out=26,
        world=World.Config(
            name=f"genie-like-{size}",
            tokenizer=ContinuousTokenizer.Config(**shape.of_tokenizer()),
            dynamics=FlowDynamics.Config(
                **shape.of_dynamics(),
                controls=ControlEncoder.Config(action_size=2),
                num_steps=2,
                shortcut_doublings=3,
            ),
            readout=LatentReadout.Config(**shape.of_readout()),
            trajectory=None,
        ),
        data=(Data("data", ("driven_disc",), 600),),
        stages=(
            Stage(
                "tokenizer",
                TokenizerTask.Config(),
                "data",
                Trainer.Config(steps=450, learning_rate=3e-3, warmup=50),
                batch=32,
                length=1,
            ),
            Stage(
                "dynamics",
                _task("dynamics", NextFrame.Config()),
                "data",
                Trainer.Config(steps=560, learning_rate=2e-3, warmup=50),
                batch=8,
                length=16,
            ),
            Stage(
                "readout",
                _task("readout", Reading.Config(noise=0.3)),
                "data",
                Trainer.Config(steps=120, learning_rate=2e-3, warmup=20),
                batch=8,
                length=8,
            ),
        ),
    )


def _task(part: str, objective: Config) -> ObjectiveTask.Config:
    """On latents that are made once: what is told by actions must not be mirrored anyway."""
    return ObjectiveTask.Config((part,), (objective,), augmented=False, cached=True)
