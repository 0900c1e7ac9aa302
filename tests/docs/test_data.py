"""What the page on one's own data says, done as it stands."""

from __future__ import annotations

import re
from pathlib import Path

from worldline.cli.main import main

PAGE = (Path(__file__).parents[2] / "docs" / "data.md").read_text()


def test_the_page_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    env = "tests.tiny_env:worldline-tests/Tiny-v0"
    assert main(["record", "--env", env, "--episodes", "6", "--out", "pong", "--every", "1"]) == 0
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    code = code.replace("num_frames=16", "num_frames=8")  # its episodes have no more
    exec(compile(code, "data.md", "exec"), {"__name__": "page"})
    printed = capsys.readouterr().out
    assert "6 clips, 0 shot cuts" in printed
    assert "0 episodes left out" in printed
    assert re.search(r"\(\d, 8, 64, 64, 3\)", printed)


def test_the_command_on_the_page_is_understood(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    line = next(line for line in PAGE.splitlines() if line.startswith("    worldline "))
    words = line.split()[1:]
    words[words.index("--env") + 1] = "No/Such-v0"
    assert main(words) == 2
    assert "No/Such-v0: cannot be made" in capsys.readouterr().err
