"""`worldline ingest`: videos into a library."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from worldline.cli.files import nearby
from worldline.cli.output import Answer, JsonFlag, Seed, progress, require_text
from worldline.cli.places import make_folder
from worldline.cli.process import complain
from worldline.core.errors import InputError
from worldline.core.wording import printable

if TYPE_CHECKING:
    from rich.console import Console

    from worldline.retrieval import IngestResult

__all__ = ["Ingest"]

Paths = Annotated[
    tuple[Path, ...],
    tyro.conf.Positional,
    tyro.conf.arg(metavar="PATH...", help="Video files, and folders with videos below them."),
]


@dataclass(frozen=True)
class Ingest:
    """Bring videos into a library: what happens in them, where and when, never their bytes.

    Files that the library knows already are passed over, changed ones are read again. It may be
    stopped at any moment, and goes on where it was when it is started again.
    """

    paths: Paths
    library: Annotated[str, tyro.conf.arg(metavar="URI", help="Folder, or s3://BUCKET/FOLDER.")]
    json: JsonFlag = False
    seed: Seed = 0

    def run(self) -> Answer:
        """Read what is new. Raises `ArtifactError` where no library can be."""
        from worldline.retrieval import Library

        if not self.paths:
            raise InputError("no video given; name at least one file or folder")
        if "://" not in self.library:
            require_text(f"--library {self.library}")
            make_folder("--library", Path(self.library).expanduser())
        with progress("ingesting", 1.0) as set_done:

            def report(done: int, total: int, result: IngestResult) -> None:
                set_done(done / total)
                if result.error is not None:
                    complain(f"worldline: error: {printable(result.error)}")

            answer = Library.open(self.library).ingest(self.paths, on_progress=report).to_json()
        return {"library": self.library, **answer}

    def show(self, answer: Answer, console: Console) -> None:
        """Print one line per file that is new, and the counts."""
        from rich.table import Table

        table = Table("video", "", "events", "segments", box=None)
        for result in answer["results"]:
            if result["status"] != "unchanged":
                counts = [str(result["num_events"]), str(result["num_segments"])]
                table.add_row(nearby(result["source"]), result["status"], *counts)
        if table.row_count:
            console.print(table)
        counts = [f"{answer[name]} {name}" for name in ("added", "updated", "unchanged", "failed")]
        console.print(f"{answer['library']}: {', '.join(counts)}")
