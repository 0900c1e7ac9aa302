"""What is said when there is no Ray, no cluster, or no room; nothing is started here."""

import importlib.util
import signal
import socket
import sys

import pytest

from worldline.core import InputError
from worldline.scale import ray_session
from worldline.scale.launch import _check_room, _own_interrupt


def enter(address: str, num_workers: int = 1, **options) -> None:
    with ray_session(address, num_workers=num_workers, **options):
        raise AssertionError("a session was opened")


def test_without_ray_the_extra_is_named(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"pip install -e '\.\[scale\]'"):
        enter("local")


def test_an_address_where_nobody_listens():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
        with pytest.raises(InputError, match=f"{address}: no Ray cluster can be reached there"):
            enter(address)


@pytest.mark.parametrize("address", ["nonsense", "ray://head:10001", "head:port"])
def test_an_address_that_is_none(address):
    with pytest.raises(InputError, match="give local, auto, or HOST:PORT"):
        enter(address)


def test_more_workers_than_there_is_room_for():
    with pytest.raises(InputError, match="--workers is 4096, but this machine has"):
        enter("local", 4096)
    with pytest.raises(InputError, match="--workers is 3, but head:1 has 2 GPUs"):
        _check_room({"CPU": 8.0, "GPU": 2.0}, "head:1", 3, True)
    _check_room({"CPU": 3.0}, "head:1", 3, False)


def test_an_interrupt_that_ray_train_took_is_told_to_the_caller():
    before = signal.getsignal(signal.SIGINT)

    def interrupted():
        with _own_interrupt():
            signal.signal(signal.SIGINT, lambda number, frame: sys.exit(0))
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert signal.getsignal(signal.SIGINT) is before
