"""What the page on serving says, done as it stands."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from tests.cli.conftest import start

from worldline.cli.main import main
from worldline.serve import ServeConfig, create_app

PAGE = (Path(__file__).parents[2] / "docs" / "serve.md").read_text()
COMMANDS = re.findall(r"^    (curl .+)$", PAGE, flags=re.MULTILINE)


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_the_calls_on_the_page_work(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["sim", "make", "drop", "collide", "--clips", "2", "--out", "out/clips"]) == 0
    assert main(["ingest", "out/clips", "--library", "out/library"]) == 0
    line = next(line for line in PAGE.splitlines() if line.startswith("    worldline serve "))
    server = start(*line.split()[1:], "--port", "0", "--json", cwd=tmp_path)
    try:
        assert server.stdout is not None
        address = json.loads(server.stdout.readline())["address"]
        told = {}
        for command in COMMANDS:
            for name, value in told.items():
                command = command.replace(name, value)
            words = shlex.split(command.replace("http://127.0.0.1:8431/", address))
            done = subprocess.run([*words, "--fail-with-body"], capture_output=True, text=True)
            assert done.returncode == 0, f"{command}: {done.stdout}"
            answer = json.loads(done.stdout) if done.stdout else {}
            if "/v1/jobs'" in command and "--json" in command:
                told["JOB"] = answer["id"]
            if "/v1/videos?" in command:
                told["VIDEO"] = answer["videos"][0]["id"]
        assert {"JOB", "VIDEO"} == set(told)
        assert Path("hit.mp4").read_bytes()[4:8] == b"ftyp"
        assert Path("hit.jpg").read_bytes()[:2] == b"\xff\xd8"
    finally:
        server.send_signal(signal.SIGTERM)
        _, err = server.communicate(timeout=60)
    assert server.returncode == 143, err
    assert "Traceback" not in err


def test_there_are_calls_on_the_page():
    assert len(COMMANDS) >= 12


def test_errors_are_those_on_the_page(tmp_path):
    told = re.findall(r"^    GET (\S+)\n    (\{.*\})$", PAGE, flags=re.MULTILINE)
    assert len(told) == 2
    app = create_app(ServeConfig(library=str(tmp_path / "library")))
    with TestClient(app, base_url="http://localhost") as client:
        for path, problem in told:
            assert client.get(path).json() == json.loads(problem)
