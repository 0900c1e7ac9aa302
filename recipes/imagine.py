"""Clips from a sentence: dynamics that take text and start from nothing.

    worldline train recipes/imagine --out runs/imagine
    worldline imagine "A red disc moves to the left at constant speed." \
        --world runs/imagine/world --out imagined

Flow dynamics driven by the embedding of each clip's caption; most of the clips they learn from are
opened by a blank frame, so that first frames come from words and noise alone. Needs the extra
`text`. The default size should train in some eight minutes on two cores, by the pace of shortened
runs, and knows discs on a plain ground; words for anything else it has never met. How far it
follows its words is measured by `benchmarks/imagination.py`.
"""

from worldline.dynamics import ControlEncoder, FlowDynamics
from worldline.readout.latent import LatentReadout
from worldline.tokenizer import ContinuousTokenizer
from worldline.train import Data, ObjectiveTask, Recipe, Stage, TokenizerTask, Trainer, size_named
from worldline.train.objectives import NextFrame, Reading
from worldline.world import World


def recipe(size: str = "nano") -> Recipe:
    """Discs that move, fall and collide."""
    shape = size_named(size)
    task = ObjectiveTask.Config(("dynamics",), (NextFrame.Config(),), augmented=False)
    return Recipe(
        world=World.Config(
            name=f"imagine-{size}",
            tokenizer=ContinuousTokenizer.Config(**shape.of_tokenizer()),
            dynamics=FlowDynamics.Config(
                **shape.of_dynamics(),
                controls=ControlEncoder.Config(text_size=384),
                unrolled_share=0.25,
                start_share=0.8,
            ),
            readout=LatentReadout.Config(**shape.of_readout()),
            trajectory=None,
        ),
        data=(Data("data", ("disc_uniform", "disc_parabola", "disc_collision"), 1500),),
        stages=(
            Stage(
                "tokenizer",
                TokenizerTask.Config(),
                "data",
                Trainer.Config(steps=600, learning_rate=3e-3, warmup=50),
                batch=32,
                length=1,
            ),
            # many short clips, because a clip holds only one first frame
            Stage(
                "openings",
                task,
                "data",
                Trainer.Config(steps=2500, learning_rate=2e-3, warmup=50),
                batch=64,
                length=2,
            ),
            Stage(
                "dynamics",
                task,
                "data",
                Trainer.Config(steps=300, learning_rate=1e-3, warmup=30),
                batch=16,
                length=16,
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
