"""The whole chain, from video files to facts."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import worldline
from worldline.core import Clip, InputError, Scene
from worldline.data import probe, read_clip
from worldline.report.answers import QUERIES, ask, build_library
from worldline.report.continuation import Case, continue_clip, window_length_s
from worldline.report.facts import ForecastFacts, ReportFacts, SearchFacts, WorldFacts
from worldline.report.footage import examine
from worldline.report.moment import choose_moment
from worldline.report.simulation import SimulationBeside
from worldline.report.stopwatch import Stopwatch
from worldline.report.viewing import Viewing, view_all
from worldline.sim import Split, make_clip

if TYPE_CHECKING:
    from worldline.world import World

__all__ = ["ChainOptions", "run_chain"]

_HOME_FAMILY = "collide"
_LIMITS = (
    "Objects are found by their motion alone: what never moves is not seen, things that touch from "
    "first to last are one object, and no object is named.",
    "Positions in footage are in pixels. Metres are known only where a free fall or the simulator "
    "tells the scale, so most laws that need them cannot be tested on footage.",
    "A law that holds here is not proven: it was not contradicted by what could be measured.",
    "The bundled world was trained on small simulated scenes. On footage of the real world its "
    "forecasts show what it makes of them, not what will happen, and its trust says so.",
    "Forecasts are small squares cut out of the picture around what moves most.",
)


@dataclass(frozen=True)
class ChainOptions:
    """What to do.

    Attributes:
        videos: files, at least one.
        folder: where the library and its simulated clips go.
        max_s: only so much of each video is looked at.
        num_simulated: clips made for the library.
        seed: of everything random.
    """

    videos: tuple[Path, ...]
    folder: Path
    max_s: float
    num_simulated: int
    seed: int


def run_chain(
    options: ChainOptions,
    open_world: Callable[[], World],
    *,
    watch: Stopwatch,
) -> tuple[ReportFacts, dict[Path, str]]:
    """Decode, perceive, forecast, audit, index, search.

    Args:
        options: what to do.
        open_world: called once.
        watch: counts the time; may have been started before.

    Returns:
        the facts, and for each file that could not be used the reason.

    Raises:
        InputError: no file could be used, or there is no world.
    """
    with watch.stage("Decode"):
        _require_usable(options.videos)
    with watch.stage("Start"):
        world = open_world()
    watch.describe("Start", f"libraries loaded, and the world {world.name}")
    with SimulationBeside(
        options.folder / "library-clips", num_clips=options.num_simulated, seed=options.seed
    ) as simulation:
        viewings, failures, apart_s = _view_all(options, watch)
        clips = tuple(examine(viewing, watch=watch) for viewing in viewings)
        forecasts, missing = _forecast_all(world, viewings, options, watch)
        with watch.stage("Simulate"):
            simulated = simulation.result()
    watch.describe(
        "Simulate",
        f"a clip to forecast, and waiting for {len(simulated)} that other processes made meanwhile",
    )
    library, searches = _search_all(viewings, simulated, options, watch)
    num_frames = sum(viewing.footage.num_frames for viewing in viewings)
    decoded = f"{num_frames} frames out of {len(viewings)} files"
    watch.describe("Decode", decoded + _apart(apart_s.get("Decode", 0.0)))
    objects = sum(viewing.scene.num_objects for viewing in viewings)
    found = f"{objects} objects followed, their events and contacts found"
    watch.describe("Perceive", found + _apart(apart_s.get("Perceive", 0.0)))
    watch.describe("Audit", "laws tested on what was seen")
    watch.describe("Forecast", f"{len(forecasts)} contexts continued, futures judged")
    watch.describe("Baselines", "the same continued without a model")
    watch.describe("Draw", "world lines, films and pictures for the page")
    facts = ReportFacts(
        made_by=f"worldline {worldline.__version__}",
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        seed=options.seed,
        num_cores=len(os.sched_getaffinity(0)),
        processor_s=sum(os.times()[:4]),  # with that of other processes
        world=WorldFacts(
            name=world.name,
            num_parameters=world.num_parameters,
            step_s=world.step_s,
            size_px=world.size_px,
            card=world.card,
        ),
        clips=clips,
        forecasts=forecasts,
        library=library,
        searches=searches,
        stages=watch.stages,
        limits=(*missing, *_LIMITS),
        failures=tuple(failures.values()),
    )
    return facts, failures


def _require_usable(videos: Sequence[Path]) -> None:
    """Raise what is wrong with the first video if there is none that can be opened."""
    reasons = list[str]()
    for path in videos:
        try:
            probe(path)
        except InputError as error:
            reasons.append(" ".join(str(error).split()))
        else:
            return
    raise InputError(reasons[0] if reasons else "no video given; name at least one file")


def _view_all(
    options: ChainOptions, watch: Stopwatch
) -> tuple[list[Viewing], dict[Path, str], dict[str, float]]:
    """What was seen, why some files could not be used, and seconds spent by other processes."""
    viewings, failures, apart_s = [], dict[Path, str](), dict[str, float]()
    for viewed in view_all(options.videos, max_s=options.max_s, watch=watch):
        if viewed.viewing is None:
            failures[viewed.path] = viewed.reason
        else:
            viewings.append(viewed.viewing)
        for name, spent_s in viewed.spent_s.items():
            apart_s[name] = apart_s.get(name, 0.0) + spent_s
    if not viewings:
        raise InputError(next(iter(failures.values())))
    return viewings, failures, apart_s


def _apart(spent_s: float) -> str:
    return f"; {spent_s:.1f} s of work by a process per video" if spent_s else ""


def _forecast_all(
    world: World, viewings: Sequence[Viewing], options: ChainOptions, watch: Stopwatch
) -> tuple[tuple[ForecastFacts, ...], tuple[str, ...]]:
    """Forecasts, and a sentence for each video of which none could be made."""
    found, missing = list[ForecastFacts](), list[str]()
    for viewing in viewings:
        try:
            case = _case_from(world, viewing, watch)
            found.append(continue_clip(world, case, seed=options.seed, watch=watch))
        except InputError as error:
            missing.append(f"No forecast of {viewing.footage.name}: {error}")
    with watch.stage("Simulate"):
        clip = make_clip(_HOME_FAMILY, 0, seed=options.seed, split=Split.HELD_OUT)
    home = Case(
        clip=clip,
        title="Where the world is at home: a simulated clip",
        source=f"a simulated clip ({clip.caption.rstrip('.') or _HOME_FAMILY})",
        why_here="Not chosen: the first held-out clip of its kind for this seed. "
        "The world has never seen it.",
        familiar=True,
    )
    found.append(continue_clip(world, home, seed=options.seed, watch=watch))
    return tuple(found), tuple(missing)


def _case_from(world: World, viewing: Viewing, watch: Stopwatch) -> Case:
    length_s = window_length_s(world, viewing.footage.fps)
    moment = choose_moment(viewing.scene, length_s=length_s, cuts_s=viewing.cuts_s)
    if moment is None:
        raise InputError(f"it has no shot of {length_s:.2f} s, which context and forecast need")
    slack_s = 0.5 / viewing.footage.fps
    with watch.stage("Decode"):
        clip = read_clip(viewing.path, start_s=moment.start_s, end_s=moment.end_s + slack_s)
    x, y, side = moment.square_px
    name = viewing.footage.name
    return Case(
        clip=_crop(clip, x, y, side),
        title=f"What may happen next in {name}",
        source=name,
        why_here=moment.reason,
        familiar=False,
    )


def _crop(clip: Clip, x: int, y: int, side: int) -> Clip:
    return replace(clip, frames=clip.frames[:, y : y + side, x : x + side])


def _search_all(
    viewings: Sequence[Viewing],
    simulated: Mapping[Path, Scene],
    options: ChainOptions,
    watch: Stopwatch,
) -> tuple[dict[str, int], tuple[SearchFacts, ...]]:
    with watch.stage("Index"):
        library, origins = build_library(options.folder / "library", viewings, simulated)
    watch.describe("Index", f"{sum(origins.values())} videos brought into the library")
    scenes = {str(path): scene for path, scene in simulated.items()}
    scenes |= {str(viewing.path.absolute()): viewing.scene for viewing in viewings}
    searches = tuple(ask(library, query, scenes, watch=watch) for query in QUERIES)
    watch.describe("Search", f"{len(searches)} queries")
    return origins, searches
