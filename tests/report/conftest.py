"""Facts small enough to read, with every kind of content that a report can have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from worldline.core import (
    Contact,
    Event,
    Forecast,
    Origin,
    Outcome,
    Provenance,
    Scene,
    Verdict,
)
from worldline.data import write_video
from worldline.report import (
    ClipFacts,
    Curve,
    Film,
    Footage,
    ForecastFacts,
    HitFacts,
    Panel,
    ReportFacts,
    SearchFacts,
    Stage,
    WorldFacts,
    encode_film,
    encode_strip,
)

NASTY = "<script>alert(1)</script>.mp4"
GENERATED = Provenance(Origin.GENERATED, NASTY, "small", 3)


def paint(num_frames: int = 6, size_px: int = 32) -> np.ndarray:
    """A bright square moves right over grey."""
    frames = np.full((num_frames, size_px, size_px, 3), 90, dtype=np.uint8)
    for k in range(num_frames):
        frames[k, 10:18, 2 + 3 * k : 10 + 3 * k] = (230, 200, 40)
    return frames


def make_scene(num_frames: int = 11) -> Scene:
    """Two objects, 0.1 s apart, on a 100 by 50 picture; the second is hidden in the middle."""
    time_s = np.arange(num_frames) * 0.1
    visible = np.ones((2, num_frames), dtype=bool)
    visible[1, 4:7] = False
    center = np.zeros((2, num_frames, 2))
    center[0, :, 0] = np.linspace(0, 100, num_frames)
    center[1, :, 0] = 50.0
    center[..., 1] = 25.0
    center[~visible] = np.nan
    return Scene(
        time_s=time_s,
        width_px=100,
        height_px=50,
        ids=np.array([4, 7]),
        labels=("ball", "<b>box</b>"),
        present=np.ones((2, num_frames), dtype=bool),
        visible=visible,
        center_px=center,
        size_px=np.full((2, num_frames, 2), 8.0),
        center_px_std=np.full((2, num_frames, 2), 1.5),
        contacts=(Contact(4, 7, 0.4, 0.6, point_px=(50.0, 25.0)),),
        events=(
            Event("near_miss", 0.2, 0.5, {"a": 4, "b": 7}, {"gap_m": 0.25, "gap_m_std": 0.01}),
            Event("fall", 0.0, 1.0, {"object": 4}, {"height_m": float("nan")}),
        ),
        provenance=Provenance(source=NASTY),
    )


VERDICTS = (
    Verdict("inertia", Outcome.PASS, 0.42, None, (4,), "moves evenly to within 1.2 px"),
    Verdict("gravity_form", Outcome.FAIL, 0.0001, 0.5, (7,), "rises by 3 px < & > without cause"),
    Verdict("rigidity", Outcome.UNTESTABLE, None, None, (), "no scale is known"),
)


def make_film(provenance: Provenance | None = None, scale: int = 2) -> Film:
    frames = paint()
    return encode_film(
        frames,
        np.arange(len(frames)) * 0.1,
        alt='A square moves right, "quoted" & <angled>',
        provenance=provenance or Provenance(source=NASTY),
        scale=scale,
    )


def make_forecast(num_samples: int = 2, horizon: int = 4, trust: float = 0.04) -> Forecast:
    frames = np.repeat(paint(horizon)[None], num_samples, axis=0)
    scene = make_scene(horizon)
    return Forecast(
        frames=frames,
        time_s=0.8 + 0.1 * np.arange(horizon),
        uncertainty=0.01 * np.arange(1, horizon + 1),
        uncertainty_px=np.full((horizon, 32, 32), 0.02),
        scenes=(scene,) * num_samples,
        audit=VERDICTS,
        trust=trust,
        trust_reason="The picture is unlike anything in the training data.",
        context_frames=paint(3),
        crop_px=(0, 0, 32, 32),
        provenance=GENERATED,
    )


def make_forecast_facts(*, familiar: bool = False, trust: float = 0.04) -> ForecastFacts:
    film, strip = make_film(GENERATED), encode_strip(paint(2), alt="two frames")
    truth = Panel(name="What happened", note="the recording", film=make_film(), strip=strip)
    future = Panel(name="Future 1", note="sampled", film=film, strip=strip)
    return ForecastFacts(
        title="What may happen next: " + NASTY,
        source=NASTY,
        familiar=familiar,
        start_s=0.7,
        why_here="Most motion is here.",
        forecast=make_forecast(trust=trust),
        panels=(truth, future),
        context_s=0.3,
        strip_steps=(1, 4),
        spread_film=film,
        spread_strip=strip,
        spread_scale=0.1,
        errors=(
            Curve(name="small", values=(30.0, 28.0, 26.0, 25.0)),
            Curve(name="copying the last frame", values=(31.0, 26.0, 23.0, 21.5)),
            Curve(name="constant velocity", values=(29.0, None, 24.0, 26.5)),
        ),
        predict_s=1.25,
    )


def make_facts() -> ReportFacts:
    footage = Footage(
        name=NASTY,
        codec="h264",
        width_px=100,
        height_px=50,
        fps=10.0,
        duration_s=30.0,
        num_frames=11,
        looked_at_s=(0.0, 1.0),
        rotation_deg=90,
        steady_rate=False,
        provenance=Provenance(source=NASTY),
    )
    clip = ClipFacts(
        footage=footage,
        scene=make_scene(),
        verdicts=VERDICTS,
        film=make_film(),
        cuts_s=(0.5,),
    )
    simulated = Provenance(Origin.SIMULATED, "drop")
    hits = (
        HitFacts(
            source=NASTY,
            start_s=0.1,
            end_s=0.3,
            rank=1,
            score=0.9,
            why={
                "events": [
                    {
                        "type": "fall",
                        "roles": {"object": {"track": 4, "label": "<i>ball", "color": "red"}},
                        "quantities": {"height_m": 1.25, "height_m_std": 0.05, "duration_s": 0.5},
                        "comparisons": [
                            {
                                "quantity": "height_m",
                                "op": ">",
                                "threshold": 0.5,
                                "value": 1.25,
                                "std": 0.05,
                            }
                        ],
                    }
                ],
                "absent": ["a bounce"],
                "evidence": "pixels",
            },
            synthetic=False,
            film=make_film(),
        ),
        HitFacts(
            source="drop-0.mp4",
            start_s=0.0,
            end_s=0.6,
            rank=2,
            score=0.8,
            why={"event": "fall"},
            synthetic=True,
            film=make_film(simulated),
        ),
        HitFacts(
            source="gone.mp4",
            start_s=0.0,
            end_s=1.0,
            rank=3,
            score=0.1,
            why={},
            synthetic=True,
            film=None,
        ),
    )
    return ReportFacts(
        made_by="worldline 0.1.0",
        made_at="2026-01-02T03:04:05+00:00",
        seed=3,
        num_cores=2,
        processor_s=3.4,
        world=WorldFacts(
            name="small", num_parameters=12_345_678, step_s=0.1, size_px=64, card="# small\n<i>"
        ),
        clips=(clip,),
        forecasts=(make_forecast_facts(), make_forecast_facts(familiar=True, trust=0.93)),
        library={"recorded": 1, "simulated": 40},
        searches=(
            SearchFacts(
                query="something falls from a height",
                plan={"events": ["fall"], "where": {"height_m": "> 0.5"}},
                hits=hits,
                num_found=5,
                seconds=0.012,
            ),
            SearchFacts(query="<near-miss>", plan="near_miss", hits=(), num_found=0, seconds=0.01),
        ),
        stages=(
            Stage(name="Decode", seconds=1.5, what="11 frames"),
            Stage(name="Perceive", seconds=2.5, what="2 objects"),
        ),
        limits=("Positions are in pixels & not in metres.",),
    )


def make_empty_facts() -> ReportFacts:
    """Nothing moved, nothing was found, there is no world."""
    facts = make_facts()
    still = Scene.empty(np.arange(5) * 0.1, 100, 50, Provenance(source="still.mp4"))
    clip = replace(facts.clips[0], scene=still, verdicts=(), film=None, cuts_s=())
    return replace(
        facts, world=None, clips=(clip,), forecasts=(), library={}, searches=(), stages=()
    )


@pytest.fixture(scope="session")
def facts() -> ReportFacts:
    return make_facts()


@pytest.fixture(scope="session")
def empty_facts() -> ReportFacts:
    return make_empty_facts()


@pytest.fixture(scope="session")
def scene() -> Scene:
    return make_scene()


@pytest.fixture(scope="session")
def forecast_facts() -> Callable[..., ForecastFacts]:
    return make_forecast_facts


def paint_walk(num_frames: int, *, tint: int) -> np.ndarray:
    """A dark block walks right at 2 px a frame before a textured wall; 80 x 120 pixels."""
    wall = np.random.default_rng(0).integers(100, 130, size=(80, 120, 3))
    wall += np.array([tint, 0, -tint])
    frames = np.repeat(wall[None].astype(np.uint8), num_frames, axis=0)
    for k in range(num_frames):
        frames[k, 25:60, 4 + 2 * k : 20 + 2 * k] = (20, 30, 25)
    return frames


@pytest.fixture(scope="session")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("walk") / "walk.mp4"
    provenance = Provenance(source="test")
    write_video(path, paint_walk(48, tint=0), fps=24, provenance=provenance)
    return path
