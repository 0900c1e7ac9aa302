"""Freed memory is kept, and only where nobody has said otherwise."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PICTURES = """
import resource, sys
import numpy as np
from worldline.core.memory import keep_freed_memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(50):
        np.ones(4 * 2**20, np.uint8)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

print(faults(), keep_freed_memory(), faults() and faults())
"""


def run(**environment: str) -> list[str]:
    told = {**os.environ, **environment}
    done = subprocess.run(
        [sys.executable, "-c", PICTURES], env=told, capture_output=True, text=True, check=True
    )
    return done.stdout.split()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc alone is told so")
def test_pictures_use_memory_again():
    before, done, after = run()
    assert done == "True"
    assert int(after) < 0.1 * int(before)


def test_what_the_user_has_set_stays():
    assert run(MALLOC_TRIM_THRESHOLD_="131072")[1] == "False"
