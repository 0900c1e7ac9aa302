"""Work in other processes: all items are done, in any order, and what goes wrong is told."""

from __future__ import annotations

import os

import pytest

from worldline.core import InputError
from worldline.core.lanes import pack, side_by_side
from worldline.core.processes import WorkerLostError


def square(number: int, on_progress) -> tuple[int, int]:
    on_progress(0.5)
    if number == 3:
        os._exit(1)  # as a process does that is out of memory
    return number**2, os.getpid()


def refuse(number: int, on_progress) -> int:
    if number < 2:
        return number
    raise FileNotFoundError(2, "no such file", "frames.npz")


def test_all_items_are_done_elsewhere_and_a_death_costs_one():
    told: list[tuple[int, float]] = []
    packed = pack(square)
    assert packed is not None
    found = dict(
        side_by_side(packed, [1, 2, 3, 4], num_lanes=2, on_progress=lambda *t: told.append(t))
    )
    lost = found.pop(2)
    assert isinstance(lost, WorkerLostError)
    assert "out of" not in str(lost)
    assert {index: value for index, (value, _) in found.items()} == {0: 1, 1: 4, 3: 16}
    assert os.getpid() not in {process for _, process in found.values()}
    assert {(0, 0.5), (1, 0.5), (3, 0.5)} <= set(told)


def test_what_the_work_raises_is_raised_here_with_its_lines():
    packed = pack(refuse)
    assert packed is not None
    with pytest.raises(FileNotFoundError, match="no such file") as raised:
        list(side_by_side(packed, [1, 2], num_lanes=1))
    assert "in refuse" in "".join(raised.value.__notes__)


def test_what_knows_this_process_alone_cannot_be_packed():
    assert pack(lambda number, on_progress: number) is None
    assert pack(InputError) is not None
