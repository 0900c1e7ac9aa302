"""Environments and policies that are named as modules: found, or refused in one sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from worldline.core.errors import InputError
from worldline.data.players import import_home, load_policy


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)


def test_a_policy_of_the_working_directory():
    Path("my_policies.py").write_text("def left(rng):\n    return lambda seen: 0\nspeed = 3\n")
    assert load_policy("my_policies:left")(np.random.default_rng(0))(None) == 0
    with pytest.raises(InputError, match="policy my_policies:speed: is a int, not a function"):
        load_policy("my_policies:speed")
    with pytest.raises(InputError, match="policy my_policies:up: there is none in my_policies"):
        load_policy("my_policies:up")


@pytest.mark.parametrize("name", ["my_policies", ":left", "my_policies:", ""])
def test_how_a_policy_is_named(name: str):
    with pytest.raises(InputError, match="name it as MODULE:NAME"):
        load_policy(name)


def test_what_is_not_there_is_said_to_be_nowhere():
    for find in (lambda: import_home("no_such:X-v0"), lambda: load_policy("no_such:play")):
        with pytest.raises(InputError, match=r"No module named 'no_such'.*working directory"):
            find()


@pytest.mark.parametrize("fault", ["x = (", "raise SystemExit(3)", "import no_such_either"])
def test_a_module_with_a_fault_is_not_said_to_be_missing(fault: str):
    Path("my_faulty.py").write_text(fault)
    for find in (lambda: import_home("my_faulty:X-v0"), lambda: load_policy("my_faulty:play")):
        with pytest.raises(InputError, match="the module my_faulty cannot be imported") as told:
            find()
        assert "working directory" not in str(told.value)


@pytest.mark.parametrize(
    ("env_id", "package", "advice"),
    [
        ("ALE/Nowhere-v5", "ale_py", r"install the extra games \(pip install -e '.\[games\]'"),
        ("VizdoomNowhere-v1", "vizdoom", "install the extra games"),
        ("gym_pusht/Nowhere-v0", "gym_pusht", "CONTRIBUTING.md says how"),
    ],
)
def test_known_packages_that_lack_are_named_with_their_extra(
    env_id: str, package: str, advice: str, monkeypatch: pytest.MonkeyPatch
):
    def nothing(name: str, *_: object, **__: object) -> None:
        raise ImportError(f"No module named {name!r}")

    monkeypatch.setattr("importlib.import_module", nothing)
    with pytest.raises(InputError, match=f"needs the package {package}, .*; {advice}"):
        import_home(env_id)
