"""The films behind `tolerances.json`: made, perceived, and audited.

`python -m worldline.audit.tolerance_films` writes the file anew; `--films 40 --out FILE.json` makes
the first few of the same films, in random order, to see that all works and the numbers come again.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from worldline.audit.joint import GateFilms, score_against
from worldline.audit.stillness import measure_stillness
from worldline.audit.tolerances import (
    DEFAULT_ALPHA,
    Settings,
    Take,
    Tolerances,
    alarm_rates,
    list_takes,
    perceive_clip,
    pick_gate_takes,
    read_film,
    score_verdicts,
)
from worldline.core.clip import Clip
from worldline.core.errors import InputError
from worldline.core.scene import Scene
from worldline.core.verdict import Outcome
from worldline.physics import check_laws

__all__ = ["MakeTolerances", "count_found", "film", "film_breaches"]


@dataclass(frozen=True)
class MakeTolerances:
    """Make lawful films and write down how far the laws' measurements go on them."""

    out: Path = Path(__file__).with_name("tolerances.json")
    """File to write."""
    films: int | None = None
    """How many of the films; breaches are cut down alike. All of them by default."""

    def run(self, settings: Settings | None = None) -> None:
        """Write the file. Raises `InputError` for no films at all."""
        settings = settings or Settings()
        takes = list_takes(settings)
        numbers = range(len(takes))
        if self.films is not None:
            if self.films < 1:
                raise InputError(f"--films is {self.films}; it must be at least 1")
            # The gate's films are the first of the same order.
            order = np.random.default_rng(settings.seed).permutation(len(takes))
            numbers = sorted(order[: self.films].tolist())
            rounds = -(-settings.breach_rounds * len(numbers) // len(takes))
            settings = replace(settings, breach_rounds=rounds)
        chosen = set(pick_gate_takes(settings))
        films, beside, still = [], [], []
        for number, (seen, clip, truth) in zip(
            numbers, film([takes[number] for number in numbers]), strict=True
        ):
            verdicts = check_laws(seen)
            films.append(score_verdicts(verdicts))
            if number in chosen:
                beside.append(score_against(seen, truth, verdicts))
                run = measure_stillness(clip, truth)
                still += [] if run is None else [run.num_frames]
            print(f"{len(films)} of {len(numbers)} films", file=sys.stderr)
        known = Tolerances.of(films, asdict(settings))
        measured = {
            "false_alarms": alarm_rates(films, DEFAULT_ALPHA),
            "found": count_found(known, list(film_breaches(settings))),
        }
        record = replace(known, measured=measured).to_json()
        record["gate"] = GateFilms(tuple(beside)).to_json()
        record["still"] = still
        self.out.write_text(json.dumps(record) + "\n")


def film(takes: Sequence[Take]) -> Iterator[tuple[Scene, Clip, Scene]]:
    """What is perceived in films, made one after the other, the film itself, and its truth."""
    with tempfile.TemporaryDirectory() as folder:
        for take in takes:
            clip = take.clip()
            assert clip.scene is not None
            seen = perceive_clip(clip, Path(folder))
            yield seen, read_film(Path(folder)), clip.scene


def count_found(
    known: Tolerances, breaches: Sequence[tuple[str, Scene, Scene]]
) -> dict[str, dict[str, list[int]]]:
    """How many breaches some law finds.

    Args:
        known: of lawful films.
        breaches: kind, perceived scene and truth of each.

    Returns:
        kind to "pixels" and "metres" to [found, all]; [0, 0] where the truth does not record it.
    """
    from worldline.audit.breaches import UNRECORDED

    found: dict[str, dict[str, list[int]]] = {}
    for kind, seen, truth in breaches:
        own = found.setdefault(kind, {"pixels": [0, 0], "metres": [0, 0]})
        settled = [
            known.settle(verdict, DEFAULT_ALPHA, num_frames=seen.num_frames)
            for verdict in check_laws(seen, alpha=DEFAULT_ALPHA)
        ]
        plain = check_laws(truth, alpha=DEFAULT_ALPHA)
        for name, verdicts in (("pixels", settled), ("metres", plain)):
            if name == "metres" and kind in UNRECORDED:
                continue
            own[name][0] += any(verdict.outcome is Outcome.FAIL for verdict in verdicts)
            own[name][1] += 1
    return found


def film_breaches(settings: Settings) -> Iterator[tuple[str, Scene, Scene]]:
    """Films of what cannot happen: kind, perceived scene and truth."""
    from worldline.audit.breaches import BREACHES, film_breach

    with tempfile.TemporaryDirectory() as folder:
        for index in range(settings.breach_rounds):
            for number, kind in enumerate(BREACHES):
                size = settings.sizes_px[(index + number) % len(settings.sizes_px)]
                clip = film_breach(kind, index, seed=settings.breach_seed, size_px=size)
                assert clip.scene is not None
                yield kind, perceive_clip(clip, Path(folder)), clip.scene


if __name__ == "__main__":
    import tyro

    tyro.cli(MakeTolerances).run()
