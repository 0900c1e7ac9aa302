"""The bundled world `small`: 64x64, mixed simulated domains.

    worldline train small --out runs/small

Data, schedule and cost are repeated on the world's card.
"""

from worldline.dynamics import BodyForecaster
from worldline.sim import FIRST_FAMILIES
from worldline.train import (
    BodyTask,
    Data,
    ObjectiveTask,
    Recipe,
    Stage,
    TokenizerTask,
    Trainer,
    TrajectoryTask,
)
from worldline.train.objectives import NextFrame, Reading
from worldline.world import World


def recipe() -> Recipe:
    """Sized for a few hours on two cores with AVX512-BF16 or AMX."""
    return Recipe(
        world=World.Config(name="small", bodies=BodyForecaster.Config()),
        held_out=390,
        data=(
            Data("look", ("drop", "throw", "bounce", "collide", "roll", "slide"), 3000),
            Data("data", FIRST_FAMILIES, 7800),
            Data("motion", FIRST_FAMILIES, 13000, tracked=True),
            Data("flow-motion", FIRST_FAMILIES, 5200, tracked=True),
            # discs three times as often: of most others no path is known well enough to be carried
            Data("paths", (*FIRST_FAMILIES, *FIRST_FAMILIES[-3:], *FIRST_FAMILIES[-3:]), 3800),
        ),
        stages=(
            Stage(
                "tokenizer",
                TokenizerTask.Config(),
                "look",
                Trainer.Config(steps=6000, learning_rate=2e-3, warmup=200, checkpoint_every=500),
                batch=64,
                length=1,
            ),
            Stage(
                "dynamics",
                ObjectiveTask.Config(("dynamics",), (NextFrame.Config(),)),
                "data",
                Trainer.Config(steps=1400, learning_rate=1.5e-3, warmup=100, checkpoint_every=50),
                batch=16,
                length=32,
            ),
            Stage(
                "readout",
                ObjectiveTask.Config(("readout",), (Reading.Config(noise=0.3),)),
                "data",
                Trainer.Config(steps=700, learning_rate=1e-3, warmup=50, checkpoint_every=100),
                batch=16,
                length=16,
            ),
            Stage(
                "trajectory",
                TrajectoryTask.Config(flow=False),
                "motion",
                Trainer.Config(steps=2600, learning_rate=1e-3, warmup=100, checkpoint_every=100),
                batch=64,
            ),
            Stage(
                "flow",
                TrajectoryTask.Config(flow=True),
                "flow-motion",
                Trainer.Config(
                    steps=640,
                    learning_rate=4e-4,
                    warmup=50,
                    average_decay=0.99,
                    checkpoint_every=25,
                ),
                batch=32,
            ),
            Stage(
                "bodies",
                BodyTask.Config(),
                "paths",
                Trainer.Config(
                    steps=3000,
                    learning_rate=3e-3,
                    warmup=50,
                    weight_decay=0.0,
                    half=False,
                    checkpoint_every=500,
                ),
                batch=128,
            ),
        ),
    )
