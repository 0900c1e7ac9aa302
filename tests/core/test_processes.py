import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from worldline.core.processes import WorkerLostError, spread, spread_in_order


def test_a_stop_from_the_keyboard_does_not_reach_workers():
    """One that died of it would have its work done twice."""
    stopped = set()
    for _, process in spread(_number, range(40), num_workers=2):
        assert isinstance(process, int)
        assert process != os.getpid()
        if process not in stopped:
            os.kill(process, signal.SIGINT)
            stopped.add(process)
    assert 1 <= len(stopped) <= 2
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_workers_have_one_thread_each(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")
    assert list(spread_in_order(os.getenv, names, num_workers=1)) == ["1", "1"]
    assert os.environ["OMP_NUM_THREADS"] == "7"
    assert "MKL_NUM_THREADS" not in os.environ


def _number(_: int) -> int:
    return os.getpid()


def test_pieces_are_given_with_what_came_of_them():
    drawn = []
    items = (drawn.append(n) or -n for n in range(7))
    answers = sorted(spread(abs, items, num_workers=2))
    assert answers == [(-n, n) for n in range(6, -1, -1)]
    assert drawn == list(range(7))
    assert list(spread(abs, [], num_workers=2)) == []


def test_a_piece_that_kills_its_process_is_lost_alone():
    answers = dict(spread(_die_of_three, range(8), num_workers=2))
    lost = answers.pop(3)
    assert isinstance(lost, WorkerLostError)
    assert "died" in str(lost)
    assert answers == {n: n for n in range(8) if n != 3}


def test_what_a_piece_raises_is_raised():
    with pytest.raises(ZeroDivisionError):
        list(spread(_divide, [0], num_workers=1))


def test_workers_end_with_who_leaves_and_with_who_is_killed(tmp_path):
    """Pieces are under way for a minute."""
    path = tmp_path / "leaves.py"
    path.write_text(LEAVES)
    command = [sys.executable, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        workers = [int(process.stdout.readline())]
        assert process.stdout.readline() == "closed\n"
        workers.append(int(process.stdout.readline()))
        process.kill()
    for worker in workers:
        for _ in range(600):
            if not Path(f"/proc/{worker}").exists():
                break
            time.sleep(0.05)
        else:
            raise AssertionError("a worker is still there")


LEAVES = """
import os, sys, time
from worldline.core.processes import spread

def work(wait_s):
    time.sleep(wait_s)
    return os.getpid()

if __name__ == "__main__":
    for _ in range(2):
        answers = spread(work, [0, 60], num_workers=1)
        print(next(answers)[1], flush=True)
        if _ == 0:
            answers.close()
            print("closed", flush=True)
    time.sleep(60)
"""


def _die_of_three(number: int) -> int:
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def _divide(number: int) -> float:
    return 1 / number


def test_answers_come_in_the_order_of_the_items():
    assert list(spread_in_order(_slow_at_first, range(9), num_workers=3)) == list(range(9))
    with pytest.raises(WorkerLostError):
        list(spread_in_order(_die_of_three, range(5), num_workers=2))


def test_leaving_in_the_middle_ends_the_processes():
    """Ended while it hands over its answer, a process could leave this one waiting for ever."""
    for _ in range(3):
        answers = spread_in_order(_large, range(400), num_workers=2)
        next(answers)
        answers.close()


def _slow_at_first(number: int) -> int:
    time.sleep(0.2 * (number == 0))
    return number


def _large(number: int) -> bytes:
    return bytes(4_000_000)
