"""`Bucket`: how many messages a client may send."""

from __future__ import annotations

__all__ = ["Bucket"]


class Bucket:
    """A token bucket: `rate` messages a second, and `burst` at once after a rest.

    Args:
        rate: tokens that are added per second.
        burst: tokens that it holds.
        now_s: on any clock.
    """

    def __init__(self, rate: float, burst: float, now_s: float) -> None:
        self._rate, self._burst = rate, burst
        self._tokens, self._at_s = burst, now_s

    def take(self, now_s: float) -> bool:
        """Take a token, if there is one."""
        gained = self._rate * max(0.0, now_s - self._at_s)
        self._tokens, self._at_s = min(self._burst, self._tokens + gained), now_s
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
