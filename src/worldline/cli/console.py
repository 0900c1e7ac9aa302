"""The console that answers are shown on."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.text import Text

from worldline.core.wording import printable

__all__ = ["AnswerConsole"]

_LEAST_WIDTH = 60


class AnswerConsole(Console):
    """Writes text as it is, but never obeys control characters in it, such as in a file's name.

    At least 60 columns are used: tables mean nothing in fewer, and a narrow terminal wraps them.
    """

    def __init__(self) -> None:
        super().__init__(markup=False, highlight=False)
        if self.width < _LEAST_WIDTH:
            self.width = _LEAST_WIDTH

    def render_str(self, text: str, **options: Any) -> Text:
        """As rich does, with control characters written out."""
        return super().render_str(printable(text, keep="\n\t"), **options)
