import os
import signal

from worldline.core.processes import spawn_pool


def test_a_stop_from_the_keyboard_does_not_reach_workers():
    """One that died of it would be waited for forever."""
    with spawn_pool(2) as pool:
        for process in set(pool.map_async(_number, range(8)).get(timeout=60)):
            assert process != os.getpid()
            os.kill(process, signal.SIGINT)
        assert pool.map_async(abs, [-1, -2, -3]).get(timeout=60) == [1, 2, 3]
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_workers_have_one_thread_each(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    with spawn_pool(1) as pool:
        told = [pool.apply(os.getenv, (name,)) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")]
    assert told == ["1", "1"]
    assert os.environ["OMP_NUM_THREADS"] == "7"
    assert "MKL_NUM_THREADS" not in os.environ


def _number(_: int) -> int:
    return os.getpid()
