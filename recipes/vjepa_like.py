"""After Meta's V-JEPA 2: representations that are predicted, not painted.

    worldline train recipes/vjepa_like --out runs/vjepa

The encoder learns from masked video with a moving-average target and from what the simulator knows
of the state, and its features are kept spread like a Gaussian (SIGReg); then dynamics learn to
predict them one frame ahead and further; a decoder, trained last, is for looking only. The default
size trains in minutes on a core.
"""

from worldline.dynamics import JepaDynamics
from worldline.readout.latent import LatentReadout
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


def recipe(size: str = "nano") -> Recipe:
    """Discs that coast, fly and collide, and falling bodies."""
    shape = size_named(size)
    tokenizer = RepresentationTokenizer.Config(**shape.of_view())
    return Recipe(
        held_out=26,
        world=World.Config(
            name=f"vjepa-like-{size}",
            tokenizer=tokenizer,
            dynamics=JepaDynamics.Config(
                **shape.of_dynamics(), channels=tokenizer.channels, relative=True, shrinkage=0.15
            ),
            readout=LatentReadout.Config(**shape.of_readout(), channels=tokenizer.channels),
            trajectory=None,
        ),
        data=(Data("data", ("disc_uniform", "disc_parabola", "disc_collision", "drop"), 600),),
        stages=(
            Stage(
                "encoder",
                ObjectiveTask.Config(
                    ("tokenizer",),
                    (
                        MaskedVideo.Config(width=64, depth=2, decay=0.99),
                        SketchedGaussian.Config(num_directions=32),
                        StateAlignment.Config(),
                    ),
                ),
                "data",
                Trainer.Config(steps=320, learning_rate=2e-3, warmup=30, average_decay=0.99),
                batch=12,
                length=6,
            ),
            Stage(
                "dynamics",
                ObjectiveTask.Config(("dynamics",), (NextFrame.Config(),)),
                "data",
                Trainer.Config(steps=320, learning_rate=3e-3, warmup=30, average_decay=0.99),
                batch=8,
                length=12,
            ),
            Stage(
                "decoder",
                TokenizerTask.Config(),
                "data",
                Trainer.Config(steps=700, learning_rate=3e-3, warmup=30, average_decay=0.99),
                batch=24,
                length=1,
            ),
            Stage(
                "readout",
                ObjectiveTask.Config(("readout",), (Reading.Config(noise=0.3),)),
                "data",
                Trainer.Config(steps=120, learning_rate=2e-3, warmup=10, average_decay=0.99),
                batch=8,
                length=6,
            ),
        ),
    )
