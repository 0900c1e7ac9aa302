"""The benchmark's clips: made once by seed, kept as video with the truth in another folder."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import mujoco
import numpy as np

import worldline.sim
from worldline.core import Clip, InputError, Origin, Provenance, Scene
from worldline.core.processes import spread_in_order
from worldline.retrieval.benchmark.disturbances import DISTURBANCES, add_noise
from worldline.retrieval.benchmark.recipes import RECIPES, Part, with_marks
from worldline.sim.engine import simulate
from worldline.sim.families import FAMILIES
from worldline.sim.families.base import Casting
from worldline.sim.framing import Shot
from worldline.sim.splits import Split
from worldline.sim.studio import film_stage

__all__ = ["SIZE_PX", "ClipFile", "make_clips", "source_digest"]

SIZE_PX = 128
"""Width and height of the clips."""

_MAX_NOISE = 2.5
_QUICK = (
    "drop",
    "lowering",
    "near_miss",
    "crash",
    "roll",
    "behind_screen",
    "before_screen",
    "heavy_noise",
)
"""Kinds of which a quick run has one clip each."""

OnDone = Callable[[int, int], None]
"""Called with the number done and the number in all."""


@dataclass(frozen=True)
class ClipFile:
    """One clip on disk.

    Attributes:
        name: number as text; says nothing of what happens.
        recipe: kind of scene.
        video: the video, beside which there is no truth.
        truth: the true scene, in another folder, without events.
    """

    name: str
    recipe: str
    video: Path
    truth: Path

    def read_truth(self) -> Scene:
        """The true scene, without events."""
        return Scene.from_json(json.loads(self.truth.read_text())["scene"])


def make_clips(
    folder: Path,
    part: Part,
    *,
    seed: int,
    quick: bool,
    num_workers: int,
    on_done: OnDone | None = None,
) -> list[ClipFile]:
    """Make what is not there yet of a part of the benchmark.

    Args:
        folder: cache; clips of other seeds and of other versions of the simulator keep their own
            places in it.
        part: which.
        seed: of both.
        quick: few clips.
        num_workers: processes.
        on_done: told how far it is.

    Raises:
        InputError: the folder cannot be written.
    """
    size = "quick" if quick else "whole"
    # Absolute, as a library names videos: scores are looked up by that name.
    place = folder.absolute() / f"{source_digest(_SOURCES)}-{seed}-{size}" / str(part)
    try:
        for name in ("videos", "truth"):
            (place / name).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{place}: cannot be made ({error.strerror}); give --cache") from None
    files: list[ClipFile] = []
    jobs: list[tuple[int, int, ClipFile]] = []
    for row, recipe in enumerate(RECIPES):
        for index in range(int(recipe.name in _QUICK) if quick else recipe.count_in(part)):
            name = f"{len(files):04d}"
            video, truth = place / "videos" / f"{name}.mp4", place / "truth" / f"{name}.json"
            file = ClipFile(name, recipe.name, video, truth)
            files.append(file)
            if not (file.video.is_file() and file.truth.is_file()):
                jobs.append((row, index, file))
    if not jobs:
        return files
    jobs.sort(key=lambda job: job[1])  # some of each kind first: an unfinished part is of use
    work = partial(_make_file, part=part, seed=seed)
    for done, _ in enumerate(spread_in_order(work, jobs, num_workers=num_workers), start=1):
        if on_done is not None:
            on_done(done, len(jobs))
    return files


_SOURCES = (
    *sorted(Path(str(worldline.sim.__file__)).parent.rglob("*.py")),
    *(Path(__file__).with_name(f"{n}.py") for n in ("clips", "recipes", "roads", "hands")),
    *(Path(__file__).with_name(f"{n}.py") for n in ("script", "disturbances")),
)


def source_digest(files: Sequence[Path]) -> str:
    """Short digest of some source files and of the physics engine's version."""
    digest = hashlib.sha256(mujoco.__version__.encode())
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def _make_file(job: tuple[int, int, ClipFile], *, part: Part, seed: int) -> None:
    from worldline.data import write_video

    row, index, file = job
    clip = make_clip(row, index, part=part, seed=seed)
    assert clip.scene is not None
    partial_file = file.truth.with_suffix(".partial")
    record = {"recipe": file.recipe, "caption": clip.caption, "scene": clip.scene.to_json()}
    partial_file.write_text(json.dumps(record))
    write_video(file.video, clip.frames, time_s=clip.time_s, provenance=clip.provenance)
    partial_file.replace(file.truth)


def make_clip(row: int, index: int, *, part: Part, seed: int, size_px: int = SIZE_PX) -> Clip:
    """Clip `index` of kind `row`; depends on the arguments and nothing else. No events."""
    recipe = RECIPES[row]
    name = int.from_bytes(recipe.name.encode(), "little")
    rng = np.random.default_rng(np.random.SeedSequence([name, list(Part).index(part), seed, index]))
    if recipe.direct is None:
        clip = FAMILIES[recipe.name].make(Split.HELD_OUT, rng, Shot(size_px))
    else:
        play = recipe.direct(rng, Casting(Split.HELD_OUT, rng))
        play = replace(play, stage=with_marks(play.stage, rng)).begun()
        clip = film_stage(play.stage, Shot(size_px), simulate(play.stage, play.push))
    frames = clip.frames
    if recipe.disturbance:
        frames = DISTURBANCES[recipe.disturbance](frames, rng)
    else:
        frames = add_noise(frames, float(rng.uniform(0, _MAX_NOISE)), rng)
    provenance = Provenance(
        origin=Origin.SIMULATED, source="benchmark", producer="worldline.retrieval", seed=seed
    )
    return replace(clip, frames=frames, provenance=provenance)
