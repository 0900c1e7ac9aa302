"""Which tracks are light? `readout/light_chances.json`, learned from films whose light is known.

`python -m worldline.audit.shading` films simulated scenes as they are and in other light
(`relight`), has them followed, and sees which tracks lie on a body or its rod and which on none.
From films of one split and seed it learns the chances, on films of another it measures them: of the
tracks on no body, how many are told; of those on bodies, how many are taken for light.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, UInt8

import worldline.readout
from worldline.audit.relight import relit, rods
from worldline.core import Clip
from worldline.physics.chances import Chances, Traits, fit_chances
from worldline.readout import PixelReadout
from worldline.readout.lit_tracks import LIGHT, LIKELY, is_shaded, traits_of_track
from worldline.readout.tracker import Track

__all__ = ["Labelled", "Settings", "answers_of", "learn", "main", "measure", "on_rod"]

AS_FILMED = "as filmed"

IMPORTANCE = {
    "grey shadows": (1.0, 0.2),
    "coloured shadows": (0.7, 0.2),
    "soft shadows": (0.0, 0.0),
    "a patch of light crosses": (0.5, 0.2),
    "bodies like shadows, 0.0": (1.0, 0.1),
    "bodies like shadows, 0.6": (1.0, 0.3),
}
"""How much tracks of light and of bodies count, by film; 1 where nothing is said. The same bodies
are in all lights of a scene and count about once in all of them; painted ones are rarer in the
world than here. A shadow that is soft all over is what a shaded ball of the ground's colour is:
neither is to be learned."""

SIGNS = {
    **dict.fromkeys(("dark", "tinted", "uneven", "unsteady"), -1),
    **dict.fromkeys(("through", "soft"), 1),
}
"""What a trait can say at all."""

RIDGE = 0.1
NO_BODY, BODY = 0.2, 0.45  # share of a track's boxes that bodies fill; between, shadows do too
ON_ROD = 0.4  # of a track's box that the rod's pixels in it extend over, to lie on the rod
NOISE = 1.2  # grey levels


@dataclass(frozen=True)
class Settings:
    """The films.

    Attributes:
        seed, test_seed: of the scenes to learn from (split train), and to measure on (held out).
        scenes, test_scenes: how many, of the first families in turn.
        relit_scenes, test_relit_scenes: how many of these in other light as well.
        sizes_px: sides of the image, in turn.
    """

    seed: int = 8200
    test_seed: int = 8300
    scenes: int = 156
    test_scenes: int = 65
    relit_scenes: int = 52
    test_relit_scenes: int = 13
    sizes_px: tuple[int, ...] = (128, 96, 192, 64)


@dataclass(frozen=True)
class Labelled:
    """One track of a film.

    Attributes:
        film: in which light.
        is_light: it lies on no body.
        traits: None where too little of it was measured.
    """

    film: str
    is_light: bool
    traits: Traits | None


def on_rod(box: Float[np.ndarray, " 4"], rod: Bool[np.ndarray, "h w"]) -> float:
    """Share of a box (left, top, right, bottom) that the box around a rod's pixels in it fills."""
    left, top, right, bottom = np.clip(np.rint(box), 0, max(rod.shape)).astype(int)
    rows, columns = np.nonzero(rod[top:bottom, left:right])
    if not len(rows):
        return 0.0
    extent = (np.ptp(rows) + 1) * (np.ptp(columns) + 1)
    return float(extent / max(1, (bottom - top) * (right - left)))


def answers_of(film: str, frames: UInt8[np.ndarray, "t h w 3"], clip: Clip) -> list[Labelled]:
    """The tracks of a film that go somewhere, and which of them are light.

    Those that lie partly on a body are left out; and all of a film in which no body shows light and
    shade, because tracks are light only beside one that does.
    """
    assert clip.segmentation is not None
    pairs = zip(clip.time_s.tolist(), frames, strict=True)
    followed = PixelReadout.Config().build().follow(pairs)
    tracks = [track for track, moves in followed if moves]
    body, rod = clip.segmentation >= 0, rods(clip)
    filled = [_filled(track, body, rod) for track in tracks]
    if not any(f > BODY and is_shaded(t) for t, f in zip(tracks, filled, strict=True)):
        return []
    return [
        Labelled(film, share < NO_BODY, traits_of_track(track))
        for track, share in zip(tracks, filled, strict=True)
        if share < NO_BODY or share > BODY
    ]


