"""Do shadows and lamps beside moving bodies make objects, and are the bodies still found?

    OMP_NUM_THREADS=1 python benchmarks/moving_light.py [--scenes 48] [--seed 7100]

Simulated scenes of the first families (held-out split, 128x128 px) as the renderer films them, and
with other light: the renderer knows where bodies are and what the scene shows without them, so that
shadows can be made darker or coloured where bodies cast them; a flat patch of shade or of lamp
light that crosses the scene is laid over all. Each is perceived from its pixels. Told for each
light: tracks that lie on no body, and how many of the moving bodies a track follows.
"""

from __future__ import annotations

import argparse

import numpy as np
from record import write_record

from worldline.core import Clip, Provenance, Scene
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
ON_BODY = 0.3  # of a track's box inside a body's, on average, to lie on it
FOLLOWED = 0.4  # mean intersection over union


def cast(clip: Clip, left: tuple[float, ...]) -> np.ndarray:
    """The frames with bodies' shadows of this colour."""
    assert clip.background is not None
    assert clip.segmentation is not None
    plain = clip.background.astype(np.float32)
    frames = clip.frames.astype(np.float32)
    level = (frames.sum(-1) + 3) / (plain.sum(-1) + 3)
    body = clip.segmentation >= 0
    near = body.copy()
    for axis, step in ((1, 1), (1, -1), (2, 1), (2, -1)):
        near |= np.roll(body, step, axis)  # its rim is mixed with the ground
    shaded = ~near & (level < 0.97)
    darkest = np.percentile(level[shaded], 5) if shaded.any() else 1.0
    share = np.clip((1 - level) / max(1e-3, 1 - darkest), 0, 1)[..., None]
    return np.where(
        shaded[..., None], plain * (1 - share * (1 - np.array(left, np.float32))), frames
    )


def cross(
    clip: Clip, left: tuple[float, ...], edge_px: float, rng: np.random.Generator
) -> np.ndarray:
    """The frames with a round patch of other light that crosses them."""
    num, height, width = clip.frames.shape[:3]
    y, x = np.mgrid[:height, :width] + 0.5
    radius, row = rng.uniform(0.1, 0.2) * width, rng.uniform(0.2, 0.8) * height
    out = []
    for frame, middle in zip(clip.frames, np.linspace(0.1, 0.9, num) * width, strict=True):
        away = np.hypot(x - middle, y - row) - radius
        share = np.clip(0.5 - away / edge_px, 0, 1)[..., None].astype(np.float32)
        out.append(frame * (1 - share * (1 - np.array(left, np.float32))))
    return np.stack(out)


def boxes(scene: Scene) -> np.ndarray:
    return np.concatenate(
        [scene.center_px - scene.size_px / 2, scene.center_px + scene.size_px / 2], axis=-1
    )


def compare(found: Scene, truth: Scene) -> tuple[int, int, int]:
    """Tracks on no body, moving bodies that are seen, and those of them that a track follows."""
    ours, theirs = boxes(found)[:, None], boxes(truth)[None]
    sides = np.minimum(ours[..., 2:], theirs[..., 2:]) - np.maximum(ours[..., :2], theirs[..., :2])
    common = np.prod(np.maximum(sides, 0), axis=-1)
    area_a, area_b = (np.prod(b[..., 2:] - b[..., :2], axis=-1) for b in (ours, theirs))
    common[~(found.present[:, None] & truth.present[None])] = 0
    common = np.nan_to_num(common)
    inside = np.nan_to_num(common / area_a).max(axis=1, initial=0)
    lone = sum(inside[k][found.visible[k]].mean() < ON_BODY for k in range(found.num_objects))
    overlap = np.nan_to_num(common / (area_a + area_b - common))
    moving = followed = 0
    for k in range(truth.num_objects):
        seen = truth.visible[k]
        if seen.sum() < 8 or np.ptp(truth.center_px[k][seen], axis=0).max() < 8:
            continue
        moving += 1
        followed += bool((overlap[:, k][:, seen].mean(axis=1) > FOLLOWED).any())
    return int(lone), moving, followed


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--scenes", type=int, default=48)
    parser.add_argument("--seed", type=int, default=7100)
    given = parser.parse_args()
    rows: dict[str, list[tuple[int, int, int]]] = {}
    for k in range(given.scenes):
        rng = np.random.default_rng([given.seed, k])
        family = FIRST_FAMILIES[k % len(FIRST_FAMILIES)]
        clip = FAMILIES[family].make(Split.HELD_OUT, rng, Shot(SIZE_PX))
        assert clip.background is not None
        assert clip.scene is not None
        shown = {"as filmed": clip.frames.astype(np.float32)}
        if len(clip.background) == 1:  # a fixed camera
            shown |= {name: cast(clip, left) for name, left in CAST.items()}
        shown |= {name: cross(clip, *light, rng) for name, light in PASSING.items()}
        for name, frames in shown.items():
            noisy = np.clip(np.rint(frames + rng.normal(0, 1.2, frames.shape)), 0, 255)
            pairs = zip(clip.time_s.tolist(), noisy.astype(np.uint8), strict=True)
            found = PixelReadout.Config().build().read(pairs, provenance=Provenance())
            rows.setdefault(name, []).append(compare(found, clip.scene))
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
