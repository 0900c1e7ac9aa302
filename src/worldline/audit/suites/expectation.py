"""Suite `expectation`: does a model find what cannot happen more surprising than what can?

Violation of expectation, as IntPhys (Riochet et al. 2022, TPAMI 44(9)) and Garrido et al. (2025,
arXiv 2502.11831) measure it: of two clips that are the same up to a moment, the impossible one has
to be the more surprising. One number per clip comes from the surprise of its frames; how they are
put together, and how many frames have to have been seen before one counts, is chosen for each row
on development pairs, for all properties at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from itertools import product

import cv2
import numpy as np
import torch
from jaxtyping import Float, UInt8

from worldline.audit.suites.result import (
    Better,
    Cell,
    Report,
    Row,
    RowKind,
    SuiteResult,
    Table,
    hash_scenarios,
    share_cell,
)
from worldline.audit.suites.running import OnProgress, part
from worldline.audit.suites.subject import Encode, Subject, Surprised, untrained
from worldline.audit.suites.twins import PROPERTIES, Twin, make_twins
from worldline.core.latents import Controls, Latents
from worldline.data.transform import center_square
from worldline.dynamics.optical import enlarge, measure_velocity
from worldline.world import World
from worldline.world.expectation import EVIDENCE_WEIGHT, weigh_evidence
from worldline.world.surprise import spread_steps

__all__ = ["CONTEXTS", "GOAL", "SUMS", "Reading", "Settings", "run"]

GOAL = 0.95
CONTEXTS = (2, 4, 7)
SUMS = ("max", "top 3", "top 6", "mean")
_UPSCALE = 2
_LEAST_PX = 64
"""The small are shown pairs of this size, shrunk: what must be in sight is said in pixels."""

_BATCH = 16
_UNTRAINED = "untrained"

_QUICK_TEST, _QUICK_CHOOSE = 1, 1
"""Pairs of each property in a quick run, and of every fourth one to choose by."""

_SIMULATING, _SUBJECTS = 0.1, 5
"""About which share of the time the clips take, and how many times another's row the subject's."""

_PUBLISHED = {
    "V-JEPA-H on IntPhys (Garrido et al. 2025)": {
        "permanence": 1.0,
        "continuity": 0.95,
        "shape": 1.0,
    },
}


@dataclass(frozen=True)
class Settings:
    """How much is asked.

    Attributes:
        seed: of the twins.
        quick: one pair of each property, and one of every fourth property to choose by.
        num_workers: processes that simulate.
        num_test, num_development: pairs of each property.
        num_untrained: how many of them, of either kind, the untrained row sees at the most, since
            it takes as long as the subject's.
        properties: those that are asked.
    """

    seed: int = 0
    quick: bool = False
    num_workers: int = 1
    num_test: int = 10
    num_development: int = 4
    num_untrained: int = 4
    properties: tuple[str, ...] = PROPERTIES


@dataclass(frozen=True)
class Reading:
    """How one number is made of a clip's surprises.

    Attributes:
        context: frames that have been seen before one counts.
        how: out of `SUMS`.
    """

    context: int
    how: str

    def __call__(self, per_frame: Float[np.ndarray, " t"]) -> float:
        """The number of a clip."""
        counted = np.sort(per_frame[self.context :])
        num = {"max": 1, "top 3": 3, "top 6": 6, "mean": len(counted)}[self.how]
        return float(counted[-num:].mean())


Clips = Sequence[UInt8[np.ndarray, "t h w 3"]]
Felt = list[Float[np.ndarray, " t"]]
Feel = Callable[[Clips], Felt]
"""From clips to the surprise of each of their frames."""

Pairs = list[tuple[Float[np.ndarray, " t"], Float[np.ndarray, " t"]]]
"""Surprises of the possible and the impossible clip of some pairs."""

_Twins = dict[str, list[Twin]]


def run(
    subject: Subject,
    settings: Settings,
    on_progress: Callable[[float], None] = lambda _: None,
) -> SuiteResult:
    """Ask a subject about twins.

    Raises:
        InputError: it is neither surprised nor predicts.
    """
    judges = _judges(subject)
    ofs = settings.properties
    num_test, num_choose, choose_by = settings.num_test, settings.num_development, ofs
    if settings.quick:
        num_test, num_choose, choose_by = _QUICK_TEST, _QUICK_CHOOSE, ofs[::4]

    def simulate(part_of: str, by: Sequence[str], num: int, told: OnProgress) -> _Twins:
        return make_twins(
            by,
            num,
            seed=settings.seed,
            part=part_of,
            size_px=max(_LEAST_PX, subject.size_px),
            num_workers=settings.num_workers,
            on_progress=told,
        )

    half = 0.5 * _SIMULATING
    choosing = simulate("development", choose_by, num_choose, part(on_progress, 0, half))
    asked = simulate("test", ofs, num_test, part(on_progress, half, _SIMULATING))
    variants = tuple(dict.fromkeys(f"{of}: {t.variant}" for of in ofs for t in asked[of]))
    rows, details, chosen = [], [], {}
    shares = np.array([_SUBJECTS if kind is RowKind.SUBJECT else 1 for _, kind, _ in judges])
    ends = _SIMULATING + (1 - _SIMULATING) * np.cumsum(shares) / shares.sum()
    for number, (name, kind, judge) in enumerate(judges):
        most = settings.num_untrained if name.startswith(_UNTRAINED) else num_test + num_choose
        feel = partial(_feel, judge, size_px=subject.size_px)
        begin = float(ends[number - 1]) if number else _SIMULATING
        end = float(ends[number])
        middle = begin + (end - begin) * num_choose / (num_test + num_choose)
        reading = _choose(_each(choosing, feel, most, part(on_progress, begin, middle)))
        chosen[name] = f"{reading.how} of frames from {reading.context} on"
        felt = _each(asked, feel, most, part(on_progress, middle, end))
        right = {of: _right(pairs, reading) for of, pairs in felt.items()}
        for hits in right.values():
            hits += [float("nan")] * (num_test - len(hits))
        every = [hit for of in ofs for hit in right[of]]
        cells = {of: share_cell(right[of]) for of in ofs} | {"all": share_cell(every)}
        rows.append(Row(name, kind, cells))
        details.append(Row(name, kind, _by_variant(asked, right, variants)))
    for name, shares in _PUBLISHED.items():
        cells = {of: Cell(value) for of, value in shares.items() if of in ofs}
        if cells:
            rows.append(Row(name, RowKind.PUBLISHED, cells))
    clips = [clip for of in ofs for t in asked[of] for clip in (t.possible, t.impossible)]
    return SuiteResult(
        suite="expectation",
        subject=subject.name,
        tables=(
            Table(
                name="pairwise_accuracy",
                title="pairs in which the impossible clip is the more surprising one",
                report=Report.PHYSICAL,
                unit="",
                better=Better.HIGHER,
                columns=(*ofs, "all"),
                rows=tuple(rows),
                goals=dict.fromkeys(ofs, GOAL),
                note="Chance is one half; a tie counts one half. Published rows are of other "
                "clips. On GRASP (Jassim et al. 2024) V-JEPA-H is published with 55 to 89 %.",
            ),
            Table(
                name="accuracy_by_kind",
                title="the same by kind of miracle",
                report=Report.PHYSICAL,
                unit="",
                better=Better.HIGHER,
                columns=variants,
                rows=tuple(details),
            ),
        ),
        scenarios=hash_scenarios(clips),
        num_scenarios=num_test * len(ofs),
        seed=settings.seed,
        facts={
            "pairs_per_property": num_test,
            "development_pairs": num_choose * len(choose_by),
            **{f"reading: {name}": how for name, how in chosen.items()},
        },
        notes=(
            "A world's surprise is its latent error and the evidence of object files, whose rules "
            "are not learned and are the same for every world; either stands alone in a row.",
            "Behind a screen, pairs follow the matched design of IntPhys; in view, more motion may "
            "follow a miracle than its absence, which the row of pixel differences shows.",
        ),
    )


def pixel_difference(frames: UInt8[np.ndarray, "t h w 3"]) -> Float[np.ndarray, " t"]:
    """Mean squared difference of each frame from the one before."""
    change = np.diff(frames.astype(np.float64) / 255, axis=0, prepend=frames[:1] / 255)
    return np.square(change).mean(axis=(1, 2, 3))


def flow_warp_error(frames: UInt8[np.ndarray, "t h w 3"]) -> Float[np.ndarray, " t"]:
    """Mean squared error of each frame where the optical flow before it would have gone on.

    0 for the first two.
    """
    fine = [enlarge(frame, _UPSCALE) for frame in frames]
    height, width = fine[0].shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    found = np.zeros(len(frames))
    for t in range(2, len(frames)):
        way = measure_velocity(fine[t - 1], fine[t - 2]).astype(np.float32)
        carried = cv2.remap(
            fine[t - 1],
            x - way[..., 0],
            y - way[..., 1],
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        found[t] = np.square((carried.astype(np.float64) - fine[t]) / 255).mean()
    return found


def latent_norm(encode: Encode) -> Surprised:
    """Mean square of a frame's encoding: what is surprising without any expectation."""

    def measure(frames: UInt8[np.ndarray, "t h w 3"]) -> Float[np.ndarray, " t"]:
        return np.square(encode(frames)).mean(axis=1)

    return measure


