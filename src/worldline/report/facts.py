"""`ReportFacts`: everything that the report says; the page and the JSON both read it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from worldline.core import Forecast, Provenance, Scene, Verdict

__all__ = [
    "ClipFacts",
    "Curve",
    "Film",
    "Footage",
    "ForecastFacts",
    "HitFacts",
    "Panel",
    "ReportFacts",
    "SearchFacts",
    "Stage",
    "Still",
    "WorldFacts",
    "finite",
]


def finite(value: Any) -> Any:
    """A copy of plain JSON data in which NaN and infinity are None, so that the JSON is strict."""
    if isinstance(value, Mapping):
        return {str(k): finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [finite(v) for v in value]
    if isinstance(value, np.ndarray):
        return finite(value.tolist())
    if isinstance(value, np.generic):
        return finite(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


@dataclass(frozen=True, eq=False, kw_only=True)
class Film:
    """An encoded video, ready to be embedded.

    Attributes:
        mp4: the file; H.264, so that every browser plays it.
        poster: JPEG shown before it plays.
        width_px, height_px: picture size in the file.
        num_frames: frames in the file.
        start_s: time in the source of the first frame.
        duration_s: length as played.
        alt: what is to be seen, in words.
        provenance: recorded, simulated or generated, and from what.
        pixelated: few large pixels that must not be smoothed when enlarged.
    """

    mp4: bytes
    poster: bytes
    width_px: int
    height_px: int
    num_frames: int
    start_s: float
    duration_s: float
    alt: str
    provenance: Provenance
    pixelated: bool = False

    def to_json(self) -> dict[str, Any]:
        """All but the pixels."""
        return {
            "size": [self.width_px, self.height_px],
            "num_frames": self.num_frames,
            "num_bytes": len(self.mp4),
            "start_s": self.start_s,
            "duration_s": self.duration_s,
            "alt": self.alt,
            "provenance": self.provenance.to_json(),
        }


@dataclass(frozen=True, eq=False, kw_only=True)
class Still:
    """A PNG picture of `width_px` by `height_px`, with `alt` saying what is to be seen."""

    png: bytes
    width_px: int
    height_px: int
    alt: str


@dataclass(frozen=True, kw_only=True)
class Footage:
    """A video file as decoded.

    Attributes:
        name: file name as shown.
        codec: of the video stream.
        width_px, height_px: as displayed, rotation applied.
        fps: mean rate of the decoded frames.
        duration_s: of the whole file, None if the file does not say.
        num_frames: frames decoded and looked at.
        looked_at_s: (start, end) of the part looked at.
        rotation_deg: rotation stored in the file.
        steady_rate: all frames come at the same interval, within a millisecond.
        provenance: recorded, simulated or generated.
    """

    name: str
    codec: str
    width_px: int
    height_px: int
    fps: float
    duration_s: float | None
    num_frames: int
    looked_at_s: tuple[float, float]
    rotation_deg: int = 0
    steady_rate: bool = True
    provenance: Provenance = field(default_factory=Provenance)

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary for JSON."""
        return {**asdict(self), "provenance": self.provenance.to_json()}


@dataclass(frozen=True, eq=False, kw_only=True)
class ClipFacts:
    """A video: what was seen in it and what the laws say about that.

    Attributes:
        footage: the file.
        scene: trajectories, contacts and events, in pixels of the analysed picture.
        verdicts: one per law.
        film: the video with world lines drawn on it; None if nothing could be drawn.
        cuts_s: moments at which the picture changes at once.
        damage: what of the file could not be decoded; empty if nothing.
    """

    footage: Footage
    scene: Scene
    verdicts: tuple[Verdict, ...]
    film: Film | None
    cuts_s: tuple[float, ...] = ()
    damage: str = ""

    def to_json(self) -> dict[str, Any]:
        """Footage, tracks, events, contacts and verdicts; no pixels."""
        return {
            "footage": self.footage.to_json(),
            "size": [self.scene.width_px, self.scene.height_px],
            "tracks": [_track(self.scene, row) for row in range(self.scene.num_objects)],
            "events": [event.to_json() for event in self.scene.events],
            "contacts": [contact.to_json() for contact in self.scene.contacts],
            "cuts_s": list(self.cuts_s),
            "damage": self.damage or None,
            "laws": [verdict.to_json() for verdict in self.verdicts],
            "film": self.film.to_json() if self.film else None,
        }


