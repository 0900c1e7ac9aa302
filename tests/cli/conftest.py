"""Videos, good and bad, and ways to call the program."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from worldline.cli.main import main
from worldline.core import Provenance
from worldline.data import write_video


def strict_json(text: str) -> Any:
    """One JSON document and nothing else; NaN and Infinity are not JSON."""

    def refuse(token: str) -> Any:
        raise AssertionError(f"{token} in JSON")

    return json.loads(text, parse_constant=refuse)


@dataclass(frozen=True)
class Done:
    """A finished call of the program."""

    code: int
    out: str
    err: str

    @property
    def answer(self) -> Any:
        return strict_json(self.out)

    @property
    def error_lines(self) -> list[str]:
        return [line for line in self.err.splitlines() if line.startswith("worldline: error: ")]


def start(*arguments: str, **options: Any) -> subprocess.Popen[str]:
    """The program in a process of its own, open to interruption.

    A shell that starts the tests in the background has them, and what they start, ignore SIGINT.
    """
    command = [sys.executable, "-m", "worldline.cli.main", *arguments]
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    listen = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    return subprocess.Popen(
        command, text=True, env=environment, preexec_fn=listen, **(pipes | options)
    )


def run(*arguments: str) -> Done:
    """Call the program in a process of its own and wait for it."""
    process = start(*arguments)
    out, err = process.communicate(timeout=300)
    assert "Traceback" not in err, err
    return Done(process.returncode, out, err)


@pytest.fixture
def call(capfd: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """Call the program inside this process: what it prints, also from C, and its exit code."""

    def inside(*arguments: str) -> Done:
        capfd.readouterr()
        code = main([str(argument) for argument in arguments])
        captured = capfd.readouterr()
        assert "Traceback" not in captured.err, captured.err
        return Done(code, captured.out, captured.err)

    return inside


def rolling_ball(num_frames: int = 40) -> np.ndarray:
    """A bright ball that crosses a plain wall at 3 pixels a frame; 96 x 128 pixels."""
    y, x = np.mgrid[:96, :128] + 0.5
    rng = np.random.default_rng(0)
    wall = rng.integers(60, 80, size=(96, 128, 3))
    frames = np.empty((num_frames, 96, 128, 3), dtype=np.uint8)
    for t in range(num_frames):
        inside = np.hypot(x - (5.0 + 3.0 * t), y - 48.0)[..., None] < 9
        frames[t] = np.where(inside, np.array([230, 200, 40]), wall)
    return frames


@pytest.fixture(scope="session")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of videos: ball.mp4 is good; each of the others is bad as its name says."""
    folder = tmp_path_factory.mktemp("videos")
    frames = rolling_ball()
    here = Provenance(source="test")
    write_video(folder / "ball.mp4", frames, fps=25, provenance=here)
    write_video(folder / "one-frame.mp4", frames[:1], fps=25, provenance=here)
    good = (folder / "ball.mp4").read_bytes()
    (folder / "empty.mp4").write_bytes(b"")
    (folder / "truncated.mp4").write_bytes(good[: len(good) // 2])
    (folder / "headless.mp4").write_bytes(good[:200])
    (folder / "corrupt.mp4").write_bytes(np.random.default_rng(1).bytes(20_000))
    (folder / "notes.txt").write_text("The ball rolls from left to right.\n" * 20)
    (folder / "notes.mp4").write_text("The ball rolls from left to right.\n" * 20)
    (folder / "folder.mp4").mkdir()
    write_sound(folder / "audio-only.mp4")
    # An SVG-like trick: a raw container that says its frames have no size.
    (folder / "zero-size.y4m").write_bytes(b"YUV4MPEG2 W0 H0 F25:1 Ip A1:1 C420\nFRAME\n")
    return folder


def write_sound(path: Path) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44100)
        samples = np.zeros((1, 44100), dtype=np.float32)
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
        frame.sample_rate = 44100
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


BAD_FILES = (
    *("one-frame.mp4", "empty.mp4", "truncated.mp4", "headless.mp4", "corrupt.mp4", "notes.txt"),
    *("notes.mp4", "folder.mp4", "audio-only.mp4", "zero-size.y4m", "missing.mp4"),
)
