"""`worldline info`: what a world is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from worldline.cli.output import Answer, JsonFlag, Seed

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["Info"]


@dataclass(frozen=True)
class Info:
    """What a world is: its parameters, its card (data, cost, metrics, limits), its calibration."""

    world: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="[WORLD]")] = "small"
    """Name of a bundled world, or the folder of a saved one."""
    full: bool = False
    """Print the card's tables of metrics, too."""
    json: JsonFlag = False
    seed: Seed = 0

    def run(self) -> Answer:
        """Open the world. Raises `ArtifactError` when there is none or it is damaged."""
        from worldline import World
        from worldline.world.feed import describe_controls

        world = World.from_pretrained(self.world)
        return {
            "name": world.name,
            "num_parameters": world.num_parameters,
            "size_px": world.size_px,
            "step_s": world.step_s,
            "context": world.context,
            "controls": describe_controls(world.controls),
            "calibration": world.calibration,
            "card": world.card,
            "sections": sections(world.card),
        }

    def show(self, answer: Answer, console: Console) -> None:
        """Print the numbers, then the card, its limits first."""
        from rich.markdown import Markdown
        from rich.table import Table

        table = Table(show_header=False, box=None)
        size, step_s = answer["size_px"], answer["step_s"]
        table.add_row("world", answer["name"])
        table.add_row("parameters", f"{answer['num_parameters'] / 1e6:.2f} million")
        table.add_row("frames", f"{size} x {size} pixels, one every {step_s:.3f} s")
        table.add_row("context", f"{answer['context']} frames unless told otherwise")
        table.add_row("controls", _words(answer["controls"]) or "none")
        console.print(table)
        parts = answer["sections"]
        for name in sorted(parts, key=lambda name: name != "limits"):
            if self.full or name != "metrics":
                console.print(Markdown(f"## {name.capitalize()}\n\n{parts[name]}"))
        if not self.full and "metrics" in parts:
            console.print(f"\nmetrics: worldline info {self.world} --full")


def _words(controls: dict[str, Any]) -> str:
    """Such as "actions (2 numbers), maps (depth, edges)"."""
    parts = []
    for name, facts in controls.items():
        names = ", ".join(facts.get("names", ())) or facts.get("as") or f"{facts['size']} numbers"
        parts.append(f"{name} ({names})")
    return ", ".join(parts)


def sections(card: str) -> dict[str, str]:
    """Second-level headings of a markdown card, in lower case, and the text under each."""
    found: dict[str, list[str]] = {}
    heading = None
    for line in card.splitlines():
        if line.startswith("## "):
            heading = line[3:].strip().lower()
            found[heading] = []
        elif heading is not None:
            found[heading].append(line)
    return {name: "\n".join(lines).strip() for name, lines in found.items()}
