"""Draw held-out forecasts beside the truth and the baselines: the picture in the README."""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from worldline.audit import ConstantVelocityWarp, CopyLast
from worldline.sim import Split, make_clip
from worldline.world import World

AFTER = (4, 8, 12, 16)
ZOOM = 2
GAP_PX = 6


def draw(world: World, families: list[str], seed: int) -> np.ndarray:
    """One block per family, one row per predictor, one column per moment."""
    blocks = []
    for family in families:
        clip = make_clip(family, 0, seed=seed, split=Split.HELD_OUT)
        context = clip.frames[: world.context]
        most = max(AFTER)
        rows = [
            clip.frames[world.context :],
            world.continue_frames(context, horizon=most, samples=1, seed=seed)[0],
            CopyLast().predict(context, most, seed)[0],
            ConstantVelocityWarp().predict(context, most, seed)[0],
        ]
        shown = [
            np.concatenate([context[-1], *(row[n - 1] for n in AFTER)], axis=1) for row in rows
        ]
        blocks.append(np.concatenate(shown, axis=0))
    gap = np.full((blocks[0].shape[0], GAP_PX // ZOOM, 3), 255, np.uint8)
    line = [part for block in blocks for part in (block, gap)][:-1]
    picture = np.concatenate(line, axis=1)
    return cv2.resize(picture, None, fx=ZOOM, fy=ZOOM, interpolation=cv2.INTER_NEAREST)


def main() -> None:
    """Parse arguments, draw, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--world", default="small")
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--families", nargs="+", default=["bounce", "collide", "pendulum"])
    parser.add_argument("--out", type=Path, default=Path("docs/forecasts.png"))
    options = parser.parse_args()
    picture = draw(World.from_pretrained(options.world), options.families, options.seed)
    cv2.imwrite(str(options.out), picture[..., ::-1])
    print(f"{options.out}: {picture.shape[1]}x{picture.shape[0]}")


if __name__ == "__main__":
    main()