@torch.no_grad()
def latent_errors(
    world: World, clips: Sequence[UInt8[np.ndarray, "t h w 3"]]
) -> list[Float[np.ndarray, " t"]]:
    """`World.raw_surprise` of clips of one length, many at once, over its mean on held-out clips.

    The noise of a clip depends on its place among the others, so that twins can have the same.
    """
    mean = float(world.calibration.get("surprise_mean", 1.0))
    stride, found = world.tokenizer.time_stride, []
    for start in range(0, len(clips), _BATCH):
        part = clips[start : start + _BATCH]
        latents = [world.encode_frames(frames) for frames in part]
        together = Latents(torch.cat([x.tokens for x in latents]), latents[0].grid)
        noise = torch.Generator().manual_seed(start)
        per_step = world.dynamics.surprises(together, Controls(), noise).double().numpy() / mean
        per_step[:, :2] = 0.0
        found += [
            spread_steps(steps, stride, len(frames))
            for steps, frames in zip(per_step, part, strict=True)
        ]
    return found


def _judges(subject: Subject) -> list[tuple[str, RowKind, Feel]]:
    """What is asked, the subject first."""
    judges: list[tuple[str, RowKind, Feel]] = []
    world = subject.world
    if world is None:
        judges.append((subject.name, RowKind.SUBJECT, _one_by_one(subject.surprised())))
    else:
        fresh = untrained(world).world
        assert fresh is not None
        learned = _remembering(partial(latent_errors, world))
        told = _remembering(_one_by_one(weigh_evidence))

        def both(clips: Clips) -> Felt:
            pairs = zip(learned(clips), told(clips), strict=True)
            return [errors + EVIDENCE_WEIGHT * evidence for errors, evidence in pairs]

        judges += [
            (subject.name, RowKind.SUBJECT, both),
            (f"{subject.name}, latent error alone", RowKind.BASELINE, learned),
            ("object files alone", RowKind.BASELINE, told),
            (f"{_UNTRAINED}, latent error alone", RowKind.BASELINE, partial(latent_errors, fresh)),
        ]
    judges.append(("pixel difference", RowKind.BASELINE, _one_by_one(pixel_difference)))
    judges.append(("flow-warp error", RowKind.BASELINE, _one_by_one(flow_warp_error)))
    if subject.encode is not None:
        norm = latent_norm(subject.encode)
        judges.append(("latent norm", RowKind.BASELINE, _one_by_one(norm)))
    return judges


