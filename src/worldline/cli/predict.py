"""`worldline predict`: sampled futures of videos, and how far to believe them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from worldline.cli.files import damage_in, read_tail, stems, write_json
from worldline.cli.output import Answer, JsonFlag, Seed, Videos, WorldName, for_each_file
from worldline.cli.places import make_folder
from worldline.core.errors import InputError
from worldline.core.wording import counted

if TYPE_CHECKING:
    from rich.console import Console

    from worldline.core.clip import Clip
    from worldline.core.forecast import Forecast
    from worldline.world import World

__all__ = ["Predict", "write_forecast"]

_SLACK = 4.0
"""How many times as much as the world needs is read from the end of a long video."""

_SHOWN_PX = 256
"""Videos are enlarged to about this size, because a world's own frames are small to look at."""


@dataclass(frozen=True)
class Predict:
    """Forecast how videos go on.

    Writes into OUT/STEM/: forecast.npz (`frames` uint8 [S, H, h, w, 3] and uncertainty), one mp4
    per sampled future and one of their mean, and forecast.json (trust, audit, scene).

    A world that takes controls is given those that lie beside a video, as `sim make` writes them
    (see `worldline info WORLD` for what it takes); what is not there counts as unknown.
    """

    videos: Videos
    out: Path
    """Folder to write to; made if need be."""
    context: int | None = None
    """Number of frames that the world sees, at its own frame spacing; its default if absent."""
    horizon: int = 16
    """Number of frames to forecast."""
    samples: int = 4
    """Number of futures to sample."""
    end_s: float | None = None
    """Moment where the context ends and the forecast begins; the video's end if absent."""
    world: WorldName = "small"
    json: JsonFlag = False
    seed: Seed = 0

    def run(self) -> Answer:
        """Forecast each file. Raises `InputError` for a bad number or an unknown world."""
        from worldline import World
        from worldline.cli.beside import read_guide
        from worldline.world.futures import plan_draws

        numbers = {"horizon": self.horizon, "samples": self.samples, "context": self.context}
        for name, value in numbers.items():
            if value is not None and value < 1:
                raise InputError(f"--{name} is {value}; it must be at least 1")
        plan_draws(1, self.horizon, self.samples)
        world = World.from_pretrained(self.world)
        context = world.context if self.context is None else self.context
        names = stems(self.videos)

        def work(path: str, report: Callable[[float], None]) -> Answer:
            clip = read_tail(path, end_s=self.end_s, span_s=_SLACK * context * world.step_s)
            report(0.2)
            guide = read_guide(path, clip, world, horizon=self.horizon)
            forecast = world.predict(
                clip,
                context=context,
                horizon=self.horizon,
                samples=self.samples,
                seed=self.seed,
                guide=guide,
            )
            report(0.8)
            make_folder("--out", self.out)
            folder = self.out / names[path]
            answer = {"out": str(folder), "context": context, **forecast.to_json()}
            if guide is not None:
                answer["driven_by"] = _given(world, guide)
            answer |= {"files": write_forecast(folder, forecast), **damage_in(clip)}
            write_json(folder / "forecast.json", {"source": path, **answer})
            return answer

        return for_each_file(self.videos, work, doing="forecasting")

    def show(self, answer: Answer, console: Console) -> None:
        """Print trust and what the audit says of each forecast."""
        from rich.table import Table

        for result in answer["results"]:
            if "trust" not in result:
                continue
            console.rule(result["source"])
            if "driven_by" in result:
                console.print(f"driven by {', '.join(result['driven_by']) or 'nothing'}")
            console.print(f"trust {result['trust']:.2f}: {result['trust_reason']}")
            last = result["uncertainty"][-1]
            console.print(
                f"{counted(result['samples'], 'future')} of "
                f"{counted(result['horizon'], 'frame')}; expected error "
                f"{result['uncertainty'][0]:.3f} at first and {last:.3f} of full scale at last"
            )
            table = Table("law", "verdict", "why", box=None)
            for verdict in result["audit"]:
                table.add_row(verdict["law"], verdict["outcome"], verdict["reason"])
            console.print(table)
            console.print(f"written to {result['out']}")


def _given(world: World, guide: Clip) -> list[str]:
    """Names of the controls that the world takes and the guide has."""
    given = world.feed(guide)
    names = ("actions", "rays", "maps", "state")
    return [name for name in names if getattr(given, name) is not None]


def write_forecast(folder: Path, forecast: Forecast) -> list[str]:
    """Write the pixels of a forecast into a folder. Returns the names of the files."""
    from worldline.data import write_video

    folder.mkdir(parents=True, exist_ok=True)
    for stale in folder.glob("sample-*.mp4"):  # of a run with more samples
        stale.unlink()
    partial = folder / "forecast.partial.npz"
    np.savez_compressed(
        partial,
        frames=forecast.frames,
        time_s=forecast.time_s,
        uncertainty=forecast.uncertainty,
        uncertainty_px=forecast.uncertainty_px,
        context_frames=forecast.context_frames,
    )
    partial.replace(folder / "forecast.npz")
    scale = max(1, _SHOWN_PX // max(forecast.frames.shape[2:4]))
    videos = {f"sample-{i}.mp4": frames for i, frames in enumerate(forecast.frames)}
    videos["mean.mp4"] = forecast.mean
    for name, frames in videos.items():
        write_video(
            folder / name,
            frames,
            time_s=forecast.time_s,
            provenance=forecast.provenance,
            scale=scale,
        )
    return ["forecast.npz", "forecast.json", *videos]
