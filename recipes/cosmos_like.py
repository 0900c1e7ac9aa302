"""After NVIDIA Cosmos' autoregressive worlds: discrete tokens, predicted like words.

    worldline train recipes/cosmos_like --out runs/cosmos

A discrete tokenizer (finite scalar quantisation) and a transformer that learns to predict the
codes of the next frame cell by cell and, masked, many at once; it samples with the latter, which is
faster. With `recipe(video=True)` a causal video tokenizer makes one code of 4 frames and 8x8
pixels, as Cosmos does, and the next four frames are predicted together. The default size trains in
minutes on two cores.
"""

from worldline.core.config import Config
from worldline.dynamics import AutoregressiveDynamics, MaskedParallel
from worldline.readout.latent import LatentReadout
from worldline.tokenizer import DiscreteTokenizer, VideoTokenizer
from worldline.train import Data, ObjectiveTask, Recipe, Stage, TokenizerTask, Trainer, size_named
from worldline.train.objectives import NextFrame, Reading
from worldline.world import World

_LEVELS = (8, 8, 8, 5, 5, 5)
"""64,000 codes, 16 bits per cell."""


def recipe(size: str = "nano", *, video: bool = False) -> Recipe:
    """Discs that coast, fly and collide, and falling bodies."""
    shape = size_named(size)
    families = "disc_uniform", "disc_parabola", "disc_collision", "drop"
    tokenizer: Config = DiscreteTokenizer.Config(**shape.of_tokenizer(), levels=_LEVELS)
    if video:
        tokenizer = VideoTokenizer.Config(**shape.of_tokenizer(), levels=_LEVELS)
    return Recipe(
        held_out=26,
        world=World.Config(
            name=f"cosmos-like-{size}",
            tokenizer=tokenizer,
            dynamics=AutoregressiveDynamics.Config(
                **shape.of_dynamics(),
                levels=_LEVELS,
                decoder=MaskedParallel.Config(num_steps=4, temperature=0.5),
                in_order_share=0.25 if video else 0.5,
            ),
            readout=LatentReadout.Config(**shape.of_readout(), channels=len(_LEVELS)),
            trajectory=None,
            context=9 if video else 8,
            ensemble_noise=0.0,
        ),
        data=(Data("data", families, 600),),
        stages=_video_stages() if video else _image_stages(),
    )


def _video_stages() -> tuple[Stage, ...]:
    """The tokenizer starts as a cosine transform and needs little training."""
    return (
        _stage("tokenizer", TokenizerTask.Config(), 120, 2e-3, batch=4, length=17),
        _stage("dynamics", _task("dynamics", NextFrame.Config()), 220, 3e-3, batch=8, length=17),
        _stage("readout", _task("readout", Reading.Config()), 120, 2e-3, batch=8, length=9),
    )


def _image_stages() -> tuple[Stage, ...]:
    return (
        _stage("tokenizer", TokenizerTask.Config(), 500, 3e-3, batch=32, length=1),
        _stage("dynamics", _cached("dynamics", NextFrame.Config()), 300, 2e-3, batch=8, length=12),
        _stage("readout", _cached("readout", Reading.Config()), 120, 2e-3, batch=8, length=8),
    )


def _task(part: str, objective: Config) -> ObjectiveTask.Config:
    return ObjectiveTask.Config((part,), (objective,))


def _cached(part: str, objective: Config) -> ObjectiveTask.Config:
    """On codes that are made once, which leaves no mirrored and recoloured ones."""
    return ObjectiveTask.Config((part,), (objective,), augmented=False, cached=True)


def _stage(
    name: str, task: Config, steps: int, learning_rate: float, *, batch: int, length: int
) -> Stage:
    warmup = min(steps // 10, 100)
    trainer = Trainer.Config(steps=steps, learning_rate=learning_rate, warmup=warmup)
    return Stage(name, task, "data", trainer, batch=batch, length=length)
