"""After NVIDIA Cosmos' autoregressive worlds: discrete tokens, predicted like words.

    worldline train recipes/cosmos_like --out runs/cosmos

A discrete tokenizer (finite scalar quantisation) and a transformer that learns to predict the
codes of the next frame cell by cell and, masked, many at once; it samples with the latter, which is
faster. The default size trains in minutes on two cores.
"""

from worldline.dynamics import AutoregressiveDynamics, MaskedParallel
from worldline.readout.latent import LatentReadout
from worldline.tokenizer import DiscreteTokenizer
from worldline.train import Data, ObjectiveTask, Recipe, Stage, TokenizerTask, Trainer, size_named
from worldline.train.objectives import NextFrame, Reading
from worldline.world import World


def recipe(size: str = "nano") -> Recipe:
    """Discs that coast, fly and collide, and falling bodies."""
    shape = size_named(size)
    tokenizer = DiscreteTokenizer.Config(**shape.of_tokenizer())
    return Recipe(
        held_out=39,
        world=World.Config(
            name=f"cosmos-like-{size}",
            tokenizer=tokenizer,
            dynamics=AutoregressiveDynamics.Config(
                **shape.of_dynamics(),
                levels=tokenizer.levels,
                decoder=MaskedParallel.Config(num_steps=4, temperature=0.5),
            ),
            readout=LatentReadout.Config(**shape.of_readout(), channels=len(tokenizer.levels)),
            trajectory=None,
            ensemble_noise=0.0,
        ),
        data=(Data("data", ("disc_uniform", "disc_parabola", "disc_collision", "drop"), 1200),),
        stages=(
            Stage(
                "tokenizer",
                TokenizerTask.Config(),
                "data",
                Trainer.Config(steps=1200, learning_rate=3e-3, warmup=100),
                batch=32,
                length=1,
            ),
            Stage(
                "dynamics",
                ObjectiveTask.Config(("dynamics",), (NextFrame.Config(),)),
                "data",
                Trainer.Config(steps=500, learning_rate=2e-3, warmup=50),
                batch=16,
                length=12,
            ),
            Stage(
                "readout",
                ObjectiveTask.Config(("readout",), (Reading.Config(),)),
                "data",
                Trainer.Config(steps=200, learning_rate=2e-3, warmup=20),
                batch=16,
                length=8,
            ),
        ),
    )