def _one_by_one(judge: Surprised) -> Feel:
    return lambda clips: [judge(frames) for frames in clips]


def _remembering(feel: Feel) -> Feel:
    """Rows that share a measurement take it once."""
    known: dict[bytes, Float[np.ndarray, " t"]] = {}

    def recall(clips: Clips) -> Felt:
        keys = [sha256(frames.tobytes()).digest() for frames in clips]
        if not all(key in known for key in keys):
            known.update(zip(keys, feel(clips), strict=True))
        return [known[key] for key in keys]

    return recall


def _each(
    twins: _Twins, feel: Callable[[Sequence[Twin]], Pairs], most: int, told: OnProgress
) -> dict[str, Pairs]:
    """What is felt about the first pairs of each property."""
    felt: dict[str, Pairs] = {}
    for of, pairs in twins.items():
        felt[of] = feel(pairs[:most])
        told(len(felt) / len(twins))
    return felt


def _feel(feel: Feel, twins: Sequence[Twin], size_px: int) -> Pairs:
    sides = [[t.possible for t in twins], [t.impossible for t in twins]]
    shown = [[center_square(clip.frames, size_px)[0] for clip in side] for side in sides]
    return list(zip(*(feel(clips) for clips in shown), strict=True))


def _right(felt: Pairs, reading: Reading) -> list[float]:
    """1 for each pair that is told apart rightly, 1/2 for a tie."""
    pairs = [(reading(possible), reading(impossible)) for possible, impossible in felt]
    return [float(b > a) + 0.5 * float(b == a) for a, b in pairs]


def _choose(felt: Mapping[str, Pairs]) -> Reading:
    """The reading with the best mean accuracy over properties; the first of equals."""
    readings = [Reading(context, how) for how, context in product(SUMS, CONTEXTS)]
    means = [np.mean([np.mean(_right(pairs, r)) for pairs in felt.values()]) for r in readings]
    return readings[int(np.argmax(means))]


def _by_variant(
    twins: Mapping[str, Sequence[Twin]],
    right: Mapping[str, Sequence[float]],
    variants: Sequence[str],
) -> dict[str, Cell]:
    cells = {}
    for variant in variants:
        of, _, kind = variant.partition(": ")
        hits = [hit for t, hit in zip(twins[of], right[of], strict=True) if t.variant == kind]
        cells[variant] = share_cell(hits)
    return cells
