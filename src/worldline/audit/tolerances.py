"""What lawful films look like to the laws after rendering, coding and tracking.

`python -m worldline.audit.tolerance_films` makes clips of many simulated scenes, all lawful, writes
them as H.264 video, reads them back, lets `readout.PixelReadout` perceive them, and notes for each
law how far the measured deviation goes: its `excess` over what is granted and two standard errors.
The sorted numbers are kept in `tolerances.json` beside this module. `audit_scene` then tells how
usual the excess of a perceived video is: its p-value is the share of lawful films that go as far or
farther (split conformal, as a p-value: Vovk, Gammerman and Shafer 2005, chapter 2),

    p = (1 + number of lawful films with at least this excess) / (n + 1).

A film has 32 frames. A longer video counts as several, one after the other, and its p-value is
multiplied by their number (Bonferroni). Where such pieces are exchangeable with the films, a lawful
video fails a law with a chance of at most alpha, whatever the tracker does. No n films make a
p-value smaller than 1 / (n + 1), times the number of pieces. Where that is more than alpha, films
alone let nothing fail: then a video fails only if it goes farther than every film, and its own
p-value, of the measurement against its errors and what is granted, is below alpha too.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from worldline.core.clip import Clip
from worldline.core.errors import InputError
from worldline.core.scene import Scene
from worldline.core.verdict import Outcome, Verdict
from worldline.core.wording import counted, write_number
from worldline.physics import LAWS, check_laws
from worldline.physics.laws.judging import restate, tell_p

__all__ = [
    "DEFAULT_ALPHA",
    "Settings",
    "Take",
    "Tolerances",
    "alarm_rates",
    "is_calibrated_kind",
    "list_takes",
    "load_tolerances",
    "perceive_clip",
    "pick_gate_takes",
    "read_film",
    "score_scene",
    "score_verdicts",
]

DEFAULT_ALPHA = 0.02
"""Chance of a false alarm for each law; the films are enough for all laws that they show often."""

FILM_FRAMES = 32
"""Length of a film, as `sim` makes them."""

_FILM = "film.mp4"

DIGITS = 4
"""Decimals to which an excess is kept."""


@dataclass(frozen=True)
class Settings:
    """Which films are made.

    Attributes:
        seed: of the clips of all families; each of the series after them is 1000 higher.
        rounds: clips of each family.
        more: families with flights and hits, which many laws are about, again, and clips of each;
            then those in which a tracker sees most of energy and momentum.
        sizes_px: sides of the image, in turn.
        largest_px: a family to the largest side it is filmed at: its rendering is slow.
        moving_every: one clip in so many of a family has a moving camera, where it can.
        breach_seed, breach_rounds: of the films of what cannot happen, of each kind.
        gate_films: so many of all films, drawn at random, are audited against their truth too.
    """

    seed: int = 4000
    rounds: int = 12
    more: tuple[tuple[tuple[str, ...], int], ...] = (
        (("bounce", "throw", "drop", "disc_bounce", "disc_collision"), 45),
        (("disc_bounce", "disc_collision"), 60),
    )
    sizes_px: tuple[int, ...] = (64, 128, 96, 192)
    largest_px: Mapping[str, int] = field(default_factory=lambda: {"pour": 128})
    moving_every: int = 6
    breach_seed: int = 6000
    breach_rounds: int = 16
    gate_films: int = 420


@dataclass(frozen=True)
class Take:
    """One film: arguments of `sim.make_clip`."""

    family: str
    index: int
    seed: int
    size_px: int
    moving_camera: bool

    def clip(self) -> Clip:
        """Simulate and render it."""
        from worldline.sim import make_clip

        return make_clip(
            self.family,
            self.index,
            seed=self.seed,
            size_px=self.size_px,
            events=False,
            moving_camera=self.moving_camera,
        )


def list_takes(settings: Settings) -> list[Take]:
    """The films of a calibration, in order."""
    from worldline.sim import FAMILIES

    takes = []
    series = ((tuple(FAMILIES), settings.rounds), *settings.more)
    for later, (families, rounds) in enumerate(series):
        seed = settings.seed + 1000 * later
        for index in range(rounds):
            for number, family in enumerate(families):
                size = settings.sizes_px[(index + number) % len(settings.sizes_px)]
                moving = index % settings.moving_every == settings.moving_every - 1
                takes.append(
                    Take(
                        family,
                        index,
                        seed,
                        min(size, settings.largest_px.get(family, size)),
                        moving and FAMILIES[family].has_camera,
                    )
                )
    return takes


def pick_gate_takes(settings: Settings) -> list[int]:
    """Numbers of the films that the gate is calibrated with (`audit.joint`), in random order."""
    order = np.random.default_rng(settings.seed).permutation(len(list_takes(settings)))
    return order[: settings.gate_films].tolist()


def perceive_clip(clip: Clip, folder: Path) -> Scene:
    """Encode a clip as a video, decode it and perceive what moves, by motion alone.

    Args:
        clip: to film.
        folder: for the video, which is written over by the next.
    """
    from worldline.data import iter_frames, probe, write_video
    from worldline.readout import PixelReadout

    path = folder / _FILM
    write_video(path, clip.frames, time_s=clip.time_s, provenance=clip.provenance)
    readout = PixelReadout.Config().build()
    return readout.read(iter_frames(path), provenance=probe(path).provenance)


def read_film(folder: Path) -> Clip:
    """The pixels of the last video that `perceive_clip` wrote there."""
    return Clip.read(folder / _FILM)


def score_scene(scene: Scene) -> dict[str, float]:
    """Excess of each law that is testable on a scene and has one."""
    return score_verdicts(check_laws(scene))


def score_verdicts(verdicts: Iterable[Verdict]) -> dict[str, float]:
    """Excess of each verdict that has one."""
    return {
        verdict.law: round(verdict.quantities["excess"], DIGITS)
        for verdict in verdicts
        if verdict.outcome is not Outcome.UNTESTABLE and "excess" in verdict.quantities
    }


def is_calibrated_kind(scene: Scene) -> bool:
    """Whether a scene is of the kind that the films are: tracked in pixels, with errors stated."""
    stated = bool(np.nanmax(scene.center_px_std, initial=0.0) > 0)
    return scene.position_m is None and stated


@dataclass(frozen=True, eq=False)
class Tolerances:
    """How far lawful films go.

    Attributes:
        scores: law to the sorted excess of the films on which it was testable.
        settings: of the films, as written.
        measured: at `DEFAULT_ALPHA`: `false_alarms` of laws on lawful films and `found` breaches,
            in pixels after the whole chain and in metres on the truth; each as [failed, all].
    """

    scores: Mapping[str, Float[np.ndarray, " n"]]
    settings: Mapping[str, Any] = field(default_factory=dict)
    measured: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, films: Iterable[Mapping[str, float]], settings: Mapping[str, Any]) -> Tolerances:
        """Collect the scores of films, one mapping of `score_scene` for each."""
        kept: dict[str, list[float]] = {law: [] for law in LAWS}
        for film in films:
            for law, score in film.items():
                kept[law].append(score)
        scores = {law: np.sort(np.array(own)) for law, own in kept.items() if own}
        return cls(scores, settings)

    def num_films(self, law: str) -> int:
        """Films on which a law was testable."""
        return len(self.scores.get(law, ()))

    def p_value(self, law: str, excess: float) -> float:
        """Conformal p-value of an excess. Raises `InputError` for a law without films."""
        if law not in self.scores:
            raise InputError(f"there are no lawful films on which {law} is testable")
        own = self.scores[law]
        farther = len(own) - int(np.searchsorted(own, round(excess, DIGITS), side="left"))
        return (1 + farther) / (len(own) + 1)

    def limit(self, law: str, alpha: float) -> float:
        """Excess up to which a law passes: the split-conformal quantile, infinite if too few."""
        from worldline.audit.calibration import conformal_quantile

        return conformal_quantile(self.scores[law], alpha) if law in self.scores else float("inf")

    def settle(self, verdict: Verdict, alpha: float, *, num_frames: int = FILM_FRAMES) -> Verdict:
        """A verdict with the p-value that films give it.

        Untestable verdicts, and laws that no film speaks of, stay as they are.

        Args:
            verdict: of `physics.check_laws`.
            alpha: chance of a false alarm.
            num_frames: of the video.
        """
        excess = verdict.quantities.get("excess")
        num = self.num_films(verdict.law)
        if verdict.outcome is Outcome.UNTESTABLE or excess is None or not num:
            return verdict
        pieces = max(1, -(-num_frames // FILM_FRAMES))
        share = self.p_value(verdict.law, excess)
        p_value = min(1.0, pieces * share)
        farther = round(share * (num + 1)) - 1
        few = pieces / (num + 1) > alpha
        if few and not farther:
            assert verdict.p_value is not None
            return restate(
                verdict,
                outcome=Outcome.FAIL if verdict.p_value < alpha else Outcome.PASS,
                p_value=verdict.p_value,
                why=f"{tell_p(verdict.p_value)} by its own errors; farther than all "
                f"{counted(num, 'lawful film')}, which are too few to tell more",
            )
        times = "" if pieces == 1 else f", times {pieces} for its length"
        return restate(
            verdict,
            outcome=Outcome.FAIL if p_value <= alpha else Outcome.PASS,
            p_value=p_value,
            why=f"p = {write_number(p_value, 2)}: {farther or 'none'} of {num} lawful films "
            f"{'goes' if farther == 1 else 'go'} as far{times}",
        )

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary for JSON."""
        return {
            "version": 1,
            "settings": dict(self.settings),
            "measured": dict(self.measured),
            "scores": {law: own.tolist() for law, own in self.scores.items()},
        }

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Tolerances:
        """Inverse of `to_json`."""
        scores = {law: np.array(own, dtype=np.float64) for law, own in record["scores"].items()}
        return cls(scores, record["settings"], record["measured"])


