"""The console that answers are shown on."""

from __future__ import annotations

import pytest
from rich.table import Table

from worldline.cli.console import AnswerConsole


def shown(capsys: pytest.CaptureFixture[str], *things: object) -> str:
    console = AnswerConsole()
    for thing in things:
        console.print(thing)
    return capsys.readouterr().out


def test_control_characters_are_written_out_everywhere(capsys: pytest.CaptureFixture[str]):
    table = Table("video", title="t\x07")
    table.add_row("a\x1b[31mb")
    out = shown(capsys, table, "first\n\x9bsecond [b]")
    assert "\x1b" not in out
    assert r"a\x1b[31mb" in out
    assert r"t\x07" in out
    assert "first\n\\x9bsecond [b]\n" in out


def test_a_narrow_terminal_gets_60_columns_all_the_same(capsys, monkeypatch):
    for columns, width in (("20", 60), ("60", 60), ("100", 100)):
        monkeypatch.setenv("COLUMNS", columns)
        assert shown(capsys, "x" * 200).splitlines()[0] == "x" * width
