"""After Meta's V-JEPA 2: representations that are predicted, not painted.

    worldline train recipes/vjepa_like --out runs/vjepa

The encoder learns from masked video with a moving-average target and from what the simulator knows
of the state; then dynamics learn to predict its features one frame ahead and further; a decoder,
trained last, is for looking only. The default size trains in minutes on two cores.
"""

from worldline.dynamics import JepaDynamics
from worldline.readout.latent import LatentReadout
from worldline.tokenizer import RepresentationTokenizer
from worldline.train import Data, ObjectiveTask, Recipe, Stage, TokenizerTask, Trainer, size_named
from worldline.train.objectives import MaskedVideo, NextFrame, Reading, StateAlignment
from worldline.world import World


def recipe(size: str = "nano") -> Recipe:
    """Discs that coast, fly and collide, and falling bodies."""
    shape = size_named(size)
    tokenizer = RepresentationTokenizer.Config(**shape.of_view())
    return Recipe(
        held_out=39,
        world=World.Config(
            name=f"vjepa-like-{size}",
            tokenizer=tokenizer,
            dynamics=JepaDynamics.Config(**shape.of_dynamics(), channels=tokenizer.channels),
            readout=LatentReadout.Config(**shape.of_readout(), channels=tokenizer.channels),
            trajectory=None,
        ),
        data=(Data("data", ("disc_uniform", "disc_parabola", "disc_collision", "drop"), 1200),),
        stages=(
            Stage(
                "encoder",
                ObjectiveTask.Config(
                    ("tokenizer",), (MaskedVideo.Config(), StateAlignment.Config())
                ),
                "data",
                Trainer.Config(steps=700, learning_rate=1e-3, warmup=50),
                batch=16,
                length=8,
            ),
            Stage(
                "dynamics",
                ObjectiveTask.Config(("dynamics",), (NextFrame.Config(),)),
                "data",
                Trainer.Config(steps=600, learning_rate=2e-3, warmup=50),
                batch=16,
                length=16,
            ),
            Stage(
                "decoder",
                TokenizerTask.Config(),
                "data",
                Trainer.Config(steps=800, learning_rate=2e-3, warmup=50),
                batch=32,
                length=1,
            ),
            Stage(
                "readout",
                ObjectiveTask.Config(("readout",), (Reading.Config(noise=0.3),)),
                "data",
                Trainer.Config(steps=200, learning_rate=2e-3, warmup=20),
                batch=16,
                length=8,
            ),
        ),
    )
