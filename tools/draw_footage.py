"""Draw what is found in the demo's two videos: the picture of docs/footage.md.

Usage: python tools/draw_footage.py FOLDER, the folder that tools/fetch_footage.py filled.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from worldline.core import Scene
from worldline.data import iter_frames, probe
from worldline.readout import PixelReadout, draw_world_lines

__all__ = ["draw", "main"]

MOMENTS_S = {"demo.mp4": (1.2, 2.7, 4.7, 6.2), "bikes.mp4": (0.5, 5.5, 6.5, 7.5)}
WIDTH_PX = 440


def read(path: Path) -> Scene:
    """The scene that the readout finds, in pixels of the video."""
    info, config = probe(path), PixelReadout.Config()
    return config.build().read(
        iter_frames(path, max_side_px=config.max_side_px),
        provenance=info.provenance,
        full_size_px=(info.width_px, info.height_px),
    )


def draw(path: Path, moments_s: tuple[float, ...]) -> np.ndarray:
    """Frames at some moments with the world lines on them, two in a row."""
    scene = read(path)
    wanted = [int(np.argmin(np.abs(scene.time_s - moment_s))) for moment_s in moments_s]
    shown = []
    for index, (_, frame) in enumerate(iter_frames(path)):
        if index in wanted:
            height = round(WIDTH_PX * frame.shape[0] / frame.shape[1])
            drawn = draw_world_lines(frame, scene, index)
            small = cv2.resize(drawn, (WIDTH_PX, height), interpolation=cv2.INTER_AREA)
            shown.append(_say(small, f"{scene.time_s[index]:.1f} s"))
    rows = [np.concatenate(shown[i : i + 2], axis=1) for i in range(0, len(shown), 2)]
    return np.concatenate(rows, axis=0)


def _say(image: np.ndarray, text: str) -> np.ndarray:
    """The image with a word on dark ground in its lower right corner."""
    (width, height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.5, 1)
    right, bottom = image.shape[1], image.shape[0]
    cv2.rectangle(image, (right - width - 8, bottom - height - 9), (right, bottom), 0, cv2.FILLED)
    place = right - width - 4, bottom - 5
    white = (255, 255, 255)
    return cv2.putText(image, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.5, white, 1, cv2.LINE_AA)


def main() -> None:
    """Parse arguments, draw, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, default=Path("docs"))
    options = parser.parse_args()
    for name, moments_s in MOMENTS_S.items():
        target = options.out / f"footage_{Path(name).stem}.jpg"
        picture = draw(options.folder / name, moments_s)[..., ::-1]
        cv2.imwrite(str(target), picture, [cv2.IMWRITE_JPEG_QUALITY, 80])
        print(f"{target}: {picture.shape[1]}x{picture.shape[0]}")


if __name__ == "__main__":
    main()
