"""The page to search with: HTML that needs no script, and nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from typing import Any
from urllib.parse import urlencode

from worldline.core.wording import counted, plain, printable
from worldline.report.results import explain
from worldline.retrieval.naming import advise

__all__ = ["EXAMPLES", "POLICY", "build_page", "read_style"]

EXAMPLES = (
    "something falls from a height",
    "near-miss between two objects",
    "a ball bounces at least twice",
    "two objects collide",
    "something disappears, then reappears",
    "nothing falls",
)
"""Queries that the page offers where none was asked."""

POLICY = (
    "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Content security policy of the page: no script, and no request to anybody else."""


def read_style() -> str:
    """The style sheet: that of the report, and what this page adds."""
    report = (files("worldline.report") / "style.css").read_text(encoding="utf-8")
    return report + (files("worldline.serve") / "page.css").read_text(encoding="utf-8")


def build_page(
    library: Mapping[str, Any] | None,
    *,
    query: str = "",
    answer: Mapping[str, Any] | None = None,
    problem: str = "",
    seconds: float = 0.0,
) -> str:
    """The page as HTML.

    Args:
        library: number of videos and events; None where they are not known.
        query: what was asked, if anything.
        answer: plan and hits, as `GET /v1/search` gives them.
        problem: why there is no answer, in a sentence.
        seconds: how long the answer took.
    """
    name = f"{query} · Worldline" if query else "Worldline: search by what happens"
    if problem:
        body = f'<p class="problem" role="alert">{escape(printable(problem))}</p>'
        body += _offer("Or ask for one of these:")
    elif answer is not None:
        body = _results(answer, seconds)
    else:
        body = _offer("For example:")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(printable(name))}</title>\n"
        '<link rel="icon" href="/icon.svg" type="image/svg+xml">\n'
        '<link rel="stylesheet" href="/style.css">\n</head>\n<body>\n'
        f"{_header(library, query)}\n<main>\n{body}\n</main>\n{_footer()}\n</body>\n</html>\n"
    )


def _header(library: Mapping[str, Any] | None, query: str) -> str:
    focus = "" if query else " autofocus"
    return (
        '<header><div class="title asking"><p class="brand"><a href="/">Worldline</a></p>'
        "<h1>Search by what happens</h1>"
        '<form role="search" action="/" method="get">'
        '<label for="q">What happens in the clips that you look for?</label>'
        f'<div class="ask"><input id="q" name="q" type="search" maxlength="2000" required '
        f'autocomplete="off" enterkeyhint="search" value="{escape(printable(query))}"{focus}>'
        "<button>Search</button></div></form>"
        f'<p class="holds">{escape(_holdings(library))}</p></div></header>'
    )


def _holdings(library: Mapping[str, Any] | None) -> str:
    if library is None:
        return ""
    if not library["num_videos"]:
        return "The library is empty: bring in videos with `worldline ingest`, or by POST /v1/jobs."
    videos = counted(library["num_videos"], "video")
    kinds = ", ".join(f"{number} {kind}" for kind, number in sorted(library["origins"].items()))
    return f"{videos} ({kinds}) with {counted(library['num_events'], 'event')}."


def _offer(lead: str) -> str:
    links = "".join(
        f'<li><a href="/?{escape(urlencode({"q": example}))}">{escape(example)}</a></li>'
        for example in EXAMPLES
    )
    return f'<nav aria-label="Examples"><p class="lead">{lead}</p><ul>{links}</ul></nav>'


def _results(answer: Mapping[str, Any], seconds: float) -> str:
    hits, plan = answer["hits"], answer["plan"]
    found = counted(len(hits), "hit") if hits else "No hit"
    html = (
        '<section class="results" aria-label="Results"><p class="plan">Read as '
        f"<strong>{escape(printable(plan['sentence']))}</strong></p>{_remarks(answer)}"
        f'<p class="count" role="status">{found}, in {seconds * 1000:.0f} ms.</p>'
    )
    if hits:
        shown = "".join(_hit(hit, rank) for rank, hit in enumerate(hits, start=1))
        return f'{html}<ol class="hits">{shown}</ol></section>'
    return f"{html}{_offer('Nothing in the library is like that. Other questions:')}</section>"


def _remarks(answer: Mapping[str, Any]) -> str:
    """What was guessed, what played no part, and what to ask instead."""
    plan = answer["plan"]
    remarks = [
        f"“{guess['words']}” is taken for “{guess['meaning']}”" for guess in plan.get("guesses", ())
    ]
    if plan.get("ignored"):
        remarks.append("not understood: " + ", ".join(plan["ignored"]))
    for near in plan.get("suggestions", ()):
        remarks.append(f"“{near['words']}”: did you mean “{near['known']}”?")
    if advice := advise(answer):
        remarks.append(advice)
    items = "".join(f"<li>{escape(printable(remark))}</li>" for remark in remarks)
    return f'<ul class="remarks">{items}</ul>' if items else ""


def _hit(hit: Mapping[str, Any], rank: int) -> str:
    source = printable(str(hit["source"]))
    folder, _, name = source.rpartition("/")
    span = f"{hit['start_s']:.2f} to {hit['end_s']:.2f}\u202fs"
    why = "".join(f"<li>{escape(printable(line, keep=''))}</li>" for line in _reasons(hit))
    place = f'<span class="folder">{escape(folder)}/</span>' if folder else ""
    return (
        f'<li class="hit" id="hit-{rank}">{_film(hit, name, span)}'
        f'<p class="hit-name">{place}{escape(name)}</p>'
        f'<p class="hit-when">{span} <span class="score">score {hit["score"]:.2f}</span> '
        f'<span class="mark {escape(hit["origin"])}">{escape(hit["origin"])}</span></p>'
        f'<ul class="why">{why}</ul></li>'
    )


def _reasons(hit: Mapping[str, Any]) -> Sequence[str]:
    lines = explain(hit["why"])
    if "similarity" in hit["why"]:
        lines.insert(0, f"Motion {hit['why']['similarity']:.2f} alike")
    return lines


def _film(hit: Mapping[str, Any], name: str, span: str) -> str:
    if not hit["overlay"]:
        return '<p class="nothing">Its video lies in no media folder of this server.</p>'
    events = {plain(event["type"]) for event in hit["why"]["events"]}
    label = f"{', '.join(sorted(events)) or 'the hit'} in {name}, {span}, with world lines drawn"
    return (
        f'<video controls muted loop playsinline preload="none" poster="{escape(hit["still"])}" '
        f'src="{escape(hit["overlay"])}" aria-label="{escape(label)}"></video>'
    )


def _footer() -> str:
    return (
        "<footer><p>A query is read as a statement about events and measured quantities; the plan "
        "shows how. The same over HTTP: <code>GET /v1/search?q=…</code>, described in "
        '<a href="/openapi.json">openapi.json</a>.</p></footer>'
    )
