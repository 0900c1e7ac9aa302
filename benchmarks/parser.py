"""How many phrases, as people type them, the query grammar reads exactly as they are meant.

`python benchmarks/parser.py` reads the phrases of `tests/retrieval/phrases`: those that the grammar
was mended on, and those that were written afterwards and looked at once before they were too.
It reads all of them as they are now; how many were exact at first sight is told in LOG.md.
Beside it stands word spotting: the events that are named, and nothing else.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from record import write_record
from tests.retrieval.phrases import SETS, like_terms, plan_of, read_phrases

from worldline.core.errors import InputError
from worldline.retrieval.query import And, Event, Query
from worldline.retrieval.vocabulary import Kind
from worldline.retrieval.words import read_words


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
        wanted = [phrase.query and like_terms(phrase.query) for phrase in phrases]
        exact = [plan_of(p.text) == query for p, query in zip(phrases, wanted, strict=True)]
        bare = [spotted(p.text) == query for p, query in zip(phrases, wanted, strict=True)]
        rows[name] = {
            "phrases": len(phrases),
            "exact_plans": sum(exact),
            "accuracy": round(sum(exact) / len(phrases), 4),
            "word_spotting": round(sum(bare) / len(phrases), 4),
            "failed": [p.text for p, right in zip(phrases, exact, strict=True) if not right],
        }
        row = rows[name]
        print(f"{name}: {row['exact_plans']} of {row['phrases']} plans exact")
        print(f"  by word spotting: {row['word_spotting']:.0%}")
    write_record("parser", {"rows": rows})


if __name__ == "__main__":
    main()
