from __future__ import annotations

from worldline.serve.play.bucket import Bucket


def test_a_burst_and_then_a_rate():
    bucket = Bucket(rate=10, burst=3, now_s=0.0)
    assert [bucket.take(0.0) for _ in range(4)] == [True, True, True, False]
    assert bucket.take(0.1)
    assert not bucket.take(0.15)
    assert [bucket.take(100.0) for _ in range(4)] == [True, True, True, False]
    assert not bucket.take(50.0)  # a clock that goes back gives nothing