def _filled(track: Track, body: Bool[np.ndarray, "t h w"], rod: Bool[np.ndarray, "t h w"]) -> float:
    """Share of its boxes that bodies fill; 1 for a rod."""
    shares, parts = [], []
    for frame, box in zip(track.frames, track.boxes, strict=True):
        left, top, right, bottom = np.clip(np.rint(box), 0, max(body.shape[1:])).astype(int)
        inside = body[frame, top:bottom, left:right]
        shares.append(float(inside.mean()) if inside.size else 0.0)
        parts.append(on_rod(box, rod[frame]))
    return 1.0 if np.mean(parts) > ON_ROD else float(np.mean(shares))


def films(settings: Settings, *, test: bool) -> Iterator[list[Labelled]]:
    """The tracks of each scene, in all its lights."""
    from worldline.sim import FAMILIES, FIRST_FAMILIES, Split
    from worldline.sim.framing import Shot

    seed = settings.test_seed if test else settings.seed
    num = settings.test_scenes if test else settings.scenes
    num_relit = settings.test_relit_scenes if test else settings.relit_scenes
    for k in range(num):
        rng = np.random.default_rng([seed, k])
        family = FIRST_FAMILIES[k % len(FIRST_FAMILIES)]
        split = Split.HELD_OUT if test else Split.TRAIN
        side_px = settings.sizes_px[k % len(settings.sizes_px)]
        clip = FAMILIES[family].make(split, rng, Shot(side_px))
        shown = [(AS_FILMED, clip.frames.astype(np.float32))]
        shown += relit(clip, rng) if k < num_relit else []
        answers = []
        for name, frames in shown:
            noisy = np.clip(np.rint(frames + rng.normal(0, NOISE, frames.shape)), 0, 255)
            answers += answers_of(name, noisy.astype(np.uint8), clip)
        yield answers


def learn(answers: Iterable[Labelled]) -> Chances:
    """The chances that tracks teach. Raises `ValueError` if all are alike."""
    known = [answer for answer in answers if answer.traits is not None]
    traits = [answer.traits for answer in known if answer.traits is not None]
    return fit_chances(
        {LIGHT: (traits, np.array([answer.is_light for answer in known], dtype=bool))},
        importance={LIGHT: np.array([_importance(answer) for answer in known])},
        ridge=RIDGE,
        signs=SIGNS,
    )


def _importance(answer: Labelled) -> float:
    light, body = IMPORTANCE.get(answer.film, (1.0, 1.0))
    return light if answer.is_light else body


def measure(chances: Chances, answers: Sequence[Labelled]) -> dict[str, Any]:
    """By film: tracks that are light and how many are told; bodies and how many are lost."""
    out: dict[str, Any] = {}
    for film in dict.fromkeys(answer.film for answer in answers):
        own = [answer for answer in answers if answer.film == film]
        told = [
            answer.traits is not None and chances.of(LIGHT, answer.traits) >= LIKELY
            for answer in own
        ]
        light = np.array([answer.is_light for answer in own])
        out[film] = {
            "light": int(light.sum()),
            "told": int((light & told).sum()),
            "bodies": int((~light).sum()),
            "taken_for_light": int((~light & told).sum()),
        }
    return out


def main(settings: Settings | None = None, only_measure: bool = False) -> None:
    """Make `light_chances.json` anew, or only measure that which is there."""
    settings = settings or Settings()
    seen: dict[bool, list[Labelled]] = {False: [], True: []}
    for test, answers in seen.items():
        num = settings.test_scenes if test else settings.scenes
        if test or not only_measure:
            for number, own in enumerate(films(settings, test=test)):
                answers += own
                print(f"{'measure' if test else 'learn'} {(number + 1) / num:.1%}", flush=True)
    place = Path(worldline.readout.__file__).with_name("light_chances.json")
    if only_measure:
        chances = Chances.from_json(json.loads(place.read_text()))
    else:
        chances = learn(seen[False])
    measured = measure(chances, seen[True])
    print(json.dumps(measured, indent=1))
    if not only_measure:
        record = replace(chances, measured=measured).to_json()
        place.write_text(json.dumps(record | {"settings": asdict(settings)}, indent=1) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Learn which tracks are light.")
    parser.add_argument("--only-measure", action="store_true", help="leave the file as it is")
    main(only_measure=parser.parse_args().only_measure)