@cache
def load_tolerances() -> Tolerances:
    """Those that come with the package."""
    text = resources.files("worldline.audit").joinpath("tolerances.json").read_text()
    return Tolerances.from_json(json.loads(text))


def alarm_rates(
    films: Sequence[Mapping[str, float]], alpha: float, *, num_folds: int = 5
) -> dict[str, tuple[int, int]]:
    """False alarms on lawful films that the others calibrate (cross-validation).

    Args:
        films: scores of each.
        alpha: chance of a false alarm that is promised.
        num_folds: equal parts that the films are dealt into at random, but always alike.

    Returns:
        law to (alarms, films on which it was testable), and "any law" to (films with an alarm,
        films); laws with too few films have no alarms.
    """
    counts = {law: [0, 0] for law in (*LAWS, "any law")}
    part = np.random.default_rng(0).permutation(len(films)) % num_folds
    for fold in range(num_folds):
        rest = Tolerances.of((s for s, own in zip(films, part, strict=True) if own != fold), {})
        for film in (s for s, own in zip(films, part, strict=True) if own == fold):
            alarms = [
                law
                for law, score in film.items()
                if rest.num_films(law) and rest.p_value(law, score) <= alpha
            ]
            for law in (*film, "any law"):
                counts[law][1] += 1
            for law in (*alarms, *["any law"] * bool(alarms)):
                counts[law][0] += 1
    return {law: (alarms, number) for law, (alarms, number) in counts.items() if number}
