"""Do shadows and lamps beside moving bodies make objects, and are the bodies still found?

    OMP_NUM_THREADS=1 python benchmarks/moving_light.py [--scenes 65] [--relit 26] [--seed 7400]

Simulated scenes of the first families (held-out split, 128x128 px) as the renderer films them, and
some of them in other light (`worldline.audit.relight`): shadows made darker or coloured where
bodies cast them; a flat patch of shade or of lamp light that crosses the scene, laid over all; and
the bodies painted in the ground's colour, darker, so that they look like shadows. Each is perceived
from its pixels. Told for each light: tracks that lie on no body, and how many of the moving bodies
a track follows. `light_chances.json` was learned from another split and other seeds.
"""

from __future__ import annotations

import argparse

import numpy as np
from record import write_record

from worldline.audit.relight import cast, cross, paint, rods
from worldline.audit.shading import ON_ROD, on_rod
from worldline.core import Provenance, Scene
from worldline.readout import PixelReadout
from worldline.sim import FIRST_FAMILIES
from worldline.sim.families import FAMILIES
from worldline.sim.framing import Shot
from worldline.sim.splits import Split

SIZE_PX = 128
CAST = {
    "dark": (0.13, 0.13, 0.14),
    "blue": (0.34, 0.42, 0.62),
    "warm": (0.62, 0.42, 0.32),
    "green": (0.40, 0.66, 0.42),
}
"""What is left of the red, green and blue light in the darkest part of a body's shadow."""
PASSING = {
    "dark patch": ((0.2, 0.2, 0.2), 3.0),
    "red patch": ((0.8, 0.45, 0.4), 3.0),
    "blue lamp": ((1.1, 1.25, 1.7), 24.0),
}
"""The same of a patch that crosses the scene, and the width of its edge in pixels."""
PAINTED = {"flat bodies in the ground's colour": 0.0, "shaded ones": 0.6}
"""Share of their own light and shade that painted bodies keep, as a power of it."""
ON_BODY = 0.3  # of a track's box inside a body's, on average, to lie on it
FOLLOWED = 0.4  # mean intersection over union


def boxes(scene: Scene) -> np.ndarray:
    return np.concatenate(
        [scene.center_px - scene.size_px / 2, scene.center_px + scene.size_px / 2], axis=-1
    )


def compare(found: Scene, truth: Scene, rod: np.ndarray) -> tuple[int, int, int]:
    """Tracks on no body, moving bodies that are seen, and those of them that a track follows.

    A pendulum's rod, where `rod` is true `[T, H, W]`, moves and is matter, though it has no row in
    the truth: a track that lies on one lies on a body's part.
    """
    ours, theirs = boxes(found)[:, None], boxes(truth)[None]
    sides = np.minimum(ours[..., 2:], theirs[..., 2:]) - np.maximum(ours[..., :2], theirs[..., :2])
    common = np.prod(np.maximum(sides, 0), axis=-1)
    area_a, area_b = (np.prod(b[..., 2:] - b[..., :2], axis=-1) for b in (ours, theirs))
    common[~(found.present[:, None] & truth.present[None])] = 0
    common = np.nan_to_num(common)
    inside = np.nan_to_num(common / area_a).max(axis=1, initial=0)
    lone = 0
    for k in range(found.num_objects):
        seen = np.flatnonzero(found.visible[k])
        if inside[k][seen].mean() < ON_BODY:
            parts = [on_rod(boxes(found)[k, t], rod[t]) for t in seen]
            lone += bool(np.mean(parts) < ON_ROD)
    overlap = np.nan_to_num(common / (area_a + area_b - common))
    moving = followed = 0
    for k in range(truth.num_objects):
        seen = truth.visible[k]
        if seen.sum() < 8 or np.ptp(truth.center_px[k][seen], axis=0).max() < 8:
            continue
        moving += 1
        followed += bool((overlap[:, k][:, seen].mean(axis=1) > FOLLOWED).any())
    return lone, moving, followed


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--scenes", type=int, default=65, help="as filmed")
    parser.add_argument("--relit", type=int, default=26, help="of these in other light as well")
    parser.add_argument("--seed", type=int, default=7400)
    given = parser.parse_args()
    rows: dict[str, list[tuple[int, int, int]]] = {}
    for k in range(given.scenes):
        rng = np.random.default_rng([given.seed, k])
        family = FIRST_FAMILIES[k % len(FIRST_FAMILIES)]
        clip = FAMILIES[family].make(Split.HELD_OUT, rng, Shot(SIZE_PX))
        assert clip.background is not None
        assert clip.scene is not None
        shown = {"as filmed": clip.frames.astype(np.float32)}
        if k < given.relit:
            if len(clip.background) == 1:  # a fixed camera
                shown |= {name: cast(clip, left) for name, left in CAST.items()}
                shown |= {name: paint(clip, own, rng) for name, own in PAINTED.items()}
            shown |= {name: cross(clip, *light, rng) for name, light in PASSING.items()}
        for name, frames in shown.items():
            noisy = np.clip(np.rint(frames + rng.normal(0, 1.2, frames.shape)), 0, 255)
            pairs = zip(clip.time_s.tolist(), noisy.astype(np.uint8), strict=True)
            found = PixelReadout.Config().build().read(pairs, provenance=Provenance())
            rows.setdefault(name, []).append(compare(found, clip.scene, rods(clip)))
    answer = {}
    for name, own in rows.items():
        lone, moving, followed = np.array(own).sum(axis=0)
        answer[name] = {
            "scenes": len(own),
            "tracks_on_no_body": int(lone),
            "scenes_with_such": int(sum(r[0] > 0 for r in own)),
            "moving_bodies": int(moving),
            "followed": int(followed),
        }
        print(name, answer[name], flush=True)
    write_record("moving_light", {"seed": given.seed, "size_px": SIZE_PX, "lights": answer})


if __name__ == "__main__":
    main()
