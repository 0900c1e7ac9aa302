"""Claim: a world that takes sensor maps draws its bodies where the maps say, not where they fell.

    OMP_NUM_THREADS=1 python benchmarks/transfer.py WORLD [--clips 20]

Held-out clips of the families that the world of `recipes/transfer_like` learned from, continued by
16 frames from 8 under the true maps of those frames, under each kind of map alone, under the maps
of another clip (shuffled), and under none. Measured are the audit's object recall, position error
and PSNR against the true frames, and the overlap (IoU) of the pixels that differ from the clip's
background with the true object mask; shadows differ too, so the true frames themselves are the
ceiling. Baselines are the last frame repeated and pixels moved on along their flow.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from record import write_record

from worldline.audit.baselines import ConstantVelocityWarp, CopyLast
from worldline.audit.prediction import Metric, evaluate_predictors
from worldline.core.clip import Clip
from worldline.core.latents import Controls
from worldline.sim import Split, make_clips
from worldline.world import World

CONTEXT, HORIZON = 8, 16
HORIZONS = (1, 4, 8, 16)
LEAST_CHANGE = 30
"""A pixel belongs to something if a colour differs from the background by more than this."""


def covers(frames: np.ndarray, clip: Clip) -> np.ndarray:
    """Pixels that differ from the clip's background."""
    assert clip.background is not None
    return np.abs(frames.astype(int) - clip.background[:1].astype(int)).max(-1) > LEAST_CHANGE


@dataclass
class Driven:
    """A world under some of the maps that it takes, which notes how its bodies overlap.

    Attributes:
        world: that takes maps.
        kinds: numbers of the maps that it is given.
        other: clips, by index, from which the maps come instead of from the clip itself.
        drawn: what was predicted of each clip, by index.
    """

    world: World
    kinds: tuple[int, ...]
    other: dict[str, Clip] | None = None
    drawn: dict[str, np.ndarray] = field(default_factory=dict)

    def predict(self, context_frames: np.ndarray, horizon: int, seed: int) -> np.ndarray:
        """Without any map."""
        return self.world.continue_frames(context_frames, horizon=horizon, samples=1, seed=seed)

    def predict_driven(self, clip: Clip, context: int, horizon: int, seed: int) -> np.ndarray:
        """Under maps of the frames to come, and the true ones of the context."""
        if index_of(clip) not in self.drawn:
            self.drawn[index_of(clip)] = self._draw(clip, context, horizon, seed)
        return self.drawn[index_of(clip)]

    def _draw(self, clip: Clip, context: int, horizon: int, seed: int) -> np.ndarray:
        if not self.kinds:
            return self.predict(clip.frames[:context], horizon, seed)
        source = clip if self.other is None else self.other[index_of(clip)]
        true, told = (self.world.feed(c, c.time_s[: context + horizon]) for c in (clip, source))
        assert true.maps is not None
        assert told.maps is not None
        maps = torch.cat([true.maps[:, :context], told.maps[:, context:]], dim=1)
        assert told.known is not None
        known = torch.zeros_like(told.known["maps"])
        known[..., list(self.kinds)] = True
        controls = Controls(maps=maps, known={"maps": known & told.known["maps"]})
        return self.world.continue_frames(
            clip.frames[:context], horizon=horizon, samples=1, seed=seed, controls=controls
        )


def index_of(clip: Clip) -> str:
    return f"{clip.provenance.source} {dict(clip.provenance.details)['index']}"


def overlap(predictor: Any, clips: list[Clip], seed: int) -> dict[str, float]:
    """Mean IoU with the true mask at each horizon, over clips in which there is something."""
    found: dict[int, list[float]] = {h: [] for h in HORIZONS}
    for number, clip in enumerate(clips):
        if predictor is None:
            frames = clip.frames[CONTEXT : CONTEXT + HORIZON]
        elif isinstance(predictor, Driven):
            frames = predictor.predict_driven(clip, CONTEXT, HORIZON, seed + number)[0]
        else:
            frames = predictor.predict(clip.frames[:CONTEXT], HORIZON, seed + number)[0]
        assert clip.segmentation is not None
        drawn = covers(frames, clip)
        for h in HORIZONS:
            truth = clip.segmentation[CONTEXT + h - 1] >= 0
            if truth.any():
                both = (truth & drawn[h - 1]).sum() / (truth | drawn[h - 1]).sum()
                found[h].append(float(both))
    return {f"+{h}": round(float(np.mean(values)), 3) for h, values in found.items()}


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("world")
    parser.add_argument("--clips", type=int, default=20)
    parser.add_argument("--families", nargs="+", default=["drop", "bounce"])
    parser.add_argument("--seed", type=int, default=7)
    chosen = parser.parse_args()
    world = World.from_pretrained(chosen.world)
    clips = list(
        make_clips(chosen.families, num_clips=chosen.clips, seed=chosen.seed, split=Split.HELD_OUT)
    )
    names = world.controls.map_names
    everything = tuple(range(len(names)))
    others = {index_of(c): clips[(i + 2) % len(clips)] for i, c in enumerate(clips)}
    predictors: dict[str, Any] = {
        "true maps": Driven(world, everything),
        **{f"{name} alone": Driven(world, (i,)) for i, name in enumerate(names)},
        "shuffled maps": Driven(world, everything, others),
        "no maps": Driven(world, ()),
        "copy-last": CopyLast(),
        "flow-warp": ConstantVelocityWarp(),
    }
    table = evaluate_predictors(
        predictors, clips, context=CONTEXT, horizons=HORIZONS, seed=chosen.seed
    )
    rows: dict[str, Any] = {}
    for name in table.predictors:
        rows[name] = {
            metric.value: {f"+{h}": round(table.value(name, metric, h), 3) for h in HORIZONS}
            for metric in (Metric.PSNR, Metric.RECALL, Metric.ERROR)
        }
        rows[name]["iou"] = overlap(predictors.get(name), clips, chosen.seed)
        print(name, rows[name])
    write_record(
        "transfer",
        {
            "world": world.name,
            "ledgers": world.calibration.get("ledgers", {}),
            "families": chosen.families,
            "clips": len(clips),
            "seed": chosen.seed,
            "rows": rows,
        },
    )


if __name__ == "__main__":
    main()
