"""`worldline audit`: do videos obey physics? A verdict per law."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from worldline.cli.output import Answer, JsonFlag, Seed, Videos, for_each_file
from worldline.cli.perceive import perceive_file

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["Audit"]

_STYLES = {"pass": "green", "fail": "bold red", "untestable": "dim"}


@dataclass(frozen=True)
class Audit:
    """Test what moves in videos against laws of physics: pass, fail or untestable, each with why.

    With --against also against a known scene, such as the one that `sim make` writes: the clip is
    then accepted, or rejected with the law that broke first.
    """

    videos: Videos
    against: Path | None = None
    """Scene JSON that tells what truly happens in the video."""
    json: JsonFlag = False
    seed: Seed = 0

    def run(self) -> Answer:
        """Audit each file. Raises `InputError` when the scene to compare with cannot be read."""
        from worldline.audit import audit_scene
        from worldline.audit.validation import judge_clip
        from worldline.core.clip import Clip
        from worldline.core.scene import Scene

        reference = None if self.against is None else Scene.read(self.against)

        def work(path: str, report: Callable[[float], None]) -> Answer:
            result, scene = perceive_file(path, report)
            judged = None
            if reference is None:
                verdicts = audit_scene(scene, tracked=True)
            else:
                judged = judge_clip(Clip.read(path), scene, reference)
                verdicts = judged.verdicts
            kept = ("fps", "size", "num_frames", "duration_s", "origin", "error")
            return {
                **{name: result[name] for name in kept if name in result},
                **({} if judged is None else judged.to_json()),
                "verdicts": [verdict.to_json() for verdict in verdicts],
            }

        return for_each_file(self.videos, work, doing="auditing")

    def show(self, answer: Answer, console: Console) -> None:
        """Print a table of verdicts per file."""
        from rich.table import Table
        from rich.text import Text

        from worldline.physics.laws.judging import tell_p

        for result in answer["results"]:
            if "verdicts" not in result:
                continue
            console.rule(result["source"])
            table = Table("law", "verdict", "p", "at", "why", box=None)
            for verdict in result["verdicts"]:
                p, moment = verdict["p_value"], verdict["moment_s"]
                table.add_row(
                    verdict["law"],
                    Text(verdict["outcome"], style=_STYLES[verdict["outcome"]]),
                    "-" if p is None else tell_p(p).removeprefix("p ").removeprefix("= "),
                    "-" if moment is None else f"{moment:.2f} s",
                    verdict["reason"],
                )
            console.print(table)
            if "accepted" in result:
                style = "green" if result["accepted"] else "bold red"
                console.print(result["reason"], style=style)
