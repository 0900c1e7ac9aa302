"""The bundled world `imagine`: clips from a sentence.

    worldline train imagine --reuse small --out runs/imagine
    worldline imagine "A red ball rolls into a tower of blocks." --out imagined

Flow dynamics driven by the embedding of each clip's caption; most of the clips that they learn
from are opened by a blank frame, so that first frames come from words and noise alone. Tokenizer
and readout are those of `small`: `--reuse small` takes them over, and without it they are trained
here, as recipes/small.py does. Needs the extra `text`. It knows what its families show; words for
anything else it has never met. `benchmarks/imagination.py` measures how far it follows its words.
"""

from worldline.dynamics import ControlEncoder, FlowDynamics
from worldline.train import Data, ObjectiveTask, Recipe, Stage, TokenizerTask, Trainer, size_named
from worldline.train.objectives import NextFrame, Reading
from worldline.world import World

FAMILIES = (
    "tower",
    "roll",
    "drop",
    "bounce",
    "collide",
    "disc_uniform",
    "disc_parabola",
    "disc_collision",
)


def recipe() -> Recipe:
    """A ball and a tower; bodies that roll, fall, bounce and collide; discs."""
    task = ObjectiveTask.Config(
        ("dynamics",), (NextFrame.Config(),), augmented=False, latest_start=3, cached=True
    )
    return Recipe(
        held_out=40,
        world=World.Config(
            name="imagine",
            dynamics=FlowDynamics.Config(
                **size_named("nano").of_dynamics(),
                controls=ControlEncoder.Config(text_size=768),
                unrolled_share=0.25,
                start_share=0.8,
            ),
            trajectory=None,
        ),
        data=(Data("data", FAMILIES, 6000),),
        stages=(
            Stage(
                "tokenizer",
                TokenizerTask.Config(),
                "data",
                Trainer.Config(steps=6000, learning_rate=2e-3, warmup=200, checkpoint_every=500),
                batch=64,
                length=1,
            ),
            # many short clips, because a clip holds only one first frame
            Stage(
                "openings",
                task,
                "data",
                Trainer.Config(steps=2000, learning_rate=2e-3, warmup=100),
                batch=96,
                length=2,
            ),
            Stage(
                "clips",
                task,
                "data",
                Trainer.Config(steps=300, learning_rate=1e-3, warmup=30),
                batch=12,
                length=12,
            ),
            Stage(
                "readout",
                ObjectiveTask.Config(("readout",), (Reading.Config(noise=0.3),)),
                "data",
                Trainer.Config(steps=700, learning_rate=1e-3, warmup=50, checkpoint_every=100),
                batch=16,
                length=16,
            ),
        ),
    )
