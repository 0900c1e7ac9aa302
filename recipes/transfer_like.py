"""After NVIDIA's Cosmos-Transfer1: video from segmentation, depth and edges.

    worldline train recipes/transfer_like --out runs/transfer

Dynamics that see, beside the past, the sensor maps of the frame that they make. Maps are dropped
one by one and together in training, so that any of them drives alone and none has to be there.
The default size trains in minutes on one core.
"""

from worldline.dynamics import ControlEncoder, FlowDynamics
from worldline.readout.latent import LatentReadout
from worldline.tokenizer import ContinuousTokenizer
from worldline.train import Data, ObjectiveTask, Recipe, Stage, TokenizerTask, Trainer, size_named
from worldline.train.objectives import NextFrame, Reading
from worldline.world import World


def recipe(size: str = "nano") -> Recipe:
    """Bodies that fall and bounce."""
    shape = size_named(size)
    return Recipe(
        held_out=26,
        world=World.Config(
            name=f"transfer-like-{size}",
            tokenizer=ContinuousTokenizer.Config(**shape.of_tokenizer()),
            dynamics=FlowDynamics.Config(
                **shape.of_dynamics(),
                controls=ControlEncoder.Config.of(
                    map_names=("segmentation", "depth", "edges"), map_dropout=0.3
                ),
                unrolled_share=0.25,
            ),
            readout=LatentReadout.Config(**shape.of_readout()),
            trajectory=None,
        ),
        data=(Data("data", ("drop", "bounce"), 500),),
        stages=(
            Stage(
                "tokenizer",
                TokenizerTask.Config(),
                "data",
                Trainer.Config(steps=300, learning_rate=3e-3, warmup=30),
                batch=32,
                length=1,
            ),
            Stage(
                "dynamics",
                ObjectiveTask.Config(("dynamics",), (NextFrame.Config(),)),
                "data",
                Trainer.Config(steps=900, learning_rate=2e-3, warmup=50),
                batch=8,
                length=8,
            ),
            Stage(
                "readout",
                ObjectiveTask.Config(("readout",), (Reading.Config(noise=0.3),)),
                "data",
                Trainer.Config(steps=60, learning_rate=2e-3, warmup=5),
                batch=16,
                length=8,
            ),
        ),
    )
