"""The page of events is what the docstrings say."""

from pathlib import Path

from worldline.physics import ONTOLOGY
from worldline.physics.events.page import render_ontology

PAGE = Path(__file__).parents[2] / "docs" / "events.md"


def test_the_page_is_made_from_the_docstrings():
    again = "make it anew: python -m worldline.physics.events.page > docs/events.md"
    assert PAGE.read_text() == render_ontology(), again


def test_every_event_has_its_section_and_says_what_it_measures():
    page = render_ontology()
    for name, kind in ONTOLOGY.items():
        assert f"\n## {name}\n" in page
        for quantity, text in kind.quantities.items():
            assert not text or f"- `{quantity}`: {text}" in page
