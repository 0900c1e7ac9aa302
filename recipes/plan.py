"""A world to plan in, from recorded episodes: frames as vectors, and what actions do to them.

    worldline record --env worldline.planning.two_rooms:worldline/TwoRooms-v0 --every 5 \\
        --policy worldline.planning.two_rooms:wander --episodes 500 --max-frames 40 --out out/rooms
    worldline train plan --data out/rooms --out runs/rooms
    worldline plan tworoom --world runs/rooms/world

    worldline record --env worldline.planning.push_tee:worldline/PushTee-v0 --every 5 --size 32 \\
        --policy worldline.planning.push_tee:explore --episodes 3600 --max-frames 40 --out out/tee
    worldline train plan --data out/tee --size turned --out runs/tee
    worldline plan pusht --world runs/tee/world

    worldline record --env worldline.planning.push_block:worldline/PushBlock-v0 --every 5 \\
        --size 32 --policy worldline.planning.push_block:push --episodes 2500 --max-frames 40 \\
        --out out/push
    worldline train plan --data out/push --size seldom --steps 1600 --out runs/push
    worldline plan push --world runs/push/world

After LeWorldModel and V-JEPA 2-AC: encoder and predictor learn together from the next latents, from
rollouts of several steps, from what keeps latents spread (SIGReg of LeJEPA), and from an inverse
model. Then dynamics learn further on finished latents, many clips at a time: what happens at walls
is rare. A decoder, trained last, is for looking only.
"""

from dataclasses import dataclass
from pathlib import Path

from worldline.core.config import Config
from worldline.core.errors import InputError
from worldline.data.recorded import Recorded, open_recording
from worldline.dynamics import ControlEncoder, JepaDynamics
from worldline.readout.latent import LatentReadout
from worldline.tokenizer import WholeTokenizer
from worldline.train import ObjectiveTask, Recipe, Stage, TokenizerTask, Trainer
from worldline.train.objectives import (
    Depiction,
    InverseModel,
    NextFrame,
    SketchedGaussian,
    Slowness,
    StateTelling,
    VarianceCovariance,
)
from worldline.world import World


@dataclass(frozen=True)
class Size:
    """Numbers that go together: the predictor's size, weights of losses, a batch, steps of encoder
    and predictor together, how many times as many of the predictor alone, the share of clips that
    is drawn by how much is set in motion in them, whether the predictor alone is computed in
    bfloat16, where a processor has it, the encoder's widths, whether it learns apart from the
    predictor and from what is told alone, images of each clip by quarter turns and a mirror, and
    steps of rollout that the predictor learns from."""

    width: int
    depth: int
    spread: float
    inverse: float
    batch: int
    learning_rate: float
    steps: int
    further: float
    stirred: float = 0.0
    half: bool = False
    encoder: int = 16
    hidden: int = 256
    apart: bool = False
    images: int = 1
    rollout: int = 4


SIZES = {
    # one thing moves in a picture: two numbers are enough, and little keeps them spread
    "nano": Size(
        128, 2, spread=1.0, inverse=0.5, batch=32, learning_rate=2e-3, steps=1200, further=2
    ),
    # several bodies: at weight 1 the latents hold the actor's place and nothing else
    "small": Size(
        192, 3, spread=30.0, inverse=5.0, batch=48, learning_rate=1.5e-3, steps=1500, further=1
    ),
    # several bodies whose places are told
    "told": Size(
        192, 3, spread=1.0, inverse=0.5, batch=48, learning_rate=1.5e-3, steps=1500, further=3
    ),
    # the same, of which some lie still most of the time
    "seldom": Size(
        192,
        3,
        spread=1.0,
        inverse=0.5,
        batch=48,
        learning_rate=1.5e-3,
        steps=1000,
        further=2,
        stirred=0.5,
        half=True,
    ),
    # seen from above, so that an episode tells of its turned and mirrored images too; how a thing
    # lies is found by an encoder that looks for nothing else. Its layers are scaled by data, so it
    # takes high rates; latents that are plain states need fewer steps of rollout than others
    "turned": Size(
        256,
        3,
        spread=0.0,
        inverse=0.0,
        batch=128,
        learning_rate=4e-3,
        steps=12000,
        further=1,
        stirred=0.5,
        half=True,
        encoder=32,
        hidden=384,
        apart=True,
        images=4,
        rollout=2,
    ),
}


