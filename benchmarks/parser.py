"""How many phrases, as people type them, the query grammar reads exactly as they are meant.

`python benchmarks/parser.py` reads the phrases of `tests/retrieval/phrases`: those that the grammar
was mended on, and those that were written afterwards and looked at once before they were too.
It reads all of them as they are now. Beside that stand what the sets written afterwards gave at
first sight, and word spotting: the events that are named, and nothing else. A phrase is *silently
wrong* where its plan is another than meant and neither a guess nor an ignored word says so.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from record import write_record
from tests.retrieval.phrases import SETS, like_terms, plan_of, read_phrases

from worldline.core.errors import InputError
from worldline.retrieval import parse
from worldline.retrieval.query import And, Event, Query
from worldline.retrieval.vocabulary import Kind
from worldline.retrieval.words import read_words

FIRST_SIGHT = {
    "held_out": (103, None, 120),
    "second_held_out": (50, None, 58),
    "new_events": (10, None, 13),
    "blind": (115, None, 153),
    "second_blind": (43, None, 60),
    "third_blind": (22, None, 40),
    "fourth_blind": (121, 10, 148),
    "fifth_blind": (72, 6, 100),
    "sixth_blind": (66, 9, 100),
}
"""Set to its exact plans, silently wrong ones (not counted at first) and phrases, when it was
looked at once before anything was mended. Measured then, and not again: the grammar has changed."""


def is_silently_wrong(text: str, query: Query | None) -> bool:
    """Whether a plan is another than meant, and says nothing of any doubt."""
    try:
        plan = parse(text)
    except InputError:
        return False
    doubted = plan.guesses or plan.ignored or plan.suggestions
    return not doubted and (None if plan.query is None else like_terms(plan.query)) != query


def spotted(text: str) -> Query | None:
    """What word spotting gives: every event that is named, all of them, and nothing else."""
    try:
        names = [item.entry.text for item in read_words(text) if item.kind is Kind.EVENT]
    except InputError:
        return None
    events = [Event(name) for name in names]
    return None if not events else events[0] if len(events) == 1 else And(tuple(events))


def main() -> None:
    rows = {}
    for name in SETS:
        phrases = read_phrases(name)
        wanted = [None if p.query is None else like_terms(p.query) for p in phrases]
        exact = [plan_of(p.text) == query for p, query in zip(phrases, wanted, strict=True)]
        bare = [spotted(p.text) == query for p, query in zip(phrases, wanted, strict=True)]
        rows[name] = {
            "phrases": len(phrases),
            "exact_plans": sum(exact),
            "accuracy": round(sum(exact) / len(phrases), 4),
            "silently_wrong": sum(map(is_silently_wrong, [p.text for p in phrases], wanted)),
            "at_first_sight": dict(
                zip(("exact_plans", "silently_wrong", "phrases"), FIRST_SIGHT[name], strict=True)
            )
            if name in FIRST_SIGHT
            else None,
            "word_spotting": round(sum(bare) / len(phrases), 4),
            "failed": [p.text for p, right in zip(phrases, exact, strict=True) if not right],
        }
        row = rows[name]
        print(f"{name}: {row['exact_plans']} of {row['phrases']} plans exact")
        if first := row["at_first_sight"]:
            print(f"  at first sight {first['exact_plans']} of {first['phrases']}")
        print(f"  silently wrong: {row['silently_wrong']}")
        print(f"  by word spotting: {row['word_spotting']:.0%}")
    write_record("parser", {"rows": rows})


if __name__ == "__main__":
    main()
