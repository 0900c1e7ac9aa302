import subprocess
import sys

import pytest

PROGRAM = """
import os, sys
from worldline.cli.main import main
assert "torch" not in sys.modules
main(["info", "small", "--json"])
assert "torch" in sys.modules
print(os.environ["OMP_WAIT_POLICY"], file=sys.stderr)
"""


@pytest.mark.parametrize(("wish", "outcome"), [(None, "PASSIVE"), ("ACTIVE", "ACTIVE")])
def test_threads_sleep_while_waiting_unless_told_otherwise(
    wish: str | None, outcome: str, monkeypatch: pytest.MonkeyPatch
):
    """The wish is there before PyTorch, which reads it when it is loaded."""
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    if wish is not None:
        monkeypatch.setenv("OMP_WAIT_POLICY", wish)
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert done.stderr.splitlines()[-1] == outcome
