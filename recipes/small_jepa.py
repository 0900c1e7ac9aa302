"""The bundled world `small-jepa`: mixed simulated domains, representations instead of pixels.

    worldline train small_jepa --out runs/small-jepa

One encoder learns from three objectives at once: its own next latents (V-JEPA 2 and LeWorldModel:
gradients through both sides, SIGReg against collapse), hidden parts of the video, and the state
that the simulator knows. Then dynamics learn further on the finished latents. A decoder, trained
last, is for looking only. Data, schedule and cost are repeated on the world's card.
"""

from worldline.dynamics import JepaDynamics
from worldline.readout.latent import LatentReadout
from worldline.sim import FIRST_FAMILIES
from worldline.tokenizer import RepresentationTokenizer
from worldline.train import Data, ObjectiveTask, Recipe, Stage, TokenizerTask, Trainer, size_named
from worldline.train.objectives import (
    MaskedVideo,
    NextFrame,
    Reading,
    SketchedGaussian,
    StateAlignment,
)
from worldline.world import World


def recipe() -> Recipe:
    """Sized for a quarter of an hour of one core without half precision."""
    shape = size_named("nano")
    tokenizer = RepresentationTokenizer.Config(**shape.of_view())
    return Recipe(
        held_out=91,
        world=World.Config(
            name="small-jepa",
            tokenizer=tokenizer,
            dynamics=JepaDynamics.Config(
                **shape.of_dynamics(), channels=tokenizer.channels, window=16
            ),
            readout=LatentReadout.Config(**shape.of_readout(), channels=tokenizer.channels),
            trajectory=None,
        ),
        data=(Data("data", FIRST_FAMILIES, 1300),),
        stages=(
            Stage(
                "encoder",
                ObjectiveTask.Config(
                    ("tokenizer", "dynamics"),
                    (
                        NextFrame.Config(),
                        SketchedGaussian.Config(weight=2.0, num_directions=32),
                        MaskedVideo.Config(width=64, depth=2, decay=0.99),
                        StateAlignment.Config(),
                    ),
                ),
                "data",
                Trainer.Config(
                    steps=220,
                    learning_rate=2e-3,
                    warmup=30,
                    average_decay=0.99,
                    checkpoint_every=25,
                ),
                batch=16,
                length=6,
            ),
            Stage(
                "dynamics",
                ObjectiveTask.Config(("dynamics",), (NextFrame.Config(),)),
                "data",
                Trainer.Config(
                    steps=240,
                    learning_rate=2e-3,
                    warmup=30,
                    average_decay=0.99,
                    checkpoint_every=50,
                ),
                batch=8,
                length=16,
            ),
            Stage(
                "decoder",
                TokenizerTask.Config(),
                "data",
                Trainer.Config(
                    steps=450,
                    learning_rate=3e-3,
                    warmup=30,
                    average_decay=0.99,
                    checkpoint_every=100,
                ),
                batch=32,
                length=1,
            ),
            Stage(
                "readout",
                ObjectiveTask.Config(("readout",), (Reading.Config(noise=0.3),)),
                "data",
                Trainer.Config(
                    steps=120,
                    learning_rate=2e-3,
                    warmup=20,
                    average_decay=0.99,
                    checkpoint_every=50,
                ),
                batch=8,
                length=6,
            ),
        ),
    )
