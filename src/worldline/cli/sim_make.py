"""`worldline sim make`: simulated clips on disk, each with its truth beside it."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import tyro

from worldline.cli.files import write_json
from worldline.cli.output import Answer, JsonFlag, Seed, track
from worldline.cli.places import make_folder
from worldline.core.errors import InputError
from worldline.core.wording import counted
from worldline.sim import FAMILIES, Split, make_clips

if TYPE_CHECKING:
    from rich.console import Console

    from worldline.core.readings import Readings

__all__ = ["SimMake"]


Families = Annotated[
    tuple[str, ...],
    tyro.conf.Positional,
    tyro.conf.arg(
        metavar="FAMILY...",
        help=f"Scene families, dealt in turn; `all` for every one of: {', '.join(FAMILIES)}.",
    ),
]


@dataclass(frozen=True)
class SimMake:
    """Simulate clips: OUT/FAMILY-SEED-INDEX.mp4, the true scene as .scene.json beside it.

    Actions, where a family has any, go to .actions.json, with --readings those of its sensors to
    .state.json, and with --maps depth and segmentation to .maps.npz.
    """

    families: Families
    out: Path
    """Folder to write to; made if need be."""
    clips: int = 1
    """Number of clips in all."""
    split: Split = Split.TRAIN
    """Which ranges the scene's parameters are drawn from."""
    size_px: int = 64
    """Width and height of the frames."""
    workers: int = 1
    """Processes to simulate on; the clips do not depend on it."""
    moving_camera: bool = False
    """The camera goes slowly round the action, or pans; not for the flat families."""
    maps: bool = False
    """Write depth and segmentation of every pixel too."""
    readings: bool = False
    """Write what sensors on the scene would read too."""
    json: JsonFlag = False
    seed: Seed = 0

    def run(self) -> Answer:
        """Simulate and write. Raises `InputError` for an unknown family or a bad number."""
        from worldline.data import write_video

        families = self._chosen()
        for name, value in {"clips": self.clips, "workers": self.workers}.items():
            if value < 1:
                raise InputError(f"--{name} is {value}; it must be at least 1")
        if not 16 <= self.size_px <= 1024 or self.size_px % 2:
            raise InputError(f"--size-px is {self.size_px}; it must be even and in 16 to 1024")
        make_folder("--out", self.out)
        clips = make_clips(
            families,
            num_clips=self.clips,
            seed=self.seed,
            split=self.split,
            size_px=self.size_px,
            num_workers=self.workers,
            moving_camera=self.moving_camera,
        )
        made = []
        for index, clip in enumerate(track(clips, "simulating", total=self.clips)):
            assert clip.scene is not None  # the simulator knows the truth
            stem = f"{clip.provenance.source}-{self.seed}-{index:04d}"
            video, scene = self.out / f"{stem}.mp4", self.out / f"{stem}.scene.json"
            write_video(video, clip.frames, time_s=clip.time_s, provenance=clip.provenance)
            write_json(scene, clip.scene.to_json())
            if clip.actions is not None:
                actions = self.out / f"{stem}.actions.json"
                write_json(
                    actions, {"time_s": clip.time_s.tolist(), "actions": clip.actions.tolist()}
                )
            if self.readings and clip.state is not None:
                write_json(self.out / f"{stem}.state.json", _state(clip.time_s, clip.state))
            if self.maps:
                pixels = {"segmentation": clip.segmentation, "depth_m": clip.depth_m}
                there: dict[str, Any] = {k: v for k, v in pixels.items() if v is not None}
                np.savez_compressed(self.out / f"{stem}.maps.npz", time_s=clip.time_s, **there)
            made.append(
                {
                    "family": clip.provenance.source,
                    "video": str(video),
                    "scene": str(scene),
                    "frames": clip.num_frames,
                    "fps": clip.fps,
                    "objects": clip.scene.num_objects,
                    "events": [event.type for event in clip.scene.events],
                    "caption": clip.caption,
                }
            )
        return {"out": str(self.out), "split": self.split, "seed": self.seed, "clips": made}

    def show(self, answer: Answer, console: Console) -> None:
        """Print one line per clip."""
        from rich.table import Table

        table = Table("video", "frames", "objects", "events", "caption", box=None)
        for clip in answer["clips"]:
            counts = [str(clip["frames"]), str(clip["objects"])]
            events = ", ".join(dict.fromkeys(clip["events"])) or "-"
            table.add_row(Path(clip["video"]).name, *counts, events, clip["caption"])
        console.print(table)
        console.print(f"{counted(len(answer['clips']), 'clip')} in {answer['out']}")

    def _chosen(self) -> list[str]:
        if not self.families:
            raise InputError(f"no family given; `all`, or some of: {', '.join(FAMILIES)}")
        if "all" in self.families:
            return list(FAMILIES)
        unknown = [name for name in self.families if name not in FAMILIES]
        if unknown:
            near = dict.fromkeys(family for name in unknown for family in _near(name))
            guess = f"did you mean {' or '.join(near)}? " if near else ""
            known = ", ".join(FAMILIES)
            raise InputError(f"no family {', '.join(unknown)}; {guess}There are: {known}")
        return list(self.families)


def _near(name: str) -> list[str]:
    """Families that are spelled much like a name, or of which it is a part."""
    name = name.lower().replace("-", "_")
    parts = [family for family in FAMILIES if len(name) > 2 and name in family]
    return parts or difflib.get_close_matches(name, FAMILIES, n=2)


def _state(time_s: np.ndarray, state: Readings) -> dict[str, Any]:
    """Null where a reading is not known."""
    values = np.where(state.known, state.values, np.nan)
    return {"time_s": time_s.tolist(), "names": list(state.names), "values": values.tolist()}
