"""Do imagined first frames have the colour and the number of discs that the words name?

    python benchmarks/imagination.py --world runs/imagine/world [--samples 24] [--guidance 2 4]

For a world that learned from disc families with captions, as `recipes/imagine.py` does.

Colour: "A COLOUR disc moves to the right at constant speed." for each colour. The ground is the
median pixel of the first frame; what differs from it by more than 60 of 255 levels is a disc; its
median colour is given the name of the nearest of the asked colours. A frame with fewer than 8 such
pixels shows nothing, which counts as wrong. Asked three ways (red, green, blue, which most clips
show) and six ways; whoever ignores the words scores 1/3 and 1/6 at best. The same measure on
simulated clips that nothing learned from says how far the measure itself can be trusted.

Number: one disc ("moves") against two ("collide head-on"), as separate spots of at least 6 pixels;
ignoring the words scores 1/2 at best.
"""

from __future__ import annotations

import argparse
import colorsys
import json

import numpy as np
from record import write_record
from scipy.ndimage import label

from worldline.data.text import TextEncoder
from worldline.sim import Split, make_clips
from worldline.sim.appearance import HUES
from worldline.world import World

THREE = ("red", "green", "blue")
SIX = (*THREE, "yellow", "purple", "orange")
AWAY, LEAST_PX, SPOT_PX = 60.0, 8, 6


def reference(name: str) -> np.ndarray:
    """Middle of a colour's ranges."""
    hue, saturation, value = (sum(pair) / 2 for pair in HUES[name])
    return 255 * np.array(colorsys.hsv_to_rgb(hue % 1.0, saturation, value))


def discs_in(frame: np.ndarray) -> np.ndarray:
    """Which pixels of `[h, w, 3]` differ from the ground."""
    image = frame.astype(float)
    return np.linalg.norm(image - np.median(image, axis=(0, 1)), axis=-1) > AWAY


def color_of(frame: np.ndarray, names: tuple[str, ...]) -> str | None:
    mask = discs_in(frame)
    if mask.sum() < LEAST_PX:
        return None
    seen = np.median(frame[mask].astype(float), axis=0)
    return min(names, key=lambda name: float(np.linalg.norm(seen - reference(name))))


def count_in(frame: np.ndarray) -> int:
    spots, num = label(discs_in(frame))
    return int((np.bincount(spots.ravel(), minlength=num + 1)[1:] >= SPOT_PX).sum())


def of_simulation(names: tuple[str, ...]) -> dict[str, float]:
    """The measures on clips of which the truth is known."""
    families = ("disc_uniform", "disc_collision")
    colors, counts = [], []
    for clip in make_clips(families, num_clips=160, seed=5, split=Split.HELD_OUT, events=False):
        assert clip.scene is not None
        counts.append(count_in(clip.frames[0]) == clip.scene.num_objects)
        named = [name for name in names if f" {name} disc" in clip.caption]
        if clip.scene.num_objects == 1 and named:
            colors.append(color_of(clip.frames[0], names) == named[0])
    return {"colour": float(np.mean(colors)), "number": float(np.mean(counts))}


def of_world(world: World, names: tuple[str, ...], samples: int, guidance: float) -> dict:
    encoder = TextEncoder()

    def first_frames(text: str) -> np.ndarray:
        options = {"samples": samples, "guidance": guidance, "encoder": encoder}
        return world.imagine(text, horizon=1, seed=0, **options).frames[:, 0]

    right, empty, one, two = {}, 0, [], []
    for name in names:
        frames = first_frames(f"A {name} disc moves to the right at constant speed.")
        found = [color_of(frame, names) for frame in frames]
        right[name] = float(np.mean([color == name for color in found]))
        empty += found.count(None)
        one += [count_in(frame) == 1 for frame in frames]
    for first, second in zip(names, names[1:] + names[:1], strict=True):
        frames = first_frames(f"A {first} disc and a {second} disc collide head-on.")
        two += [count_in(frame) == 2 for frame in frames]
    number = (float(np.mean(one)) + float(np.mean(two))) / 2
    return {
        "colour": float(np.mean(list(right.values()))),
        "colour_by_name": right,
        "empty": empty / (samples * len(names)),
        "number": number,
        "one_when_one": float(np.mean(one)),
        "two_when_two": float(np.mean(two)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--world", required=True)
    parser.add_argument("--samples", type=int, default=24)
    parser.add_argument("--guidance", type=float, nargs="+", default=[1.0, 2.0, 4.0])
    parser.add_argument("--record", help="name of a file in benchmarks/results")
    options = parser.parse_args()
    world = World.from_pretrained(options.world)
    found: dict[str, object] = {"world": world.name, "samples": options.samples}
    for names in (THREE, SIX):
        found[f"{len(names)} colours"] = {
            "chance": {"colour": 1 / len(names), "number": 0.5},
            "simulation": of_simulation(names),
            **{
                f"guidance {scale:g}": of_world(world, names, options.samples, scale)
                for scale in options.guidance
            },
        }
    print(json.dumps(found, indent=1))
    if options.record:
        write_record(options.record, found)


if __name__ == "__main__":
    main()
