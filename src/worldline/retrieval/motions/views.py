"""What the embedding learns from: the same motion seen by several cameras.

Most dynamics are only glimpsed at, which costs little. Some are rendered in two looks as well, and
the flow in these pictures is measured; without them the network learns what boxes tell of motion
in a picture, and not what flow tells.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Int

from worldline.core import Scene
from worldline.retrieval.motions.flow import FlowWatch
from worldline.retrieval.motions.moments import NUM_MOMENTS
from worldline.retrieval.motions.tracks import NUM_STEPS, STEP_S, cut_segments, pack_segment
from worldline.sim import CameraChange, Split, draw_retake, glimpse
from worldline.sim.engine import Rollout, simulate
from worldline.sim.families import FAMILIES
from worldline.sim.families.hidden import Occlude
from worldline.sim.framing import Restage, Shot
from worldline.sim.splits import seed_of
from worldline.sim.stage import Stage
from worldline.sim.studio import film_stage

__all__ = ["HELD_OUT_FAMILIES", "NUM_VIEWS", "SEEN_FAMILIES", "Views", "make_views"]

NUM_VIEWS, NUM_RENDERED = 4, 2
HELD_OUT_FAMILIES = ("throw", "pendulum", "billiards", "u_slope", "push")
"""Never learned from, so that there is a number for kinds of motion that training did not show."""

SEEN_FAMILIES = (
    "drop",
    "bounce",
    "collide",
    "roll",
    "slide",
    "stack",
    "topple",
    "occlude",
    "ramp",
    "dominoes",
    "seesaw",
    "gyroscope",
    "unstable_stack",
    "traffic",
    "contain",
    "pour",
    "tower",
    "cloth",
    "soft",
)
"""What the bundled weights learned from; stays as it is when `FAMILIES` grows."""
SIZE_PX = 96
_WIDE = CameraChange(azimuth_rad=0.4, elevation_rad=0.15, zoom=1.25, margin=0.25)


@dataclass(frozen=True, eq=False)
class Views:
    """D dynamics by `NUM_VIEWS` views.

    Attributes:
        box: `[D, K, N, S, 4]` centre and size in pixels, as `pack_segment` has them.
        seen: `[D, K, N, S]`.
        moments: `[D, K, M, S]` of all motion as flow measured it in rendered frames, from the first
            frame on; NaN in views that were not rendered.
        usable: `[D, K]` something moves in this view.
        family: `[D]` number of the family.
    """

    box: Float[np.ndarray, "d k n s 4"]
    seen: Bool[np.ndarray, "d k n s"]
    moments: Float[np.ndarray, "d k m s"]
    usable: Bool[np.ndarray, "d k"]
    family: Int[np.ndarray, " d"]

    def save(self, file: Path) -> None:
        """Write as `.npz`."""
        np.savez_compressed(
            file,
            box=self.box.astype(np.float16),
            seen=self.seen,
            moments=self.moments.astype(np.float32),
            usable=self.usable,
            family=self.family,
        )

    @classmethod
    def load(cls, files: Sequence[Path]) -> Views:
        """Read and join."""
        parts = []
        for file in files:
            with np.load(file) as part:
                parts.append(cls(**{name: part[name] for name in part.files}))
        return cls.join(parts)

    @classmethod
    def join(cls, parts: Sequence[Views]) -> Views:
        """One after the other."""
        names = ("box", "seen", "moments", "usable", "family")
        joined = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
        return cls(**(joined | {"box": joined["box"].astype(np.float32)}))


def make_views(
    families: Sequence[str], numbers: Sequence[int], *, seed: int, rendered: bool
) -> Views:
    """Draw dynamics of the TRAIN split and look at each from several sides.

    Args:
        families: names out of `FAMILIES`, with a camera.
        numbers: of the dynamics of each family.
        seed: of everything.
        rendered: render two of the views, which takes several times as long.
    """
    rows = []
    for index in numbers:
        for number, family in enumerate(families):
            views = list(_look(family, index, seed, NUM_RENDERED if rendered else 0))
            packed = [pack_segment(next(cut_segments(scene), None)) for scene, _ in views]
            box, seen = (np.stack(part) for part in zip(*packed, strict=True))
            moments = np.stack([value for _, value in views])
            rows.append((box, seen, moments, seen.any(axis=(1, 2)), number))
    return Views(*(np.stack(part) for part in zip(*rows, strict=True)))


def _look(
    family: str, index: int, seed: int, num_rendered: int
) -> Iterator[tuple[Scene, np.ndarray]]:
    stage, rollout = _happen(family, index, seed)
    rng = seed_of(f"{family} views", Split.TRAIN, seed, index)
    for view in range(NUM_VIEWS):
        retake = draw_retake(rng, _WIDE)
        stages: list[Stage] = []

        def once(stage: Stage, rollout: Rollout, retake=retake, stages=stages) -> Stage:
            """The same retake for the glimpse and for the film."""
            if not stages:
                stages.append(retake(stage, rollout))
            return stages[0]

        shot = Shot(SIZE_PX, restage=once)
        value = np.full((NUM_MOMENTS, NUM_STEPS), np.nan)
        if view < num_rendered:
            clip, watch = film_stage(stage, shot, rollout), FlowWatch()
            for _ in watch.pass_on(zip(clip.time_s.tolist(), clip.frames, strict=True)):
                pass
            value = watch.moments.on_grid(clip.time_s[0] + np.arange(NUM_STEPS) * STEP_S)
        yield glimpse(stage, rollout, shot), value


def _happen(family: str, index: int, seed: int) -> tuple[Stage, Rollout]:
    """The physics of a clip, whatever of it a camera sees."""
    rng = seed_of(family, Split.TRAIN, seed, index)
    if family == Occlude.name:
        # its `make` draws until the ball is hidden in the first camera's picture
        stage = Occlude().stage(Split.TRAIN, rng)
        return stage, simulate(stage)
    happened: list[tuple[Stage, Rollout]] = []

    def note(stage: Stage, rollout: Rollout) -> Stage:
        happened.append((stage, rollout))
        return stage

    restage: Restage = note
    FAMILIES[family].make(Split.TRAIN, rng, Shot(16, restage=restage))
    return happened[-1]
