"""The same physics filmed twice, and other physics in the same look: clips to compare motion by."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

import numpy as np
from jaxtyping import Float

from worldline.core import Clip, InputError, Scene
from worldline.data import write_video
from worldline.retrieval.benchmark.baselines import check_pictures, describe_frames
from worldline.retrieval.benchmark.looks import describe_flow
from worldline.retrieval.ingest import look_at
from worldline.retrieval.motions.moments import Moments
from worldline.retrieval.spotting.course import Course
from worldline.sim import CameraChange, Split, draw_retake, in_the_look_of, make_clip
from worldline.sim.engine import Rollout
from worldline.sim.framing import Restage
from worldline.sim.splits import seed_of
from worldline.sim.stage import Stage

__all__ = ["FAMILIES", "SIZE_PX", "Film", "Take", "film_takes", "to_line"]

FAMILIES = (
    "drop",
    "throw",
    "bounce",
    "collide",
    "roll",
    "slide",
    "stack",
    "topple",
    "occlude",
    "pendulum",
    "ramp",
    "u_slope",
    "push",
    "dominoes",
    "seesaw",
    "gyroscope",
    "unstable_stack",
    "billiards",
    "traffic",
    "contain",
    "pour",
    "tower",
    "cloth",
    "soft",
)
"""All families that have a camera."""

SIZE_PX = 96
_LOOKALIKE_OFFSET = 500_000
_MIN_REACH = 0.5


class Film(StrEnum):
    """Which of the clips of one dynamics."""

    FIRST = "first"
    """As the family draws it."""

    AGAIN = "again"
    """The same physics in another look, from another camera, every second time mirrored."""

    LOOKALIKE = "lookalike"
    """Other physics of the same family in the look of the first, from the same side."""


@dataclass(frozen=True, eq=False)
class Take:
    """One clip as it was perceived, and what descriptors without objects say of it.

    Attributes:
        family, index: which dynamics.
        film: which clip of it.
        scene: perceived from the pixels of a video file, knowing no truth.
        moments: of all motion in the picture, measured on the way.
        course: what happens when, by the spotter.
        moves: by the truth something in sight travels half its own size or more.
        look: MobileNetV2's mean; flow: histogram of optical flow.
    """

    family: str
    index: int
    film: Film
    scene: Scene
    moments: Moments
    course: Course
    moves: bool
    look: Float[np.ndarray, " a"]
    flow: Float[np.ndarray, " b"]

    @classmethod
    def read(cls, line: str) -> Take:
        """Inverse of `to_line`."""
        record = json.loads(line)
        return cls(
            family=record["family"],
            index=record["index"],
            film=Film(record["film"]),
            scene=Scene.from_json(record["scene"]),
            moments=Moments(*(np.array(record[name]) for name in ("time_s", "moments"))),
            course=Course(*(np.array(part) for part in record["course"])),
            moves=record["moves"],
            look=np.array(record["look"]),
            flow=np.array(record["flow"]),
        )


def to_line(take: Take) -> str:
    """One line of JSON, for a file of takes."""
    record = {
        "family": take.family,
        "index": take.index,
        "film": str(take.film),
        "scene": take.scene.to_json(),
        "time_s": take.moments.time_s.tolist(),
        "moments": take.moments.value.tolist(),
        "course": [take.course.time_s.tolist(), take.course.chance.round(4).tolist()],
        "moves": take.moves,
        "look": take.look.round(6).tolist(),
        "flow": take.flow.round(6).tolist(),
    }
    return json.dumps(record)


def film_takes(
    families: Sequence[str],
    numbers: Sequence[int],
    *,
    seed: int,
    films: Sequence[Film] = tuple(Film),
) -> Iterator[Take]:
    """Film, write to a video file, read and perceive again; round robin over the families.

    Args:
        families: out of `FAMILIES`.
        numbers: of the dynamics of each family.
        seed: of everything.
        films: which clips of each dynamics.

    Raises:
        InputError: a flat family.
        MissingPackageError: the visual baseline's weights are missing.
    """
    check_pictures()
    with tempfile.TemporaryDirectory() as folder:
        for index in numbers:
            for family in families:
                for film in films:
                    clip = _film(family, index, film, seed)
                    yield _perceive(clip, family, index, film, Path(folder) / "take.mp4")


def _film(family: str, index: int, film: Film, seed: int) -> Clip:
    rng = seed_of(f"{family} retake", Split.HELD_OUT, seed, index)
    if film is Film.AGAIN:
        clip = _shoot(family, index, seed, draw_retake(rng, CameraChange()))
        return replace(clip, frames=clip.frames[:, :, ::-1]) if index % 2 else clip
    looks: list[Stage] = []

    def note(stage: Stage, _: Rollout) -> Stage:
        looks.append(stage)
        return stage

    first = _shoot(family, index, seed, note)
    if film is Film.FIRST:
        return first
    return _shoot(family, _LOOKALIKE_OFFSET + index, seed, in_the_look_of(looks[-1]))


def _shoot(family: str, index: int, seed: int, restage: Restage) -> Clip:
    return make_clip(
        family,
        index,
        seed=seed,
        split=Split.HELD_OUT,
        size_px=SIZE_PX,
        events=False,
        restage=restage,
    )


def _perceive(clip: Clip, family: str, index: int, film: Film, file: Path) -> Take:
    if clip.scene is None:
        raise InputError(f"{family}: the clip has no truth")
    write_video(file, clip.frames, provenance=clip.provenance, time_s=clip.time_s.tolist())
    seen = look_at(file)
    assert seen.moments is not None
    assert seen.spots is not None
    look = describe_frames(file).astype(np.float64)
    return Take(
        family=family,
        index=index,
        film=film,
        scene=seen.scene,
        moments=seen.moments,
        course=seen.spots.course(),
        moves=_moves(clip.scene),
        look=look / np.linalg.norm(look),
        flow=describe_flow(clip.frames),
    )


def _moves(scene: Scene) -> bool:
    for row in range(scene.num_objects):
        seen = scene.visible[row] & np.isfinite(scene.center_px[row]).all(axis=1)
        if seen.sum() < 2:
            continue
        size = float(np.sqrt(np.nanmedian(scene.size_px[row, seen].prod(axis=1))))
        if np.linalg.norm(np.ptp(scene.center_px[row, seen], axis=0)) > _MIN_REACH * size:
            return True
    return False
