"""Somebody's own Python modules, named on a command line.

The script `worldline` has its own folder first among those that modules are looked for in, where
`python -m` has the working directory; what lies there has to be found by either.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

__all__ = ["import_theirs", "look_into"]


def look_into(folder: Path) -> None:
    """Let modules of a folder be imported, before any others of the same name."""
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


def import_theirs(name: str) -> ModuleType:
    """A module of the working directory, or an installed one.

    Whatever it raises while it is imported comes through as it is.
    """
    look_into(Path.cwd())
    return importlib.import_module(name)
