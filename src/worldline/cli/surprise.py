"""`worldline surprise`: how unexpected each frame is to a world."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from worldline.cli.files import damage_in
from worldline.cli.output import Answer, JsonFlag, Seed, Videos, WorldName, for_each_file

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["Surprise"]

_SIDE_PX = 256
"""Worlds see small frames; reading them smaller lets minutes of video fit into memory."""

_BARS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True)
class Surprise:
    """Measure how unexpected each frame of videos is to a world that watched those before it."""

    videos: Videos
    start_s: float | None = None
    """First moment to look at."""
    end_s: float | None = None
    """Last moment to look at."""
    world: WorldName = "small"
    json: JsonFlag = False
    seed: Seed = 0

    def run(self) -> Answer:
        """Watch each file. Raises `ArtifactError` for an unknown world."""
        from worldline import World
        from worldline.data import read_clip

        world = World.from_pretrained(self.world)

        def work(path: str, report: Callable[[float], None]) -> Answer:
            clip = read_clip(path, start_s=self.start_s, end_s=self.end_s, max_side_px=_SIDE_PX)
            report(0.3)
            surprise = world.surprise(clip, seed=self.seed)
            return {
                "time_s": surprise.time_s,
                "per_frame": surprise.per_frame,
                "max": surprise.max,
                "quantile": surprise.quantile,
                **damage_in(clip),
            }

        return for_each_file(self.videos, work, doing="watching")

    def show(self, answer: Answer, console: Console) -> None:
        """Print a small graph and the most surprising moment of each file."""
        for result in answer["results"]:
            if "per_frame" not in result:
                continue
            console.rule(result["source"])
            values = np.asarray(result["per_frame"], dtype=np.float64)
            if not np.isfinite(values).any():
                console.print("too short to be surprising")
                continue
            worst = float(np.asarray(result["time_s"])[np.nanargmax(values)])
            console.print(graph(values, width=60))
            console.print(
                f"most surprising at {worst:.2f} s: {result['max']:.4g} times the "
                f"usual, more than in {result['quantile']:.0%} of familiar frames"
            )


def graph(values: np.ndarray, width: int) -> str:
    """Values as a row of bars, at most `width` of them, each the largest of its part."""
    parts = [part for part in np.array_split(values, min(width, len(values))) if len(part)]
    peaks = np.array([np.max(part[np.isfinite(part)], initial=-np.inf) for part in parts])
    known = np.isfinite(peaks)
    low, high = peaks[known].min(), peaks[known].max()
    steps = np.zeros(len(peaks), dtype=int)
    steps[known] = np.round((peaks[known] - low) / max(high - low, 1e-12) * (len(_BARS) - 1))
    return "".join(_BARS[step] if ok else " " for step, ok in zip(steps, known, strict=True))
