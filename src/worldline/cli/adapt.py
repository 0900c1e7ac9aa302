"""`worldline adapt`: a real controller for a world that learned from video without actions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from worldline.cli.output import Answer, JsonFlag, Seed, progress
from worldline.cli.places import make_folder
from worldline.core.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["Adapt"]


@dataclass(frozen=True)
class Adapt:
    """Say by a few labelled episodes what the latent actions of a world are.

    The world learned from video alone and takes codes that nobody gave a name. Episodes whose
    actions are known tell which code each action stands for; the world that comes out takes these
    actions. It is calibrated anew, and judged on the episodes that are held out.
    """

    world: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="WORLD")]
    """Folder of a world with latent actions."""
    data: Path
    """Recorded episodes with actions, of the same environment and frame rate."""
    out: Path
    """The finished world lies in OUT/world."""
    episodes: int | None = None
    """Use the first so many of those that are not held out; otherwise all."""
    held_out: int = 48
    """Held-out clips to evaluate on at the end."""
    json: JsonFlag = False
    seed: Seed = 0

    def run(self) -> Answer:
        """Adapt. Raises `InputError` for a world without latent actions, or unusable episodes."""
        from worldline.audit.driven import finish_driven
        from worldline.data.recorded import Recorded, open_recording
        from worldline.train import describe_machine
        from worldline.world import World
        from worldline.world.controller import fit_controller
        from worldline.world.openings import save_openings

        if (self.episodes is not None and self.episodes < 1) or self.held_out < 2:
            raise InputError(
                f"--episodes is {self.episodes} and --held-out {self.held_out}; give at least 1 "
                "and 2"
            )
        world = World.from_pretrained(self.world)
        recording = open_recording(Recorded(folder=str(self.data)))
        if recording.spec is None:
            raise InputError(f"--data {self.data}: its episodes have no actions")
        learned = recording.num_episodes - recording.num_held_out
        num = learned if self.episodes is None else min(self.episodes, learned)
        once = {"num_frames": recording.config.stride, "most_episodes": num}
        clips = list(recording.clips(world.size_px, held_out=False, **once))
        controller = fit_controller(world, clips)
        make_folder("--out", self.out)
        told = {
            "num_episodes": num,
            "num_steps": controller.num_steps,
            "explained": controller.explained,
        }
        facts: dict[str, Any] = {
            "command": f"worldline adapt {self.world} --data {self.data} --out {self.out}",
            "recipe": "of the world it was made of",
            "seed": self.seed,
            "machine": describe_machine(),
            "ledgers": world.calibration.get("ledgers", {}),
            "source": str(self.data),
            "controller": told,
        }
        with progress("calibrating and evaluating", 1.0, lines=True) as set_done:
            set_done(0.0)
            driven, result, judged = finish_driven(
                controller.install(world, recording.spec),
                recording,
                num_clips=self.held_out,
                seed=self.seed,
                facts=facts,
                on_progress=set_done,
            )
        folder = self.out / "world"
        driven.save(folder)
        save_openings(folder, judged)
        return {"world": str(folder), "controller": told, "held_out": result.to_json()}

    def show(self, answer: Answer, console: Console) -> None:
        """Say where the world is, and how much actions explain."""
        told = answer["controller"]
        console.print(f"world: {answer['world']}")
        console.print(
            f"{told['num_steps']} actions of {told['num_episodes']} episodes explain "
            f"{told['explained']:.2f} of what is read off the frames"
        )
