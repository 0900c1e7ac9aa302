"""The bundled world `small`: 64x64, mixed simulated domains.

    worldline train small --out runs/small

Data, schedule and cost are repeated on the world's card.
"""

from worldline.sim import FIRST_FAMILIES
from worldline.train import Recipe, Stage, Trainer
from worldline.world import World


def recipe() -> Recipe:
    """Sized for a few hours on two cores with AVX512-BF16 or AMX."""
    return Recipe(
        world=World.Config(name="small"),
        families=FIRST_FAMILIES,
        num_clips=7800,
        look_families=("drop", "throw", "bounce", "collide", "roll", "slide"),
        num_look_clips=3000,
        num_motion_clips=13000,
        tokenizer=Stage(
            Trainer.Config(steps=6000, learning_rate=2e-3, warmup=200, checkpoint_every=500),
            batch=64,
        ),
        dynamics=Stage(
            Trainer.Config(steps=1400, learning_rate=1.5e-3, warmup=100, checkpoint_every=50),
            batch=16,
            length=32,
        ),
        readout=Stage(
            Trainer.Config(steps=700, learning_rate=1e-3, warmup=50, checkpoint_every=100),
            batch=16,
            length=16,
        ),
        trajectory=Stage(
            Trainer.Config(steps=2600, learning_rate=1e-3, warmup=100, checkpoint_every=100),
            batch=64,
        ),
    )
