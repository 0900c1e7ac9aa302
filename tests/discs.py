"""Bouncing discs on plain ground: clips that need no simulator, for tests of learning."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from worldline.core import Clip, Origin, Provenance, Scene


def disc_clips(num_clips: int, *, num_frames: int = 16, seed: int = 0) -> Iterator[Clip]:
    """Two discs per clip in uniform motion, reflected at the borders; 64x64, anti-aliased."""
    y_px, x_px = np.mgrid[:64, :64] + 0.5
    for i in range(num_clips):
        generator = np.random.default_rng((seed, i))
        radius = generator.uniform(5, 9, 2)
        place = generator.uniform(12, 52, (2, 2))
        speed = generator.uniform(-2.5, 2.5, (2, 2))
        color = generator.uniform(0, 1, (2, 3))
        ground = generator.uniform(0, 1, 3)
        frames, masks, centers = [], [], []
        for _ in range(num_frames):
            image = np.broadcast_to(ground, (64, 64, 3))
            mask = np.full((64, 64), -1)
            for k in range(2):
                away = np.hypot(x_px - place[k, 0], y_px - place[k, 1])
                cover = np.clip(radius[k] + 0.5 - away, 0, 1)[..., None]
                image = image * (1 - cover) + color[k] * cover
                mask[cover[..., 0] > 0.5] = k
            frames.append((image * 255).round().astype(np.uint8))
            masks.append(mask)
            centers.append(place.copy())
            place = place + speed
            wall = (place < radius[:, None]) & (speed < 0)
            wall |= (place > 64 - radius[:, None]) & (speed > 0)
            speed = np.where(wall, -speed, speed)
        center = np.stack(centers, axis=1)
        there = np.ones((2, num_frames), dtype=bool)
        scene = Scene(
            time_s=np.arange(num_frames) * 0.05,
            width_px=64,
            height_px=64,
            ids=np.arange(2),
            labels=("disc", "disc"),
            present=there,
            visible=there,
            center_px=center,
            size_px=np.broadcast_to(2 * radius[:, None, None], center.shape).copy(),
            center_px_std=np.zeros_like(center),
            color_rgb=color,
            provenance=Provenance(Origin.SIMULATED, "discs", "tests", i),
        )
        yield Clip(
            frames=np.stack(frames),
            time_s=scene.time_s,
            segmentation=np.stack(masks),
            background=(np.broadcast_to(ground, (1, 64, 64, 3)) * 255).round().astype(np.uint8),
            scene=scene,
            provenance=scene.provenance,
        )
