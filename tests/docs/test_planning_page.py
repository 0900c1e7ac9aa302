"""The page on planning: its commands are understood, its code plans, the robot loop runs."""

from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from worldline.cli.main import main
from worldline.planning import Imagination
from worldline.planning.two_rooms import TwoRoomsEnv
from worldline.sim import make_clip
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


def test_the_code_on_the_page_reaches_its_goal_as_it_stands(monkeypatch, capsys):
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    code = code.replace("budget_s=0.5", "budget_s=None")  # the same plans on a busy machine
    steps: list[np.ndarray] = []
    step = TwoRoomsEnv.step

    def counted(self: TwoRoomsEnv, action: np.ndarray):
        steps.append(action)
        assert len(steps) < 60, "the way takes some fifteen steps"
        return step(self, action)

    monkeypatch.setattr(TwoRoomsEnv, "step", counted)
    exec(compile(code, "planning.md", "exec"), {"__name__": "page"})
    assert capsys.readouterr().out == "reached\n"


def test_what_a_predicate_asks_is_a_goal_as_the_page_writes_it():
    (code,) = re.findall(r"```\n(from worldline.planning import Pred.*?)```", PAGE, flags=re.DOTALL)
    found: dict[str, Any] = {"imagination": Imagination(World.from_pretrained("tworoom"))}
    exec(compile(code, "planning.md", "exec"), found)
    scene = make_clip("drop", 1, seed=1).scene
    assert 0.0 <= found["goal"].chance(scene) <= 1.0


def run_the_loop():
    """The example as a script, which sets the number of threads for itself."""
    threads = torch.get_num_threads()
    try:
        runpy.run_path(str(ROOT / "examples" / "robot_loop.py"), run_name="__main__")
    finally:
        torch.set_num_threads(threads)


def test_the_robot_loop_keeps_its_rate_and_tells_what_came_of_it(monkeypatch, capsys):
    words = ["robot_loop.py", "--seconds", "0.4", "--rate-hz", "5", "--seed", "3"]
    monkeypatch.setattr(sys, "argv", words)
    run_the_loop()
    told = capsys.readouterr().out
    assert re.search(r"periods [12], late \d, reached [01]", told)


def test_a_recording_without_rerun_is_refused_in_one_sentence(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "rerun", None)  # as if it were not installed
    monkeypatch.setattr(sys, "argv", ["robot_loop.py", "--recording", str(tmp_path / "x.rrd")])
    with pytest.raises(SystemExit, match=r"--recording needs rerun .*: pip install rerun-sdk$"):
        run_the_loop()


def test_a_recording_holds_what_each_period_saw_chose_and_imagined(monkeypatch, tmp_path):
    chunk = pytest.importorskip("rerun.chunk", reason="needs the extra rerun (rerun-sdk)")
    path = tmp_path / "new" / "loop.rrd"
    words = ["robot_loop.py", "--seconds", "0.4", "--rate-hz", "5", "--recording", str(path)]
    monkeypatch.setattr(sys, "argv", words)
    run_the_loop()
    sys.modules["rerun"].disconnect()  # writes what is left, and closes the file
    rows = dict.fromkeys(("camera", "imagined", "plan/actions", "plan/cost", "plan/trust"), 0)
    for each in chunk.RrdReader(path).stream():
        name = each.entity_path.lstrip("/")
        if name in rows:
            assert "period" in each.timeline_names
            rows[name] += each.num_rows
    assert len(set(rows.values())) == 1
    assert rows["camera"] >= 1
