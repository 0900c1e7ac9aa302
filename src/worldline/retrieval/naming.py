"""What is said of an answer where a question names things, and the things found have no names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from worldline.retrieval.rows import STATIC_LABEL

__all__ = ["advise"]


def advise(answer: Mapping[str, Any]) -> str:
    """What to do where names were asked for, and nothing or only things without names were found.

    Args:
        answer: `SearchResult.to_json()`.

    Returns:
        one sentence without a full stop, or "".
    """
    events = [event for hit in answer["hits"] for event in hit["why"]["events"]]
    doubted = any("not recognised" in d for e in events for d in e.get("unconfirmed", ()))
    named = _labels(answer["plan"].get("query"))
    if not named or (answer["hits"] and not doubted):
        return ""
    return (
        "things have names only where a clip brings its truth, or `ingest --detector` gave them "
        f"some; ask for `something` in place of {' and '.join(named)} to find what has none"
        + ("" if answer["hits"] else ", or leave out a condition to see which one nothing meets")
    )


def _labels(query: Any) -> list[str]:
    """Names of things in a plan's query, each once."""
    found: list[str] = []
    if isinstance(query, dict):
        for who in (query.get("roles") or {}).values():
            found += [label for label in who.get("labels", ()) if label != STATIC_LABEL]
        for part in ("first", "second", "part"):
            found += _labels(query.get(part))
        for part in query.get("parts", ()):
            found += _labels(part)
    return list(dict.fromkeys(found))
