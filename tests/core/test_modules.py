"""Modules of somebody's own are found where they lie."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from worldline.core.modules import import_theirs, look_into


@pytest.fixture(autouse=True)
def _paths(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path])


def test_the_working_directory_is_looked_into(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "of_this_folder.py").write_text("number = 7\n")
    with pytest.raises(ModuleNotFoundError, match="of_this_folder"):
        import_theirs("of_this_folder")
    monkeypatch.chdir(tmp_path)
    assert import_theirs("of_this_folder").number == 7
    del sys.modules["of_this_folder"]


def test_a_folder_is_added_once_and_comes_first(tmp_path: Path):
    look_into(tmp_path)
    look_into(tmp_path)
    assert sys.path[0] == str(tmp_path)
    assert sys.path.count(str(tmp_path)) == 1


def test_what_a_module_raises_comes_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "of_no_use.py").write_text("raise OSError('the plug is out')\n")
    with pytest.raises(OSError, match="the plug is out"):
        import_theirs("of_no_use")
