"""The page of laws and its drawings are what the program makes."""

from pathlib import Path

from worldline.audit.laws_page import draw_examples, write_pages
from worldline.physics import LAWS

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_is_made_by_the_program(tmp_path: Path) -> None:
    write_pages(tmp_path)
    again = "make it anew: python -m worldline.audit.laws_page docs"
    assert (DOCS / "laws.md").read_text() == (tmp_path / "laws.md").read_text(), again
    for law in LAWS:
        drawn = DOCS / "laws" / f"{law}.svg"
        assert drawn.read_text() == (tmp_path / "laws" / drawn.name).read_text(), again
    assert sum(f.stat().st_size for f in (DOCS / "laws").iterdir()) < 300_000


def test_each_law_is_kept_and_broken() -> None:
    for law in LAWS:
        drawing = draw_examples(law)
        assert drawing.count(">pass</text>") == drawing.count(">fail</text>") == 1
