"""`worldline search`: where in a library something happens."""

from __future__ import annotations

from dataclasses import dataclass
from json import loads
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from worldline.cli.files import nearby
from worldline.cli.output import Answer, JsonFlag, Seed, describe, track
from worldline.cli.places import make_folder
from worldline.cli.process import complain
from worldline.core.errors import InputError
from worldline.core.scene import STATIC
from worldline.core.wording import counted, describe_asked, printable, tell_who

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["Search"]

_MOST_MATCHES = 4
_WHOLE = {"field": "all motion", "course": "what happens when"}
"""Kinds of vectors that are of no track in particular (`retrieval.motions.Kind`)."""
_MOST_REASONS = 6
"""Overlapping matches are one hit, which may then rest on dozens of events; JSON has all."""

Words = Annotated[
    tuple[str, ...],
    tyro.conf.Positional,
    tyro.conf.arg(metavar="QUERY", help="What happens, in words, or a plan as JSON."),
]


@dataclass(frozen=True)
class Search:
    """Find clips by what physically happens in them, such as "something falls from a height".

    Any event of docs/events.md can be asked for, as a verb or a noun ("near miss", "a cup pours
    grains"), with limits ("more than 2 m"), order ("then within 2 s"), counts, negations, and
    "while"; docs/search.md shows questions with their plans. Things have names only where a clip
    brings its truth or `ingest --detector` gave them some.
    The plan that the words were read into is part of the answer; each hit says what it rests on.
    """

    query: Words
    library: Annotated[str, tyro.conf.arg(metavar="URI", help="Library made by ingest.")]
    like: Annotated[
        Path | None, tyro.conf.arg(metavar="VIDEO", help="Video whose motion hits resemble.")
    ] = None
    limit: Annotated[int, tyro.conf.arg(metavar="K", help="Most hits to answer with.")] = 10
    overlay: Path | None = None
    """Folder for a clip of each hit, with world lines, parts and measured values drawn on it."""
    json: JsonFlag = False
    seed: Seed = 0

    def run(self) -> Answer:
        """Search. Raises `InputError` for a query that asks for nothing that can happen."""
        from worldline.retrieval import Library, Thesaurus, parse
        from worldline.retrieval.schema import VIDEOS

        text = " ".join(self.query)
        query: str | dict[str, Any] = text
        if text.lstrip().startswith("{"):
            query = _plan(text)
        elif text.strip():
            query = parse(text, Thesaurus.installed()).to_json()
        library = Library.open(self.library)
        answer = library.search(query, limit=self.limit, like=self.like).to_json()
        answer["num_videos"] = library.store.count(VIDEOS)
        if self.overlay is not None:
            make_folder("--overlay", self.overlay)
            for rank, hit in enumerate(track(answer["hits"], "drawing"), start=1):
                _draw(hit, self.overlay / f"{rank:03d}-{Path(hit['source']).stem[:80]}.mp4")
        # A clip that cannot be written fails alone, as a file of a batch does.
        failed = [
            {"error": hit["overlay_error"]} for hit in answer["hits"] if "overlay_error" in hit
        ]
        return {**answer, "results": failed} if failed else answer

    def show(self, answer: Answer, console: Console) -> None:
        """Print the plan in words, then a table of hits."""
        from rich.table import Table

        from worldline.retrieval.naming import advise

        plan = answer["plan"]
        console.print(plan["sentence"])
        for guess in plan["guesses"]:
            console.print(f"  guessed: {guess['words']!r} as {guess['meaning']}", style="yellow")
        if plan["ignored"]:
            console.print(f"  not understood: {', '.join(plan['ignored'])}", style="yellow")
        for near in plan["suggestions"]:
            question = f"  {near['words']!r}: did you mean {near['known']!r} (by {near['by']})?"
            console.print(question, style="yellow")
        table = Table("score", "from", "to", "origin", box=None)
        table.add_column("video", overflow="fold")
        table.add_column("because")
        for hit in answer["hits"]:
            span = [f"{hit[end]:.2f} s" for end in ("start_s", "end_s")]
            row = [f"{hit['score']:.2f}", *span, hit["origin"], nearby(hit["source"])]
            table.add_row(*row, because(hit["why"]))
        is_empty = answer.get("num_videos") == 0
        none = "no hit: the library holds no video yet" if is_empty else "no hit"
        console.print(table if answer["hits"] else none)
        if drawn := [hit["overlay"] for hit in answer["hits"] if "overlay" in hit]:
            console.print(f"{counted(len(drawn), 'clip')} drawn, from {nearby(drawn[0])} on")
        if advice := advise(answer):
            console.print(f"  {advice}", style="yellow")


def _draw(hit: dict[str, Any], target: Path) -> None:
    """Write a hit's clip; what becomes of it is said in the hit."""
    from worldline.retrieval.overlay import open_overlay

    why = hit["why"]
    tracks = sorted({track for pair in why.get("alike", ()) for track in pair["tracks"]})
    try:
        overlay = open_overlay(hit["source"], hit["start_s"], hit["end_s"], why["events"], tracks)
        overlay.write_clip(target)
    except BrokenPipeError:
        raise
    except (InputError, OSError) as error:
        hit["overlay_error"] = f"the overlay of a hit was not written: {describe(error)}"
        complain(f"worldline: error: {printable(hit['overlay_error'])}")
    else:
        hit["overlay"] = str(target)


def because(why: dict[str, Any]) -> str:
    """A hit's reasons in a few words: events with what was asked of them, what is absent."""
    from worldline.retrieval.plan import noun_of

    reasons = []
    for event in why["events"][:_MOST_REASONS]:
        doubts = [doubt.split(":")[0] for doubt in event.get("unconfirmed", ())]
        doubts += ["guessed"] * event["guessed"]
        reason = " of ".join(filter(None, [noun_of(event["type"]), _who(event["roles"])]))
        reason += f" ({', '.join(doubts)})" if doubts else ""
        measured = [
            describe_asked(c["quantity"], c["value"], c["op"], c["threshold"], c["std"])
            for c in event["comparisons"]
        ]
        reasons.append(": ".join(filter(None, [reason, ", ".join(measured)])))
    if (more := len(why["events"]) - _MOST_REASONS) > 0:
        reasons.append(f"and {counted(more, 'further event')}")
    reasons += [f"without {absent}" for absent in why["absent"]]
    if "similarity" in why:
        reasons.append(f"motion {why['similarity']:.2f} alike{_matches(why['alike'])}")
    return "; ".join(reasons)


def _who(roles: dict[str, Any]) -> str:
    def name(who: dict[str, Any]) -> str | None:
        return None if who["track"] == STATIC else f"{who['label']} {who['track']}"

    return tell_who({role: name(who) for role, who in roles.items()})


def _matches(pairs: list[dict[str, Any]]) -> str:
    """Which tracks matched which, those that count most first."""
    told = []
    for pair in pairs[:_MOST_MATCHES]:
        sides = [" and ".join(map(str, pair[side])) for side in ("query_tracks", "tracks")]
        what = _WHOLE.get(pair["kind"]) or f"{sides[0]} like {sides[1]}"
        told.append(f"{what} {pair['similarity']:.2f}")
    return f" ({', '.join(told)})" if told else ""


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
