"""A world of mixed simulated domains that predicts representations instead of pixels.

    worldline train small_jepa --out runs/small-jepa

One encoder learns from three objectives at once: its own next latents (V-JEPA 2 and LeWorldModel:
gradients through both sides, SIGReg against collapse), hidden parts of the video, and the state
that the simulator knows. Then dynamics learn further on the finished latents. A decoder, trained
last, is for looking only. Data, schedule and cost are repeated on the card of the bundled world
`small-jepa`, which this made.
"""

from worldline.dynamics import JepaDynamics
from worldline.readout.latent import LatentReadout
from worldline.sim import FIRST_FAMILIES
from worldline.tokenizer import RepresentationTokenizer
from worldline.train import Data, ObjectiveTask, Recipe, Stage, TokenizerTask, Trainer
from worldline.train.objectives import (
    MaskedVideo,
    NextFrame,
    Reading,
    SketchedGaussian,
    StateAlignment,
)
from worldline.world import World


def recipe() -> Recipe:
    """32x32 pixels; half an hour of one core without half precision."""
    tokenizer = RepresentationTokenizer.Config(
        size_px=32, width=48, depth=2, heads=2, decoder_width=64, decoder_depth=1
    )
    return Recipe(
        held_out=78,
        world=World.Config(
            name="small-jepa",
            tokenizer=tokenizer,
            dynamics=JepaDynamics.Config(
                rows=4,
                stem_width=24,
                width=48,
                depth=3,
                heads=2,
                window=16,
                relative=True,
                shrinkage=0.15,
            ),
            readout=LatentReadout.Config(channels=tokenizer.channels, rows=4, width=32, depth=1),
            trajectory=None,
        ),
        data=(Data("data", FIRST_FAMILIES, 3900),),
        stages=(
            Stage(
                "encoder",
                ObjectiveTask.Config(
                    ("tokenizer", "dynamics"),
                    (
                        NextFrame.Config(),
                        SketchedGaussian.Config(weight=2.0, num_directions=32),
                        MaskedVideo.Config(width=48, depth=3, decay=0.995),
                        StateAlignment.Config(weight=0.5),
                    ),
                ),
                "data",
                Trainer.Config(
                    steps=3000,
                    learning_rate=3e-3,
                    warmup=100,
                    average_decay=0.995,
                    checkpoint_every=100,
                ),
                batch=12,
                length=5,
            ),
            Stage(
                "dynamics",
                ObjectiveTask.Config(("dynamics",), (NextFrame.Config(),)),
                "data",
                Trainer.Config(
                    steps=2500,
                    learning_rate=3e-3,
                    warmup=100,
                    average_decay=0.995,
                    checkpoint_every=100,
                ),
                batch=8,
                length=12,
            ),
            Stage(
                "decoder",
                TokenizerTask.Config(),
                "data",
                Trainer.Config(
                    steps=2000,
                    learning_rate=3e-3,
                    warmup=100,
                    average_decay=0.995,
                    checkpoint_every=100,
                ),
                batch=24,
                length=1,
            ),
            Stage(
                "readout",
                ObjectiveTask.Config(("readout",), (Reading.Config(noise=0.3),)),
                "data",
                Trainer.Config(
                    steps=500,
                    learning_rate=3e-3,
                    warmup=50,
                    average_decay=0.995,
                    checkpoint_every=100,
                ),
                batch=8,
                length=6,
            ),
        ),
    )
