"""`worldline export`: a world as ONNX graphs."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from worldline.cli.output import Answer, JsonFlag, Seed

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["Export"]


@dataclass(frozen=True)
class Export:
    """Write a world as ONNX graphs with a manifest, to run it without PyTorch.

    Tokenizer and one network pass of the dynamics, its cache as tensors. Each graph is compared
    with PyTorch before the manifest is written.
    """

    world: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="WORLD")]
    """Name of a bundled world, or the folder of a saved one."""
    out: Path
    """Folder for the graphs and manifest.json."""
    json: JsonFlag = False
    seed: Seed = 0

    def run(self) -> Answer:
        """Export. Raises `InputError` if the world cannot be exported or a package is missing."""
        from worldline.world import World
        from worldline.world.export import export_world

        world = World.from_pretrained(self.world)
        manifest = export_world(world, self.out, on_graph=_tell)
        return {"out": self.out, **manifest}

    def show(self, answer: Answer, console: Console) -> None:
        """List the files, and how near each graph is to PyTorch."""
        from rich.table import Table

        table = Table("file", "takes", "gives", "difference", box=None)
        for record in answer["graphs"].values():
            names = [[port["name"] for port in record[side]] for side in ("inputs", "outputs")]
            gap = f"{record['difference_to_pytorch']:.1e}"
            table.add_row(record["file"], *map(", ".join, names), gap)
        console.print(table)
        console.print(f"{answer['out']}: ONNX operators {answer['opset']}, manifest.json")
        if "tokenizer_decode" not in answer["graphs"]:
            console.print(f"{answer['world']} has no decoder, so there is no tokenizer_decode.onnx")


def _tell(name: str) -> None:
    print(f"writing {name}", file=sys.stderr)
