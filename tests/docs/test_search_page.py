"""The cookbook of questions says what the grammar makes of them."""

from pathlib import Path

import pytest

from worldline.retrieval import parse

PAGE = (Path(__file__).parents[2] / "docs" / "search.md").read_text()
ROWS = [
    tuple(cell.strip() for cell in line.strip("|").split("|"))
    for line in PAGE.splitlines()
    if line.startswith("| ") and not line.startswith("| asked")
]


def test_there_are_twenty_questions_at_least():
    assert len({asked for asked, _, _ in ROWS}) >= 20


@pytest.mark.parametrize(("asked", "said", "guessed"), ROWS)
def test_a_question_has_its_plan(asked, said, guessed):
    plan = parse(asked)
    assert plan.sentence == said
    assert plan.ignored == ()
    assert ("; ".join(f"{g.words}: {g.meaning}" for g in plan.guesses) or "-") == guessed
