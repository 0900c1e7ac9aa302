from __future__ import annotations

import threading
from collections.abc import Generator

import pytest

from worldline.readout.prefetch import prefetch


def names() -> set[str]:
    return {thread.name for thread in threading.enumerate()}


def test_items_come_in_order_from_another_thread():
    seen = []

    def numbers() -> Generator[int, None, None]:
        for k in range(50):
            seen.append(threading.current_thread().name)
            yield k

    with prefetch(numbers()) as items:
        assert list(items) == list(range(50))
    assert set(seen) == {"worldline-prefetch"}
    assert "worldline-prefetch" not in names()


def test_an_error_comes_at_its_place():
    def broken() -> Generator[int, None, None]:
        yield 1
        yield 2
        raise KeyError("three")

    with prefetch(broken()) as items:
        assert [next(items), next(items)] == [1, 2]
        with pytest.raises(KeyError, match="three"):
            next(items)


def test_who_stops_early_leaves_nothing_running():
    closed = []

    def endless() -> Generator[int, None, None]:
        try:
            k = 0
            while True:
                yield k
                k += 1
        finally:
            closed.append(threading.current_thread().name)

    with prefetch(endless()) as items:
        assert next(items) == 0
    assert closed == ["worldline-prefetch"]
    assert "worldline-prefetch" not in names()


def test_an_error_of_the_reader_ends_it_too():
    closed = []

    def endless() -> Generator[int, None, None]:
        try:
            while True:
                yield 1
        finally:
            closed.append(True)

    def read() -> None:
        with prefetch(endless()) as items:
            raise ValueError(f"enough of {next(items)}")

    with pytest.raises(ValueError, match="enough of 1"):
        read()
    assert closed
    assert "worldline-prefetch" not in names()


def test_no_more_is_fetched_than_asked_for():
    made = []
    waited = threading.Event()

    def numbers() -> Generator[int, None, None]:
        for k in range(100):
            made.append(k)
            if k == 39:
                waited.set()
            yield k

    with prefetch(numbers(), ahead=32) as items:
        assert waited.wait(5.0)  # four parcels of eight wait, and the next is in hand
        assert len(made) == 40
        assert list(items) == list(range(100))