def recipe(
    data: str,
    steps: int | None = None,
    size: str = "nano",
    spread: float | None = None,
    inverse: float | None = None,
    rollout_steps: int | None = None,
    channels: int | None = None,
    variance: float = 0.0,
    covariance: float = 0.0,
    slowness: float = 0.0,
    depiction: float = 0.0,
    told: float = 1.0,
    stirred_share: float | None = None,
    images: int | None = None,
) -> Recipe:
    """Of the episodes in a folder; a few minutes on one core, half an hour for `turned`.

    `steps` are those of encoder and predictor together, each size's own if absent; the predictor
    then takes one to three times as many alone, and the decoder 300 or fewer.

    Weights of 0, and one step of `rollout_steps` (each size's own if absent), leave terms out, for
    ablations. `variance` and `covariance` are VICReg's, to be had instead of SIGReg (`spread` 0) or
    beside it. Columns of the recorded state whose names begin with `seen_` are taught to the
    latents with weight `told`, where a recording has such. `stirred_share` of the clips are drawn
    by how much is set in motion in them, as the recorded state tells; each size has its own, like
    its other weights. `images` of the eight that quarter turns and a mirror make of a clip are
    learned from; the actions then have to be called right and down, or right and up
    (`worldline.data.symmetry`).
    """
    if size not in SIZES:
        raise InputError(f"--size is {size}; here it can be {', '.join(SIZES)}")
    chosen = SIZES[size]
    steps = chosen.steps if steps is None else steps
    spread = chosen.spread if spread is None else spread
    inverse = chosen.inverse if inverse is None else inverse
    stirred = chosen.stirred if stirred_share is None else stirred_share
    images = chosen.images if images is None else images
    rollout_steps = chosen.rollout if rollout_steps is None else rollout_steps
    length = rollout_steps + 2
    recording = open_recording(Recorded(folder=data, num_frames=20, stride=20, images=images))
    step_s = 1 / recording.fps
    seen = tuple(name for name in recording.state_names if name.startswith("seen_"))
    if chosen.apart and not (told and seen):
        raise InputError(f"--size {size} learns from states, but {data} has none called seen_...")
    channels = channels or (len(seen) if chosen.apart else 32)
    tokenizer = WholeTokenizer.Config(
        size_px=32, channels=channels, width=chosen.encoder, hidden=chosen.hidden
    )
    terms: list[Config] = [] if chosen.apart else [NextFrame.Config()]
    if spread:
        terms.append(SketchedGaussian.Config(weight=spread, num_directions=64))
    if variance or covariance:
        terms.append(VarianceCovariance.Config(variance=variance, covariance=covariance))
    if slowness:
        terms.append(Slowness.Config(weight=slowness))
    if depiction:
        terms.append(Depiction.Config(weight=depiction))
    if inverse:
        terms.append(InverseModel.Config(weight=inverse))
    if told and seen:
        terms.append(StateTelling.Config(names=seen, weight=told, plainly=chosen.apart))
    return Recipe(
        held_out=48,
        world=World.Config(
            name=Path(data).name,
            tokenizer=tokenizer,
            dynamics=JepaDynamics.Config(
                rows=1,
                channels=channels,
                width=chosen.width,
                depth=chosen.depth,
                rollout_steps=rollout_steps,
                controls=ControlEncoder.Config(action_size=recording.action_size, dropout=0.0),
            ),
            readout=LatentReadout.Config(channels=channels, rows=1, width=8, depth=1),
            trajectory=None,
            context=2,
            step_min_s=step_s,
            step_max_s=step_s,
        ),
        data=(recording.config,),
        stages=(
            Stage(
                "latents",
                ObjectiveTask.Config(
                    ("tokenizer",) if chosen.apart else ("tokenizer", "dynamics"),
                    tuple(terms),
                    augmented=False,
                    stirred_share=0.0 if chosen.apart else stirred,
                    settled=chosen.apart,
                ),
                "data",
                Trainer.Config(
                    steps=steps,
                    learning_rate=chosen.learning_rate,
                    warmup=100,
                    average_decay=0.995,
                    half=False,
                ),
                batch=chosen.batch,
                length=1 if chosen.apart else length,
            ),
            Stage(
                "dynamics",
                ObjectiveTask.Config(
                    ("dynamics",),
                    (NextFrame.Config(),),
                    augmented=False,
                    cached=True,
                    stirred_share=stirred,
                ),
                "data",
                Trainer.Config(
                    steps=round(chosen.further * steps),
                    learning_rate=2e-3,
                    warmup=50,
                    average_decay=0.998,
                    half=chosen.half,
                ),
                batch=128,
                length=length,
            ),
            Stage(
                "decoder",
                TokenizerTask.Config(),
                "data",
                Trainer.Config(
                    steps=min(300, steps),
                    learning_rate=3e-3,
                    warmup=30,
                    average_decay=0.99,
                    half=False,
                ),
                batch=24,
                length=1,
            ),
        ),
    )
