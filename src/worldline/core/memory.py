"""Memory of processes through which pictures pass."""

from __future__ import annotations

import ctypes
import os
import sys
from functools import cache

__all__ = ["keep_freed_memory"]

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # names of glibc's malloc.h
_KEPT_BYTES, _LARGE_BYTES = 128 * 2**20, 32 * 2**20  # 32 MiB is the most that glibc takes
_BY_USER = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES")


@cache
def keep_freed_memory() -> bool:
    """Let this process keep memory that was given back, to be used again, up to 128 MiB of it.

    Pictures come and go all the time. As it is set out, glibc gives blocks of their size back to
    the system, and each next one is mapped anew and cleared page by page, which takes a decoder a
    quarter of its time. See mallopt(3), M_TRIM_THRESHOLD and M_MMAP_THRESHOLD. Where the user has
    set these by the environment, that stays; other libraries than glibc are left alone.

    Returns:
        whether it was done.
    """
    if not sys.platform.startswith("linux") or any(name in os.environ for name in _BY_USER):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    kept = mallopt(_TRIM_THRESHOLD, _KEPT_BYTES)
    return bool(kept) and bool(mallopt(_MMAP_THRESHOLD, _LARGE_BYTES))