def _track(scene: Scene, row: int) -> dict[str, Any]:
    seen = scene.visible[row]
    center, size, std = (
        np.round(a[row][seen], 3) for a in (scene.center_px, scene.size_px, scene.center_px_std)
    )
    return {
        "id": int(scene.ids[row]),
        "label": scene.labels[row],
        "time_s": np.round(scene.time_s[seen], 6).tolist(),
        **{name: center[:, k].tolist() for k, name in enumerate(("x", "y"))},
        **{name: size[:, k].tolist() for k, name in enumerate(("w", "h"))},
        **{name: std[:, k].tolist() for k, name in enumerate(("x_std", "y_std"))},
    }


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One value per forecast frame; None where it could not be measured."""

    name: str
    values: tuple[float | None, ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class Panel:
    """One of several continuations shown side by side.

    Attributes:
        name: "What happened", "Future 1", "Copying the last frame".
        note: what it is, in a few words.
        film: context and continuation.
        strip: a few frames of the continuation, left to right, the same moments in every panel.
    """

    name: str
    note: str
    film: Film
    strip: Still


@dataclass(frozen=True, eq=False, kw_only=True)
class ForecastFacts:
    """A forecast beside what really happened and beside two ways to guess without a model.

    Attributes:
        title: heading.
        source: file or simulator family of the context.
        familiar: the clip is of the kind that the world was trained on.
        start_s: time in the source of the last context frame.
        why_here: why this moment was chosen.
        forecast: futures, uncertainty, trust, audit.
        panels: truth first where known, then futures, then baselines.
        context_s: part of each film that shows the context rather than the continuation.
        strip_steps: which continuation frames (1-based) the strips show.
        spread_film, spread_strip: per-pixel expected error as colour, dark to bright.
        spread_scale: uncertainty of the brightest colour, in [0, 1] intensity.
        errors: picture quality in dB (PSNR) against what happened; the world first.
        predict_s: time that the prediction took, model loading excluded.
    """

    title: str
    source: str
    familiar: bool
    start_s: float
    why_here: str
    forecast: Forecast
    panels: tuple[Panel, ...]
    context_s: float
    strip_steps: tuple[int, ...]
    spread_film: Film
    spread_strip: Still
    spread_scale: float
    errors: tuple[Curve, ...]
    predict_s: float

    def to_json(self) -> dict[str, Any]:
        """Numbers and words; no pixels."""
        return {
            "title": self.title,
            "source": self.source,
            "familiar": self.familiar,
            "start_s": self.start_s,
            "why_here": self.why_here,
            "forecast": self.forecast.to_json(),
            "panels": [
                {"name": p.name, "note": p.note, "film": p.film.to_json()} for p in self.panels
            ],
            "psnr_db": {curve.name: list(curve.values) for curve in self.errors},
            "predict_s": self.predict_s,
        }


@dataclass(frozen=True, eq=False, kw_only=True)
class HitFacts:
    """One answer of a search.

    Attributes:
        source: file name as shown.
        start_s, end_s: where in the source.
        rank: 1 for the best hit.
        score: higher is better.
        why: measured quantities and roles that made it a hit.
        synthetic: simulated or generated, not recorded.
        film: the passage, playable; None if the file could not be read.
    """

    source: str
    start_s: float
    end_s: float
    rank: int
    score: float
    why: Mapping[str, Any]
    synthetic: bool
    film: Film | None

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary for JSON."""
        return {
            "source": self.source,
            "start_s": self.start_s,
            "end_s": self.end_s,
            "rank": self.rank,
            "score": self.score,
            "why": dict(self.why),
            "synthetic": self.synthetic,
            "film": self.film.to_json() if self.film else None,
        }


@dataclass(frozen=True, eq=False, kw_only=True)
class SearchFacts:
    """A query, how it was understood, and its hits, best first."""

    query: str
    plan: Any
    hits: tuple[HitFacts, ...]
    num_found: int
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary for JSON."""
        return {
            "query": self.query,
            "plan": self.plan,
            "num_found": self.num_found,
            "seconds": self.seconds,
            "hits": [hit.to_json() for hit in self.hits],
        }


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A part of the work, how long it took, and what it did."""

    name: str
    seconds: float
    what: str


@dataclass(frozen=True, kw_only=True)
class WorldFacts:
    """The world that made the forecasts; `card` is its own description in markdown."""

    name: str
    num_parameters: int
    step_s: float
    size_px: int
    card: str = ""


@dataclass(frozen=True, eq=False, kw_only=True)
class ReportFacts:
    """Everything that the report says.

    Attributes:
        made_by: program and version.
        made_at: date and time, ISO 8601 with zone.
        seed: random seed of the whole run.
        num_cores: processor cores that the run could use.
        processor_s: time that the cores worked for the run, added up; on a busy machine much less
            than the time it took.
        world: None if no world was asked.
        library: number of videos in the searched library, by origin.
        limits: what a reader must not conclude, one sentence each.
        failures: files that could not be used, one sentence each.
    """

    made_by: str
    made_at: str
    seed: int
    num_cores: int
    processor_s: float
    world: WorldFacts | None
    clips: tuple[ClipFacts, ...]
    forecasts: tuple[ForecastFacts, ...]
    library: Mapping[str, int]
    searches: tuple[SearchFacts, ...]
    stages: tuple[Stage, ...]
    limits: tuple[str, ...]
    failures: tuple[str, ...] = ()

    @property
    def total_s(self) -> float:
        """Time of all stages."""
        return sum(stage.seconds for stage in self.stages)

    def to_json(self) -> dict[str, Any]:
        """The same facts as the page, as strict JSON data: no pixels, no NaN."""
        record = {
            "version": 1,
            "made_by": self.made_by,
            "made_at": self.made_at,
            "seed": self.seed,
            "num_cores": self.num_cores,
            "processor_s": self.processor_s,
            "world": asdict(self.world) if self.world else None,
            "clips": [clip.to_json() for clip in self.clips],
            "forecasts": [forecast.to_json() for forecast in self.forecasts],
            "library": dict(self.library),
            "searches": [search.to_json() for search in self.searches],
            "total_s": self.total_s,
            "stages": [asdict(stage) for stage in self.stages],
            "limits": list(self.limits),
            "failures": list(self.failures),
        }
        return finite(record)
