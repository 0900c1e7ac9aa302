"""Search results on the page: how a query was read, and hits that play and explain themselves."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from worldline.core import STATIC
from worldline.core.wording import describe_asked, describe_quantities, plain, tell_who
from worldline.report.elements import show_film, show_list
from worldline.report.facts import HitFacts, ReportFacts, SearchFacts
from worldline.report.words import count, sentence
from worldline.retrieval.weighing import BY_DEFINITION

__all__ = ["explain", "show_searches"]

_MOST_EVENTS = 2
_MOST_QUANTITIES = 4
_DULL = {"num_frames", BY_DEFINITION}
_EVIDENCE = {
    "truth": "known from the simulator",
    "pixels": "seen in the pixels",
    "given": "seen in the pixels",
}


def show_searches(facts: ReportFacts, *, ident: str) -> str:
    """Queries with how they were understood and hits that play."""
    total = sum(facts.library.values())
    kinds = ", ".join(f"{number} {plain(kind)}" for kind, number in facts.library.items())
    library = f"{count(total, 'video')} in the library" + (f" ({kinds})." if kinds else ".")
    blocks = [_search(search, f"{ident}-{k}") for k, search in enumerate(facts.searches)]
    return (
        f'<section id="{escape(ident)}"><h2>Search by what happens</h2>'
        f'<p class="lead">{escape(library)} '
        "A query is read as a statement about events and measured quantities, not as keywords; "
        "every hit shows where, and what was measured there.</p>"
        f"{''.join(blocks) or '<p class=nothing>Nothing was searched.</p>'}</section>"
    )


def _search(search: SearchFacts, ident: str) -> str:
    shown = len(search.hits)
    some = f"; {shown} of different videos shown" if shown < search.num_found else ""
    hits = "".join(_hit(hit, f"{ident}-hit-{k}") for k, hit in enumerate(search.hits))
    return (
        f"<article><h3>“{escape(search.query)}”</h3>"
        f'<p class="plan">Read as <code>{escape(_plan_words(search.plan))}</code></p>'
        f"<p>{escape(count(search.num_found, 'hit'))}{some}, in {search.seconds * 1000:.0f} ms.</p>"
        + (f'<div class="hits">{hits}</div>' if hits else '<p class="nothing">No hit.</p>')
        + "</article>"
    )


def _plan_words(plan: Any) -> str:
    if isinstance(plan, Mapping) and isinstance(plan.get("sentence"), str):
        return plan["sentence"]
    if isinstance(plan, Mapping):
        return "; ".join(
            f"{plain(str(k))}: {_plan_words(v)}" for k, v in plan.items() if v not in (None, "", [])
        )
    if isinstance(plan, list | tuple):
        return ", ".join(_plan_words(item) for item in plan)
    return str(plan)


def _hit(hit: HitFacts, ident: str) -> str:
    span = f"{hit.start_s:.2f} to {hit.end_s:.2f}\u202fs"
    film = (
        show_film(hit.film, ident=ident) + _interval(hit)
        if hit.film
        else '<p class="nothing">This video could not be read.</p>'
    )
    return (
        f'<div class="hit">{film}<p class="hit-name">{escape(hit.source)}</p>'
        f'<p class="hit-when">{span}<span class="score">hit {hit.rank}, score {hit.score:.2f}'
        f"</span></p>{show_list(explain(hit.why), kind='why')}</div>"
    )


def _interval(hit: HitFacts) -> str:
    assert hit.film is not None  # the caller has looked
    length_s = max(hit.film.duration_s, 1e-9)
    left = min(max((hit.start_s - hit.film.start_s) / length_s, 0.0), 1.0)
    right = min(max((hit.end_s - hit.film.start_s) / length_s, left), 1.0)
    return (
        f'<div class="interval" aria-hidden="true"><i style="left:{100 * left:.1f}%;'
        f'width:{100 * (right - left):.1f}%"></i></div>'
    )


def explain(why: Mapping[str, Any]) -> list[str]:
    """Why something is a hit: the events, who took part, what was measured and asked for."""
    lines = []
    events = [event for event in why.get("events", ()) if isinstance(event, Mapping)]
    for event in events[:_MOST_EVENTS]:
        lines.append(sentence(plain(str(event.get("type", "event")))) + _who(event.get("roles")))
        lines += [", ".join(_measured(event))]
    if len(events) > _MOST_EVENTS:
        lines.append(f"and {count(len(events) - _MOST_EVENTS, 'more event')}")
    lines += [f"Absent, as asked: {text}" for text in why.get("absent", ())]
    if "evidence" in why:
        evidence = str(why["evidence"])
        lines.append(_EVIDENCE.get(evidence, f"known from {evidence}"))
    return [line for line in lines if line]


def _who(roles: Any) -> str:
    if not isinstance(roles, Mapping) or not roles:
        return ""
    names: dict[str, str | None] = {}
    for name, role in roles.items():
        if not isinstance(role, Mapping):
            names[name] = str(role)
        elif role.get("track") == STATIC:
            names[name] = None
        else:
            words = (role.get("color"), role.get("label"), role.get("track"))
            names[name] = " ".join(str(w) for w in words if w not in (None, ""))
    return f": {tell_who(names)}"


def _measured(event: Mapping[str, Any]) -> list[str]:
    lines, told = [], set[str]()
    for asked in event.get("comparisons", ()):
        name = str(asked["quantity"])
        told |= {name, f"{name}_std"}
        limit = str(asked["op"]), float(asked["threshold"])
        lines.append(describe_asked(name, asked["value"], *limit, asked.get("std")))
    rest = {k: v for k, v in event.get("quantities", {}).items() if k not in told | _DULL}
    return lines + list(describe_quantities(rest))[:_MOST_QUANTITIES]
