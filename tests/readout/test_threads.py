import cv2
import pytest

from worldline.readout.threads import one_thread_each


@pytest.fixture(autouse=True)
def two_threads():
    before = cv2.getNumThreads()
    cv2.setNumThreads(2)
    yield
    cv2.setNumThreads(before)


def test_opencv_runs_on_its_callers_thread_inside():
    with one_thread_each():
        assert cv2.getNumThreads() == 1
    assert cv2.getNumThreads() == 2


def test_the_last_one_who_leaves_puts_back_what_was():
    first, second = one_thread_each(), one_thread_each()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert cv2.getNumThreads() == 1
    second.__exit__(None, None, None)
    assert cv2.getNumThreads() == 2


def test_it_is_put_back_after_an_error():
    with pytest.raises(KeyError), one_thread_each():
        raise KeyError
    assert cv2.getNumThreads() == 2
