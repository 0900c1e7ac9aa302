"""Tests check the shapes and types that annotations promise, on one thread, in scratch folders."""

from __future__ import annotations

import os
import sys
from types import ModuleType

import pytest
from beartype import BeartypeConf, beartype
from jaxtyping import config, install_import_hook

# The same sums on every machine, and tests that run side by side; read when torch is imported.
os.environ["OMP_NUM_THREADS"] = "1"

# An int is a float, as type checkers see it. The hook finds a checker by a module's name only.
checker = ModuleType("worldline_checker")
checker.check = beartype(conf=BeartypeConf(is_pep484_tower=True))  # pyright: ignore
sys.modules[checker.__name__] = checker

# Before anything imports worldline: from here on each annotated call and dataclass is checked.
install_import_hook("worldline", f"{checker.__name__}.check")


@pytest.fixture(autouse=True)
def _scratch_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch):
    """Caches that a library wants to keep go to a folder of this run."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture
def as_users_run():
    """Annotations are not checked, so that a class must refuse bad input by itself."""
    config.update("jaxtyping_disable", True)
    yield
    config.update("jaxtyping_disable", False)
