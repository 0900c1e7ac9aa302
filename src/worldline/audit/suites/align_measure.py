"""What the suite `align` measures of one staging: every system, from every camera."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, UInt8

from worldline.audit.baselines import FrozenMean
from worldline.audit.doses import DOSES, Fault, spoil
from worldline.audit.perceptual import Eyes, feature_distance, gmsd, summarise
from worldline.audit.silhouettes import Silhouettes
from worldline.audit.suites.align_scenes import NUM_FRAMES, film_scene
from worldline.audit.suites.result import hash_scenarios
from worldline.audit.suites.subject import Subject, of_baseline
from worldline.audit.visual import psnr, ssim
from worldline.core.clip import Clip
from worldline.core.errors import InputError

__all__ = [
    "EMPTY",
    "HORIZON",
    "METRICS",
    "SHOWN",
    "TRUTH",
    "UNTRAINED",
    "Case",
    "Measured",
    "Ruler",
    "dose_curves",
    "measure_case",
]

SHOWN = (1, 9)
"""Frames of context."""
HORIZON = NUM_FRAMES - SHOWN[-1]
"""33 frames scored."""
METRICS = ("iou", "psnr", "ssim", "gmsd", "deep")

TRUTH, EMPTY, UNTRAINED = "truth", "empty scene", "untrained"

Frames = UInt8[np.ndarray, "t h w 3"]


@dataclass(frozen=True)
class Case:
    """One staging of a scene."""

    scene: str
    number: int


@dataclass(frozen=True, eq=False)
class Measured:
    """Numbers of one staging.

    Attributes:
        case: which.
        digest: of its clips.
        values: by system and frames shown, `[cameras, METRICS]`.
        vectors: by the same, `[cameras, features]` of each clip; see `Eyes.describe`.
    """

    case: Case
    digest: str
    values: Mapping[tuple[str, int], Float[np.ndarray, "c m"]]
    vectors: Mapping[tuple[str, int], Float[np.ndarray, "c d"]]


def measure_case(
    case: Case,
    *,
    subject: Subject,
    fresh: Subject | None,
    eyes: Eyes,
    seed: int,
    num_cameras: int,
    all_untrained: bool,
) -> Measured:
    """Film a staging, let everybody continue it and measure what they say.

    Args:
        case: the staging.
        subject: under test.
        fresh: the same untrained, where there is such a thing.
        eyes: for the deep distance and the clips' vectors.
        seed: of stagings; the noise of camera c has the seed `1000 seed + c`.
        num_cameras: that film it.
        all_untrained: the untrained row sees all of them instead of the first.
    """
    filmed = film_scene(
        case.scene, case.number, seed=seed, size_px=subject.size_px, num_cameras=num_cameras
    )
    values: dict[tuple[str, int], list[np.ndarray]] = {}
    vectors: dict[tuple[str, int], list[np.ndarray]] = {}
    for camera, clip in enumerate(filmed.clips):
        ruler = Ruler.of(clip, eyes)
        novice = fresh if all_untrained or camera == 0 else None
        for shown in SHOWN:
            futures = _futures(subject, novice, clip, shown, 1000 * seed + camera)
            for name, frames in futures.items():
                numbers, vector = ruler.measure(frames, shown)
                values.setdefault((name, shown), []).append(numbers)
                vectors.setdefault((name, shown), []).append(vector)
    return Measured(
        case,
        hash_scenarios(filmed.clips),
        {key: np.stack(found) for key, found in values.items()},
        {key: np.stack(found) for key, found in vectors.items()},
    )


def _futures(
    subject: Subject, novice: Subject | None, clip: Clip, shown: int, seed: int
) -> dict[str, Frames]:
    """What each system says of the frames after the first few, the subject first."""
    seen = clip.frames[:shown]
    futures = {subject.name: _ask(subject, seen, seed)}
    if novice is not None:
        futures[UNTRAINED] = _ask(novice, seen, seed)
    for name in ("copy-last", "flow-warp"):
        futures[name] = _ask(of_baseline(name), seen, seed)
    futures["frozen mean"] = FrozenMean().predict(seen, HORIZON, seed)[0]
    assert clip.background is not None
    futures[EMPTY] = np.repeat(clip.background[:1], HORIZON, axis=0)
    futures[TRUTH] = clip.frames[shown : shown + HORIZON]
    return futures


def _ask(subject: Subject, seen: Frames, seed: int) -> UInt8[np.ndarray, "n h w 3"]:
    assert subject.predict is not None
    if subject.world is not None and len(seen) == 1:
        seen = np.repeat(seen, subject.world.context, axis=0)
    try:
        found = subject.predict(seen, HORIZON, seed)
    except InputError:
        if len(seen) > 1:
            raise
        found = subject.predict(np.repeat(seen, 2, axis=0), HORIZON, seed)
    wanted = (HORIZON, *seen.shape[1:])
    if found.shape != wanted:
        raise InputError(f"{subject.name} predicted frames {found.shape}, expected {wanted}")
    return found


@dataclass(frozen=True, eq=False)
class Ruler:
    """Measures futures of one clip, each different picture and its truth once."""

    clip: Clip
    silhouettes: Silhouettes
    eyes: Eyes
    _known: dict[tuple[int, bytes], np.ndarray] = field(default_factory=dict)
    _true: dict[int, np.ndarray] = field(default_factory=dict)

    @classmethod
    def of(cls, clip: Clip, eyes: Eyes) -> Ruler:
        """For the futures of a simulated clip."""
        return cls(clip, Silhouettes.of(clip), eyes)

    def measure(
        self, frames: Frames, shown: int
    ) -> tuple[Float[np.ndarray, " m"], Float[np.ndarray, " d"]]:
        """Numbers in the order of `METRICS`, and the vector, of what is said to follow after so
        many frames."""
        truth = self.clip.frames[shown : shown + HORIZON]
        overlaps = np.stack([self._overlaps(f, shown + t) for t, f in enumerate(frames)])
        known = np.isfinite(overlaps)
        each = np.where(known, overlaps, 0).sum(0)[known.any(0)] / known.sum(0)[known.any(0)]
        seen = self.eyes.see(frames)
        if shown not in self._true:
            self._true[shown] = self.eyes.see(truth)
        numbers = [
            float(each.mean()) if len(each) else np.nan,
            *(float(f(frames, truth).mean()) for f in (psnr, ssim, gmsd)),
            float(feature_distance(seen, self._true[shown]).mean()),
        ]
        return np.array(numbers), summarise(seen)

    def _overlaps(self, frame: np.ndarray, at: int) -> np.ndarray:
        key = (at, frame.tobytes())
        if key not in self._known:
            assert self.clip.segmentation is not None
            self._known[key] = self.silhouettes.overlaps(frame, self.clip.segmentation[at])
        return self._known[key]


def dose_curves(
    scenes: Sequence[str], *, eyes: Eyes, seed: int, size_px: int
) -> dict[Fault, Float[np.ndarray, "s d m"]]:
    """What the instruments make of true frames that are spoilt by more and more.

    For each fault `[scenes, doses, METRICS]`, the first dose being none; see
    `worldline.audit.doses`.
    """
    curves: dict[Fault, list[np.ndarray]] = {fault: [] for fault in Fault}
    for scene in scenes:
        (clip,) = film_scene(scene, 0, seed=seed, size_px=size_px, num_cameras=1).clips
        ruler = Ruler.of(clip, eyes)
        scored = slice(SHOWN[-1], NUM_FRAMES)
        for fault in Fault:
            spoilt = [spoil(fault, clip, scored, dose, seed=seed) for dose in (0.0, *DOSES)]
            curves[fault].append(np.stack([ruler.measure(f, SHOWN[-1])[0] for f in spoilt]))
    return {fault: np.stack(found) for fault, found in curves.items()}
