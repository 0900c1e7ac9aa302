"""The page on planning: its commands are understood, its code plans, the robot loop runs."""

from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from worldline.cli.main import main
from worldline.world import World

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "planning.md").read_text()
LINES = re.findall(r"^    (worldline (?:plan|eval) .+)$", PAGE, re.MULTILINE)


@pytest.mark.parametrize("line", [*LINES, "worldline plan tworoom"])
def test_the_commands_on_the_page_are_understood(line: str, capsys):
    words = line.split()[1:]
    words[1] = "cooking"  # refused before anything is run
    assert main(words) == 2
    refused = capsys.readouterr().err
    assert "no task cooking" in refused or "no suite cooking" in refused


def test_the_code_on_the_page_plans(monkeypatch):
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    assert len(code.splitlines()) <= 24
    world = World.from_pretrained("tworoom")
    monkeypatch.setattr(World, "from_pretrained", lambda name: world)
    acted: list[torch.Tensor] = []

    class Until(list):
        """Done after two actions."""

        def __bool__(self) -> bool:
            return len(acted) >= 2

    pictures = torch.from_numpy(np.full((2, 1, 32, 32, 3), 255, np.uint8))
    names = {"frames": pictures, "goal_frames": pictures[:, 0], "done": Until()}
    exec(compile(code, "planning.md", "exec"), {**names, "act": acted.append})
    assert [tuple(action.shape) for action in acted] == [(2, 2)] * 2


def test_the_robot_loop_keeps_its_rate_and_tells_what_came_of_it(monkeypatch, capsys):
    words = ["robot_loop.py", "--seconds", "0.4", "--rate-hz", "5", "--seed", "3"]
    monkeypatch.setattr(sys, "argv", words)
    threads = torch.get_num_threads()
    try:
        runpy.run_path(str(ROOT / "examples" / "robot_loop.py"), run_name="__main__")
    finally:
        torch.set_num_threads(threads)
    told = capsys.readouterr().out
    assert re.search(r"periods [12], late \d, reached [01]", told)
