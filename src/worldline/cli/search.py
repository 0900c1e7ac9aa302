"""`worldline search`: where in a library something happens."""

from __future__ import annotations

from dataclasses import dataclass
from json import loads
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from worldline.cli.files import nearby
from worldline.cli.output import Answer, JsonFlag, Seed
from worldline.core.errors import InputError
from worldline.core.scene import STATIC

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["Search"]

Words = Annotated[
    tuple[str, ...],
    tyro.conf.Positional,
    tyro.conf.arg(metavar="QUERY", help="What happens, in words, or a plan as JSON."),
]


@dataclass(frozen=True)
class Search:
    """Find clips by what physically happens in them, such as "something falls from a height".

    Events are contact, collide, near miss, cross, fall, throw, rise, bounce, roll, slide, topple,
    start, stop, still, enter, exit, occlude and reappear; with limits ("more than 2 m"), order
    ("then within 2 s"), counts and negations. Things have names only where a clip brings its truth.
    The plan that the words were read into is part of the answer; each hit says what it rests on.
    """

    query: Words
    library: Annotated[str, tyro.conf.arg(metavar="URI", help="Library made by ingest.")]
    like: Annotated[
        Path | None, tyro.conf.arg(metavar="VIDEO", help="Video whose motion hits resemble.")
    ] = None
    limit: Annotated[int, tyro.conf.arg(metavar="K", help="Most hits to answer with.")] = 10
    json: JsonFlag = False
    seed: Seed = 0

    def run(self) -> Answer:
        """Search. Raises `InputError` for a query that asks for nothing that can happen."""
        from worldline.retrieval import Library

        text = " ".join(self.query)
        query: str | dict[str, Any] = _plan(text) if text.lstrip().startswith("{") else text
        library = Library.open(self.library)
        return library.search(query, limit=self.limit, like=self.like).to_json()

    def show(self, answer: Answer, console: Console) -> None:
        """Print the plan in words, then a table of hits."""
        from rich.table import Table

        plan = answer["plan"]
        console.print(plan["sentence"])
        for guess in plan["guesses"]:
            console.print(f"  guessed: {guess['words']!r} as {guess['meaning']}", style="yellow")
        if plan["ignored"]:
            console.print(f"  not understood: {', '.join(plan['ignored'])}", style="yellow")
        table = Table("score", "from", "to", "origin", box=None)
        table.add_column("video", overflow="fold")
        table.add_column("because")
        for hit in answer["hits"]:
            span = [f"{hit[end]:.2f} s" for end in ("start_s", "end_s")]
            row = [f"{hit['score']:.2f}", *span, hit["origin"], nearby(hit["source"])]
            table.add_row(*row, because(hit["why"]))
        console.print(table if answer["hits"] else "no hit")


def because(why: dict[str, Any]) -> str:
    """A hit's reasons in a few words: events with what was asked of them, what is absent."""
    reasons = []
    for event in why["events"]:
        measured = [
            f"{c['quantity']} {c['value']:.3g} {c['op']} {c['threshold']:.3g}"
            for c in event["comparisons"]
        ]
        roles = event["roles"].values()
        who = [f"{r['label']} {r['track']}" for r in roles if r["track"] != STATIC]
        reasons.append(" ".join([event["type"].replace("_", " "), *who, *measured]))
    reasons += [f"without {absent}" for absent in why["absent"]]
    if "similarity" in why:
        reasons.append(f"motion {why['similarity']:.2f} alike")
    return "; ".join(reasons)


def _plan(text: str) -> dict[str, Any]:
    try:
        record = loads(text)
    except ValueError as error:  # also a number of too many digits
        raise InputError(f"the plan is not JSON: {error}") from None
    except RecursionError:
        raise InputError("the plan is nested too deep; write it in fewer levels") from None
    if not isinstance(record, dict):
        raise InputError("the plan is not a JSON object")
    return record
