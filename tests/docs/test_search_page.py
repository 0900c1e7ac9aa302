"""The cookbook of questions says what the grammar makes of them."""

import re
from pathlib import Path

import pytest

from worldline import Library
from worldline.retrieval import Fall, Quantity, chance_in, height_m, parse
from worldline.sim import make_clip

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


def test_the_code_on_the_page_asks_a_library(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    scene = make_clip("drop", 1, seed=1).scene
    assert scene is not None
    Library.open("library").add(scene, uri="drop.mp4", content_hash="1")
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    exec(compile(code, "search.md", "exec"), {"__name__": "page"})
    hit, said = capsys.readouterr().out.splitlines()
    assert hit.startswith("1.00  drop.mp4  ")
    assert said == "A fall of a ball with height more than 0.5 m."


def test_what_the_page_says_of_expressions_holds():
    scene = make_clip("drop", 1, seed=1).scene
    assert scene is not None
    fast = Quantity("impact_speed_mps") > 5
    assert chance_in(Fall(fast).of("ball") & ~Fall(height_m > 50), scene) == pytest.approx(1.0)
    assert chance_in(Fall(Quantity("impact_speed_mps") > 50), scene) == 0.0
