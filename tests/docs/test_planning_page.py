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
from tests.planning.worlds import tiny_world

from worldline.cli.main import main
from worldline.data.recorded import Recorded, open_recording
from worldline.planning import Imagination
from worldline.planning.two_rooms import TwoRoomsEnv
from worldline.sim import make_clip
from worldline.world import World

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "planning.md").read_text()
CODE = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
LINES = re.findall(r"^    (worldline (?:plan|eval) .+)$", PAGE, re.MULTILINE)


@pytest.mark.parametrize("line", [*LINES, "worldline plan tworoom"])
def test_the_commands_on_the_page_are_understood(line: str, capsys):
    words = line.split()[1:]
    words[1] = "cooking"  # refused before anything is run
    assert main(words) == 2
    refused = capsys.readouterr().err
    assert "no task cooking" in refused or "no suite cooking" in refused


def test_the_code_on_the_page_reaches_its_goal_as_it_stands(monkeypatch, capsys):
    code = CODE[0].replace("budget_s=0.5", "budget_s=None")  # the same plans on a busy machine
    steps: list[np.ndarray] = []
    step = TwoRoomsEnv.step

    def counted(self: TwoRoomsEnv, action: np.ndarray):
        steps.append(action)
        assert len(steps) < 60, "the way takes some fifteen steps"
        return step(self, action)

    monkeypatch.setattr(TwoRoomsEnv, "step", counted)
    exec(compile(code, "planning.md", "exec"), {"__name__": "page"})
    assert capsys.readouterr().out == "reached\n"


YOURS = """
import gymnasium
import numpy as np


class Yours(gymnasium.Env):
    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}
    steps, last = [], -1

    def __init__(self, render_mode=None):
        self.render_mode = render_mode
        self.action_space = gymnasium.spaces.Box(-4.0, 4.0, (2,), np.float32)
        self.observation_space = gymnasium.spaces.Box(0.0, 64.0, (2,), np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.place = self.np_random.uniform(10, 54, 2).astype(np.float32)
        return self.place, {}

    def step(self, action):
        self.steps.append(action)
        self.place = np.clip(self.place + action, 4, 60).astype(np.float32)
        return self.place, 0.0, len(self.steps) == self.last, False, {}

    def render(self):
        y, x = np.mgrid[:64, :64]
        near = np.hypot(x - self.place[0], y - self.place[1]) < 6
        return np.where(near[..., None], np.uint8([230, 60, 40]), np.uint8([250, 250, 250]))


gymnasium.register("Yours-v0", Yours)
"""


def test_an_environment_of_ones_own_is_recorded_and_planned_in(monkeypatch, tmp_path, capsys):
    code = CODE[1]
    assert sum(bool(line.strip()) for line in code.splitlines()) <= 21
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    Path("yours.py").write_text(YOURS)
    record, train = re.findall(r"^    (worldline .+ out/yours.*)$", PAGE, re.MULTILINE)
    assert main(record.replace("--episodes 500", "--episodes 2 --max-frames 4").split()[1:]) == 0
    assert main([*train.split()[1:], "--steps", "0"]) == 2  # understood, and refused for that alone
    assert "--steps is 0" in capsys.readouterr().err
    spec = open_recording(Recorded(folder="out/yours", num_frames=4, stride=4)).spec
    assert spec is not None
    world = tiny_world("vector", action_size=spec.width)  # untrained; what it does is not the point
    world.finished({"actions": spec.to_json()}, "").save(Path("runs/yours/world"), dtype=None)
    kind = sys.modules["yours"].Yours
    monkeypatch.setattr(kind, "last", 13)
    steps = kind.steps
    steps.clear()
    exec(compile(code.replace("ICEM()", "ICEM(32, 2, 8)"), "planning.md", "exec"), {})
    assert len(steps) == 13, "it ends where the environment does, amid a held action"
    held = np.stack(steps)
    assert (held[:5] == held[0]).all(), "as long as recorded"
    assert (held[5] != held[4]).any()
    assert 1 < np.abs(held).max() <= 4, "in the environment's own units"


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
    with pytest.raises(
        SystemExit, match=r"--recording needs rerun .*: pip install -e '.\[rerun\]' in Worldline's"
    ):
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
