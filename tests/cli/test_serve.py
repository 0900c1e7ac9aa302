"""`worldline serve`, as it is called."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from tests.cli.conftest import start


@pytest.fixture
def served(tmp_path, call):
    """A running server, with six clips in its media folder and an empty library."""
    clips = tmp_path / "clips"
    assert call("sim", "make", "drop", "collide", "--clips", "6", "--out", clips).code == 0
    processes: list[subprocess.Popen[str]] = []

    def serve() -> tuple[subprocess.Popen[str], str]:
        place = ["--library", str(tmp_path / "library"), "--media", str(clips)]
        process = start("serve", *place, "--port", "0", "--json")
        processes.append(process)
        assert process.stdout is not None
        return process, json.loads(process.stdout.readline())["address"]

    yield serve
    for process in processes:
        process.kill()
        process.communicate(timeout=60)


def ask(address: str, path: str, body: dict | None = None) -> dict:
    content = None if body is None else json.dumps(body).encode()
    kind = {"content-type": "application/json"}
    with urlopen(Request(f"{address}{path}", content, kind), timeout=120) as answer:
        return json.loads(answer.read())


def children(process: subprocess.Popen[str]) -> list[int]:
    listed = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return [int(number) for number in listed]


def is_gone(number: int) -> bool:
    status = Path(f"/proc/{number}/status")
    return not status.exists() or "State:\tZ" in status.read_text()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_a_stop_amid_a_job_loses_nothing(served, number, code):
    process, address = served()
    job = ask(address, "v1/jobs", {"paths": ["."]})["id"]
    while not ask(address, f"v1/jobs/{job}")["num_done"]:
        time.sleep(0.05)
    own = children(process)
    assert own
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert "Traceback" not in err
    if number != signal.SIGKILL:
        assert "worldline: stopped; what it brought into the library stays; a job goes on" in err
    for _ in range(600):
        if all(map(is_gone, own)):
            break
        time.sleep(0.1)
    assert all(map(is_gone, own))
    _, address = served()
    job = ask(address, "v1/jobs", {"paths": ["."]})["id"]
    while (report := ask(address, f"v1/jobs/{job}"))["status"] in ("queued", "running"):
        time.sleep(0.05)
    assert report["status"] == "done"
    assert sum(report["counts"].values()) == 6
    assert not report["counts"].get("failed")
    library = ask(address, "v1/library")
    assert library["num_videos"] == 6
    assert ask(address, "v1/search?q=something+falls")["hits"]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--port", "70000"), "--port is 70000; it must be from 0 to 65535"),
        (("--port", "x"), "--port is 'x'; it must be a whole number"),
        (("--max-jobs", "0"), "--max-jobs is 0; give more than 0"),
        (("--timeout-s", "nan"), "--timeout-s is nan; give more than 0"),
        (("--media", "nowhere"), "--media nowhere: no such folder; name another"),
        (("--host", "256.0.0.1"), "--host 256.0.0.1: cannot be listened at"),
        (("--host", "192.0.2.1"), "--port 8431: cannot be listened at on 192.0.2.1"),
    ],
)
def test_bad_arguments_are_told_in_a_line(call, tmp_path, monkeypatch, words, reason):
    monkeypatch.chdir(tmp_path)
    done = call("serve", "--library", "library", *words)
    assert done.code == 2
    assert reason in done.error_lines[0]
    assert len(done.error_lines) == 1


def test_a_place_that_can_be_no_library_is_told(call, tmp_path):
    (tmp_path / "file").write_text("no library")
    done = call("serve", "--library", tmp_path / "file")
    assert done.code == 2
    assert "a file, but a library is a folder" in done.error_lines[0]
