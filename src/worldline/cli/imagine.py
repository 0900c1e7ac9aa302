"""`worldline imagine`: clips made from a sentence alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from worldline.cli.files import write_json
from worldline.cli.output import Answer, JsonFlag, Seed, WorldName, progress
from worldline.cli.places import make_folder
from worldline.core.errors import InputError
from worldline.core.wording import counted

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["Imagine"]

_SHOWN_PX = 256
"""Videos are enlarged to about this size, because a world's own frames are small to look at."""


@dataclass(frozen=True)
class Imagine:
    """Create clips that a sentence describes, from nothing.

    Writes into OUT: one mp4 per clip, marked as generated, and imagined.json (trust, audit,
    scenes). The world must have learned from captions and to start from nothing.
    """

    text: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="TEXT")]
    """What should happen, in one sentence."""
    world: WorldName = "imagine"
    out: Path = Path("out/imagined")
    """Folder to write to; made if need be."""
    horizon: int = 16
    """Number of frames of each clip."""
    samples: int = 4
    """Number of clips."""
    steps: int | None = None
    """Denoising steps of the first frame; the finest that the world has learned if absent."""
    guidance: float | None = None
    """How far the first frame goes toward what the words change: 1 is plain, 2 the default."""
    json: JsonFlag = False
    seed: Seed = 0

    def run(self) -> Answer:
        """Imagine and write. Raises `InputError` for a bad number or an unfit world."""
        from worldline import World
        from worldline.data import write_video
        from worldline.world.imagination import GUIDANCE

        numbers = {"horizon": self.horizon, "samples": self.samples, "steps": self.steps}
        for name, value in numbers.items():
            if value is not None and value < 1:
                raise InputError(f"--{name} is {value}; it must be at least 1")
        world = World.from_pretrained(self.world)
        with progress("imagining", None):
            imagined = world.imagine(
                self.text,
                horizon=self.horizon,
                samples=self.samples,
                seed=self.seed,
                guidance=GUIDANCE if self.guidance is None else self.guidance,
                num_steps=self.steps,
            )
        make_folder("--out", self.out)
        for stale in self.out.glob("sample-*.mp4"):  # of a run with more samples
            stale.unlink()
        scale = max(1, _SHOWN_PX // world.size_px)
        videos = [f"sample-{i}.mp4" for i in range(imagined.num_samples)]
        for name, frames in zip(videos, imagined.frames, strict=True):
            write_video(
                self.out / name,
                frames,
                time_s=imagined.time_s,
                provenance=imagined.provenance,
                scale=scale,
            )
        answer = {
            "out": str(self.out),
            "world": world.name,
            **imagined.to_json(),
            "files": ["imagined.json", *videos],
        }
        write_json(self.out / "imagined.json", answer)
        return answer

    def show(self, answer: Answer, console: Console) -> None:
        """Say what was made, and that it is made up."""
        console.print(f"{answer['caption']!r}, imagined by {answer['world']}")
        console.print(f"trust {answer['trust']:.2f}: {answer['trust_reason']}")
        for number, scene in enumerate(answer["scenes"]):
            labels = scene["labels"]
            console.print(f"sample {number}: {counted(len(labels), 'object')} seen in it")
        clips, frames = counted(answer["samples"], "clip"), counted(answer["horizon"], "frame")
        console.print(f"{clips} of {frames}, marked as generated, written to {answer['out']}")
