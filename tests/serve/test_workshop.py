"""Work in other processes: answers, errors, limits, and processes that die."""

from __future__ import annotations

import os
import time

import pytest

from worldline.core.errors import ArtifactError, InputError, MediaError
from worldline.serve.workshop import BusyError, OverdueError, WorkError, Workshop

_calls: list[int] = []


def count() -> int:
    """Number of calls in this process."""
    _calls.append(1)
    return len(_calls)


def fail(kind: str) -> None:
    match kind:
        case "media":
            raise MediaError("a.mp4", "is empty")
        case "artifact":
            raise ArtifactError("the library is damaged")
        case "bug":
            raise RuntimeError("a bug")
        case "exit":
            os._exit(3)
        case "unpicklable":
            return lambda: None  # type: ignore[return-value]


@pytest.fixture(scope="module")
def workshop():
    workshop = Workshop(1, max_waiting=0)
    yield workshop
    workshop.close()


def test_answers_and_errors_come_back(workshop):
    first = workshop.call(count, timeout_s=60)
    assert workshop.call(count, timeout_s=60) == first + 1  # in the same process
    with pytest.raises(InputError, match=r"a\.mp4: is empty"):
        workshop.call(fail, "media", timeout_s=60)
    with pytest.raises(ArtifactError, match="damaged"):
        workshop.call(fail, "artifact", timeout_s=60)
    with pytest.raises(WorkError):
        workshop.call(fail, "bug", timeout_s=60)
    assert workshop.call(count, timeout_s=60) == first + 2


def test_a_process_that_dies_or_takes_too_long_is_replaced(workshop):
    with pytest.raises(WorkError):
        workshop.call(fail, "exit", timeout_s=60)
    assert workshop.call(count, timeout_s=60) == 1  # it runs, so what follows is not its start
    with pytest.raises(OverdueError):
        workshop.call(time.sleep, 3600, timeout_s=0.1)
    assert workshop.call(count, timeout_s=60) == 1
    with pytest.raises(WorkError):
        workshop.call(fail, "unpicklable", timeout_s=60)
    assert workshop.call(count, timeout_s=60)


def test_no_more_calls_wait_than_may(workshop):
    from threading import Thread

    caught = []

    def stay():
        try:
            workshop.call(time.sleep, 3600, timeout_s=60)
        except WorkError as error:
            caught.append(error)

    thread = Thread(target=stay)
    thread.start()
    while workshop.is_free:
        time.sleep(0.01)
    with pytest.raises(BusyError):
        workshop.call(count, timeout_s=60)
    workshop.close()
    thread.join(60)
    assert len(caught) == 1
    with pytest.raises(WorkError):
        workshop.call(count, timeout_s=60)


def linger() -> None:
    time.sleep(2)


def test_a_process_that_starts_slowly_is_waited_for_and_not_ended():
    workshop = Workshop(1, max_waiting=1, warm_up=linger)
    with pytest.raises(BusyError):
        workshop.call(os.getpid, timeout_s=0.05)
    first = workshop.call(os.getpid, timeout_s=60)
    assert workshop.call(os.getpid, timeout_s=60) == first
    workshop.close()
